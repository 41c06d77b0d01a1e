//! Lowering of a dump to [`model::Ruleset`](crate::model::Ruleset), line by line.
//!
//! Chains keep their order and jumps stay jumps. INVARIANT: a line that cannot be read becomes a finding, and, where
//! its chain is known, a rule of which nothing is known: what a dump says is never taken for less than it may mean.

mod absent;
mod chains;
mod check;
mod class;
mod command;
mod condition;
mod header;
mod restore;
mod set;
mod table;
mod target;
mod unknown;
mod unmodelled;

use std::rc::Rc;
use std::sync::Arc;

pub(super) use self::absent::{add_absent_filters, first_line};
use self::chains::Chains;
use self::command::{outside, unread_rule};
use self::restore::Again;
pub(in crate::dialect) use self::restore::restore;
use self::set::AskedSets;
use self::table::TableKind;
use self::unknown::Unknowns;
use super::ast::{Declaration, Line, Read, Rule, Unread};
use super::claim::is_listing;
use super::parser;
use crate::dialect::circle::break_circles;
use crate::dialect::ipset::Sets;
use crate::dialect::{Reading, reference};
use crate::finding::{Code, Finding, Label};
use crate::model::{Action, ChainId, Default as Verdict, Families, Unknown};
use crate::packet::Family;
use crate::source::{Locator, Source};

/// What is done with lines.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    Read,
    /// They are inside a table that is not known.
    Skipped,
}

/// What one file has been read to so far.
pub(super) struct Lowering<'a> {
    at: Locator<'a>,
    family: Family,
    /// Whether a line has said the family outright.
    has_family: bool,
    chains4: Chains<'a>,
    chains6: Chains<'a>,
    unknowns: Unknowns<'a>,
    asked: AskedSets<'a>,
    notices: Vec<Finding>,
    /// The table that is open: its index, and whether a header opened it.
    open: Option<(usize, bool)>,
    lines: Lines,
    /// Whether a header has opened any table.
    has_header: bool,
    again: Again,
    /// Whether the file tells fragments apart; then rules that read ports hold for first fragments only.
    tests_fragments: bool,
    n_rules: usize,
    /// The first line that is none of a dump's.
    prose: Option<&'a str>,
}

/// `dump ::= space? ((comment | other)? /([ \t]*\n)+[ \t]*/)* table (/([ \t]*\n)+[ \t]*/ ((comment | other)?
///     /([ \t]*\n)+[ \t]*/)* table)* (/([ \t]*\n)+[ \t]*/ (comment | other)?)* space? | space? (comment?
///     /([ \t]*\n)+[ \t]*/)* comment?`
///
/// Reads and lowers one file; `sets` are those that a file of sets has beside it.
pub(super) fn dump<'a>(source: Source<'a>, family: Family, sets: Option<Rc<Sets<'a>>>, into: &mut Reading) {
    let mut lowering = Lowering::new(Locator::new(source), family, AskedSets::new(sets, source.text));
    lowering.lines();
    lowering.finish(into);
}

fn tests_fragments(text: &str) -> bool {
    text.contains(" -f ") || text.contains("--fragment")
}

impl<'a> Lowering<'a> {
    fn new(at: Locator<'a>, family: Family, asked: AskedSets<'a>) -> Self {
        Self {
            at,
            family,
            has_family: false,
            chains4: Chains::default(),
            chains6: Chains::default(),
            unknowns: Unknowns::default(),
            asked,
            notices: Vec::new(),
            open: None,
            lines: Lines::Read,
            has_header: false,
            again: Again::Replaces,
            tests_fragments: tests_fragments(at.text()),
            n_rules: 0,
            prose: None,
        }
    }

    /// Reads all lines of the text at hand.
    fn lines(&mut self) {
        let mut rule = Rule::default();
        for line in self.at.text().split('\n') {
            self.line(line.trim(), &mut rule);
        }
    }

    fn chains(&mut self) -> &mut Chains<'a> {
        match self.family {
            Family::V4 => &mut self.chains4,
            Family::V6 => &mut self.chains6,
        }
    }

    fn line(&mut self, text: &'a str, rule: &mut Rule<'a>) {
        let line = match parser::line(text) {
            Ok(line) => line,
            Err(_) if self.open.is_none() && is_prose(text) => Line::Other(text),
            Err(unread) => {
                self.unread(&unread);
                if self.lines == Lines::Read {
                    self.unknown_everywhere(text);
                }
                return;
            }
        };
        if self.lines == Lines::Skipped && !matches!(line, Line::Table(_) | Line::Commit) {
            return;
        }
        let done = match line {
            Line::Blank => Ok(()),
            Line::Comment(text) => {
                self.comment(text);
                Ok(())
            }
            Line::Table(name) => self.table(text, name),
            Line::Commit => self.commit(text),
            Line::Declaration(declaration) => self.declaration(text, &declaration),
            Line::Command(command) => self.command(text, &command, rule),
            Line::Other(text) => self.other(text),
        };
        if let Err(unread) = done {
            self.unread(&unread);
        }
    }

    fn commit(&mut self, text: &'a str) -> Read<'a, ()> {
        let was_open = matches!(self.open.take(), Some((_, true))) || self.lines == Lines::Skipped;
        self.lines = Lines::Read;
        if was_open {
            return Ok(());
        }
        Err(Unread::new(text, "`COMMIT` without a table").help("a dump opens each table with `*table`"))
    }

    fn unread(&mut self, unread: &Unread<'a>) {
        let label = Label::new(self.at.span(unread.at), "not understood");
        let mut finding = Finding::new(Code::UnreadText, unread.message.as_str(), Some(label));
        finding.help.clone_from(&unread.help);
        self.notices.push(finding);
    }

    /// `comment ::= /#[^\n]*/`
    ///
    /// The program that wrote a dump says its family: `# Generated by ip6tables-save v1.8.9`.
    fn comment(&mut self, text: &'a str) {
        if self.open.is_none()
            && self.again == Again::Replaces
            && let Some(family) = super::family::of_header(text)
        {
            self.family = family;
            self.has_family = true;
        }
        // iptables-save of nftables: `# Table `filter' is incompatible, use 'nft' tool.`
        if text.contains("is incompatible, use 'nft' tool") {
            let unread =
                Unread::new(text, "a table that is not in this dump").help("dump it with `nft list ruleset`");
            self.unread(&unread);
            if text.contains("`filter'") {
                let line = self.at.span(text);
                self.chains().add_unread_table(line);
            }
        }
    }

    /// `other ::=
    ///     /[^*:#\[C \t\n-][^\n]*|C([^O\n][^\n]*)?|CO([^M\n][^\n]*)?|COM([^M\n][^\n]*)?|COMM([^I\n][^\n]*)?|COMMI([^T\n][^\n]*)?|-([^A-Za-z\n][^\n]*)?|\[([^0-9\n][^\n]*)?/`
    ///
    /// Prose: a shell prompt, the output of other commands. Between tables it says nothing.
    fn other(&mut self, text: &'a str) -> Read<'a, ()> {
        self.prose.get_or_insert(text);
        if let Some((_, true)) = self.open {
            if text.starts_with('"') {
                self.unknown_everywhere(text);
            }
            return Err(Unread::new(text, "unexpected text in a table")
                .help("rules start with `-A CHAIN`, chains with `:`"));
        }
        if let Some(family) = super::family::of_header(text) {
            self.family = family;
            self.has_family = true;
        }
        Ok(())
    }

    /// `table ::= /\*[ \t]*/ (("filter" | "security") (space comment)? /([ \t]*\n)+[ \t]*/ ((":"
    ///     /INPUT|FORWARD|OUTPUT/ space default-verdict | declaration | comment) /([ \t]*\n)+[ \t]*/)* |
    ///     "mangle" (space comment)? /([ \t]*\n)+[ \t]*/ ((":" hook space default-verdict | declaration |
    ///     comment) /([ \t]*\n)+[ \t]*/)* | "nat" (space comment)? /([ \t]*\n)+[ \t]*/ ((":"
    ///     /PREROUTING|INPUT|OUTPUT|POSTROUTING/ space default-verdict | declaration | comment)
    ///     /([ \t]*\n)+[ \t]*/)* | "raw" (space comment)? /([ \t]*\n)+[ \t]*/ ((":" /PREROUTING|OUTPUT/ space
    ///     default-verdict | declaration | comment) /([ \t]*\n)+[ \t]*/)*) ((declaration | command | comment)
    ///     /([ \t]*\n)+[ \t]*/)* "COMMIT" space? comment?`
    fn table(&mut self, text: &'a str, name: &'a str) -> Read<'a, ()> {
        self.end_of_table();
        if !self.has_family
            && let Some(family) = super::family::of_table(self.at.text(), text)
        {
            self.family = family;
        }
        let header = self.at.span(text);
        self.has_header = true;
        let known = TableKind::by_name(name);
        self.lines = if known.is_none() {
            Lines::Skipped
        } else {
            Lines::Read
        };
        let Some(kind) = known else {
            self.chains().add_unread_table(header);
            return Err(Unread::new(name, format!("`{name}` is not a table"))
                .help("the tables are filter, nat, mangle, raw and security"));
        };
        let earlier = self.chains().find(kind).filter(|_| self.again == Again::GoesOn);
        let (table, replaced) = match earlier {
            Some(table) => (table, None),
            None => self.chains().open(kind, header),
        };
        self.open = Some((table, true));
        if let Some(earlier) = replaced {
            let message = format!("a later table `{name}` replaces this one");
            let finding = Finding::new(
                Code::ShadowedRule,
                message,
                Some(Label::new(earlier, "flushed again")),
            )
            .related(Label::new(header, "the later one"))
            .help("keep each dump in a file of its own");
            self.notices.push(finding);
        }
        Ok(())
    }

    /// A table that is not committed may have been cut off.
    fn end_of_table(&mut self) {
        let Some((table, true)) = self.open.take() else {
            return;
        };
        let Some(header) = self.chains().tables.get(table).map(|table| table.header) else {
            return;
        };
        let kind = self.chains().kind(table);
        let message = format!("table `{}` is not committed", kind.name());
        let label = Label::new(header, "no `COMMIT` follows");
        let help = "iptables-restore drops such a table; perhaps the dump was cut off";
        self.notices
            .push(Finding::new(Code::UnreadText, message, Some(label)).help(help));
    }

    fn declaration(&mut self, text: &'a str, declaration: &Declaration<'a>) -> Read<'a, ()> {
        let Some((table, _)) = self.open else {
            return Err(outside(text));
        };
        let span = self.at.span(text);
        let chain = self.chains().chain(table, declaration.chain, span);
        let is_new = self.chains().declare(chain, span);
        if self.again == Again::GoesOn && !is_new && self.chains().is_users(chain) {
            self.chains().flush(chain);
        }
        self.default_verdict(chain, declaration.chain, declaration.default)?;
        if declaration.counters.is_empty() {
            return Ok(());
        }
        let message = format!("`{}` are not counters", declaration.counters);
        Err(Unread::new(declaration.counters, message).help("two numbers follow a default verdict: `[0:0]`"))
    }

    /// `default-verdict ::= ("ACCEPT" | "DROP" | "-") (space counters)?`
    fn default_verdict(&mut self, chain: ChainId, name: &'a str, word: &'a str) -> Read<'a, ()> {
        let span = self.at.span(word);
        let is_hooked = self
            .chains()
            .state(chain)
            .is_some_and(|chain| chain.hook.is_some());
        match word {
            "ACCEPT" if is_hooked => self.chains().set_default(chain, Verdict::Accept, span),
            "DROP" if is_hooked => self.chains().set_default(chain, Verdict::Drop, span),
            "-" => self.chains().set_default(chain, Verdict::Accept, span),
            _ if is_hooked => {
                let rule = unread_rule(span);
                self.chains().append(chain, rule);
                let message = format!("`{word}` is not a default verdict");
                return Err(Unread::new(word, message).help("it is `ACCEPT` or `DROP`"));
            }
            _ => {
                let message = format!("`{name}` has a default verdict, but no hook calls it");
                return Err(Unread::new(word, message).help("write `-` here"));
            }
        }
        Ok(())
    }

    fn finish(mut self, into: &mut Reading) {
        self.end_of_table();
        if let Some(prose) = self
            .prose
            .filter(|_| self.chains4.is_empty() && self.chains6.is_empty())
        {
            let unread = if is_listing(prose) {
                Unread::new(
                    prose,
                    "this is what `iptables -L` prints for people: it leaves things out",
                )
                .help("save the rules with `iptables-save`, or print them with `iptables -S`")
            } else {
                Unread::new(prose, "there is no table in this file")
                    .help("a dump opens each table with `*table`; make one with iptables-save")
            };
            self.unread(&unread);
        }
        into.n_rules += self.n_rules;
        into.notices.append(&mut self.notices);
        into.notices.extend(self.unknowns.notices());
        into.notices.extend(self.asked.notices());
        let (unknowns, sets) = (self.unknowns, self.asked.named());
        for (chains, families) in [(self.chains4, Families::V4), (self.chains6, Families::V6)] {
            if chains.is_empty() {
                continue;
            }
            for dangling in chains.dangling() {
                into.notices.push(dangling.finding());
            }
            let unknown = |name: &str| {
                Action::Unknown(Unknown {
                    property: None,
                    why: Arc::from(format!("chain `{name}` does not exist")),
                })
            };
            let mut ruleset = chains.finish(families, unknown);
            ruleset.sets = sets.clone();
            unknowns.forget_changed(&mut ruleset);
            into.notices.append(&mut break_circles(&mut ruleset));
            into.rulesets.push(ruleset);
        }
    }
}

impl chains::Dangling<'_> {
    fn finding(&self) -> Finding {
        let what = format!(
            "chain `{}` does not exist in table `{}`",
            self.chain,
            self.table.name()
        );
        reference::dangling(&what, self.uses)
    }
}

/// Whether a line that cannot be read may stand between tables: whether it does not look like a line of a dump.
fn is_prose(text: &str) -> bool {
    let option = text
        .strip_prefix('-')
        .is_some_and(|rest| rest.starts_with(|char: char| char.is_ascii_alphabetic()));
    !option && !text.starts_with([':', '[']) && !text.starts_with("COMMIT")
}
