//! The sets that a file leaves behind: its commands, one after the other.
//!
//! INVARIANT: an element that is kept has been read once and had no fault.

use rustc_hash::FxHashMap;

use super::ast::{Change, Create, Line, Read, Unread};
use super::element::member;
use super::names::Part;
use super::parser;
use crate::finding::{Code, Finding, Label};
use crate::source::{Locator, Source};

/// Lines that are complained of in one file: a million faults are one.
const MAX_NOTICES: usize = 100;

/// Elements that deletions and flushes of one file may look at: far more than any file needs.
const MAX_LOOKED_AT: usize = 1 << 23;

/// One set.
#[derive(Debug)]
pub(super) struct Set<'a> {
    pub(super) create: Create<'a>,
    /// Where its file's slices stand.
    pub(super) at: Locator<'a>,
    /// In the order of the file.
    pub(super) elements: Vec<Change<'a>>,
    /// A line that is about it could not be read: there may be more in it, and less.
    pub(super) is_doubtful: bool,
}

/// All sets of a file.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Sets<'a> {
    pub(super) by_name: FxHashMap<&'a str, Set<'a>>,
    /// A line could not be read that may be about any set.
    pub(super) is_doubtful: bool,
    pub(super) n_elements: usize,
    pub(super) notices: Vec<Finding>,
    n_unread: usize,
    /// Elements that deletions have looked at.
    n_looked_at: usize,
}

impl<'a> Sets<'a> {
    /// Reads a file.
    pub(in crate::dialect) fn read(source: Source<'a>) -> Self {
        let mut sets = Self::default();
        let at = Locator::new(source);
        for text in parser::lines(source.text) {
            let applied = parser::line(text).and_then(|line| sets.apply(line, text, at));
            if let Err(unread) = applied {
                sets.unread(at, text, &unread);
            }
        }
        if sets.n_unread > MAX_NOTICES {
            let message = format!("{} more lines could not be read", sets.n_unread - MAX_NOTICES);
            let label = Label::new(at.span(source.text.get(..0).unwrap_or("")), "in this file");
            sets.notices
                .push(Finding::new(Code::UnreadText, message, Some(label)));
        }
        sets
    }

    /// Adds the sets of another file. The first to have a name keeps it.
    pub(in crate::dialect) fn join(&mut self, other: Self) {
        self.is_doubtful |= other.is_doubtful;
        let earlier = std::mem::replace(&mut self.by_name, other.by_name);
        self.by_name.extend(earlier);
    }

    /// Whether there is a set of that name.
    pub(in crate::dialect) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    fn unread(&mut self, at: Locator<'a>, line: &'a str, unread: &Unread<'a>) {
        self.n_unread += 1;
        // The set that the line is about is not known any more, as far as the line names one.
        match line
            .split_ascii_whitespace()
            .nth(1)
            .and_then(|name| self.by_name.get_mut(name))
        {
            Some(set) => set.is_doubtful = true,
            None => self.is_doubtful = true,
        }
        if self.n_unread <= MAX_NOTICES {
            let label = Label::new(at.span(unread.at), "not understood");
            let mut finding = Finding::new(Code::UnreadText, unread.message.as_str(), Some(label));
            finding.help.clone_from(&unread.help);
            self.notices.push(finding);
        }
    }

    /// Does what a line says; `text` is all of it.
    fn apply(&mut self, line: Line<'a>, text: &'a str, at: Locator<'a>) -> Read<'a, ()> {
        match line {
            Line::Blank => {}
            Line::Create(create) => {
                let name = create.name;
                let known = self.by_name.get(name).map(|set| &set.create);
                if known.is_some_and(|known| known.kind != create.kind || known.family != create.family) {
                    return Err(Unread::new(
                        name,
                        format!("set `{name}` is there already, of another type"),
                    ));
                }
                self.by_name.entry(name).or_insert(Set {
                    create,
                    at,
                    elements: Vec::new(),
                    is_doubtful: false,
                });
            }
            Line::Add(change) => self.add(change)?,
            Line::Delete(change) => self.delete(&change)?,
            Line::Flush(Some(name)) => self.set(name)?.elements.clear(),
            Line::Flush(None) => {
                self.look_at(self.by_name.len(), text)?;
                self.by_name.values_mut().for_each(|set| set.elements.clear());
            }
            Line::Destroy(Some(name)) => {
                self.set(name)?;
                self.by_name.remove(name);
            }
            Line::Destroy(None) => self.by_name.clear(),
            Line::Swap(one, other) => {
                self.set(one)?;
                self.set(other)?;
                if let (Some(mut first), Some(mut second)) =
                    (self.by_name.remove(one), self.by_name.remove(other))
                {
                    std::mem::swap(&mut first.create.name, &mut second.create.name);
                    self.by_name.insert(one, second);
                    self.by_name.insert(other, first);
                }
            }
            Line::Rename(from, to) => {
                self.set(from)?;
                if let Some(mut set) = self.by_name.remove(from) {
                    set.create.name = to;
                    self.by_name.insert(to, set);
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &'a str) -> Read<'a, &mut Set<'a>> {
        self.by_name.get_mut(name).ok_or_else(|| missing(name))
    }

    fn look_at(&mut self, count: usize, at: &'a str) -> Read<'a, ()> {
        self.n_looked_at += count;
        if self.n_looked_at > MAX_LOOKED_AT {
            return Err(Unread::new(at, "too much is taken out of sets again")
                .help("save the sets as they are with `ipset save`"));
        }
        Ok(())
    }

    fn delete(&mut self, change: &Change<'a>) -> Read<'a, ()> {
        let n_elements = self.set(change.name)?.elements.len();
        self.look_at(n_elements, change.element)?;
        let set = self.set(change.name)?;
        let gone = member(&set.create, change)?;
        let create = &set.create;
        set.elements.retain(|other| !is_same(create, other, change, gone));
        Ok(())
    }

    fn add(&mut self, change: Change<'a>) -> Read<'a, ()> {
        let element = change.element;
        let of_list = match self.set(change.name)?.create.kind.parts {
            [Part::Set] => Some(
                self.by_name
                    .get(element)
                    .map(|set| set.create.kind.parts == [Part::Set]),
            ),
            _ => None,
        };
        match of_list {
            Some(None) => return Err(missing(element)),
            // The kernel refuses lists of lists: `IPSET_ERR_LOOP`.
            Some(Some(true)) => {
                return Err(Unread::new(element, format!("`{element}` is a list itself"))
                    .help("the sets of a `list:set` are of other types"));
            }
            Some(Some(false)) | None => {}
        }
        let set = self.set(change.name)?;
        member(&set.create, &change)?;
        set.elements.push(change);
        self.n_elements += 1;
        Ok(())
    }
}

fn is_same<'a>(
    create: &Create<'a>,
    other: &Change<'a>,
    change: &Change<'a>,
    gone: super::element::Member,
) -> bool {
    if create.kind.parts == [Part::Set] {
        return other.element == change.element;
    }
    let is_opaque = create.kind.parts.contains(&Part::Mac);
    match member(create, other) {
        Ok(kept) if is_opaque => {
            kept.parts == gone.parts && other.element.eq_ignore_ascii_case(change.element)
        }
        Ok(kept) => kept.parts == gone.parts,
        Err(_) => false,
    }
}

fn missing(name: &str) -> Unread<'_> {
    Unread::new(name, format!("set `{name}` is not created"))
        .help("`create` it in front of what is put in it")
}
