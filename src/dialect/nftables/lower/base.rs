//! Base chains: which hook calls which chain, when, and what it is for.

use std::sync::Arc;

use super::chains::{Lowering, table_path};
use super::group::Group;
use super::hooked::BaseLine;
use super::place::{Met, When};
use super::program::{Chain, Table};
use super::scope::behind;
use crate::dialect::nftables::ast::{Data, ExprKind, Kind, Rule, TableFamily, Verdict};
use crate::model::{
    Action, Base, ChainId, Condition, Default as DefaultVerdict, Families, Hook, Match, Purpose,
    Rule as ModelRule, Unknown,
};
use crate::packet::{Field, RangeSet, value};
use crate::source::Span;

/// The priority at which connections begin to be tracked: `NF_IP_PRI_CONNTRACK`.
const CONNTRACK: i32 = -200;

/// What is said of a flag of which only the place is known.
const FLAG: &str = "a table's flag that nft misprints (list the ruleset as text)";

/// Before and behind all chains that are not on a device.
const DEVICE: i32 = 1 << 30;

/// What a base chain is for. Chains that come before routing, or as early as `mangle`, prepare, unless their default verdict
/// says that they decide.
fn purpose(base: &BaseLine<'_>, default: DefaultVerdict) -> Purpose {
    let decides = matches!(base.hook, Hook::Input | Hook::Forward | Hook::Output) && base.priority > -150;
    match base.kind {
        "nat" => Purpose::Nat,
        "filter" if decides || default == DefaultVerdict::Drop => Purpose::Filter,
        _ => Purpose::Prepare,
    }
}

fn is_early(base: &BaseLine<'_>) -> bool {
    let is_first = matches!(base.hook, Hook::Prerouting | Hook::Output);
    is_first && (base.priority <= CONNTRACK || base.is_on_device)
}

/// Whether a chain's hook belongs to the ruleset at hand: translations of `inet` are read for each family alone.
pub(super) fn is_of(chain: &Chain<'_>, table: &Table<'_>, is_for_one_family: bool) -> bool {
    let is_nat = chain.base.as_ref().is_some_and(|base| base.kind == "nat");
    let splits = table.name.family == TableFamily::Inet;
    !splits || is_nat == is_for_one_family
}

/// The chains of an `inet` table that translations lead through.
pub(super) fn translating(table: &Table<'_>) -> Vec<usize> {
    let is_nat =
        |chain: &Chain<'_>| chain.exists && chain.base.as_ref().is_some_and(|base| base.kind == "nat");
    if table.name.family != TableFamily::Inet || table.is_dormant {
        return Vec::new();
    }
    let roots = (0..table.chains.len()).filter(|&at| table.chains.get(at).is_some_and(is_nat));
    let reached = reached(table, roots);
    (0..table.chains.len())
        .filter(|&at| reached.get(at).copied().unwrap_or(false))
        .collect()
}

/// When each chain of a table is met.
pub(super) fn met(table: &Table<'_>) -> Vec<Met> {
    let tracking = seen_from(table, is_early);
    let routing = seen_from(table, |base| base.hook == Hook::Prerouting);
    let both = tracking.into_iter().zip(routing);
    both.map(|(tracking, routing)| Met { tracking, routing })
        .collect()
}

/// Which chains are met before something, and which after.
fn seen_from(table: &Table<'_>, is_before: impl Fn(&BaseLine<'_>) -> bool) -> Vec<When> {
    let roots = |before: bool| {
        let is_root = |chain: &Chain<'_>| {
            let base = chain.base.as_ref();
            chain.exists && base.is_some_and(|base| is_before(base) == before)
        };
        let chains = table.chains.iter().enumerate();
        let found: Vec<usize> = chains
            .filter(|(_, chain)| is_root(chain))
            .map(|(at, _)| at)
            .collect();
        found
    };
    let before = roots(true);
    if before.is_empty() {
        return vec![When::After; table.chains.len()];
    }
    let (before, after) = (
        reached(table, before.into_iter()),
        reached(table, roots(false).into_iter()),
    );
    before
        .into_iter()
        .zip(after)
        .map(|both| match both {
            (true, false) => When::Before,
            (true, true) => When::Either,
            _ => When::After,
        })
        .collect()
}

fn reached(table: &Table<'_>, roots: impl Iterator<Item = usize>) -> Vec<bool> {
    let mut reached = vec![false; table.chains.len()];
    let mut pending: Vec<usize> = roots.collect();
    while let Some(at) = pending.pop() {
        match reached.get_mut(at) {
            Some(mark) if !*mark => *mark = true,
            _ => continue,
        }
        let Some(chain) = table.chains.get(at) else {
            continue;
        };
        for rule in &chain.rules {
            callees(table, rule, &mut |name| pending.extend(table.target_index(name)));
        }
    }
    reached
}

/// The names of the chains that a rule leads to.
fn callees(table: &Table<'_>, rule: &Rule<'_>, call: &mut dyn FnMut(&str)) {
    for statement in &rule.statements {
        match &statement.kind {
            Kind::Verdict(verdict) => of_verdict(table, verdict, call),
            Kind::VerdictMap { map, .. } => match &behind(map).kind {
                ExprKind::SetName(name) => {
                    let changes = table.sets.get(*name).into_iter().flat_map(|set| &set.changes);
                    for (_, elements) in changes {
                        of_elements(table, elements, call);
                    }
                }
                _ => of_elements(table, map, call),
            },
            _ => {}
        }
    }
}

fn of_elements(table: &Table<'_>, map: &crate::dialect::nftables::ast::Expr<'_>, call: &mut dyn FnMut(&str)) {
    for element in super::program::elements_of(map) {
        if let Some(Data::Verdict(_, verdict)) = element.data.as_deref() {
            of_verdict(table, verdict, call);
        }
    }
}

fn of_verdict(table: &Table<'_>, verdict: &Verdict<'_>, call: &mut dyn FnMut(&str)) {
    match verdict {
        Verdict::Jump(chain) | Verdict::Goto(chain) => {
            if let ExprKind::Word(word) = &behind(chain).kind {
                call(word.text);
            }
        }
        Verdict::Block(_, items) => {
            for item in items {
                if let crate::dialect::nftables::ast::ChainItem::Rule(rule) = item {
                    callees(table, rule, call);
                }
            }
        }
        Verdict::Accept | Verdict::Drop | Verdict::Continue | Verdict::Return => {}
    }
}

/// Hooks a chain.
pub(super) fn hook(
    lowering: &mut Lowering<'_, '_>,
    group: &mut Group,
    table: &Table<'_>,
    chain: &Chain<'_>,
    id: ChainId,
) {
    let Some(base) = &chain.base else { return };
    let (default, said) = chain.policy.unwrap_or((DefaultVerdict::Accept, base.text));
    let default_span = lowering.texts.span(said);
    let (priority, order) = turn(lowering, group.families, base);
    let mut hooked = Base {
        hook: base.hook,
        priority,
        order,
        purpose: purpose(base, default),
        chain: id,
        default,
        default_span,
    };
    if base.is_on_device {
        let entry = on_devices(lowering, group, table, chain, base, id, default);
        let Some(entry) = entry else { return };
        hooked.chain = entry;
        hooked.default = DefaultVerdict::Accept;
        let within = base.priority.clamp(-DEVICE / 2, DEVICE / 2);
        hooked.priority = match base.hook {
            Hook::Prerouting => within - DEVICE,
            _ => within + DEVICE,
        };
    }
    if let Some(flag) = table.flag {
        hooked.chain = if_hooked(lowering, group, table, chain, hooked.chain, flag);
    }
    group.bases.push(hooked);
}

/// A chain that sends all packets through another, if the table's flag is not `dormant`.
fn if_hooked(
    lowering: &mut Lowering<'_, '_>,
    group: &mut Group,
    table: &Table<'_>,
    chain: &Chain<'_>,
    id: ChainId,
    flag: &str,
) -> ChainId {
    let span = lowering.texts.span(flag);
    let nowhere = Span::new(span.file, span.start, span.start);
    let why = lowering.unknowns.count(FLAG, span, true);
    let property = Some(Arc::from(format!("`{}` is dormant", table_path(table))));
    let condition = Condition::Unknown(Unknown { property, why });
    let rule = |matches, action| ModelRule {
        span: nowhere,
        matches,
        action,
        action_span: nowhere,
    };
    let entry = group.add(format!("{}/{} (hook)", table_path(table), chain.name), span);
    let passes = rule(vec![Match { span, condition }], Action::Accept);
    group.set_rules(entry, vec![passes, rule(Vec::new(), Action::Goto(id))]);
    entry
}

/// When a chain is called among those of its hook: [`Base::priority`] and [`Base::order`].
fn turn(lowering: &Lowering<'_, '_>, families: Families, base: &BaseLine<'_>) -> (i32, [u32; 3]) {
    let newest_first = |serial: u32| u32::MAX - serial;
    if base.kind != "nat" {
        return (base.priority, [newest_first(base.serial), 0, 0]);
    }
    let meets = |family| match families {
        Families::Both => family == TableFamily::Inet,
        Families::V4 => matches!(family, TableFamily::Ip | TableFamily::Inet),
        Families::V6 => matches!(family, TableFamily::Ip6 | TableFamily::Inet),
    };
    let tables = lowering.program.tables.iter();
    let tables = tables.filter(|table| table.exists && !table.is_dormant && meets(table.name.family));
    let bases = tables
        .flat_map(|table| &table.chains)
        .filter(|chain| chain.exists)
        .filter_map(|chain| chain.base.as_ref());
    let first = bases
        .filter(|base| base.kind == "nat")
        .map(|base| base.serial)
        .min();
    let among = base.priority.wrapping_sub(i32::MIN).cast_unsigned();
    let order = [
        newest_first(first.unwrap_or(base.serial)),
        among,
        newest_first(base.serial),
    ];
    (base.hook.translation_priority(), order)
}

/// A chain that sends the packets of some devices through another, and drops what falls out of it if that is its default.
fn on_devices(
    lowering: &Lowering<'_, '_>,
    group: &mut Group,
    table: &Table<'_>,
    chain: &Chain<'_>,
    base: &BaseLine<'_>,
    id: ChainId,
    default: DefaultVerdict,
) -> Option<ChainId> {
    if base.devices.is_empty() {
        return None;
    }
    let names = base.devices.iter().map(|name| {
        let number = value::interface(name);
        (number, number)
    });
    let field = if base.hook == Hook::Prerouting {
        Field::InInterface
    } else {
        Field::OutInterface
    };
    let span = lowering.texts.span(base.text);
    let only = Match {
        span,
        condition: Condition::Test(field, RangeSet::from_ranges(names)),
    };
    let rule = |action| ModelRule {
        span,
        matches: vec![only.clone()],
        action,
        action_span: span,
    };
    let entry = group.add(format!("{}/{} (hook)", table_path(table), chain.name), span);
    let mut rules = vec![rule(Action::Jump(id))];
    if default == DefaultVerdict::Drop {
        rules.push(rule(Action::Drop));
    }
    group.set_rules(entry, rules);
    Some(entry)
}

/// Hooks of a filtered family that no chain filters accept everything: they get a chain without rules, so that this can be
/// pointed at.
pub(super) fn add_missing(lowering: &Lowering<'_, '_>, both: &mut Group, v4: &mut Group, v6: &mut Group) {
    let Some(first) = lowering.program.tables.iter().find(|table| table.exists) else {
        return;
    };
    let filters = |group: &Group, hook: Option<Hook>| {
        let is_it =
            |base: &Base| base.purpose == Purpose::Filter && hook.is_none_or(|hook| base.hook == hook);
        group.bases.iter().any(is_it)
    };
    let is_known = |group: &Group, both: &Group| {
        lowering.program.is_flushed || filters(group, None) || filters(both, None)
    };
    let (known4, known6) = (is_known(v4, both), is_known(v6, both));
    for hook in [Hook::Input, Hook::Forward, Hook::Output] {
        let open4 = known4 && !filters(v4, Some(hook)) && !filters(both, Some(hook));
        let open6 = known6 && !filters(v6, Some(hook)) && !filters(both, Some(hook));
        let group = match (open4, open6) {
            (true, true) => &mut *both,
            (true, false) => &mut *v4,
            (false, true) => &mut *v6,
            (false, false) => continue,
        };
        let is_here = |table: &&Table<'_>| {
            let family = table.name.family;
            table.exists
                && match group.families {
                    Families::Both => true,
                    Families::V4 => family == TableFamily::Ip,
                    Families::V6 => family == TableFamily::Ip6,
                }
        };
        let table = lowering.program.tables.iter().find(is_here).unwrap_or(first);
        let span = lowering.texts.span(table.name.text);
        let chain = group.add(format!("no chain at {}", hook.word()), span);
        group.bases.push(Base::filter(hook, chain, span));
    }
}
