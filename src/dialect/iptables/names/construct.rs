//! The tables as a list for `portcullis dialects`.

use super::{BUILTIN, Effect, Keeps, MODULES, Meaning, Module, TARGETS};
use crate::dialect::{Construct, Support};

/// Every option, module and target, and how far it is modelled.
pub(in crate::dialect::iptables) fn constructs() -> Vec<Construct> {
    let mut all = Vec::new();
    for (letter, entry) in BUILTIN {
        let tests = !matches!(
            entry.meaning,
            Meaning::Silent
                | Meaning::Counters
                | Meaning::Match
                | Meaning::Jump
                | Meaning::Goto
                | Meaning::Table
        );
        let name = format!("-{letter}");
        if tests && *letter != '\0' && all.iter().all(|known: &Construct| known.name != name) {
            all.push(Construct {
                name,
                support: Support::Exact,
            });
        }
    }
    for module in MODULES {
        of_module(module, &mut all);
    }
    for target in TARGETS {
        all.push(Construct {
            name: format!("-j {}", target.name),
            support: of_effect(target.effect),
        });
    }
    all
}

fn of_module(module: &Module, all: &mut Vec<Construct>) {
    let unmodelled = |meaning| matches!(meaning, Meaning::Test | Meaning::Detail | Meaning::InSet);
    let support = match module.keeps {
        // With the sets in a file beside the dump.
        _ if module.options.iter().any(|entry| entry.meaning == Meaning::InSet) => Support::Exact,
        Keeps::Exact => Support::Exact,
        Keeps::Never => Support::UnknownEachTime,
        Keeps::Absent => Support::Absent,
        Keeps::Always | Keeps::UntilTranslated | Keeps::Unless(_) => Support::UnknownProperty,
    };
    let n_unknown = module
        .options
        .iter()
        .filter(|entry| unmodelled(entry.meaning))
        .count();
    if n_unknown == 0 || n_unknown == module.options.len() {
        all.push(Construct {
            name: format!("-m {}", module.name),
            support,
        });
        return;
    }
    let each = module.options.iter().map(|entry| Construct {
        name: format!("-m {} --{}", module.name, entry.name),
        support: if unmodelled(entry.meaning) {
            support
        } else {
            Support::Exact
        },
    });
    all.extend(each);
}

fn of_effect(effect: Effect) -> Support {
    match effect {
        // NETMAP chooses among the addresses of its network, HMARK among all marks, CONNMARK restores any.
        Effect::Unknown | Effect::Netmap | Effect::AnyMark | Effect::Connmark => Support::UnknownEachTime,
        Effect::Pass | Effect::Changes(_) => Support::PassThrough,
        _ => Support::Exact,
    }
}
