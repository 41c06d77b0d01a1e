//! What every dialect lowers to: rulesets of chains of rules, with the bytes behind each.
//!
//! Chains keep their order and jumps stay jumps; what they *mean* is said once, for all dialects: exactly by
//! the compiled diagrams, packet by packet by the interpreter. Nothing here has heard of a policy.

mod compile;
mod condition;
mod decider;
mod edit;
mod endpoint;
mod generated;
mod group;
mod hook;
mod identity;
mod interpret;
mod layer;
mod named;
mod order;
mod path;
mod reach;
mod redirect;
mod reduction;
mod redundant;

pub use compile::{Compiler, HostFacts};
pub use decider::{Decider, DoubtReason};
pub use endpoint::HostEndpoint;
pub use generated::{cluster_addresses, docker_bridges, is_generated, keeper};
pub use group::{Acls, Group, Member, Members, Membership, Side, group_keys, keys_asked};
pub use identity::{Identities, Identity, PodLabels, Presence, Workload};
pub use interpret::{Answer, Interpreter, Packet, Step, Verdict};
pub use layer::Before;
pub use named::{AskedSet, Elements, NamedSets, Part};
pub use path::{Path, delivered_classes, loopback_interface};
pub use redundant::Redundant;

use std::sync::Arc;

use crate::packet::{Family, Field, RangeSet};
use crate::source::Span;

/// Index of a chain in its [`Ruleset`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainId(pub u32);

/// Which address families a ruleset filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Families {
    /// IPv4 alone (`iptables-save`, `table ip`).
    V4,
    /// IPv6 alone.
    V6,
    /// Both (`table inet`, a security group).
    Both,
}

impl Families {
    /// Whether packets of a family are filtered.
    #[must_use]
    pub fn include(self, family: Family) -> bool {
        match self {
            Self::Both => true,
            Self::V4 => family == Family::V4,
            Self::V6 => family == Family::V6,
        }
    }
}

/// Where packets meet a base chain. Named after the kernel's hooks. A NetworkPolicy filters at [`Hook::Input`] and
/// [`Hook::Output`] of its pods; what stands before a host ([`Before`]) at [`Hook::Prerouting`] and [`Hook::Output`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    /// Arrived, not yet routed.
    Prerouting,
    /// Routed to this host.
    Input,
    /// Routed through this host.
    Forward,
    /// Made by this host.
    Output,
    /// About to leave.
    Postrouting,
}

impl Hook {
    /// The word for it in output and in packets given to `trace`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Prerouting => "prerouting",
            Self::Input => "input",
            Self::Forward => "forward",
            Self::Output => "output",
            Self::Postrouting => "postrouting",
        }
    }

    /// The priority at which all NAT chains of the hook are called, whatever their own: `NF_IP_PRI_NAT_DST` before packets are
    /// routed, `NF_IP_PRI_NAT_SRC` after (`nf_nat_ipv4_ops`).
    #[must_use]
    pub fn translation_priority(self) -> i32 {
        match self {
            Self::Input | Self::Postrouting => 100,
            Self::Prerouting | Self::Output | Self::Forward => -100,
        }
    }
}

/// What a base chain is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Decides which packets pass: `filter`, `security`.
    Filter,
    /// Marks, changes or exempts, and may drop: `raw`, `mangle`. Its accepts say nothing about openings.
    Prepare,
    /// Translates addresses; sees only the first packet of a connection.
    Nat,
}

/// What happens to packets that no rule of a base chain decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Default {
    /// They pass.
    Accept,
    /// They are dropped.
    Drop,
}

/// What kind of filter a ruleset is: decides how findings speak of it and which packets meet it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// netfilter on the host itself.
    HostFirewall,
    /// A union of stateful allow rules in front of the host.
    SecurityGroup,
    /// Ordered, stateless rules of a subnet.
    NetworkAcl,
    /// What Kubernetes lets through to a pod.
    NetworkPolicy,
    /// What policies of a cluster let through to a node itself.
    HostEndpoint,
}

impl Layer {
    /// Whether its rules are a union of what is let through, in which no order says whose packets are whose; of policies in an order,
    /// their reader says which are without effect.
    #[must_use]
    pub fn is_union(self) -> bool {
        matches!(
            self,
            Self::SecurityGroup | Self::NetworkPolicy | Self::HostEndpoint
        )
    }

    /// How findings call it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::HostFirewall => "host firewall",
            Self::SecurityGroup => "security group",
            Self::NetworkAcl => "network ACL",
            Self::NetworkPolicy => "network policy",
            Self::HostEndpoint => "host endpoint",
        }
    }
}

/// The rules of one layer of one host, as one unit of input gave them.
#[derive(Debug, Clone)]
pub struct Ruleset {
    /// What kind of filter.
    pub layer: Layer,
    /// The address families it filters. Packets of another family never meet it.
    pub families: Families,
    /// All chains; a [`ChainId`] is an index here.
    pub chains: Vec<Chain>,
    /// The chains that hooks call, in any order; see [`Base::priority`].
    pub bases: Vec<Base>,
    /// The sets with names that its rules ask.
    pub sets: NamedSets,
}

/// A chain called by a hook. Accept ends it; drop ends everything.
#[derive(Debug, Clone)]
pub struct Base {
    /// When it is called.
    pub hook: Hook,
    /// The order among the base chains of a hook, lowest first: raw -300, mangle -150, destination NAT -100,
    /// filter 0, security 50, source NAT 100 (iptables' tables have these same numbers).
    pub priority: i32,
    /// The order among those of one priority, lowest first, where it is known: the kernel calls the chain first that was
    /// hooked last (`nf_hook_entries_grow`). All NAT chains of a hook are called at one priority, from one place that was hooked
    /// with the first of them, in the order of their own priorities (`nf_nat_register_fn`): hence three numbers.
    pub order: [u32; 3],
    /// What it is for.
    pub purpose: Purpose,
    /// The chain.
    pub chain: ChainId,
    /// Its default verdict (what iptables calls the chain policy).
    pub default: Default,
    /// The bytes that say the default verdict: its word, or the chain's declaration.
    pub default_span: Span,
}

impl Base {
    /// A chain that filters at the kernel's priority for that, and accepts what none of its rules decides.
    #[must_use]
    pub fn filter(hook: Hook, chain: ChainId, default_span: Span) -> Self {
        Self {
            hook,
            priority: 0,
            order: [0; 3],
            purpose: Purpose::Filter,
            chain,
            default: Default::Accept,
            default_span,
        }
    }

    /// Whether it translates destinations. One that comes after another that has translated a packet is not asked about it
    /// any more: the kernel asks its NAT chains until one has set up the translation (`nf_nat_inet_fn`).
    #[must_use]
    pub fn translates_destinations(&self) -> bool {
        self.purpose == Purpose::Nat && matches!(self.hook, Hook::Prerouting | Hook::Output)
    }

    /// Whether the connection must not have been translated yet for this chain to be asked, at its destination or its source.
    fn untranslated(&self) -> Option<Field> {
        let field = if self.translates_destinations() {
            Field::StatusDnat
        } else {
            Field::StatusSnat
        };
        (self.purpose == Purpose::Nat).then_some(field)
    }
}

/// Rules in order.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Table and name as the user knows it: `filter/INPUT`.
    pub path: String,
    /// The bytes that declare it.
    pub span: Span,
    /// The rules, first to last.
    pub rules: Vec<Rule>,
    /// Where the modules are called that it comes from, outermost first. None, unless it is a group of code.
    pub calls: Arc<[Span]>,
}

/// One rule: if all matches hold, the action happens.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The whole rule, without its line break. Empty if nobody wrote it: a program that reads the configuration adds it of
    /// itself, so it is never called shadowed.
    pub span: Span,
    /// All must hold.
    pub matches: Vec<Match>,
    /// What happens.
    pub action: Action,
    /// The bytes of the verdict or target (`DROP` of `-j DROP`); the whole rule where none is written.
    pub action_span: Span,
}

impl Rule {
    /// Whether it may lead to a chain that it does not name: what it does is not known, as a whole. Where it is known of
    /// which kind the verdict is (`-j NFQUEUE`), [`Rule::action_span`] is its place in the rule.
    #[must_use]
    pub fn may_lead_anywhere(&self) -> bool {
        matches!(self.action, Action::Unknown(_)) && self.action_span == self.span
    }
}

/// One condition as it was written.
#[derive(Debug, Clone)]
pub struct Match {
    /// The smallest bytes that say it: the port, the CIDR, the state list.
    pub span: Span,
    /// What it asks.
    pub condition: Condition,
}

/// A question about a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The field's value is one of these.
    Test(Field, RangeSet),
    /// All hold. Empty: always true.
    All(Vec<Condition>),
    /// At least one holds. Empty: never true.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// An end of the packet is a member of a group.
    Member(Membership),
    /// It cannot be decided.
    Unknown(Unknown),
}

impl Condition {
    /// What holds of no packet, and not by what the rule says: membership of a set that holds nothing, of which the reader
    /// tells once for all rules that ask it; a header that packets are taken not to have. Written otherwise than what never
    /// holds for other reasons, so that no such rule is called shadowed.
    #[must_use]
    pub fn never_met() -> Self {
        Self::Any(vec![Self::Any(Vec::new())])
    }

    /// Whether it is [`Condition::never_met`].
    #[must_use]
    pub fn is_never_met(&self) -> bool {
        match self {
            Self::Any(any) => matches!(any.as_slice(), [Self::Any(none)] if none.is_empty()),
            _ => false,
        }
    }
}

/// Something that is not modelled. Both answers are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// If it is a property that a packet keeps on its way (a set's membership, the sender's uid): its name, the same
    /// for the same question, so that it cancels against itself and its negation. `None` if it may be
    /// answered differently each time it is asked (`limit`, `recent`, `statistic`).
    pub property: Option<Arc<str>>,
    /// Why it is unknown, for people: "the members of set `ban` are not known".
    pub why: Arc<str>,
}

/// What a rule does to a packet that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Lets it pass this base chain.
    Accept,
    /// Drops it silently.
    Drop,
    /// Drops it and says so to the sender.
    Reject,
    /// Goes back to the calling chain; in a base chain, the default verdict decides.
    Return,
    /// Goes through another chain and comes back.
    Jump(ChainId),
    /// Goes through another chain; what falls out of it returns to *this* chain's caller.
    Goto(ChainId),
    /// Nothing that matters to filtering (logs, counts, sets a TTL): the next rule is next.
    Continue,
    /// Changes the packet.
    Edit(Edit),
    /// Not known: may accept, drop or continue.
    Unknown(Unknown),
}

/// A change that later rules see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Packet mark becomes `(mark & !clear) ^ flip`; the next rule is next.
    Mark {
        /// Bits that are cleared.
        clear: u32,
        /// Bits that are then flipped.
        flip: u32,
    },
    /// The bits of `mask` become anything (a mark restored from elsewhere); the next rule is next.
    MarkUnknown {
        /// Bits that are not known any more.
        mask: u32,
    },
    /// The packet is not tracked: its state becomes untracked; the next rule is next.
    Untrack,
    /// Destination translation: ends the base chain. Addresses are of the ruleset's family.
    Dnat {
        /// New address, one of these; `None` keeps it.
        to: Option<RangeSet>,
        /// New port, one of these; `None` keeps it.
        ports: Option<RangeSet>,
    },
    /// Destination becomes this host itself: ends the base chain.
    Redirect {
        /// New port, one of these; `None` keeps it.
        ports: Option<RangeSet>,
    },
    /// Source translation: ends the base chain. Only what comes behind it at the same hook, or arrives by loopback, sees the new
    /// source; its port may be any, since the kernel takes another one where the old one is in use.
    Snat {
        /// New address, one of these; `None`: it is not known.
        to: Option<RangeSet>,
    },
}
