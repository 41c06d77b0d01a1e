//! Matches of a rule to conditions on packets.
//!
//! INVARIANT: a condition is exact, or it has an [`Unknown`] in it.

use super::Lowering;
use super::check::{check_arguments, check_options, check_protocol, reads_ports};
use super::table::TableKind;
use super::unmodelled::{asks_by_itself, tracked};
use crate::dialect::iptables::ast::{Owner, Read, Rule, Term, Unread, Word};
use crate::dialect::iptables::names::Meaning;
use crate::dialect::iptables::parser::{self, Address, words};
use crate::finding::{Code, Finding, Label};
use crate::model::{Condition, Match, Unknown};
use crate::packet::protocol::has_ports;
use crate::packet::{Family, Field, RangeSet, value};

/// The protocol that a rule names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Protocol {
    pub(super) number: u8,
    pub(super) negated: bool,
}

/// The rule's protocol, if it names just one.
pub(super) fn protocol_of(rule: &Rule<'_>) -> Option<Protocol> {
    let is_it = |term: &&Term<'_>| term.entry.is_some_and(|entry| entry.meaning == Meaning::Protocol);
    let term = rule.terms.iter().find(is_it)?;
    let number = parser::protocol(&Word(term.arguments).text())?;
    Some(Protocol {
        number,
        negated: term.negated,
    })
}

/// Whether ports mean something in the rule.
pub(super) fn ports_are_known(protocol: Option<Protocol>) -> bool {
    protocol.is_some_and(|protocol| !protocol.negated && has_ports(protocol.number))
}

/// A test that a field's value is in `set`, or is not.
pub(super) fn test(field: Field, set: RangeSet, negated: bool) -> Condition {
    let set = if negated {
        set.complement(field.maximum())
    } else {
        set
    };
    if set.is_empty() {
        Condition::Any(Vec::new())
    } else {
        Condition::Test(field, set)
    }
}

pub(super) fn not(condition: Condition, negated: bool) -> Condition {
    if negated {
        Condition::Not(Box::new(condition))
    } else {
        condition
    }
}

impl<'a> Lowering<'a> {
    /// The conditions of a rule, in the order in which they are written.
    pub(super) fn matches(&mut self, rule: &Rule<'a>, table: TableKind) -> Read<'a, Vec<Match>> {
        let protocol = protocol_of(rule);
        for (at, used) in rule.uses.iter().enumerate() {
            check_protocol(rule, at, used, protocol, self.family)?;
            check_options(rule, at, used)?;
        }
        check_arguments(rule, self.family)?;
        let mut matches = Vec::with_capacity(rule.terms.len());
        for term in &rule.terms {
            if let Some(condition) = self.term(rule, term, table)? {
                let at = if term.arguments.is_empty() {
                    term.name
                } else {
                    term.arguments
                };
                matches.push(Match {
                    span: self.at.span(at),
                    condition,
                });
            }
        }
        for (at, used) in rule.uses.iter().enumerate() {
            if asks_by_itself(rule, at, used) {
                let condition = self.whole_module(rule, at, used, table);
                matches.push(Match {
                    span: self.at.span(used.name),
                    condition,
                });
            }
        }
        if self.tests_fragments && rule.uses.iter().any(|used| used.module.is_some_and(reads_ports)) {
            matches.push(Match {
                span: self.at.span(rule.uses.first().map_or("", |used| used.name)),
                condition: Condition::Test(Field::Fragment, RangeSet::point(0)),
            });
        }
        Ok(matches)
    }

    /// `term ::= ("!" space)? ("-s" | "-d") space address | ("-s" | "-d") space "!" space address | ("-s" | "-d")
    ///     space addresses | ("!" space)? ("-i" | "-o") space interface | ("-i" | "-o") space "!" space interface |
    ///     ("!" space)? "-f" | "-m" space? "comment" space /--com(m(e(n(t)?)?)?)?/ (space word | "="
    ///     /([^ \t\n"]|"([^"\\\n]|\\[^\n])*")+/?) | "-m" space? "state" space (("!" space)? /--sta(t(e)?)?/ (space | "=")
    ///     /(NEW|ESTABLISHED|RELATED|INVALID|UNTRACKED)(,(NEW|ESTABLISHED|RELATED|INVALID|UNTRACKED))*/
    ///     | /--sta(t(e)?)?/ space "!" space
    ///     /(NEW|ESTABLISHED|RELATED|INVALID|UNTRACKED)(,(NEW|ESTABLISHED|RELATED|INVALID|UNTRACKED))*/)
    ///     | "-m" space? "conntrack" space (("!" space)?
    ///     "--ctstate" (space | "=") states | "--ctstate" space "!" space states) | "-m" space? "mark" space (("!"
    ///     space)? /--mar(k)?/ (space | "=") mark | /--mar(k)?/ space "!" space mark) | "-m" space? "iprange" space
    ///     (("!" space)? /--(src|dst)-r(a(n(g(e)?)?)?)?/ (space | "=") address-range |
    ///     /--(src|dst)-r(a(n(g(e)?)?)?)?/ space "!" space address-range) | "-m" space? "addrtype" space (("!"
    ///     space)? /--(src|dst)-t(y(p(e)?)?)?/ (space | "=") class-list | /--(src|dst)-t(y(p(e)?)?)?/ space "!"
    ///     space class-list) | "-m" space? "set" space (("!" space)? /--match-(s(e(t)?)?)?/ space set-name space
    ///     set-sides | /--match-(s(e(t)?)?)?/ space "!" space set-name space set-sides) | "-m" space? "limit"
    ///     (space "--limit" (space | "=") rate)? (space /--limit-b(u(r(s(t)?)?)?)?/ (space | "=") burst)? | "-m"
    ///     space? /[^-!#' \t\n"][^ \t\n"]*|"[^-!#' \t\n"\\][^ \t\n"\\]*"/ - known-module (space (("!" space)?
    ///     /--[A-Za-z0-9][A-Za-z0-9_-]*/ ("=" /([^ \t\n"]|"([^"\\\n]|\\[^\n])*")+/? | (space (plain | /'[^'\n]*'/))*) | /--[A-Za-z0-9][A-Za-z0-9_-]*/ space "!" (space (plain |
    ///     /'[^'\n]*'/))+))*`
    ///
    /// What one option asks; `None` if it asks nothing.
    fn term(&mut self, rule: &Rule<'a>, term: &Term<'a>, table: TableKind) -> Read<'a, Option<Condition>> {
        let Some(entry) = term.entry else {
            return Ok(None);
        };
        let plain = Plain::of(term);
        let (text, negated, family) = (plain.text, term.negated, self.family);
        let set_of = |field, set| Ok(Some(test(field, set, negated)));
        match entry.meaning {
            Meaning::Protocol if text == "mptcp" => Ok(Some(self.mptcp(text, negated))),
            Meaning::Protocol => protocol(text, negated),
            Meaning::Source => self.address(text, family.source(), negated, table),
            Meaning::Destination => self.address(text, family.destination(), negated, table),
            Meaning::InInterface => interface(text, Field::InInterface, negated),
            Meaning::OutInterface => interface(text, Field::OutInterface, negated),
            Meaning::Fragment if family == Family::V6 => {
                Err(Unread::new(term.name, "`-f` is not an option of ip6tables").help("use `-m frag`"))
            }
            Meaning::Fragment => set_of(Field::Fragment, RangeSet::point(1)),
            Meaning::SourcePorts => set_of(Field::SourcePort, self.ports(rule, term, text)?),
            Meaning::DestinationPorts => set_of(Field::Service, self.ports(rule, term, text)?),
            Meaning::SourcePortList => set_of(Field::SourcePort, self.port_list(text)?),
            Meaning::DestinationPortList => set_of(Field::Service, self.port_list(text)?),
            Meaning::EitherPortList => {
                let ports = self.port_list(text)?;
                let either =
                    [Field::SourcePort, Field::Service].map(|field| Condition::Test(field, ports.clone()));
                Ok(Some(not(Condition::Any(either.into()), negated)))
            }
            Meaning::TcpFlags => set_of(Field::TcpFlags, flags(text)?),
            // "Only match TCP packets with the SYN bit set and the ACK,RST and FIN bits cleared."
            Meaning::Syn => set_of(Field::TcpFlags, flags_with(0x17, 0x02)),
            Meaning::IcmpType => icmp(text, Family::V4, negated),
            Meaning::Icmpv6Type => icmp(text, Family::V6, negated),
            Meaning::State => {
                let is_plain = entry.name == "state";
                let states = parser::states(text, is_plain)?;
                Ok(Some(if table.is_before_tracking() {
                    untracked_state(&states, negated)
                } else {
                    state(states, negated)
                }))
            }
            Meaning::SourceRange => set_of(family.source(), self.address_range(text)?),
            Meaning::DestinationRange => set_of(family.destination(), self.address_range(text)?),
            Meaning::Mark => mark(text, negated),
            Meaning::SourceType => self.class(rule, term, text, Field::SourceClass, table),
            Meaning::DestinationType => self.class(rule, term, text, Field::DestinationClass, table),
            Meaning::Headers => self.headers(rule, term, text),
            Meaning::InSet => Ok(Some(self.in_set(rule, term, table)?)),
            Meaning::Test => Ok(Some(self.unmodelled(rule, term, table))),
            Meaning::Counters => counters(text),
            Meaning::Table => Err(Unread::new(term.name, "`-t` does not belong into a rule")
                .help("a dump names its table in the line `*table`")),
            _ => Ok(None),
        }
    }

    /// Number 262, which no packet has in its header: iptables-legacy never matches it, iptables-nft matches TCP.
    fn mptcp(&mut self, text: &'a str, negated: bool) -> Condition {
        let why = self.unknowns.count("-p ", text, "", self.at.span(text));
        not(Condition::Unknown(Unknown { property: None, why }), negated)
    }

    /// `--sport`, `--dport`: behind a leading 0 octal for some protocols, decimal for others.
    fn ports(&mut self, rule: &Rule<'a>, term: &Term<'a>, text: &'a str) -> Read<'a, RangeSet> {
        let Owner::Module(at) = term.owner else {
            return Err(Unread::new(term.name, "whose ports these are is not known"));
        };
        let module = rule.uses.get(at).and_then(|used| used.module);
        let (low, high) = if module.is_some_and(|module| matches!(module.name, "udp" | "udplite" | "dccp")) {
            parser::decimal_range(text)?
        } else {
            parser::port_range(text)?
        };
        if low > high {
            self.note_empty(text);
        }
        Ok(RangeSet::range(u128::from(low), u128::from(high)))
    }

    /// `-m multiport`
    fn port_list(&mut self, text: &'a str) -> Read<'a, RangeSet> {
        let (ports, empty) = parser::port_list(text)?;
        if let Some(empty) = empty {
            self.note_empty(empty);
        }
        Ok(ports)
    }

    /// `-m iprange`
    fn address_range(&mut self, text: &'a str) -> Read<'a, RangeSet> {
        let (low, high) = parser::address_range(text, self.family)?;
        if low > high {
            self.note_empty(text);
        }
        Ok(RangeSet::range(low, high))
    }

    fn note_empty(&mut self, text: &'a str) {
        let label = Label::new(self.at.span(text), "nothing is in it");
        let message = format!("the range `{text}` ends before it starts");
        let help = "it was taken for an empty range, as the kernel does; newer iptables refuses it";
        self.notices
            .push(Finding::new(Code::ShadowedRule, message, Some(label)).help(help));
    }

    /// `-s`, `-d`
    fn address(
        &mut self,
        text: &'a str,
        field: Field,
        negated: bool,
        table: TableKind,
    ) -> Read<'a, Option<Condition>> {
        match parser::addresses(text, self.family)? {
            (_, count) if count > 1 && negated => Err(Unread::new(text, "`!` goes with one address only")
                .help("write a rule for each, or use an ipset")),
            (Address::Ranges(set), _) if set.is_full(field.maximum()) && !negated => Ok(None),
            (Address::Ranges(set), _) => Ok(Some(test(field, set, negated))),
            (Address::Unknown(why), _) => {
                let is_source = field == self.family.source();
                let option = if is_source { "-s" } else { "-d" };
                let kind = if text.contains('/') {
                    "ADDRESS/MASK"
                } else {
                    "NAME"
                };
                self.unknowns.count("", option, kind, self.at.span(text));
                let kept = is_source || table.is_behind_translation();
                let property = kept.then(|| self.unknowns.text(&format!("{option} {text}")));
                let why = self.unknowns.text(&why);
                Ok(Some(not(Condition::Unknown(Unknown { property, why }), negated)))
            }
        }
    }
}

/// An argument without its quotes, as a slice of the file. Escapes within quotes stay: no modelled value has them.
struct Plain<'a> {
    text: &'a str,
}

impl<'a> Plain<'a> {
    fn of(term: &Term<'a>) -> Self {
        let text = term.arguments;
        let inner = |quote| {
            text.strip_prefix(quote)
                .and_then(|rest: &str| rest.strip_suffix(quote))
        };
        let text = inner('"').or_else(|| inner('\'')).unwrap_or(text);
        Self { text }
    }
}

fn protocol(text: &str, negated: bool) -> Read<'_, Option<Condition>> {
    match parser::protocol(text) {
        // "The number zero is equivalent to all": iptables(8), "-p".
        Some(0) if negated => {
            Err(Unread::new(text, "no packet has none of all protocols")
                .help("name one protocol behind the `!`"))
        }
        Some(0) => Ok(None),
        Some(number) => Ok(Some(test(
            Field::Protocol,
            RangeSet::point(u128::from(number)),
            negated,
        ))),
        None => Err(Unread::new(text, format!("`{text}` is not a protocol"))
            .help("write its name, or its number from 0 to 255")),
    }
}

/// Counters say nothing about packets, but they are two numbers.
fn counters(text: &str) -> Read<'_, Option<Condition>> {
    let mut parts = text.split([',', ' ', '\t']);
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.clone().count() == 2 && parts.all(is_number) {
        return Ok(None);
    }
    Err(Unread::new(text, "these are not two counters"))
}

/// `+` is any name, also none; its negation never matches: the kernel compares no byte of it.
fn interface(text: &str, field: Field, negated: bool) -> Read<'_, Option<Condition>> {
    Ok(match parser::interface(text)? {
        None if negated => Some(Condition::Any(Vec::new())),
        None => None,
        Some((low, high)) => Some(test(field, RangeSet::range(low, high), negated)),
    })
}

/// "The first argument mask is the flags which we should examine, […] the second argument comp is […] flags which must be
/// set": iptables-extensions(8), "tcp".
fn flags(text: &str) -> Read<'_, RangeSet> {
    let mut both = words(text);
    let (mask, set) = (
        both.next().map_or("", |word| word.0),
        both.next().map_or("", |word| word.0),
    );
    Ok(flags_with(parser::tcp_flags(mask)?, parser::tcp_flags(set)?))
}

fn flags_with(mask: u8, set: u8) -> RangeSet {
    let all = (0..=u8::MAX)
        .filter(|flags| flags & mask == set)
        .map(|flags| (u128::from(flags), u128::from(flags)));
    all.collect()
}

fn icmp(text: &str, family: Family, negated: bool) -> Read<'_, Option<Condition>> {
    Ok(match parser::icmp_types(text, family)? {
        Some(types) => Some(test(Field::Service, types, negated)),
        None if negated => Some(Condition::Any(Vec::new())),
        None => None,
    })
}

/// One state of the list is enough; `SNAT` and `DNAT` are beside the others: iptables-extensions(8), "conntrack".
fn state(states: parser::States, negated: bool) -> Condition {
    if !states.snat && !states.dnat {
        return test(Field::State, states.conntrack, negated);
    }
    let mut any = Vec::new();
    if !states.conntrack.is_empty() {
        any.push(Condition::Test(Field::State, states.conntrack));
    }
    if states.snat {
        let translated = Condition::Test(Field::StatusSnat, RangeSet::point(1));
        any.push(Condition::All(vec![tracked(), translated]));
    }
    if states.dnat {
        let translated = Condition::Test(Field::StatusDnat, RangeSet::point(1));
        any.push(Condition::All(vec![tracked(), translated]));
    }
    match <[Condition; 1]>::try_from(any) {
        Ok([only]) => not(only, negated),
        Err(any) => not(Condition::Any(any), negated),
    }
}

/// Before connection tracking every packet is INVALID, and UNTRACKED behind a rule that says so. A packet that will not be
/// tracked in any case cannot be told from that.
fn untracked_state(states: &parser::States, negated: bool) -> Condition {
    let has = |state| !states.conntrack.intersection(&RangeSet::point(state)).is_empty();
    let is_untracked = |yes: bool| test(Field::State, RangeSet::point(value::UNTRACKED), !yes);
    let unknown = Condition::Unknown(Unknown {
        property: None,
        why: "whether the packet is exempt from connection tracking already is not known".into(),
    });
    let condition = match (has(value::INVALID), has(value::UNTRACKED)) {
        (true, true) => Condition::All(Vec::new()),
        (false, false) => Condition::Any(Vec::new()),
        (true, false) => Condition::Any(vec![is_untracked(false), unknown]),
        (false, true) => Condition::All(vec![is_untracked(true), unknown]),
    };
    not(condition, negated)
}

/// `mark & mask == value`: iptables-extensions(8), "mark".
fn mark(text: &str, negated: bool) -> Read<'_, Option<Condition>> {
    let (wanted, mask) = parser::mark(text)?;
    if wanted & !mask != 0 {
        return Ok(Some(not(Condition::Any(Vec::new()), negated)));
    }
    let bits = (0..32u8).filter(|bit| mask >> bit & 1 == 1);
    let all =
        bits.map(|bit| Condition::Test(Field::Mark(bit), RangeSet::point(u128::from(wanted >> bit & 1))));
    Ok(Some(not(Condition::All(all.collect()), negated)))
}
