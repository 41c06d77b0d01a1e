//! A lowered model as text that a network engineer can check by eye: one line a rule, its conditions in words.
#![allow(dead_code, reason = "some tests print rulesets, others groups")]

use std::fmt::Write;

use portcullis::model::{
    Acls, Action, Condition, Default, Edit, Families, Group, Match, Member, Purpose, Rule, Ruleset, Side,
};
use portcullis::packet::{Family, Field, RangeSet, address, protocol, value};
use portcullis::source::{SourceMap, Span};

/// All chains of a ruleset. Behind each match, in quotes, stand the bytes of the file that say it.
pub(crate) fn model_text(ruleset: &Ruleset, map: &SourceMap) -> String {
    let mut text = String::new();
    let families = match ruleset.families {
        Families::V4 => "IPv4",
        Families::V6 => "IPv6",
        Families::Both => "IPv4 and IPv6",
    };
    writeln!(text, "{families} {:?}", ruleset.layer).unwrap();
    for (at, chain) in ruleset.chains.iter().enumerate() {
        write!(text, "\nchain {} ({})", chain.path, line_of(map, chain.span)).unwrap();
        for base in ruleset.bases.iter().filter(|base| base.chain.0 as usize == at) {
            let purpose = match base.purpose {
                Purpose::Filter => "filters",
                Purpose::Prepare => "prepares",
                Purpose::Nat => "translates",
            };
            let default = match base.default {
                Default::Accept => "accept",
                Default::Drop => "drop",
            };
            let word = base.hook.word();
            let said = quoted(map, base.default_span);
            write!(
                text,
                ": {purpose} at {word}, priority {}, default {default} {said}",
                base.priority
            )
            .unwrap();
        }
        text.push('\n');
        for rule in &chain.rules {
            writeln!(text, "  {}", rule_text(rule, ruleset, map)).unwrap();
        }
    }
    text
}

/// Groups, and what the unit attaches to them.
pub(crate) fn groups_text(groups: &[Group], members: &[Member], map: &SourceMap) -> String {
    let mut text = String::new();
    for group in groups {
        let Group { name, key, layer, .. } = group;
        let at = line_of(map, group.span);
        writeln!(
            text,
            "{layer:?} {name} ({at}, {}), key {key}",
            quoted(map, group.span)
        )
        .unwrap();
        for (word, side) in [("receives", &group.ingress), ("sends", &group.egress)] {
            text.push_str(&side_text(word, side.as_ref(), map));
        }
        if let Some(rest) = &group.rest {
            writeln!(text, "  and what is not here: {}", rest.why).unwrap();
        }
    }
    for member in members {
        let groups: Vec<_> = member
            .groups
            .iter()
            .map(|(key, span)| format!("{key} {}", quoted(map, *span)))
            .collect();
        let others = member
            .others
            .as_ref()
            .map_or_else(String::new, |others| format!(", perhaps others: {}", others.why));
        let at = line_of(map, member.span);
        writeln!(
            text,
            "member {} ({at}): {}{others}{}",
            member.name,
            groups.join(", "),
            acls_text(&member.acls, map)
        )
        .unwrap();
    }
    text
}

/// The network ACLs before a member: one of these, or one that lets everything through.
fn acls_text(acls: &Acls, map: &SourceMap) -> String {
    let one_of = acls.one_of.iter();
    let mut words: Vec<String> = one_of
        .map(|(key, span)| format!("{key} {}", quoted(map, *span)))
        .collect();
    words.extend(
        acls.or_open
            .as_ref()
            .map(|(why, _)| format!("an open one ({why})")),
    );
    if words.is_empty() {
        return String::new();
    }
    format!(", behind {}", words.join(" or "))
}

/// Groups and members without the places that say so, sorted: what two ways of writing the same have in common.
pub(crate) fn shape(groups: &[Group], members: &[Member]) -> std::collections::BTreeSet<String> {
    let mut shape = std::collections::BTreeSet::new();
    for group in groups {
        for (word, side) in [("receives", &group.ingress), ("sends", &group.egress)] {
            for (at, rule) in side.iter().flat_map(|side| &side.rules).enumerate() {
                // The order of rules matters to network ACLs alone.
                let at = if group.layer == portcullis::model::Layer::NetworkAcl {
                    at
                } else {
                    0
                };
                let tests = rule.matches.iter().map(|one| nowhere(&condition(&one.condition)));
                let tests: Vec<_> = tests.collect();
                shape.insert(format!(
                    "{} {word} {at}: {} => {:?}",
                    group.name,
                    tests.join("; "),
                    rule.action
                ));
            }
        }
        shape.insert(format!("{:?} {}", group.layer, group.key));
    }
    for member in members {
        let mut groups: Vec<_> = member.groups.iter().map(|(key, _)| key.to_string()).collect();
        groups.sort_unstable();
        let others = member.others.is_some();
        shape.insert(format!(
            "{} in {}, perhaps others: {others}, behind {:?}, perhaps open: {}",
            member.name,
            groups.join(", "),
            member.acls.one_of.iter().map(|(key, _)| key).collect::<Vec<_>>(),
            member.acls.or_open.is_some()
        ));
    }
    shape
}

/// Words without offsets: ` at 7:1234` names something by its place.
fn nowhere(words: &str) -> String {
    let mut pieces = words.split(" at ");
    let first = pieces.next().unwrap_or("").to_owned();
    pieces.fold(first, |text, piece| {
        text + " at " + piece.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':')
    })
}

fn side_text(word: &str, side: Option<&Side>, map: &SourceMap) -> String {
    let Some(side) = side else {
        return format!("  {word}: not filtered\n");
    };
    if side.rules.is_empty() {
        return format!("  {word}: nothing {}\n", quoted(map, side.default_span));
    }
    let nowhere = Ruleset {
        layer: portcullis::model::Layer::SecurityGroup,
        families: Families::Both,
        chains: Vec::new(),
        bases: Vec::new(),
        sets: portcullis::model::NamedSets::default(),
    };
    let lines = side.rules.iter().fold(String::new(), |lines, rule| {
        lines + &format!("    {}\n", rule_text(rule, &nowhere, map))
    });
    format!(
        "  {word}, {} otherwise dropped\n{lines}",
        quoted(map, side.default_span)
    )
}

/// `line 3: protocol tcp `tcp`; => accept`.
pub(crate) fn rule_text(rule: &Rule, ruleset: &Ruleset, map: &SourceMap) -> String {
    let mut text = format!("{}:", line_of(map, rule.span));
    for found in &rule.matches {
        write!(
            text,
            " {} {};",
            condition(&found.condition),
            quoted_match(map, found)
        )
        .unwrap();
    }
    let action = action(ruleset, &rule.action);
    let said = if rule.action_span == rule.span {
        String::new()
    } else {
        format!(" {}", quoted(map, rule.action_span))
    };
    write!(text, " => {action}{said}").unwrap();
    text
}

fn line_of(map: &SourceMap, span: Span) -> String {
    format!("line {}", map.file(span.file).line_column(span.start).line)
}

fn quoted(map: &SourceMap, span: Span) -> String {
    format!("`{}`", map.text(span))
}

fn quoted_match(map: &SourceMap, found: &Match) -> String {
    quoted(map, found.span)
}

fn condition(condition: &Condition) -> String {
    let joined =
        |parts: &[Condition], word: &str| parts.iter().map(self::condition).collect::<Vec<_>>().join(word);
    match condition {
        Condition::Test(field, set) => format!("{} {}", field_name(*field), set_text(*field, set)),
        Condition::All(parts) if parts.is_empty() => "always".to_owned(),
        condition if condition.is_never_met() => "met by none".to_owned(),
        Condition::Any(parts) if parts.is_empty() => "never".to_owned(),
        Condition::All(parts) => format!("({})", joined(parts, " and ")),
        Condition::Any(parts) => format!("({})", joined(parts, " or ")),
        Condition::Not(part) => format!("not {}", self::condition(part)),
        Condition::Member(member) => format!("{} in {}", field_name(member.end), member.name),
        Condition::Unknown(unknown) => match &unknown.property {
            Some(property) => format!("unknown [{property}]"),
            None => "unknown each time".to_owned(),
        },
    }
}

fn field_name(field: Field) -> String {
    match field {
        Field::Family => "family".into(),
        Field::Protocol => "protocol".into(),
        Field::State => "state".into(),
        Field::TcpFlags => "tcp flags".into(),
        Field::Fragment => "later fragment".into(),
        Field::StatusDnat => "destination was translated".into(),
        Field::StatusSnat => "source was translated".into(),
        Field::InInterface => "in".into(),
        Field::OutInterface => "out".into(),
        Field::Service => "service".into(),
        Field::SourcePort => "source port".into(),
        Field::DestinationIdentity => "destination identity".into(),
        Field::SourceIdentity => "source identity".into(),
        Field::Destination4 | Field::Destination6 => "to".into(),
        Field::Source4 | Field::Source6 => "from".into(),
        Field::DestinationClass => "destination is".into(),
        Field::SourceClass => "source is".into(),
        Field::Mark(bit) => format!("mark bit {bit}"),
        Field::Property(number) => format!("property {number}"),
    }
}

/// The values of a set; a set that is nearly everything as `all but …`.
fn set_text(field: Field, set: &RangeSet) -> String {
    let rest = set.complement(field.maximum());
    let enumerated = matches!(field, Field::State | Field::DestinationClass | Field::SourceClass);
    if rest.is_empty() {
        return "any".to_owned();
    }
    if !enumerated && set.contains_range(0, 0) && set.contains_range(field.maximum(), field.maximum()) {
        return format!("all but {}", values(field, &rest));
    }
    values(field, set)
}

fn values(field: Field, set: &RangeSet) -> String {
    let family = match field {
        Field::Source4 | Field::Destination4 => Some(Family::V4),
        Field::Source6 | Field::Destination6 => Some(Family::V6),
        _ => None,
    };
    if let Some(family) = family {
        return address::describe(family, set).join(", ");
    }
    if field == Field::TcpFlags {
        return flags(set);
    }
    let each = |&(low, high): &(u128, u128)| match field {
        Field::State | Field::DestinationClass | Field::SourceClass => (low..=high)
            .map(|one| word(field, one))
            .collect::<Vec<_>>()
            .join(", "),
        Field::InInterface | Field::OutInterface if low == high => {
            value::interface_name(low).map_or_else(|| low.to_string(), |name| format!("`{name}`"))
        }
        Field::InInterface | Field::OutInterface => {
            format!("`{}…`", value::interface_name(low).unwrap_or_default())
        }
        _ if low == high => word(field, low),
        _ => format!("{}-{}", word(field, low), word(field, high)),
    };
    set.ranges().iter().map(each).collect::<Vec<_>>().join(", ")
}

fn word(field: Field, number: u128) -> String {
    let names: &[&str] = match field {
        Field::Family => &["IPv4", "IPv6"],
        Field::State => &["new", "established", "related", "invalid", "untracked"],
        Field::DestinationClass | Field::SourceClass => &[
            "unicast",
            "local",
            "broadcast",
            "multicast",
            "anycast",
            "refused",
            "unspecified",
            "other",
        ],
        Field::Protocol => {
            let number = u8::try_from(number).unwrap();
            return protocol::protocol_name(number).map_or_else(|| number.to_string(), str::to_owned);
        }
        _ => &[],
    };
    usize::try_from(number)
        .ok()
        .and_then(|at| names.get(at))
        .map_or_else(|| number.to_string(), |name| (*name).to_owned())
}

/// Flags that are on (capital) or off (small) in every byte of the set, if those say all; else their number.
fn flags(set: &RangeSet) -> String {
    let on = (0..=255u8)
        .filter(|byte| set.contains(u128::from(*byte)))
        .fold(255, |all, byte| all & byte);
    let off = (0..=255u8)
        .filter(|byte| set.contains(u128::from(*byte)))
        .fold(0, |any, byte| any | byte);
    let names = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"];
    let fixed = |bit: usize| on >> bit & 1 == 1 || off >> bit & 1 == 0;
    let text: Vec<_> = (0..8)
        .filter(|bit| fixed(*bit))
        .map(|bit| {
            if on >> bit & 1 == 1 {
                names[bit].to_uppercase()
            } else {
                names[bit].to_owned()
            }
        })
        .collect();
    let count: u128 = set.ranges().iter().map(|(low, high)| high - low + 1).sum();
    if count == 1 << (8 - text.len()) {
        text.join(" ")
    } else {
        format!("{count} of 256 combinations")
    }
}

fn action(ruleset: &Ruleset, action: &Action) -> String {
    let path = |id: u32| ruleset.chains[id as usize].path.clone();
    match action {
        Action::Accept => "accept".into(),
        Action::Drop => "drop".into(),
        Action::Reject => "reject".into(),
        Action::Return => "return".into(),
        Action::Jump(to) => format!("jump {}", path(to.0)),
        Action::Goto(to) => format!("goto {}", path(to.0)),
        Action::Continue => "continue".into(),
        Action::Unknown(unknown) => format!("unknown: {}", unknown.why),
        Action::Edit(edit) => match edit {
            Edit::Mark { clear, flip } => format!("mark = mark & {:#010x} ^ {flip:#010x}", !clear),
            Edit::MarkUnknown { mask } => format!("mark bits {mask:#010x} become unknown"),
            Edit::Untrack => "untrack".into(),
            Edit::Snat { to } => format!("translate source{}", to_text(ruleset, to.as_ref())),
            Edit::Redirect { ports } => format!("redirect to this host{}", port_text(ports.as_ref())),
            Edit::Dnat { to, ports } => {
                let (to, ports) = (to_text(ruleset, to.as_ref()), port_text(ports.as_ref()));
                format!("translate destination{to}{ports}")
            }
        },
    }
}

fn to_text(ruleset: &Ruleset, to: Option<&RangeSet>) -> String {
    to.map_or_else(String::new, |to| {
        let family = if ruleset.families == Families::V6 {
            Family::V6
        } else {
            Family::V4
        };
        format!(" to {}", address::describe(family, to).join(", "))
    })
}

fn port_text(ports: Option<&RangeSet>) -> String {
    ports.map_or_else(String::new, |ports| {
        format!(" port {}", values(Field::Service, ports))
    })
}
