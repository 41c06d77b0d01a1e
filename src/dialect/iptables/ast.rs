//! A dump line by line, as it is written: every part is a slice of the file, so that its span is known.
//!
//! INVARIANT: every `&str` here is a slice of the text that was parsed.

use std::borrow::Cow;

use super::names::{Entry, Meaning, Module};
use crate::packet::Family;

pub(super) use crate::dialect::unread::{Read, Unread};

/// A word as it is written, with its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'a>(pub(super) &'a str);

impl<'a> Word<'a> {
    /// What it says: without quotes and backslashes.
    pub(super) fn text(self) -> Cow<'a, str> {
        if let Some(inner) = self.0.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            return Cow::Borrowed(inner);
        }
        if !self.0.contains('"') {
            return Cow::Borrowed(self.0);
        }
        let (mut text, mut quoted, mut escaped) = (String::with_capacity(self.0.len()), false, false);
        for char in self.0.chars() {
            match char {
                _ if escaped => {
                    text.push(char);
                    escaped = false;
                }
                '"' => quoted = !quoted,
                '\\' if quoted => escaped = true,
                _ => text.push(char),
            }
        }
        Cow::Owned(text)
    }
}

/// One line of a dump. A rule's matches and target are parsed apart: see [`Rule`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Nothing but white space.
    Blank,
    /// `# …`
    Comment(&'a str),
    /// `*filter`
    Table(&'a str),
    /// `COMMIT`
    Commit,
    /// `:INPUT DROP [0:0]`
    Declaration(Declaration<'a>),
    /// `-A INPUT …`
    Command(Command<'a>),
    /// None of these.
    Other(&'a str),
}

/// `:INPUT DROP [0:0]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declaration<'a> {
    pub(super) chain: &'a str,
    /// The default verdict; `-` for chains that no hook calls.
    pub(super) default: &'a str,
    /// What follows and is no counters; empty if nothing does.
    pub(super) counters: &'a str,
}

/// What a command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Append,
    Insert,
    Delete,
    Replace,
    Policy,
    NewChain,
    DeleteChain,
    Flush,
    /// Lists, checks or zeroes counters: changes no rule.
    Nothing,
    /// Changes rules in a way that is not read.
    Other,
}

/// `-A INPUT` and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command<'a> {
    pub(super) verb: Verb,
    /// The verb as written.
    pub(super) word: &'a str,
    /// `-t nat` before it: only in the lines of a script.
    pub(super) table: Option<Word<'a>>,
    /// `-4` or `-6` before it.
    pub(super) only: Option<Family>,
    /// The chain, where one is named.
    pub(super) chain: Option<&'a str>,
    /// The number behind the chain, where one is written.
    pub(super) number: Option<&'a str>,
    /// What follows: the rule, or the default verdict of `-P`.
    pub(super) rest: &'a str,
}

/// Matches and target of one rule. One value is used again for each line, so that its memory is.
#[derive(Debug, Default)]
pub(super) struct Rule<'a> {
    /// Match modules, in order of loading.
    pub(super) uses: Vec<Use<'a>>,
    /// Options of the rule and of its modules, in order.
    pub(super) terms: Vec<Term<'a>>,
    /// What follows `-j` or `-g`.
    pub(super) target: Option<Target<'a>>,
    /// Options of the target.
    pub(super) parameters: Vec<Term<'a>>,
    /// A module or target that is not known, directly behind which options can only be its own.
    pub(super) open: Option<Owner>,
}

impl Rule<'_> {
    pub(super) fn clear(&mut self) {
        self.uses.clear();
        self.terms.clear();
        self.target = None;
        self.parameters.clear();
        self.open = None;
    }

    /// Whether `-4` or `-6` says that the rule is for the other family: iptables(8), "-4, --ipv4".
    pub(super) fn is_for_other(&self, family: Family) -> bool {
        self.terms
            .iter()
            .any(|term| match term.entry.map(|entry| entry.meaning) {
                Some(Meaning::Only4) => family == Family::V6,
                Some(Meaning::Only6) => family == Family::V4,
                _ => false,
            })
    }
}

/// One `-m NAME`, or a protocol that loads its module itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use<'a> {
    /// Name of the module as written.
    pub(super) name: &'a str,
    /// `None`: a module that is not known.
    pub(super) module: Option<&'static Module>,
}

/// Whose option it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// Every rule has it.
    Builtin,
    /// An index of [`Rule::uses`].
    Module(usize),
    /// The target.
    Target,
}

/// One option with its arguments.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term<'a> {
    pub(super) owner: Owner,
    /// The `!` before or behind the option.
    pub(super) negated: bool,
    /// `None`: an option of a module or target that is not known.
    pub(super) entry: Option<&'static Entry>,
    /// The option as written, with its dashes.
    pub(super) name: &'a str,
    /// Its arguments as written; empty at the end of `name` if it has none.
    pub(super) arguments: &'a str,
}

/// What follows `-j` or `-g`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target<'a> {
    pub(super) goto: bool,
    pub(super) name: &'a str,
}
