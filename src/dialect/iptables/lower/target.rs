//! Targets of a rule to actions.

use super::Lowering;
use super::check::check_target;
use super::condition::{ports_are_known, protocol_of};
use super::table::{TableKind, hook};
use crate::dialect::iptables::ast::{Read, Rule, Target, Term, Unread};
use crate::dialect::iptables::names::{Change, Effect, known_target};
use crate::dialect::iptables::parser;
use crate::model::{Action, Edit, Hook, Unknown};
use crate::packet::RangeSet;
use crate::source::Span;

/// Where a rule stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) table: usize,
    pub(super) kind: TableKind,
    /// The hook that calls the rule's chain itself.
    pub(super) hook: Option<Hook>,
}

impl<'a> Lowering<'a> {
    /// What a rule does, and the bytes that say it.
    pub(super) fn action(&mut self, rule: &Rule<'a>, place: Place, whole: Span) -> Read<'a, (Action, Span)> {
        let Some(target) = rule.target else {
            return Ok((Action::Continue, whole));
        };
        let span = self.at.span(target.name);
        Ok((self.target(rule, target, place, span)?, span))
    }

    /// `target ::= "-j" space /[^-!#' \t\n"][^ \t\n"]*|"[^-!#' \t\n"\\][^ \t\n"\\]*"/ - (hook | "MARK" | "DNAT" |
    ///     "NETMAP") | "-g" space? /[^-!#' \t\n"][^ \t\n"]*|"[^-!#' \t\n"\\][^ \t\n"\\]*"/ - (hook | known-target)
    ///     | "-j" space "LOG" (space /--log-p(r(e(f(i(x)?)?)?)?)?/ (space word | "="
    ///     /([^ \t\n"]|"([^"\\\n]|\\[^\n])*")+/?))? (space /--log-l(e(v(e(l)?)?)?)?/ (space word | "="
    ///     /([^ \t\n"]|"([^"\\\n]|\\[^\n])*")+/?))? | "-j" space "REJECT" space
    ///     /--rej(e(c(t(-(w(i(t(h)?)?)?)?)?)?)?)?/ (space word | "=" /([^ \t\n"]|"([^"\\\n]|\\[^\n])*")+/?) | "-j"
    ///     space "MARK" space (/--set-m(a(r(k)?)?)?/ | /--set-x(m(a(r(k)?)?)?)?/) (space | "=") mark | "-j" space
    ///     "DNAT" space /--to(-(d(e(s(t(i(n(a(t(i(o(n)?)?)?)?)?)?)?)?)?)?)?)?/ (space | "=") ip | "-j" space
    ///     /[^-!#' \t\n"][^ \t\n"]*|"[^-!#' \t\n"\\][^ \t\n"\\]*"/ - (hook | known-target) (space (("!" space)?
    ///     /--[A-Za-z0-9][A-Za-z0-9_-]*/ ("=" /([^ \t\n"]|"([^"\\\n]|\\[^\n])*")+/? | (space (plain | /'[^'\n]*'/))*) | /--[A-Za-z0-9][A-Za-z0-9_-]*/ space "!" (space (plain |
    ///     /'[^'\n]*'/))+))+`
    fn target(&mut self, rule: &Rule<'a>, target: Target<'a>, place: Place, span: Span) -> Read<'a, Action> {
        let to = |chain| {
            if target.goto {
                Action::Goto(chain)
            } else {
                Action::Jump(chain)
            }
        };
        let chain = self.chains().existing(place.table, target.name);
        // A chain has no options: with one, this is a target that is not known.
        if let Some(chain) = chain.filter(|_| rule.parameters.is_empty()) {
            if self
                .chains()
                .state(chain)
                .is_some_and(|chain| chain.hook.is_some())
            {
                let message = format!("`{}` cannot be a target", target.name);
                return Err(
                    Unread::new(target.name, message).help("only chains that no hook calls can be jumped to")
                );
            }
            return Ok(to(chain));
        }
        if hook(target.name).is_some() {
            let message = format!("`{}` cannot be a target", target.name);
            return Err(
                Unread::new(target.name, message).help("only chains that no hook calls can be jumped to")
            );
        }
        match known_target(target.name) {
            Some(_) if target.goto => {
                let message = format!("`-g {}` does not lead to a chain", target.name);
                Err(Unread::new(target.name, message).help(format!("write `-j {}`", target.name)))
            }
            Some(entry) => {
                let action = self.effect(rule, entry.effect, target, place, span)?;
                if belongs(entry.effect, target.name, place) {
                    check_target(rule, target)?;
                    Ok(action)
                } else {
                    Err(misplaced(entry.effect, target.name))
                }
            }
            None if rule.parameters.is_empty() => {
                let chain = self.chains().chain(place.table, target.name, span);
                self.chains().refer(chain, span);
                Ok(to(chain))
            }
            None => Ok(self.unknown_target(target, span)),
        }
    }

    fn unknown_target(&mut self, target: Target<'a>, span: Span) -> Action {
        let why = self.unknowns.count("-j ", target.name, "", span);
        Action::Unknown(Unknown { property: None, why })
    }

    fn effect(
        &mut self,
        rule: &Rule<'a>,
        effect: Effect,
        target: Target<'a>,
        place: Place,
        span: Span,
    ) -> Read<'a, Action> {
        Ok(match effect {
            Effect::Accept => Action::Accept,
            Effect::Drop => Action::Drop,
            Effect::Reject => Action::Reject,
            Effect::Return => Action::Return,
            Effect::Changes(change) => {
                self.unknowns.note_change(change);
                // "--map-mark: map firewall mark to packet": iptables-extensions(8), "SET".
                if parameter(rule, "map-mark").is_some() {
                    any_mark()
                } else {
                    Action::Continue
                }
            }
            Effect::Mark => mark(rule, target)?,
            Effect::Connmark => self.connmark(rule)?,
            Effect::Dnat => self.dnat(rule, target)?,
            Effect::Redirect => Action::Edit(Edit::Redirect {
                ports: to_ports(rule)?,
            }),
            Effect::Snat => {
                to_ports(rule)?;
                Action::Edit(Edit::Snat {
                    to: self.to_source(rule)?,
                })
            }
            Effect::Netmap => self.netmap(rule, target, place, span)?,
            Effect::Notrack => Action::Edit(Edit::Untrack),
            Effect::Ct if parameter(rule, "notrack").is_some() => Action::Edit(Edit::Untrack),
            Effect::Pass | Effect::Ct => Action::Continue,
            Effect::AnyMark => any_mark(),
            Effect::Unknown => self.unknown_target(target, span),
        })
    }

    /// Restoring makes the packet's mark what the connection's is: iptables-extensions(8), "CONNMARK".
    fn connmark(&mut self, rule: &Rule<'a>) -> Read<'a, Action> {
        if parameter(rule, "restore-mark").is_none() {
            self.unknowns.note_change(Change::ConnectionMark);
            return Ok(Action::Continue);
        }
        let mask = |name| match parameter(rule, name) {
            Some(term) => parser::mark(parser::bare(term.arguments)).map(|(mask, _)| Some(mask)),
            None => Ok(None),
        };
        let both = mask("mask")?;
        let (packet, connection) = (mask("nfmask")?.or(both), mask("ctmask")?.or(both));
        Ok(Action::Edit(Edit::MarkUnknown {
            mask: packet.unwrap_or(u32::MAX) | connection.unwrap_or(u32::MAX),
        }))
    }

    fn dnat(&mut self, rule: &Rule<'a>, target: Target<'a>) -> Read<'a, Action> {
        let Some(term) = parameter(rule, "to-destination") else {
            return Err(Unread::new(target.name, "`DNAT` without `--to-destination`"));
        };
        let address = parser::nat_address(parser::bare(term.arguments), self.family)?;
        if address.ports.is_some() && !ports_are_known(protocol_of(rule)) {
            return Err(needs_ports(term.arguments));
        }
        Ok(Action::Edit(Edit::Dnat {
            to: address.to,
            ports: address.ports,
        }))
    }

    /// `--to-source`: the new address.
    fn to_source(&self, rule: &Rule<'a>) -> Read<'a, Option<RangeSet>> {
        let Some(term) = parameter(rule, "to-source") else {
            return Ok(None);
        };
        let address = parser::nat_address(parser::bare(term.arguments), self.family)?;
        if address.ports.is_some() && !ports_are_known(protocol_of(rule)) {
            return Err(needs_ports(term.arguments));
        }
        Ok(address.to)
    }

    /// Maps the destination in PREROUTING and OUTPUT, the source in POSTROUTING and INPUT: iptables-extensions(8), "NETMAP".
    fn netmap(&mut self, rule: &Rule<'a>, target: Target<'a>, place: Place, span: Span) -> Read<'a, Action> {
        let Some(term) = parameter(rule, "to") else {
            return Err(Unread::new(target.name, "`NETMAP` without `--to`"));
        };
        let (address, _) = parser::addresses(parser::bare(term.arguments), self.family)?;
        Ok(match (place.hook, address) {
            (Some(Hook::Input | Hook::Postrouting), parser::Address::Ranges(to)) => {
                Action::Edit(Edit::Snat { to: Some(to) })
            }
            (Some(Hook::Input | Hook::Postrouting), _) => Action::Edit(Edit::Snat { to: None }),
            (Some(_), parser::Address::Ranges(to)) => Action::Edit(Edit::Dnat {
                to: Some(to),
                ports: None,
            }),
            _ => self.unknown_target(target, span),
        })
    }
}

/// Whether the kernel takes a target in a table and chain: `xt_register_targets` of each names its table and hooks. A
/// user's chain is taken to be called from the right ones.
fn belongs(effect: Effect, name: &str, place: Place) -> bool {
    let in_hooks = |hooks: &[Hook]| place.hook.is_none_or(|hook| hooks.contains(&hook));
    let is_nat = place.kind == TableKind::Nat;
    match effect {
        Effect::Dnat | Effect::Redirect => is_nat && in_hooks(&[Hook::Prerouting, Hook::Output]),
        Effect::Snat if name == "MASQUERADE" => is_nat && in_hooks(&[Hook::Postrouting]),
        Effect::Snat => is_nat && in_hooks(&[Hook::Input, Hook::Postrouting]),
        Effect::Netmap => is_nat,
        Effect::Notrack | Effect::Ct => place.kind == TableKind::Raw,
        _ => true,
    }
}

fn misplaced(effect: Effect, name: &str) -> Unread<'_> {
    let help = match effect {
        Effect::Dnat | Effect::Redirect => "it goes into PREROUTING and OUTPUT of table nat",
        Effect::Snat if name == "MASQUERADE" => "it goes into POSTROUTING of table nat",
        Effect::Snat => "it goes into INPUT and POSTROUTING of table nat",
        Effect::Netmap => "it goes into table nat",
        _ => "it goes into table raw",
    };
    Unread::new(name, format!("`{name}` does not belong into this chain")).help(help)
}

fn any_mark() -> Action {
    Action::Edit(Edit::MarkUnknown { mask: u32::MAX })
}

fn parameter<'r, 'a>(rule: &'r Rule<'a>, name: &str) -> Option<&'r Term<'a>> {
    rule.parameters
        .iter()
        .find(|term| term.entry.is_some_and(|entry| entry.name == name))
}

fn needs_ports(at: &str) -> Unread<'_> {
    Unread::new(at, "a port without a protocol that has ports").help("add `-p tcp` or `-p udp` to the rule")
}

/// `--to-ports` of `REDIRECT` and `MASQUERADE`; the port in `--to-source` of `SNAT` is read where it is written.
fn to_ports<'a>(rule: &Rule<'a>) -> Read<'a, Option<RangeSet>> {
    let Some(term) = parameter(rule, "to-ports") else {
        return Ok(None);
    };
    if !ports_are_known(protocol_of(rule)) {
        return Err(needs_ports(term.arguments));
    }
    let ports = parser::bare(term.arguments);
    if ports.contains('/') {
        return Err(
            Unread::new(ports, format!("`{ports}` is not a port")).help("a base goes with `DNAT` only")
        );
    }
    parser::to_ports(ports).map(Some)
}

/// How each option of `MARK` changes the mark: iptables-extensions(8), "MARK".
fn mark<'a>(rule: &Rule<'a>, target: Target<'a>) -> Read<'a, Action> {
    let known = rule
        .parameters
        .iter()
        .find_map(|term| Some((term, term.entry?.name)));
    let Some((term, name)) = known else {
        return Err(Unread::new(target.name, "`MARK` without a mark")
            .help("write `--set-mark` or `--set-xmark` behind it"));
    };
    let (value, mask) = parser::mark(parser::bare(term.arguments))?;
    let (clear, flip) = match name {
        "set-xmark" => (mask, value),
        "set-mark" => (value | mask, value),
        "and-mark" => (!value, 0),
        "or-mark" => (value, value),
        _ => (0, value),
    };
    Ok(Action::Edit(Edit::Mark { clear, flip }))
}
