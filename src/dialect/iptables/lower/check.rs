//! What iptables itself demands of the modules of a rule before it takes it.

use super::condition::{Protocol, protocol_of};
use crate::dialect::iptables::ast::{Owner, Read, Rule, Target, Term, Unread, Use};
use crate::dialect::iptables::names::{
    Argument, Entry, Meaning, Module, NEED_OPTIONS, REPEAT, demand_of, known_module,
};
use crate::dialect::iptables::parser::{self, bare};
use crate::packet::Family;
use crate::packet::protocol::number::{TCP, UDP};
use crate::packet::protocol::protocol_name;

/// Whether the whole rule must name one of the module's protocols, and does not.
pub(super) fn check_protocol<'a>(
    rule: &Rule<'a>,
    at: usize,
    used: &Use<'a>,
    protocol: Option<Protocol>,
    family: Family,
) -> Read<'a, ()> {
    let Some(module) = used.module else {
        return Ok(());
    };
    let asks_tcp = |term: &Term<'_>| {
        let names = |entry: &Entry| entry.name.starts_with("ecn-tcp-");
        term.owner == Owner::Module(at) && term.entry.is_some_and(names)
    };
    let protocols = match module.name {
        // The header of IPv6 is found wherever it is.
        "ah" if family == Family::V4 => &[51],
        "ecn" if rule.terms.iter().any(asks_tcp) => &[TCP],
        _ => module.protocols,
    };
    let named = protocol
        .filter(|protocol| !protocol.negated)
        .map(|protocol| protocol.number);
    if protocols.is_empty() || named.is_some_and(|named| protocols.contains(&named)) {
        return Ok(());
    }
    let protocols: Vec<_> = protocols
        .iter()
        .filter_map(|number| protocol_name(*number))
        .collect();
    let message = format!("`-m {}` without its protocol", module.name);
    Err(Unread::new(used.name, message).help(format!(
        "iptables takes it only in a rule with `-p {}`",
        protocols.join("`, `-p ")
    )))
}

/// Whether a module that asks nothing without options has one.
pub(super) fn check_options<'a>(rule: &Rule<'a>, at: usize, used: &Use<'a>) -> Read<'a, ()> {
    let needs = used
        .module
        .is_some_and(|module| NEED_OPTIONS.binary_search(&module.name).is_ok());
    if !needs || rule.terms.iter().any(|term| term.owner == Owner::Module(at)) {
        return Ok(());
    }
    Err(Unread::new(
        used.name,
        format!("`-m {}` without an option", used.name),
    ))
}

/// Whether each option of a rule is one that iptables takes as it stands: its argument, and its `!`.
pub(super) fn check_arguments<'a>(rule: &Rule<'a>, family: Family) -> Read<'a, ()> {
    for term in rule.terms.iter().chain(&rule.parameters) {
        let Some(entry) = term.entry.filter(|_| term.owner != Owner::Builtin) else {
            continue;
        };
        let module = match term.owner {
            Owner::Module(at) => rule.uses.get(at).and_then(|used| used.module),
            _ => None,
        };
        let repeats = module.is_some_and(|module| REPEAT.contains(&module.name));
        if term.negated && !repeats && matches!(entry.meaning, Meaning::Detail | Meaning::Parameter) {
            return Err(Unread::new(
                term.name,
                format!("`{}` cannot be negated", term.name),
            ));
        }
        let is_unquoted = !term.arguments.contains(['\'', '\\']);
        if entry.argument != Argument::Any && is_unquoted {
            parser::argument(bare(term.arguments), entry.argument, family)?;
        }
    }
    Ok(())
}

/// Whether the options of each module may stand together, and those that it must have are there.
pub(super) fn check_modules<'a>(rule: &Rule<'a>) -> Read<'a, ()> {
    for (at, used) in rule.uses.iter().enumerate() {
        let name = used.module.map_or(used.name, |module| module.name);
        check_together(&rule.terms, Owner::Module(at), name, used.name)?;
    }
    Ok(())
}

/// Whether the options of a target are such that iptables takes them.
pub(super) fn check_target<'a>(rule: &Rule<'a>, target: Target<'a>) -> Read<'a, ()> {
    check_target_protocol(rule, target)?;
    check_together(&rule.parameters, Owner::Target, target.name, target.name)
}

/// Targets that change or answer packets of one protocol alone: `xt_register_targets` of each names it.
fn check_target_protocol<'a>(rule: &Rule<'a>, target: Target<'a>) -> Read<'a, ()> {
    let has = |option: &str, value: &str| {
        rule.parameters.iter().any(|term| {
            term.entry.is_some_and(|entry| entry.name == option) && term.arguments.contains(value)
        })
    };
    let protocols: &[u8] = match target.name {
        "TCPMSS" | "TCPOPTSTRIP" | "SYNPROXY" => &[TCP],
        "TPROXY" => &[TCP, UDP],
        "REJECT" if has("reject-with", "tcp-reset") => &[TCP],
        "ECN"
            if ["ecn-tcp-remove", "ecn-tcp-cwr", "ecn-tcp-ece"]
                .iter()
                .any(|option| has(option, "")) =>
        {
            &[TCP]
        }
        _ => return Ok(()),
    };
    let named = protocol_of(rule).filter(|protocol| !protocol.negated);
    if named.is_some_and(|named| protocols.contains(&named.number)) {
        return Ok(());
    }
    let message = format!("`{}` without its protocol", target.name);
    Err(Unread::new(target.name, message).help("it goes with `-p tcp`, and `TPROXY` with `-p udp` too"))
}

/// Which options of one module or target may stand together, and which must; `at` is where its name is written.
fn check_together<'a>(terms: &[Term<'a>], owner: Owner, name: &str, at: &'a str) -> Read<'a, ()> {
    let terms = || terms.iter().filter(|term| term.owner == owner);
    let named =
        |term: &&Term<'_>, names: &[&str]| term.entry.is_some_and(|entry| names.contains(&entry.name));
    if !REPEAT.contains(&name) {
        for (index, term) in terms().enumerate() {
            let is_same = |other: &Term<'_>| {
                let both = other.entry.zip(term.entry);
                both.is_some_and(|(other, entry)| std::ptr::eq(other, entry))
            };
            if terms().take(index).any(is_same) {
                let of_ports = known_module(name).is_some_and(reads_ports);
                let again = if of_ports {
                    "comes twice"
                } else {
                    "is there already"
                };
                return Err(Unread::new(term.name, format!("`{}` {again}", term.name)));
            }
        }
    }
    let Some(demand) = demand_of(name) else {
        return Ok(());
    };
    for group in demand.one_of {
        if let Some(second) = terms().filter(|term| named(term, group)).nth(1) {
            let message = format!("`{}` does not go with another option that is there", second.name);
            return Err(Unread::new(second.name, message).help(choice(group, "write one of")));
        }
    }
    let missing = demand
        .some_of
        .iter()
        .find(|group| !terms().any(|term| named(&term, group)));
    missing.map_or(Ok(()), |group| {
        Err(Unread::new(at, format!("`{at}` lacks an option")).help(choice(group, "iptables asks for")))
    })
}

fn choice(options: &[&str], words: &str) -> String {
    let options: Vec<_> = options.iter().map(|option| format!("`--{option}`")).collect();
    format!("{words} {}", options.join(" or "))
}

/// Whether later fragments never match the module: they have no ports (the kernel's `tcp_mt`, `udp_mt`, `icmp_match`).
pub(super) fn reads_ports(module: &Module) -> bool {
    !module.protocols.is_empty()
}
