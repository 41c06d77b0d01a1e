//! A file of `ipset save` line by line.
//!
//! INVARIANT: every `&str` here is a slice of the text that was parsed.

use super::names::Kind;
use crate::packet::Family;

pub(super) use crate::dialect::unread::{Read, Unread};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Nothing, or a comment.
    Blank,
    /// `create NAME TYPE …`
    Create(Create<'a>),
    /// `add NAME ELEMENT …`
    Add(Change<'a>),
    /// `del NAME ELEMENT`
    Delete(Change<'a>),
    /// `flush`, `flush NAME`
    Flush(Option<&'a str>),
    /// `destroy`, `destroy NAME`
    Destroy(Option<&'a str>),
    /// `swap NAME NAME`
    Swap(&'a str, &'a str),
    /// `rename NAME NAME`
    Rename(&'a str, &'a str),
}

/// What `create` says of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Create<'a> {
    pub(super) name: &'a str,
    pub(super) kind: &'static Kind,
    /// Of hash types; `inet` where none is written.
    pub(super) family: Option<Family>,
    /// Of bitmaps.
    pub(super) range: Option<(u128, u128)>,
    /// `netmask`, `bitmask`: the bits of an address that count.
    pub(super) mask: Option<u128>,
    /// `markmask`
    pub(super) mark_mask: u32,
    /// `timeout`: elements without one of their own have this one; 0 is none.
    pub(super) timeout: Option<u64>,
    pub(super) has_counters: bool,
}

/// What `add` and `del` say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change<'a> {
    pub(super) name: &'a str,
    pub(super) element: &'a str,
    pub(super) timeout: Option<u64>,
    pub(super) nomatch: bool,
    pub(super) wildcard: bool,
}
