//! A ruleset as it is written: commands, blocks, rules, statements and expressions, from text and from JSON alike.
//!
//! INVARIANT: every `&str` here is a slice of a text of the unit that was read, so that its span is known.

use std::rc::Rc;

use super::names::{Key, Named};
use crate::packet::Family;

pub(super) use crate::dialect::unread::{Read, Unread};

/// Something at the outermost level of a file.
#[derive(Debug)]
pub(super) enum Item<'a> {
    Definition(Definition<'a>),
    /// `include "PATH"`
    Include(Word<'a>),
    Command(Command<'a>),
    Bad(Unread<'a>),
}

/// `define NAME = VALUE` and its like.
#[derive(Debug)]
pub(super) struct Definition<'a> {
    pub(super) name: &'a str,
    /// `None`: `undefine`.
    pub(super) value: Option<Expr<'a>>,
}

/// What a command does to its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Add,
    Create,
    Insert,
    Replace,
    Delete,
    Destroy,
    Flush,
    Rename,
}

impl Verb {
    /// The verb of a word, in text and as a key of JSON.
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "add" => Self::Add,
            "create" => Self::Create,
            "insert" => Self::Insert,
            "replace" => Self::Replace,
            "delete" => Self::Delete,
            "destroy" => Self::Destroy,
            "flush" => Self::Flush,
            "rename" => Self::Rename,
            _ => return None,
        })
    }
}

/// A table of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TableName<'a> {
    pub(super) family: TableFamily,
    pub(super) name: &'a str,
    /// Family and name as written.
    pub(super) text: &'a str,
}

/// The family of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum TableFamily {
    Ip,
    Ip6,
    Inet,
    Arp,
    Bridge,
    Netdev,
}

/// A command, or a block, which is `add` with a body.
#[derive(Debug)]
pub(super) struct Command<'a> {
    /// All of it.
    pub(super) text: &'a str,
    pub(super) verb: Verb,
    pub(super) object: Object<'a>,
}

/// What a command is about.
#[derive(Debug)]
pub(super) enum Object<'a> {
    /// `ruleset`, or that of one family.
    Ruleset(Option<TableFamily>),
    Table(TableName<'a>, Vec<TableItem<'a>>),
    Chain(TableName<'a>, ChainBlock<'a>),
    /// The old name and the new one.
    Renamed(TableName<'a>, &'a str, &'a str),
    Rule {
        table: TableName<'a>,
        chain: &'a str,
        place: Option<Place<'a>>,
        rule: Rule<'a>,
    },
    Set(TableName<'a>, SetBlock<'a>),
    Element {
        table: TableName<'a>,
        set: &'a str,
        elements: Expr<'a>,
    },
    /// A counter, a quota, a flow table: nothing that decides by itself.
    Named(TableName<'a>, Named<'a>),
    /// Prints, and changes nothing.
    Nothing,
}

/// Where a rule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'a> {
    Handle(&'a str),
    Index(&'a str),
}

/// One line or block in a table.
#[derive(Debug)]
pub(super) enum TableItem<'a> {
    Chain(ChainBlock<'a>),
    Set(SetBlock<'a>),
    /// `flags dormant`
    Dormant,
    /// A flag of which only the place is known: it may be `dormant`.
    Flag(&'a str),
    Named(Named<'a>),
    Definition(Definition<'a>),
    Include(Word<'a>),
    Comment(&'a str),
    Nothing,
    Bad(Unread<'a>),
}

/// What a set may hold beside single values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Intervals {
    /// Nothing.
    #[default]
    None,
    /// `flags interval`: prefixes and ranges that do not overlap.
    Apart,
    /// `auto-merge`: those that do are one.
    Merged,
}

/// `chain NAME { … }`
#[derive(Debug)]
pub(super) struct ChainBlock<'a> {
    pub(super) name: &'a str,
    pub(super) items: Vec<ChainItem<'a>>,
}

/// One line in a chain.
#[derive(Debug)]
pub(super) enum ChainItem<'a> {
    /// `type filter hook input priority 0`
    Hook(HookLine<'a>),
    /// `policy drop`
    Policy(Expr<'a>),
    Rule(Rule<'a>),
    Definition(Definition<'a>),
    Include(Word<'a>),
    Comment(&'a str),
    Nothing,
    Bad(Unread<'a>),
}

/// `type filter hook ingress device "eth0" priority 0`
#[derive(Debug)]
pub(super) struct HookLine<'a> {
    pub(super) text: &'a str,
    pub(super) kind: &'a str,
    pub(super) hook: &'a str,
    pub(super) devices: Option<Expr<'a>>,
    /// What `priority` starts from: a name, a number, a variable.
    pub(super) priority: Expr<'a>,
    /// `+ 5`
    pub(super) offset: Option<(bool, &'a str)>,
}

/// `set NAME { … }` or `map NAME { … }`
#[derive(Debug)]
pub(super) struct SetBlock<'a> {
    pub(super) text: &'a str,
    pub(super) name: &'a str,
    /// The types of its keys, by name or as expressions; empty if none is given.
    pub(super) keys: Vec<KeyType<'a>>,
    /// It says what its keys lead to: it is a map.
    pub(super) is_map: bool,
    pub(super) is_dynamic: bool,
    pub(super) has_timeout: bool,
    pub(super) intervals: Intervals,
    pub(super) elements: Option<Expr<'a>>,
    pub(super) bad: Vec<Unread<'a>>,
}

/// The type of one part of a set's keys.
#[derive(Debug)]
pub(super) enum KeyType<'a> {
    /// `ipv4_addr`
    Named(&'a str),
    /// `typeof ip saddr`
    Of(Expr<'a>),
}

/// One rule.
#[derive(Debug, Default)]
pub(super) struct Rule<'a> {
    pub(super) text: &'a str,
    pub(super) statements: Vec<Statement<'a>>,
    /// Why the rest of it could not be read.
    pub(super) bad: Option<Unread<'a>>,
}

/// One statement of a rule.
#[derive(Debug)]
pub(super) struct Statement<'a> {
    pub(super) text: &'a str,
    pub(super) kind: Kind<'a>,
}

/// What a statement does.
#[derive(Debug)]
pub(super) enum Kind<'a> {
    /// Goes on only if the comparison holds.
    Match {
        left: Expr<'a>,
        op: Comparison,
        right: Expr<'a>,
    },
    Verdict(Verdict<'a>),
    VerdictMap {
        key: Expr<'a>,
        map: Expr<'a>,
    },
    /// Counts, logs: every packet goes on.
    Pass,
    /// Goes on or not, differently each time; how it is called.
    Limit(&'static str),
    /// Does something with an object of the table.
    WithObject(Named<'a>, Box<Statement<'a>>),
    /// Does something with the object that a map gives; packets without a key in it go no further.
    Mapped {
        map: Expr<'a>,
        then: Box<Statement<'a>>,
    },
    /// `meta mark set VALUE`
    SetMark(Expr<'a>),
    /// Changes what this selector reads, and nothing that is modelled.
    Change(Key, Expr<'a>),
    Notrack,
    /// Adds the packet's key to a set; `gated`: goes on only within a limit.
    Update {
        set: &'a str,
        key: Expr<'a>,
        gated: bool,
    },
    Nat(Nat<'a>),
    /// A verdict that something else gives.
    Unknown(&'static str),
    /// The family of the ICMP that it answers with, if it names one; whether it answers with a TCP reset.
    Reject(Option<Family>, bool),
}

/// Where a rule sends packets.
#[derive(Debug)]
pub(super) enum Verdict<'a> {
    Accept,
    Drop,
    Continue,
    Return,
    Jump(Expr<'a>),
    Goto(Expr<'a>),
    /// `jump { … }`: true for goto.
    Block(bool, Vec<ChainItem<'a>>),
}

/// Which translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NatKind {
    Destination,
    Source,
    Redirect,
}

/// `dnat ip to 10.0.0.1:80`
#[derive(Debug)]
pub(super) struct Nat<'a> {
    pub(super) kind: NatKind,
    pub(super) family: Option<TableFamily>,
    /// The new address; with ports behind it if it is a concatenation.
    pub(super) address: Option<Expr<'a>>,
    pub(super) ports: Option<Expr<'a>>,
    /// `dnat ip addr . port to`, `dnat ip prefix to`: how the address is read.
    pub(super) is_concatenated: bool,
}

/// How two sides are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    /// Nothing is written: equal, among, or some of these bits.
    Implicit,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// `!`: none of these bits.
    NoneOf,
}

/// An operator between values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    And,
    Or,
    Xor,
    ShiftLeft,
    ShiftRight,
}

/// A word as it is written, without its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    pub(super) quoted: bool,
}

/// A value or what is asked of packets.
#[derive(Debug)]
pub(super) struct Expr<'a> {
    pub(super) text: &'a str,
    pub(super) kind: ExprKind<'a>,
}

/// What an expression is.
#[derive(Debug)]
pub(super) enum ExprKind<'a> {
    Word(Word<'a>),
    /// `$NAME`, without the dollar.
    Variable(&'a str),
    /// The value of a variable.
    Shared(Rc<Expr<'a>>),
    /// `@NAME`, without the at sign.
    SetName(&'a str),
    Selector(Key),
    /// `*`
    Wildcard,
    /// `{ … }`
    Set(Vec<Element<'a>>),
    /// `a, b`
    List(Vec<Expr<'a>>),
    Concat(Vec<Expr<'a>>),
    Range(Box<(Expr<'a>, Expr<'a>)>),
    Prefix(Box<Expr<'a>>, &'a str),
    Binary(Operator, Box<(Expr<'a>, Expr<'a>)>),
    /// `KEY map MAP`
    Map(Box<(Expr<'a>, Expr<'a>)>),
    /// `flags / mask`
    Masked(Box<(Expr<'a>, Expr<'a>)>),
}

/// One element of a set or map.
#[derive(Debug)]
pub(super) struct Element<'a> {
    pub(super) key: Expr<'a>,
    /// It may be gone by now.
    pub(super) expires: bool,
    /// Something gates it: a limit, a quota.
    pub(super) gated: bool,
    pub(super) data: Option<Box<Data<'a>>>,
}

/// What a map maps a key to.
#[derive(Debug)]
pub(super) enum Data<'a> {
    Value(Expr<'a>),
    /// The verdict and its bytes.
    Verdict(&'a str, Verdict<'a>),
}
