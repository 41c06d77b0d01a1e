//! Comparisons to conditions on packets.
//!
//! INVARIANT: a condition is exact, or it has an [`Unknown`] in it.

use super::chains::Lowering;
use super::content::{self, Content};
use super::cube::{Cube, cubes};
use super::place::{Place, When};
use super::scope::behind;
use super::value::{self, Effort, Refusal};
use crate::dialect::nftables::ast::{Comparison, Expr, ExprKind, Operator, Read, TableFamily, Unread};
use crate::dialect::nftables::names::{Key, Type};
use crate::dialect::nftables::parser::canonical;
use crate::model::{Condition, Families, Match, Unknown};
use crate::packet::{Family, Field, RangeSet, value as packet_value};

/// Values that stand beside each other without braces.
const MAX_VALUES: usize = 1000;

/// One side of a comparison: a selector and what is done to its bits, innermost first.
#[derive(Debug)]
pub(super) struct Operand<'e> {
    pub(super) key: &'e Key,
    pub(super) ops: Vec<(Operator, u128)>,
}

/// Values, and whether they are those that are meant or all others.
#[derive(Debug)]
pub(super) enum Values {
    Ranges(RangeSet),
    Cubes(Vec<Cube>),
}

pub(super) fn never() -> Condition {
    Condition::Any(Vec::new())
}

pub(super) fn always() -> Condition {
    Condition::All(Vec::new())
}

pub(super) fn not(condition: Condition, negated: bool) -> Condition {
    if negated {
        Condition::Not(Box::new(condition))
    } else {
        condition
    }
}

/// One of many, as a tree that is as deep as the logarithm of their number.
pub(super) fn any(mut parts: Vec<Condition>) -> Condition {
    const WIDTH: usize = 8;
    while parts.len() > WIDTH {
        let mut groups = Vec::with_capacity(parts.len() / WIDTH + 1);
        let mut rest = parts.into_iter().peekable();
        while rest.peek().is_some() {
            groups.push(Condition::Any(rest.by_ref().take(WIDTH).collect()));
        }
        parts = groups;
    }
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    Condition::Any(parts)
}

fn test(field: Field, set: RangeSet) -> Condition {
    if set.is_empty() {
        never()
    } else {
        Condition::Test(field, set)
    }
}

/// The selector behind operators with constants. `None`: something else is compared.
pub(super) fn operand<'e, 'a>(expr: &'e Expr<'a>) -> Option<Result<Operand<'e>, Refusal<'a>>> {
    let (mut expr, mut ops) = (behind(expr), Vec::new());
    while let ExprKind::Binary(op, both) = &expr.kind {
        ops.push((*op, &both.1));
        expr = behind(&both.0);
    }
    let ExprKind::Selector(key) = &expr.kind else {
        return None;
    };
    let constant = |(op, by): &(Operator, &Expr<'a>)| {
        let kind = match op {
            Operator::ShiftLeft | Operator::ShiftRight => Type::Integer(8),
            _ => key.kind(),
        };
        value::number(by, kind).map(|number| (*op, number))
    };
    let ops = ops.iter().rev().map(constant).collect::<Result<Vec<_>, _>>();
    Some(ops.map(|ops| Operand { key, ops }))
}

impl<'p, 'a> Lowering<'p, 'a> {
    /// The conditions of `LEFT OP RIGHT`.
    pub(super) fn comparison(
        &mut self,
        place: &mut Place<'p, 'a>,
        left: &'p Expr<'a>,
        op: Comparison,
        right: &'p Expr<'a>,
        into: &mut Vec<Match>,
    ) -> Read<'a, ()> {
        let span = self.texts.span(right.text);
        let asked = match self.compared(place, left, op, right, into) {
            Ok(condition) => condition,
            Err(Refusal::Unread(unread)) => return Err(unread),
            Err(Refusal::Unknown(why)) => self.unknown_comparison(left, op, right, why),
        };
        into.push(Match {
            span,
            condition: asked,
        });
        Ok(())
    }

    /// A comparison of which only the words are known.
    fn unknown_comparison(
        &mut self,
        left: &Expr<'a>,
        op: Comparison,
        right: &Expr<'a>,
        why: &'static str,
    ) -> Condition {
        let (name, why) = match &behind(left).kind {
            ExprKind::Selector(Key::Other(other)) => {
                (other.name.clone(), format!("`{}` is not modelled", other.name))
            }
            _ => (canonical(left.text), why.to_owned()),
        };
        self.unknowns.note(&name, self.texts.span(left.text), false);
        let is_kept = keeps(left, self.program_translates);
        let (property, negated) = self.question(&name, op, right);
        let why = self.unknowns.text(&why);
        let property = is_kept.then(|| self.unknowns.text(&property));
        not(Condition::Unknown(Unknown { property, why }), negated)
    }

    /// A name for the question, the same wherever it is asked, and whether it is asked the other way round.
    fn question(&self, name: &str, op: Comparison, right: &Expr<'a>) -> (String, bool) {
        const LONGEST: usize = 200;
        let values = if right.text.len() > LONGEST {
            format!("what stands at {}", self.texts.span(right.text).start)
        } else {
            canonical(right.text)
        };
        let (word, negated) = match op {
            Comparison::Implicit | Comparison::Equal => ("", false),
            Comparison::NotEqual => ("", true),
            Comparison::Less => ("< ", false),
            Comparison::GreaterOrEqual => ("< ", true),
            Comparison::Greater => ("> ", false),
            Comparison::LessOrEqual => ("> ", true),
            Comparison::NoneOf => ("! ", false),
        };
        (format!("{name} {word}{values}"), negated)
    }

    fn compared(
        &mut self,
        place: &mut Place<'p, 'a>,
        left: &'p Expr<'a>,
        op: Comparison,
        right: &'p Expr<'a>,
        into: &mut Vec<Match>,
    ) -> Result<Condition, Refusal<'a>> {
        let parts: Vec<&Expr<'a>> = match &left.kind {
            ExprKind::Concat(parts) => parts.iter().collect(),
            _ => vec![left],
        };
        let mut operands = Vec::with_capacity(parts.len());
        for part in &parts {
            let operand =
                operand(part).ok_or(Refusal::Unknown("what is computed here is not modelled"))??;
            self.demand(place, part, operand.key, into)?;
            operands.push(operand);
        }
        for operand in &operands {
            place.reads_mark |= *operand.key == Key::Mark;
            place.reads_state |= *operand.key == Key::CtState || is_of_connection(operand.key);
        }
        let is_membership = matches!(
            behind(right).kind,
            ExprKind::Set(_) | ExprKind::SetName(_) | ExprKind::Concat(_)
        );
        let negated = op == Comparison::NotEqual;
        if operands.len() > 1 || is_membership {
            if !matches!(
                op,
                Comparison::Implicit | Comparison::Equal | Comparison::NotEqual
            ) {
                return Err(Unread::new(right.text, "a set is only compared by `==` and `!=`").into());
            }
            let condition = self.membership(place, left, &operands, right, negated)?;
            return Ok(not(condition, negated));
        }
        let Some(operand) = operands.first() else {
            return Ok(always());
        };
        let mut effort = Effort::new(MAX_VALUES);
        let (values, is_complement) = single(operand, op, right, &mut effort)?;
        effort.reversed.iter().for_each(|unread| self.unread(unread));
        if !is_complement && operand.ops.is_empty() {
            narrow(place, operand.key, &values);
        }
        let condition = self.among(place, operand, values, (left, op, right))?;
        Ok(not(condition, is_complement))
    }

    /// What a selector demands of the packet before it can be asked.
    pub(super) fn demand(
        &mut self,
        place: &mut Place<'p, 'a>,
        part: &Expr<'a>,
        key: &Key,
        into: &mut Vec<Match>,
    ) -> Result<(), Refusal<'a>> {
        // In text the name of the header; in JSON the whole object.
        let word = match part.text.split_ascii_whitespace().next() {
            Some(word) if !word.starts_with('{') => word.trim_start_matches('('),
            _ => part.text,
        };
        if let Some(family) = key.family() {
            self.demand_family(place, word, key, family, into)?;
        }
        if let Some(protocol) = key.protocol() {
            let number = u128::from(protocol);
            self.demand_value(place, word, Field::Protocol, number, into);
            place.protocols = place.protocols.intersection(&RangeSet::point(number));
        }
        if let Key::Other(other) = key
            && let Some(types) = types_with(&other.name)
        {
            let types = types.iter().map(|kind| (*kind, *kind));
            into.push(Match {
                span: self.texts.span(word),
                condition: Condition::Test(Field::Service, icmp_types(&RangeSet::from_ranges(types))),
            });
        }
        if let Key::Other(other) = key
            && may_be_missing(&other.name)
        {
            // Without it there is nothing to compare: neither `==` nor `!=` holds.
            let why = self
                .unknowns
                .text(&format!("whether there is a `{}` is not known", other.name));
            let property = other
                .keeps
                .then(|| self.unknowns.text(&format!("{} is there", other.name)));
            into.push(Match {
                span: self.texts.span(word),
                condition: Condition::Unknown(Unknown { property, why }),
            });
        }
        if self.tests_fragments && key.reads_transport() {
            self.demand_value(place, word, Field::Fragment, 0, into);
        }
        if is_of_connection(key) {
            let span = self.texts.span(word);
            let tracked = RangeSet::range(packet_value::NEW, packet_value::RELATED);
            // Without a connection there is nothing to ask: the rule ends here.
            let condition = match place.met.tracking {
                When::After => Condition::Test(Field::State, tracked),
                When::Before => never(),
                When::Either => Condition::Unknown(Unknown {
                    property: None,
                    why: self
                        .unknowns
                        .text("the chain is called before and after connections are tracked"),
                }),
            };
            into.push(Match { span, condition });
        }
        Ok(())
    }

    fn demand_family(
        &mut self,
        place: &mut Place<'p, 'a>,
        word: &'a str,
        key: &Key,
        family: Family,
        into: &mut Vec<Match>,
    ) -> Result<(), Refusal<'a>> {
        let other = match place.table.name.family {
            TableFamily::Ip => Some(Family::V6),
            TableFamily::Ip6 => Some(Family::V4),
            _ => None,
        };
        if other == Some(family) {
            // `icmp` in a table of the other family asks for the protocol alone.
            if key.protocol().is_some() || place.table.name.family == TableFamily::Arp {
                return Ok(());
            }
            let message = format!(
                "`{word}` has no place in a table of family `{}`",
                family_word(place)
            );
            return Err(Unread::new(word, message).into());
        }
        match (place.families, family) {
            (Families::Both, _) => self.demand_value(place, word, Field::Family, family.value(), into),
            (Families::V4, Family::V6) | (Families::V6, Family::V4) => into.push(Match {
                span: self.texts.span(word),
                condition: never(),
            }),
            _ => place.demanded.push((Field::Family, family.value())),
        }
        Ok(())
    }

    fn demand_value(
        &mut self,
        place: &mut Place<'p, 'a>,
        word: &'a str,
        field: Field,
        number: u128,
        into: &mut Vec<Match>,
    ) {
        if place.demanded.contains(&(field, number)) {
            return;
        }
        place.demanded.push((field, number));
        into.push(Match {
            span: self.texts.span(word),
            condition: Condition::Test(field, RangeSet::point(number)),
        });
    }

    /// `membership ::= "ip" blank ("saddr" | "daddr") blank? (("==" | "!=") blank?)? "{" lines?
    ///     (dotted-address (blank? "/" blank? prefix | blank? "-" blank? dotted-address)? |
    ///     /[A-Za-z_][A-Za-z0-9._-]*/ - /[_.-]+/) (lines? "," lines? (dotted-address (blank? "/" blank?
    ///     prefix | blank? "-" blank? dotted-address)? | /[A-Za-z_][A-Za-z0-9._-]*/ - /[_.-]+/))* (lines?
    ///     ",")? lines? "}" | selector blank? (("==" | "!=") blank?)? "{" lines?
    ///     (/0{0,}([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/
    ///     | (/0{0,}([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])/ blank?
    ///     | /ssh|https?|domain/ blank) ("/" blank? /0{0,}([0-9]|1[0-6])/ | "-" blank?
    ///     /0{0,}([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/))
    ///     (lines? "," lines?
    ///     (/0{0,}([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/
    ///     | (/0{0,}([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])/ blank?
    ///     | /ssh|https?|domain/ blank) ("/" blank? /0{0,}([0-9]|1[0-6])/ | "-" blank?
    ///     /0{0,}([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/)))*
    ///     (lines? ",")? lines? "}" | selector blank "vmap" blank? verdict-map | "ct" blank "state" blank?
    ///     (("==" | "!=") blank?)? "{" lines? /new|established|related|invalid|untracked/ (lines? "," lines?
    ///     /new|established|related|invalid|untracked/)* (lines? ",")? lines? "}" | ("iifname" | "oifname")
    ///     blank? (("==" | "!=") blank?)? /"[ !#-)+-[\]-~]{1,15}"/`
    ///
    /// Whether the parts of a packet are a key of a set.
    fn membership(
        &mut self,
        place: &mut Place<'p, 'a>,
        left: &'p Expr<'a>,
        operands: &[Operand<'p>],
        right: &'p Expr<'a>,
        negated: bool,
    ) -> Result<Condition, Refusal<'a>> {
        let kinds: Vec<Type> = operands.iter().map(|operand| operand.key.kind()).collect();
        let set = behind(right);
        if let ExprKind::SetName(name) = &set.kind {
            return self.named_membership(place, left, operands, name, &kinds);
        }
        let content = content::of_expr(set, &kinds)?;
        if let Some(mapped) = content.tuples.iter().find(|tuple| tuple.data.is_some()) {
            return Err(Unread::new(mapped.text, "a key of a set leads nowhere")
                .help("write `vmap` before the brace")
                .into());
        }
        content.reversed.iter().for_each(|unread| self.unread(unread));
        if let ([only], true, false) = (operands, content.tuples.is_empty(), negated)
            && only.ops.is_empty()
        {
            narrow(place, only.key, &Values::Ranges(content.plain.clone()));
        }
        self.among_content(place, operands, &content, (left, Comparison::Implicit, right))
    }

    fn named_membership(
        &mut self,
        place: &mut Place<'p, 'a>,
        left: &'p Expr<'a>,
        operands: &[Operand<'p>],
        name: &'a str,
        kinds: &[Type],
    ) -> Result<Condition, Refusal<'a>> {
        let Some(set) = place.table.sets.get(name) else {
            self.dangling_set(place.table, name);
            return Ok(self.unknown_set(left, name, &format!("set `{name}` does not exist")));
        };
        if set.is_dynamic {
            let span = self.texts.span(left.text);
            self.unknowns.note(&format!("@{name}"), span, false);
            return Ok(self.unknown_set(left, name, &format!("the members of set `{name}` are not known")));
        }
        let content = self.content_of(place.table, name, kinds)?;
        let whole = Expr {
            text: left.text,
            kind: ExprKind::SetName(name),
        };
        self.among_content(place, operands, &content, (left, Comparison::Implicit, &whole))
    }

    /// Membership of a set of which nothing is known.
    pub(super) fn unknown_set(&mut self, left: &Expr<'a>, name: &str, why: &str) -> Condition {
        let is_kept = keeps(left, self.program_translates);
        let property = is_kept.then(|| self.unknowns.text(&format!("@{name} {}", canonical(left.text))));
        let why = self.unknowns.text(why);
        Condition::Unknown(Unknown { property, why })
    }

    /// Whether the parts of a packet are an element.
    pub(super) fn among_content(
        &mut self,
        place: &mut Place<'p, 'a>,
        operands: &[Operand<'p>],
        content: &Content<'p, 'a>,
        question: (&Expr<'a>, Comparison, &Expr<'a>),
    ) -> Result<Condition, Refusal<'a>> {
        let mut parts = Vec::new();
        if let (Some(operand), false) = (operands.first(), content.plain.is_empty()) {
            let values = Values::Ranges(content.plain.clone());
            parts.push(self.among(place, operand, values, question)?);
        }
        let (unsure, sure): (Vec<_>, Vec<_>) = content.tuples.iter().partition(|tuple| tuple.is_unsure);
        for key in super::chains::merged(sure.iter().map(|tuple| tuple.key.clone()).collect()) {
            parts.push(self.tuple(place, operands, &key, question)?);
        }
        for tuple in unsure {
            let member = self.tuple(place, operands, &tuple.key, question)?;
            let why = self.unknowns.text(&format!(
                "whether `{}` is still in the set is not known",
                tuple.text
            ));
            let property = format!("{} in {}", canonical(tuple.text), canonical(question.0.text));
            let is_there = Condition::Unknown(Unknown {
                property: Some(self.unknowns.text(&property)),
                why,
            });
            parts.push(Condition::All(vec![member, is_there]));
        }
        Ok(any(parts))
    }

    /// Whether each part of a packet is in the part of a key.
    pub(super) fn tuple(
        &mut self,
        place: &mut Place<'p, 'a>,
        operands: &[Operand<'p>],
        key: &[RangeSet],
        question: (&Expr<'a>, Comparison, &Expr<'a>),
    ) -> Result<Condition, Refusal<'a>> {
        let before = (place.protocols.clone(), place.demanded.len());
        let mut parts = Vec::with_capacity(key.len());
        for (operand, set) in operands.iter().zip(key) {
            let values = Values::Ranges(set.clone());
            if operand.ops.is_empty() {
                narrow(place, operand.key, &values);
            }
            let all = RangeSet::range(0, operand.key.kind().max());
            if set != &all {
                parts.push(self.among(place, operand, values, question)?);
            }
        }
        place.protocols = before.0;
        place.demanded.truncate(before.1);
        if parts.len() == 1
            && let Some(only) = parts.pop()
        {
            return Ok(only);
        }
        Ok(Condition::All(parts))
    }

    /// Whether what a selector reads, its bits changed, is one of the values.
    pub(super) fn among(
        &mut self,
        place: &Place<'p, 'a>,
        operand: &Operand<'_>,
        values: Values,
        question: (&Expr<'a>, Comparison, &Expr<'a>),
    ) -> Result<Condition, Refusal<'a>> {
        let kind = operand.key.kind();
        let (bits, max) = (matches!(kind, Type::Mark | Type::CtStatus), kind.max());
        let mut found = match values {
            Values::Ranges(set) if operand.ops.is_empty() && !bits => {
                return Ok(self.holds(place, operand.key, &set, question));
            }
            Values::Ranges(set) => cubes(&set, max),
            Values::Cubes(cubes) => cubes,
        };
        for (op, constant) in operand.ops.iter().rev() {
            found = found
                .into_iter()
                .filter_map(|cube| cube.before(*op, *constant, max))
                .collect();
        }
        match operand.key {
            Key::Mark => Ok(any(found.into_iter().map(mark_bits).collect())),
            Key::CtStatus => Ok(any(found
                .into_iter()
                .map(|cube| self.status_bits(cube))
                .collect())),
            Key::CtState => {
                let is_in = |bit: u128| found.iter().any(|cube| bit & cube.care == cube.value);
                let states = STATES.iter().filter(|(_, bit)| is_in(*bit));
                let set = RangeSet::from_ranges(states.map(|(_, bit)| (*bit, *bit)));
                Ok(self.state(place, &set))
            }
            Key::Other(other) if other.name == "ip frag-off" => match found.as_slice() {
                // The low 13 bits are the fragment's place: only the first is at 0.
                [cube] if (cube.care, cube.value) == (0x1fff, 0) => {
                    Ok(Condition::Test(Field::Fragment, RangeSet::point(0)))
                }
                _ => Ok(self.holds(place, operand.key, &RangeSet::empty(), question)),
            },
            key => {
                let mut ranges = Vec::new();
                for cube in found {
                    ranges.extend(
                        cube.ranges(max)
                            .ok_or(Refusal::Unknown("the mask has too many holes"))?,
                    );
                }
                Ok(self.holds(place, key, &RangeSet::from_ranges(ranges), question))
            }
        }
    }

    /// Whether what a selector reads is one of the values.
    fn holds(
        &mut self,
        place: &Place<'p, 'a>,
        key: &Key,
        set: &RangeSet,
        question: (&Expr<'a>, Comparison, &Expr<'a>),
    ) -> Condition {
        use crate::dialect::nftables::names::Side::{Destination, Source};
        match key {
            Key::Address(family, Source) => test(family.source(), set.clone()),
            Key::Address(family, Destination) => test(family.destination(), set.clone()),
            Key::Port(_, Source) => test(Field::SourcePort, set.clone()),
            Key::Port(_, Destination) => test(Field::Service, set.clone()),
            Key::TransportPort(side) => {
                let field = if *side == Source {
                    Field::SourcePort
                } else {
                    Field::Service
                };
                self.transport_port(place, field, set, question)
            }
            Key::L4Protocol | Key::Protocol(_) => test(Field::Protocol, set.clone()),
            Key::TcpFlags => test(Field::TcpFlags, set.clone()),
            Key::IcmpType(_) => test(Field::Service, icmp_types(set)),
            Key::IcmpCode(_) => test(Field::Service, icmp_codes(set)),
            Key::Interface(Source) => test(Field::InInterface, set.clone()),
            Key::Interface(Destination) => self.leaves_by(place, set),
            Key::NfProto => families(set.contains(2), set.contains(10)),
            Key::EtherType => families(set.contains(0x0800), set.contains(0x86dd)),
            Key::CtState => self.state(place, set),
            Key::CtDirection => self.direction(set),
            Key::Class(side) => {
                let field = if *side == Source {
                    Field::SourceClass
                } else {
                    Field::DestinationClass
                };
                self.class(field, set)
            }
            Key::Mark | Key::CtStatus => always(),
            Key::Other(other) => {
                let span = self.texts.span(question.0.text);
                let why = self.unknowns.count(&other.name, span, false);
                let (property, _) = self.question(&other.name, question.1, question.2);
                let is_kept = other.keeps && !(other.is_of_destination && self.program_translates);
                let property = is_kept.then(|| self.unknowns.text(&property));
                let inverse = matches!(question.1, Comparison::LessOrEqual | Comparison::GreaterOrEqual);
                not(Condition::Unknown(Unknown { property, why }), inverse)
            }
        }
    }

    /// `th dport` reads the bytes where ports are, whatever the protocol.
    fn transport_port(
        &mut self,
        place: &Place<'p, 'a>,
        field: Field,
        set: &RangeSet,
        question: (&Expr<'a>, Comparison, &Expr<'a>),
    ) -> Condition {
        let with_ports = RangeSet::from_ranges(
            crate::dialect::nftables::names::WITH_PORTS
                .map(|protocol| (u128::from(protocol), u128::from(protocol))),
        );
        let is_port = test(field, set.clone());
        if place.protocols.is_subset(&with_ports) {
            return is_port;
        }
        let name = canonical(question.0.text);
        let (property, _) = self.question(&name, question.1, question.2);
        let why = self
            .unknowns
            .text("this protocol has no ports: other bytes of its header are compared");
        let property = Some(self.unknowns.text(&property));
        let others = with_ports.complement(255);
        Condition::Any(vec![
            Condition::All(vec![Condition::Test(Field::Protocol, with_ports), is_port]),
            Condition::All(vec![
                Condition::Test(Field::Protocol, others),
                Condition::Unknown(Unknown { property, why }),
            ]),
        ])
    }

    /// Before connections are tracked, every packet is invalid, or untracked by a rule.
    fn state(&mut self, place: &Place<'p, 'a>, set: &RangeSet) -> Condition {
        let states = STATES.iter().filter(|(_, bit)| set.contains(*bit));
        let tracked = test(
            Field::State,
            RangeSet::from_ranges(states.map(|(state, _)| (*state, *state))),
        );
        let untracked = RangeSet::point(packet_value::UNTRACKED);
        let tracked_not = untracked.complement(Field::State.maximum());
        let mut parts = Vec::new();
        if set.contains(64) {
            parts.push(Condition::Test(Field::State, untracked));
        }
        if set.contains(1) {
            parts.push(Condition::Test(Field::State, tracked_not));
        }
        let why = "the chain is called before and after connections are tracked";
        self.met(place.met.tracking, tracked, any(parts), why)
    }

    /// By which interface a packet leaves: before it is routed, by one without a name.
    fn leaves_by(&mut self, place: &Place<'p, 'a>, set: &RangeSet) -> Condition {
        let unrouted = if set.contains(0) { always() } else { never() };
        let why = "the chain is called before and after packets are routed";
        self.met(
            place.met.routing,
            test(Field::OutInterface, set.clone()),
            unrouted,
            why,
        )
    }

    /// What holds of packets, whether they are met after something happened to them or before.
    fn met(&mut self, when: When, after: Condition, before: Condition, why: &str) -> Condition {
        match when {
            When::After => after,
            When::Before => before,
            When::Either => {
                let why = self.unknowns.text(why);
                let unknown = Condition::Unknown(Unknown { property: None, why });
                Condition::Any(vec![
                    Condition::All(vec![after.clone(), before.clone()]),
                    Condition::All(vec![Condition::Any(vec![after, before]), unknown]),
                ])
            }
        }
    }

    /// A new connection's packets are in its original direction.
    fn direction(&mut self, set: &RangeSet) -> Condition {
        match (set.contains(0), set.contains(1)) {
            (true, true) => always(),
            (false, false) => never(),
            (original, _) => {
                let is_new = Condition::Test(Field::State, RangeSet::point(packet_value::NEW));
                let why = self
                    .unknowns
                    .text("the direction in a connection is not modelled");
                let property = Some(self.unknowns.text("ct direction original"));
                let is_original = Condition::Unknown(Unknown { property, why });
                not(Condition::Any(vec![is_new, is_original]), !original)
            }
        }
    }

    /// Translations are modelled, the other bits of a connection's status are not.
    fn status_bits(&mut self, cube: Cube) -> Condition {
        let mut parts = Vec::new();
        for (bit, field) in [(16, Field::StatusSnat), (32, Field::StatusDnat)] {
            if cube.care & bit != 0 {
                parts.push(Condition::Test(
                    field,
                    RangeSet::point(u128::from(cube.value & bit != 0)),
                ));
            }
        }
        let care = cube.care & !TRANSLATED;
        if care != 0 {
            let name = self.unknowns.text(&format!(
                "ct status & {care:#x} == {:#x}",
                cube.value & !TRANSLATED
            ));
            let why = self
                .unknowns
                .text("this bit of a connection's status is not modelled");
            parts.push(Condition::Unknown(Unknown {
                property: Some(name),
                why,
            }));
        }
        Condition::All(parts)
    }

    /// What the routing table says of an address.
    fn class(&mut self, field: Field, set: &RangeSet) -> Condition {
        let known = CLASSES.iter().filter(|(_, fib)| set.contains(*fib));
        let mut classes: Vec<(u128, u128)> = known.map(|(class, _)| (*class, *class)).collect();
        let refused = (6..=8).filter(|fib| set.contains(*fib)).count();
        if refused == 3 {
            classes.push((packet_value::REFUSED, packet_value::REFUSED));
        }
        let whole = test(field, RangeSet::from_ranges(classes));
        if !(1..3).contains(&refused) {
            return whole;
        }
        let why = self
            .unknowns
            .text("kinds of routes that refuse are not told apart");
        let part = Condition::All(vec![
            Condition::Test(field, RangeSet::point(packet_value::REFUSED)),
            Condition::Unknown(Unknown { property: None, why }),
        ]);
        Condition::Any(vec![whole, part])
    }
}

/// The bits of `ct status` that are modelled: source and destination translated.
const TRANSLATED: u128 = 0x30;

/// States and their bits in `ct state`.
const STATES: [(u128, u128); 5] = [
    (packet_value::INVALID, 1),
    (packet_value::ESTABLISHED, 2),
    (packet_value::RELATED, 4),
    (packet_value::NEW, 8),
    (packet_value::UNTRACKED, 64),
];

/// Classes of addresses and their numbers in `fib`.
const CLASSES: [(u128, u128); 7] = [
    (packet_value::UNSPECIFIED, 0),
    (packet_value::UNICAST, 1),
    (packet_value::LOCAL, 2),
    (packet_value::BROADCAST, 3),
    (packet_value::ANYCAST, 4),
    (packet_value::MULTICAST, 5),
    (packet_value::OTHER_CLASS, 10),
];

fn family_word(place: &Place<'_, '_>) -> &'static str {
    match place.table.name.family {
        TableFamily::Ip => "ip",
        TableFamily::Ip6 => "ip6",
        TableFamily::Inet => "inet",
        TableFamily::Arp => "arp",
        TableFamily::Bridge => "bridge",
        TableFamily::Netdev => "netdev",
    }
}

/// Whether packets of the right protocol can be without what is asked for: a sender's socket, an option, an extension.
fn may_be_missing(name: &str) -> bool {
    const THERE: &[&str] = &[
        "meta cpu",
        "meta day",
        "meta hour",
        "meta length",
        "meta pkttype",
        "meta priority",
        "meta random",
        "meta time",
        "meta iiftype",
        "meta oiftype",
        "meta iifgroup",
        "meta oifgroup",
        "meta iifkind",
        "meta oifkind",
        "meta sdif",
        "meta sdifname",
    ];
    let (header, field) = name.split_once(' ').unwrap_or((name, ""));
    match header {
        "ip" | "tcp" | "sctp" | "dccp" => field.starts_with("option") || field.starts_with("chunk"),
        "ct" => field.starts_with("helper"),
        "ip6" | "udp" | "udplite" | "icmp" | "icmpv6" | "igmp" | "esp" | "ah" | "comp" | "fib" | "numgen"
        | "jhash" | "symhash" => false,
        _ => !THERE.contains(&name),
    }
}

/// Whether there is nothing to ask without a connection.
pub(super) fn is_of_connection(key: &Key) -> bool {
    match key {
        Key::CtStatus | Key::CtDirection => true,
        Key::Other(other) => other.name.starts_with("ct "),
        _ => false,
    }
}

/// Whether a packet gives the same answer to what is asked wherever it is asked.
fn keeps(expr: &Expr<'_>, translates: bool) -> bool {
    use crate::dialect::nftables::names::Side;
    let expr = behind(expr);
    match &expr.kind {
        ExprKind::Selector(key) => match key {
            Key::Other(other) => other.keeps && !(translates && other.is_of_destination),
            Key::Mark | Key::CtState | Key::CtStatus | Key::Interface(Side::Destination) => false,
            Key::Address(_, Side::Destination)
            | Key::Port(_, Side::Destination)
            | Key::TransportPort(Side::Destination)
            | Key::Class(_) => !translates,
            _ => true,
        },
        ExprKind::Concat(parts) => parts.iter().all(|part| keeps(part, translates)),
        ExprKind::Binary(_, both) | ExprKind::Map(both) => keeps(&both.0, translates),
        _ => false,
    }
}

/// What a comparison of one selector with one value asks, and whether it asks for the others.
fn single<'a>(
    operand: &Operand<'_>,
    op: Comparison,
    right: &Expr<'a>,
    effort: &mut Effort<'a>,
) -> Result<(Values, bool), Refusal<'a>> {
    let kind = operand.key.kind();
    let right = behind(right);
    let some_of = |mask: u128| Values::Cubes(vec![Cube { care: mask, value: 0 }]);
    if let ExprKind::Masked(both) = &right.kind {
        let (value, mask) = (value::number(&both.0, kind)?, value::number(&both.1, kind)?);
        if value & !mask != 0 {
            return Ok((Values::Ranges(RangeSet::empty()), op == Comparison::NotEqual));
        }
        let values = Values::Cubes(vec![Cube { care: mask, value }]);
        return Ok((values, op == Comparison::NotEqual));
    }
    let is_flag_test = op == Comparison::Implicit && kind.is_flags();
    if op == Comparison::NoneOf && kind.bits().is_some() && !kind.is_flags() {
        return Err(Unread::new(right.text, "`!` alone goes with flags only")
            .help("write `!=`")
            .into());
    }
    if is_flag_test || op == Comparison::NoneOf {
        return Ok((some_of(value::number(right, kind)?), is_flag_test));
    }
    if matches!(right.kind, ExprKind::List(_)) && !kind.is_flags() {
        return Err(Unread::new(right.text, "several values need braces")
            .help(format!("write `{{ {} }}`", right.text))
            .into());
    }
    if matches!(
        op,
        Comparison::Implicit | Comparison::Equal | Comparison::NotEqual
    ) {
        let mut ranges = Vec::new();
        value::ranges(right, kind, effort, &mut ranges)?;
        return Ok((
            Values::Ranges(RangeSet::from_ranges(ranges)),
            op == Comparison::NotEqual,
        ));
    }
    let number = value::number(right, kind)?;
    let below = match number {
        0 => RangeSet::empty(),
        number => RangeSet::range(0, number - 1),
    };
    let upto = RangeSet::range(0, number);
    let max = kind.max();
    let set = match op {
        Comparison::Less => below,
        Comparison::LessOrEqual => upto,
        Comparison::Greater => upto.complement(max),
        _ => below.complement(max),
    };
    Ok((Values::Ranges(set), false))
}

/// Takes note of the protocols that a comparison lets through.
fn narrow(place: &mut Place<'_, '_>, key: &Key, values: &Values) {
    if let (Key::NfProto | Key::EtherType, Values::Ranges(set)) = (key, values)
        && let Some(number) = set.single()
    {
        match number {
            2 | 0x0800 => place.demanded.push((Field::Family, packet_value::V4)),
            10 | 0x86dd => place.demanded.push((Field::Family, packet_value::V6)),
            _ => {}
        }
    }
    if let (Key::L4Protocol | Key::Protocol(_), Values::Ranges(set)) = (key, values) {
        place.protocols = place.protocols.intersection(set);
    }
}

fn families(v4: bool, v6: bool) -> Condition {
    match (v4, v6) {
        (true, true) => always(),
        (false, false) => never(),
        (true, false) => Condition::Test(Field::Family, RangeSet::point(packet_value::V4)),
        (false, true) => Condition::Test(Field::Family, RangeSet::point(packet_value::V6)),
    }
}

/// The types of ICMP that have a field.
fn types_with(field: &str) -> Option<&'static [u128]> {
    Some(match field {
        "icmp id" | "icmp sequence" => &[0, 8],
        "icmp gateway" => &[5],
        "icmp mtu" => &[3],
        "icmpv6 id" | "icmpv6 sequence" => &[128, 129],
        "icmpv6 mtu" | "icmpv6 packet-too-big" => &[2],
        "icmpv6 parameter-problem" => &[4],
        "icmpv6 max-delay" => &[130],
        "icmpv6 taddr" => &[130, 131, 132, 135, 136, 137],
        "icmpv6 daddr" => &[137],
        _ => return None,
    })
}

/// Types of ICMP as values of [`Field::Service`].
fn icmp_types(set: &RangeSet) -> RangeSet {
    set.ranges()
        .iter()
        .map(|(low, high)| (low * 256, high.min(&255) * 256 + 255))
        .collect()
}

/// Codes of ICMP, under any type.
fn icmp_codes(set: &RangeSet) -> RangeSet {
    let of_type = |kind: u128| {
        set.ranges()
            .iter()
            .map(move |(low, high)| (kind * 256 + low, kind * 256 + high.min(&255)))
    };
    (0..256).flat_map(of_type).collect()
}

fn mark_bits(cube: Cube) -> Condition {
    let bits = (0..32u8).filter(|bit| cube.care >> bit & 1 == 1);
    let parts: Vec<_> = bits
        .map(|bit| Condition::Test(Field::Mark(bit), RangeSet::point(cube.value >> bit & 1)))
        .collect();
    Condition::All(parts)
}
