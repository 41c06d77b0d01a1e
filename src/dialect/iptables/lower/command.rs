//! Commands: rules appended, inserted, replaced and deleted, chains made and emptied, default verdicts set.

use std::sync::Arc;

use super::Lowering;
use super::check::check_modules;
use super::table::TableKind;
use super::target::Place;
use crate::dialect::iptables::ast::{Command, Line, Read, Rule, Unread, Verb};
use crate::dialect::iptables::parser;
use crate::finding::{Code, Finding, Label};
use crate::model::{self, Action, ChainId, Unknown};
use crate::source::Span;

impl<'a> Lowering<'a> {
    pub(super) fn command(
        &mut self,
        text: &'a str,
        command: &Command<'a>,
        rule: &mut Rule<'a>,
    ) -> Read<'a, ()> {
        let Some(table) = self.table_of(text, command)? else {
            return Ok(());
        };
        let Some(name) = command.chain else {
            return self.command_without_chain(text, command, table);
        };
        let chain = self.chain_of(table, name, command);
        match command.verb {
            Verb::Append | Verb::Insert | Verb::Replace => self.rule(text, command, rule, table, chain),
            Verb::Delete => self.delete(text, command, chain),
            Verb::Policy => self.default_verdict(chain, name, command.rest),
            Verb::NewChain => {
                let span = self.at.span(text);
                self.chains().declare(chain, span);
                Ok(())
            }
            Verb::DeleteChain => {
                self.chains().delete(chain);
                Ok(())
            }
            Verb::Flush => {
                self.chains().flush(chain);
                Ok(())
            }
            Verb::Nothing => Ok(()),
            Verb::Other => self.unreadable_command(text, command),
        }
    }

    fn command_without_chain(&mut self, text: &'a str, command: &Command<'a>, table: usize) -> Read<'a, ()> {
        if command.verb == Verb::Nothing {
            return Ok(());
        }
        let all = match command.verb {
            Verb::Flush | Verb::DeleteChain => self.chains().of_table(table),
            _ => {
                self.unknown_everywhere(text);
                return Err(Unread::new(
                    command.word,
                    format!("`{}` without a chain", command.word),
                ));
            }
        };
        let Some(all) = all else {
            return self.unreadable_command(text, command);
        };
        for chain in all {
            if command.verb == Verb::Flush {
                self.chains().flush(chain);
            } else {
                self.chains().delete(chain);
            }
        }
        Ok(())
    }

    fn unreadable_command(&mut self, text: &'a str, command: &Command<'a>) -> Read<'a, ()> {
        self.unknown_everywhere(text);
        Err(
            Unread::new(command.word, format!("`{}` is not read", command.word))
                .help("dump the rules with iptables-save"),
        )
    }

    /// The table that a command is for. `None` if the command is for the other family.
    fn table_of(&mut self, text: &'a str, command: &Command<'a>) -> Read<'a, Option<usize>> {
        let from_script = !text.starts_with(['-', '[']);
        if let Some(family) = command.only {
            if from_script && self.open.is_none_or(|(_, header)| !header) {
                self.family = family;
            } else if family != self.family {
                return Ok(None);
            }
        }
        match (self.open, command.table) {
            (Some((table, true)), None) => Ok(Some(table)),
            (Some((_, true)), Some(name)) => Err(Unread::new(name.0, "`-t` does not belong into a dump")
                .help("a dump names its table in the line `*table`")),
            // What `iptables -S` prints has no table, and starts with default verdicts.
            (open, None)
                if !from_script && (self.has_header || open.is_none() && command.verb != Verb::Policy) =>
            {
                Err(outside(text))
            }
            (_, name) => {
                let name = name.map_or("filter", |name| name.0);
                let Some(kind) = TableKind::by_name(name) else {
                    return Err(Unread::new(name, format!("`{name}` is not a table")));
                };
                let span = self.at.span(text);
                let chains = self.chains();
                let table = chains.find(kind).unwrap_or_else(|| chains.open(kind, span).0);
                self.open = Some((table, false));
                Ok(Some(table))
            }
        }
    }

    /// The chain that a command names. One that nobody declared is taken to be there, and said.
    fn chain_of(&mut self, table: usize, name: &'a str, command: &Command<'a>) -> ChainId {
        let span = self.at.span(name);
        let chain = self.chains().chain(table, name, span);
        let puts_rules = matches!(command.verb, Verb::Append | Verb::Insert | Verb::Replace);
        if puts_rules && self.chains().declare_if_missing(chain, span) {
            let kind = self.chains().kind(table);
            let message = format!("chain `{name}` is not declared in table `{}`", kind.name());
            let label = Label::new(span, "rules are put in it");
            let help = format!("declare it with `:{name} - [0:0]`");
            self.notices
                .push(Finding::new(Code::DanglingReference, message, Some(label)).help(help));
        }
        chain
    }

    fn rule(
        &mut self,
        text: &'a str,
        command: &Command<'a>,
        rule: &mut Rule<'a>,
        table: usize,
        chain: ChainId,
    ) -> Read<'a, ()> {
        self.n_rules += usize::from(!self.at.is_pinned());
        let span = self.at.span(text);
        let read = self.lowered(command, rule, table, chain, span);
        let (lowered, unread) = match read {
            Ok(Some(lowered)) => (lowered, None),
            Ok(None) => return Ok(()),
            Err(unread) => (unread_rule(span), Some(unread)),
        };
        self.put(command, chain, lowered)?;
        unread.map_or(Ok(()), Err)
    }

    /// Parses and lowers what follows the chain. `None` if the rule is for the other family.
    fn lowered(
        &mut self,
        command: &Command<'a>,
        rule: &mut Rule<'a>,
        table: usize,
        chain: ChainId,
        span: Span,
    ) -> Read<'a, Option<model::Rule>> {
        parser::rule(command.rest, rule)?;
        if rule.is_for_other(self.family) {
            return Ok(None);
        }
        let place = Place {
            table,
            kind: self.chains().kind(table),
            hook: self.chains().state(chain).and_then(|chain| chain.hook),
        };
        self.unknowns.begin_rule();
        let matches = self.matches(rule, place.kind)?;
        let (action, action_span) = self.action(rule, place, span)?;
        check_modules(rule)?;
        if matches!(action, model::Action::Continue) {
            // A rule that logs or counts decides nothing, whatever it asks.
            self.unknowns.forget_rule();
        }
        Ok(Some(model::Rule {
            span,
            matches,
            action,
            action_span,
        }))
    }

    /// Puts a rule where its command says.
    fn put(&mut self, command: &Command<'a>, chain: ChainId, rule: model::Rule) -> Read<'a, ()> {
        let number = match command.number {
            Some(number) => number.parse::<usize>().unwrap_or(0).checked_sub(1),
            None => Some(0),
        };
        let back = match (command.verb, number) {
            (Verb::Append, _) => {
                self.chains().append(chain, rule);
                return Ok(());
            }
            (Verb::Insert, Some(index)) => self.chains().insert(chain, index, rule),
            (Verb::Replace, Some(index))
                if command.number.is_some() && self.chains().remove(chain, index).is_some() =>
            {
                self.chains().insert(chain, index, rule)
            }
            _ => Err(rule),
        };
        let Err(rule) = back else {
            return Ok(());
        };
        let unread = unread_rule(rule.span);
        self.chains().append(chain, unread);
        let at = command.number.unwrap_or(command.word);
        Err(Unread::new(at, "the chain has no rule of this number"))
    }

    /// `-D CHAIN 3`, `-D CHAIN rule`
    fn delete(&mut self, text: &'a str, command: &Command<'a>, chain: ChainId) -> Read<'a, ()> {
        let index = if let Some(number) = command.number {
            number
                .parse::<usize>()
                .ok()
                .and_then(|number| number.checked_sub(1))
        } else {
            let at = self.at;
            let same = |rule: &model::Rule| {
                let is_here = rule.span.file == at.file() && !at.is_pinned();
                let written = at.text().get(rule.span.range()).filter(|_| is_here);
                let written = written.unwrap_or("");
                matches!(parser::line(written), Ok(Line::Command(other)) if other.rest == command.rest)
            };
            self.chains().position(chain, same)
        };
        if index
            .and_then(|index| self.chains().remove(chain, index))
            .is_some()
        {
            return Ok(());
        }
        let span = self.at.span(text);
        // Which rule is meant to go is not known: what the chain decides is not, either.
        let _ = self.chains().insert(chain, 0, unread_rule(span));
        Err(Unread::new(command.rest, "there is no such rule to delete"))
    }

    /// A line that may have been a rule of any chain.
    pub(super) fn unknown_everywhere(&mut self, text: &'a str) {
        let Some((table, _)) = self.open else {
            return;
        };
        let span = self.at.span(text);
        self.chains().add_hooks(table, span);
        for chain in self.chains().hooked(Some(table)).to_vec() {
            self.chains().append(chain, unread_rule(span));
        }
    }
}

pub(super) fn outside(text: &str) -> Unread<'_> {
    Unread::new(text, "a rule outside of a table")
        .help("a dump opens each table with `*table` and closes it with `COMMIT`")
}

/// A rule of which nothing is known.
pub(super) fn unread_rule(span: Span) -> model::Rule {
    model::Rule {
        span,
        matches: Vec::new(),
        action: Action::Unknown(Unknown {
            property: None,
            why: Arc::from("this text could not be read"),
        }),
        action_span: span,
    }
}
