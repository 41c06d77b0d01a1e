//! The types of sets of ipset(8), "SET TYPES", and the options that each takes.
//!
//! INVARIANT: [`KINDS`] has every type once; a type's parts are in the order in which elements write them.

/// One part of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Addresses, stored one by one.
    Ip,
    /// Networks, of which the most specific decides.
    Net,
    /// A port with its protocol.
    Port,
    /// A hardware address.
    Mac,
    /// An interface.
    Interface,
    /// The packet mark.
    Mark,
    /// The name of another set.
    Set,
}

/// A type of sets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// How older versions called it.
    pub(super) old: &'static [&'static str],
    pub(super) parts: &'static [Part],
}

impl Kind {
    /// Whether it is an array over a range rather than a table.
    pub(super) fn is_bitmap(&self) -> bool {
        self.name.starts_with("bitmap:")
    }

    /// Whether its sets are of one address family.
    pub(super) fn has_family(&self) -> bool {
        self.name.starts_with("hash:") && self.parts != [Part::Mac]
    }

    /// Whether its elements may be exceptions: ipset(8), "nomatch".
    pub(super) fn has_networks(&self) -> bool {
        self.parts.contains(&Part::Net)
    }
}

use Part::{Interface, Ip, Mac, Mark, Net, Port, Set};

/// `kind ::=
///     /bitmap:(ip(,mac)?|port)|hash:(ip(,(mac|mark|port(,(ip|net))?))?|mac|net(,(net|port(,net)?|iface))?)|list:set/`
const fn kind(name: &'static str, old: &'static [&'static str], parts: &'static [Part]) -> Kind {
    Kind { name, old, parts }
}

/// Every type.
pub(super) static KINDS: &[Kind] = &[
    kind("bitmap:ip", &["ipmap"], &[Ip]),
    kind("bitmap:ip,mac", &["macipmap"], &[Ip, Mac]),
    kind("bitmap:port", &["portmap"], &[Port]),
    kind("hash:ip", &["iphash", "iptree", "iptreemap"], &[Ip]),
    kind("hash:ip,mac", &[], &[Ip, Mac]),
    kind("hash:ip,mark", &[], &[Ip, Mark]),
    kind("hash:ip,port", &["ipporthash"], &[Ip, Port]),
    kind("hash:ip,port,ip", &["ipportiphash"], &[Ip, Port, Ip]),
    kind("hash:ip,port,net", &["ipportnethash"], &[Ip, Port, Net]),
    kind("hash:mac", &[], &[Mac]),
    kind("hash:net", &["nethash"], &[Net]),
    kind("hash:net,iface", &[], &[Net, Interface]),
    kind("hash:net,net", &[], &[Net, Net]),
    kind("hash:net,port", &[], &[Net, Port]),
    kind("hash:net,port,net", &[], &[Net, Port, Net]),
    kind("list:set", &["setlist"], &[Set]),
];

/// The type of a name.
pub(super) fn kind_by_name(name: &str) -> Option<&'static Kind> {
    KINDS
        .iter()
        .find(|kind| kind.name == name || kind.old.contains(&name))
}

/// What an option of `create` or `add` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Argument {
    None,
    Number,
    Family,
    Range,
    /// A prefix length, or a mask.
    Mask,
    Text,
    /// Anything that is one word: its meaning says nothing of membership.
    Word,
}

/// Options of `create`.
pub(super) const OF_CREATE: &[(&str, Argument)] = &[
    ("family", Argument::Family),
    ("range", Argument::Range),
    ("netmask", Argument::Mask),
    ("bitmask", Argument::Mask),
    ("markmask", Argument::Number),
    ("timeout", Argument::Number),
    ("hashsize", Argument::Number),
    ("maxelem", Argument::Number),
    ("bucketsize", Argument::Number),
    ("initval", Argument::Number),
    ("size", Argument::Number),
    ("counters", Argument::None),
    ("comment", Argument::None),
    ("skbinfo", Argument::None),
    ("forceadd", Argument::None),
    ("-exist", Argument::None),
];

/// Options of `add`.
pub(super) const OF_ADD: &[(&str, Argument)] = &[
    ("timeout", Argument::Number),
    ("nomatch", Argument::None),
    ("wildcard", Argument::None),
    ("packets", Argument::Number),
    ("bytes", Argument::Number),
    ("comment", Argument::Text),
    ("skbmark", Argument::Word),
    ("skbprio", Argument::Word),
    ("skbqueue", Argument::Number),
    ("before", Argument::Word),
    ("after", Argument::Word),
    ("-exist", Argument::None),
];

/// Whether `create` takes an option for a type: the help texts of `ipset help TYPE`.
pub(super) fn takes(kind: &Kind, option: &str) -> bool {
    match option {
        "family" | "hashsize" | "maxelem" | "bucketsize" | "initval" | "forceadd" if !kind.has_family() => {
            kind.parts == [Mac] && option != "family"
        }
        "range" => kind.is_bitmap(),
        "netmask" => kind.name == "bitmap:ip" || has_masks(kind),
        "bitmask" => has_masks(kind),
        "markmask" => kind.parts.contains(&Mark),
        "size" => kind.parts == [Set],
        _ => true,
    }
}

fn has_masks(kind: &Kind) -> bool {
    matches!(kind.name, "hash:ip" | "hash:ip,port" | "hash:net,net")
}
