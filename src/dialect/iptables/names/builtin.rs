//! The options that every rule may have: iptables(8), "PARAMETERS" and "OTHER OPTIONS".

use super::{Arity, Entry, Meaning, entry};

/// Short letter, and the option.
pub(in crate::dialect::iptables) static BUILTIN: &[(char, Entry)] = &[
    ('p', entry("protocol", Arity::One, Meaning::Protocol)),
    ('p', entry("proto", Arity::One, Meaning::Protocol)),
    ('s', entry("source", Arity::One, Meaning::Source)),
    ('s', entry("src", Arity::One, Meaning::Source)),
    ('d', entry("destination", Arity::One, Meaning::Destination)),
    ('d', entry("dst", Arity::One, Meaning::Destination)),
    ('i', entry("in-interface", Arity::One, Meaning::InInterface)),
    ('o', entry("out-interface", Arity::One, Meaning::OutInterface)),
    ('j', entry("jump", Arity::One, Meaning::Jump)),
    ('g', entry("goto", Arity::One, Meaning::Goto)),
    ('m', entry("match", Arity::One, Meaning::Match)),
    ('f', entry("fragment", Arity::Zero, Meaning::Fragment)),
    ('f', entry("fragments", Arity::Zero, Meaning::Fragment)),
    ('c', entry("set-counters", Arity::Counters, Meaning::Counters)),
    ('t', entry("table", Arity::One, Meaning::Table)),
    ('4', entry("ipv4", Arity::Zero, Meaning::Only4)),
    ('6', entry("ipv6", Arity::Zero, Meaning::Only6)),
    ('v', entry("verbose", Arity::Zero, Meaning::Silent)),
    ('n', entry("numeric", Arity::Zero, Meaning::Silent)),
    ('x', entry("exact", Arity::Zero, Meaning::Silent)),
    ('w', entry("wait", Arity::Optional, Meaning::Silent)),
    ('W', entry("wait-interval", Arity::One, Meaning::Silent)),
    ('\0', entry("modprobe", Arity::One, Meaning::Silent)),
    ('\0', entry("line-numbers", Arity::Zero, Meaning::Silent)),
];

/// The option of a letter.
pub(in crate::dialect::iptables) fn builtin_short(letter: char) -> Option<&'static Entry> {
    BUILTIN
        .iter()
        .find(|(short, _)| *short == letter)
        .map(|(_, entry)| entry)
}

/// The option of a long name.
pub(in crate::dialect::iptables) fn builtin_long(name: &str) -> Option<&'static Entry> {
    BUILTIN
        .iter()
        .find(|(_, entry)| entry.name == name)
        .map(|(_, entry)| entry)
}
