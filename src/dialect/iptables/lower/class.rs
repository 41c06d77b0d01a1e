//! Types of addresses (`-m addrtype`) to classes.
//!
//! INVARIANT: what the two families mean by the same word is told apart here.

use super::Lowering;
use super::condition::{not, test};
use super::table::TableKind;
use super::unmodelled::is_detail;
use crate::dialect::iptables::ast::{Read, Rule, Term};
use crate::dialect::iptables::parser;
use crate::model::Condition;
use crate::packet::{Family, Field, RangeSet, value};

impl<'a> Lowering<'a> {
    /// `-m addrtype`
    pub(super) fn class(
        &mut self,
        rule: &Rule<'a>,
        term: &Term<'a>,
        text: &'a str,
        field: Field,
        table: TableKind,
    ) -> Read<'a, Option<Condition>> {
        let classes = parser::class_list(text)?;
        // "--limit-iface-in": the class is then that of the address on one interface alone.
        let limited = rule
            .terms
            .iter()
            .any(|other| other.owner == term.owner && is_detail(other));
        if limited {
            return Ok(Some(self.unmodelled(rule, term, table)));
        }
        let whole = match self.family {
            Family::V4 => Condition::Test(field, classes.whole),
            Family::V6 => match class_in_ipv6(&classes.whole, classes.part.is_empty()) {
                Some(classes) => Condition::Test(field, classes),
                None => return Ok(Some(self.unmodelled(rule, term, table))),
            },
        };
        if classes.part.is_empty() {
            return Ok(Some(match whole {
                Condition::Test(field, set) => test(field, set, term.negated),
                other => other,
            }));
        }
        let mut positive = *term;
        positive.negated = false;
        let part = Condition::All(vec![
            Condition::Test(field, classes.part),
            self.unmodelled(rule, &positive, table),
        ]);
        Ok(Some(not(Condition::Any(vec![whole, part]), term.negated)))
    }
}

/// The classes that a list means in IPv6, where UNICAST, MULTICAST and UNSPEC are kinds of addresses: an own address is
/// UNICAST too, and a kind is asked for beside the other classes, not instead of them. `None` for what is not modelled.
fn class_in_ipv6(listed: &RangeSet, are_all: bool) -> Option<RangeSet> {
    let kinds = [value::UNICAST, value::MULTICAST, value::UNSPECIFIED];
    let kinds: RangeSet = kinds.into_iter().map(|kind| (kind, kind)).collect();
    let (asked, others) = (listed.intersection(&kinds), listed.difference(&kinds));
    if asked.is_empty() {
        return Some(others);
    }
    let Some(kind) = asked.single() else {
        // No address is of two kinds.
        return Some(RangeSet::empty());
    };
    match kind {
        value::UNICAST if others.is_empty() && are_all => {
            let neither = RangeSet::point(value::BROADCAST).union(&kinds).difference(&asked);
            Some(neither.complement(Field::SourceClass.maximum()))
        }
        value::UNICAST => Some(others),
        _ if others.is_empty() && are_all => Some(asked),
        _ => None,
    }
}
