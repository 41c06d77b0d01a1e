//! Tables to rulesets: one for what filters both families, one for each family alone.
//!
//! INVARIANT: a chain keeps the order of its rules, and a jump leads to a chain of the same ruleset.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::content::{self, Content};
use super::group::Group;
use super::place::{Met, Place};
use super::program::{Program, Table};
use super::unknown::Unknowns;
use super::value::Refusal;
use super::{Texts, base};
use crate::dialect::circle::break_circles;
use crate::dialect::nftables::ast::{Kind, NatKind, Rule, TableFamily, Unread};
use crate::dialect::nftables::names::Named;
use crate::dialect::nftables::names::Type;
use crate::dialect::reference::Uses;
use crate::dialect::tracking::doubt_untracked;
use crate::dialect::{Reading, reference};
use crate::finding::Finding;
use crate::model::{AskedSet, Families, NamedSets, is_generated};
use crate::source::Span;

/// Lowers all tables.
pub(super) struct Lowering<'p, 'a> {
    pub(super) program: &'p Program<'a>,
    pub(super) texts: Texts<'p, 'a>,
    pub(super) unknowns: Unknowns,
    pub(super) notices: Vec<Finding>,
    /// Whether some rule translates destinations.
    pub(super) program_translates: bool,
    /// Whether some rule tells fragments apart; then rules that read ports hold for first fragments only.
    pub(super) tests_fragments: bool,
    contents: FxHashMap<(usize, &'a str), CachedContent<'p, 'a>>,
    /// What does not exist, in words.
    dangling: BTreeMap<String, Uses>,
    /// Sets that hold nothing, though rules ask them, by the place of their declaration.
    empty: BTreeMap<Span, (&'a str, Uses)>,
    pub(super) n_rules: usize,
    /// The named sets that rules ask, by the place of the match.
    pub(super) listed: Vec<(Span, Arc<AskedSet>)>,
}

type CachedContent<'p, 'a> = (Vec<Type>, Rc<Content<'p, 'a>>);

/// Whether any rule of any chain translates destinations.
fn translates(program: &Program<'_>) -> bool {
    let rules = program
        .tables
        .iter()
        .flat_map(|table| &table.chains)
        .flat_map(|chain| &chain.rules);
    rules.flat_map(|rule| &rule.statements).any(|statement| {
        matches!(&statement.kind, Kind::Nat(nat) if nat.kind != NatKind::Source)
            || matches!(
                statement.kind,
                Kind::Verdict(crate::dialect::nftables::ast::Verdict::Block(..))
            )
    })
}

impl<'p, 'a> Lowering<'p, 'a> {
    pub(super) fn new(program: &'p Program<'a>, texts: Texts<'p, 'a>) -> Self {
        Self {
            program,
            texts,
            unknowns: Unknowns::default(),
            notices: Vec::new(),
            program_translates: translates(program),
            tests_fragments: texts
                .sources
                .iter()
                .any(|source| source.text.contains("frag-off")),
            contents: FxHashMap::default(),
            dangling: BTreeMap::new(),
            empty: BTreeMap::new(),
            n_rules: 0,
            listed: Vec::new(),
        }
    }

    /// All rulesets, with what is to be said about them.
    pub(super) fn finish(mut self, into: &mut Reading) {
        let mut both = Group::new(Families::Both);
        let mut v4 = Group::new(Families::V4);
        let mut v6 = Group::new(Families::V6);
        for (at, table) in self
            .program
            .tables
            .iter()
            .enumerate()
            .filter(|(_, table)| table.exists)
        {
            match table.name.family {
                TableFamily::Ip => self.table(at, table, &mut v4, None),
                TableFamily::Ip6 => self.table(at, table, &mut v6, None),
                TableFamily::Inet | TableFamily::Netdev => {
                    self.table(at, table, &mut both, None);
                    // An address to translate to is of one family: these chains are read for each.
                    let chains = base::translating(table);
                    if !chains.is_empty() {
                        self.unknowns.is_muted = true;
                        self.table(at, table, &mut v4, Some(&chains));
                        self.table(at, table, &mut v6, Some(&chains));
                        self.unknowns.is_muted = false;
                    }
                }
                TableFamily::Arp | TableFamily::Bridge => self.other_table(table),
            }
        }
        base::add_missing(&self, &mut both, &mut v4, &mut v6);
        let rulesets = [both, v4, v6].into_iter().filter_map(Group::ruleset);
        let sets = NamedSets::new(std::mem::take(&mut self.listed));
        for mut ruleset in rulesets {
            ruleset.sets = sets.clone();
            self.unknowns.forget_changed(&mut ruleset);
            for finding in break_circles(&mut ruleset) {
                // A chain that is read once for each family leads in one circle.
                if !into.notices.contains(&finding) {
                    into.notices.push(finding);
                }
            }
            into.rulesets.push(ruleset);
        }
        doubt_untracked(&mut into.rulesets);
        into.n_rules += self.n_rules;
        into.notices.append(&mut self.notices);
        into.notices.extend(self.unknowns.notices());
        let dangling = self.dangling.iter();
        into.notices
            .extend(dangling.map(|(what, uses)| reference::dangling(what, *uses)));
        let empty = self.empty.iter();
        into.notices
            .extend(empty.map(|(span, (name, uses))| reference::empty_set(name, *uses, Some(*span))));
    }

    /// What filters frames rather than packets is not modelled.
    fn other_table(&mut self, table: &'p Table<'a>) {
        self.n_rules += table.chains.iter().map(|chain| chain.rules.len()).sum::<usize>();
        let hooked = table
            .chains
            .iter()
            .any(|chain| chain.exists && chain.base.is_some());
        if hooked && !table.is_dormant {
            let name = match table.name.family {
                TableFamily::Arp => "table arp",
                _ => "table bridge",
            };
            self.unknowns.note(name, self.texts.span(table.name.text), true);
        }
    }

    /// Lowers the chains of a table, all of them or some.
    fn table(&mut self, at: usize, table: &'p Table<'a>, group: &mut Group, only: Option<&[usize]>) {
        let chains = || {
            let all = table.chains.iter().enumerate();
            all.filter(|(chain, of)| of.exists && only.is_none_or(|only| only.contains(chain)))
        };
        for (index, chain) in chains() {
            let path = format!("{}/{}", super::chains::table_path(table), chain.name);
            let id = group.add(path, self.texts.span(chain.text));
            group.ids.insert((at, index), id);
        }
        if only.is_none() {
            self.check_sets(table);
        }
        let met = base::met(table);
        for (index, chain) in chains() {
            let Some(&id) = group.ids.get(&(at, index)) else {
                continue;
            };
            let Some(&met) = met.get(index) else { continue };
            let mut rules = Vec::with_capacity(chain.rules.len());
            for rule in &chain.rules {
                self.n_rules += usize::from(only.is_none());
                self.rule(at, table, group, met, rule, &mut rules);
            }
            let is_read = chain.rules.iter().all(|rule| rule.bad.is_none());
            if let (None, Some((_, policy)), true) = (&chain.base, &chain.policy, is_read) {
                let unread = Unread::new(policy, "a default verdict, but no hook calls this chain");
                self.unread(&unread.help("give the chain a `type … hook …` line"));
            }
            if table.is_dormant {
                // Its chains have no hooks for now, and so no rules.
                continue;
            }
            group.set_rules(id, rules);
            if base::is_of(chain, table, only.is_some()) {
                base::hook(self, group, table, chain, id);
            }
        }
    }

    /// Says what is wrong with the elements of sets, whether they are asked about or not.
    fn check_sets(&mut self, table: &'p Table<'a>) {
        let mut names: Vec<&'a str> = table.sets.keys().copied().collect();
        names.sort_unstable();
        for name in names {
            if let Some(interval) = table.sets.get(name).and_then(content::misplaced_interval) {
                let unread = Unread::new(
                    interval,
                    format!("set `{name}` holds single values, no intervals"),
                );
                self.unread(&unread.help("declare it with `flags interval`"));
            }
            let kinds = match table.sets.get(name).map(content::declared) {
                Some(Ok(Some(kinds))) => kinds,
                Some(Err(unread)) => {
                    self.unread(&unread);
                    continue;
                }
                _ => continue,
            };
            if kinds.iter().any(|kind| kind.bits().is_none()) {
                continue;
            }
            let is_map = table.sets.get(name).is_some_and(|set| set.is_map);
            match self.content_of(table, name, &kinds) {
                Ok(content) if !is_map => {
                    let mut elements = content.tuples.iter();
                    if let Some(mapped) = elements.find(|element| element.data.is_some()) {
                        self.unread(&content::leads_nowhere(mapped.text).help("declare a `map`"));
                    }
                }
                Err(Refusal::Unread(unread)) => self.unread(&unread),
                Ok(_) | Err(Refusal::Unknown(_)) => {}
            }
        }
    }

    /// One rule of the text as rules of the model.
    pub(super) fn rule(
        &mut self,
        at: usize,
        table: &'p Table<'a>,
        group: &mut Group,
        met: Met,
        rule: &'p Rule<'a>,
        into: &mut Vec<crate::model::Rule>,
    ) {
        self.unknowns.begin_rule();
        let span = self.texts.span(rule.text);
        let mut place = Place::new(table, group.families, met, span);
        super::rule::Writer {
            lowering: self,
            group,
            table_index: at,
        }
        .rule(&mut place, rule, into);
    }

    pub(super) fn unread(&mut self, unread: &Unread<'a>) {
        if !self.unknowns.is_muted {
            let finding = self.texts.finding(unread);
            if !self.notices.contains(&finding) {
                self.notices.push(finding);
            }
        }
    }

    pub(super) fn dangling_set(&mut self, table: &Table<'a>, name: &str) {
        let message = format!("set `{name}` does not exist in table `{}`", table.name.name);
        self.dangle(message, name);
    }

    pub(super) fn dangling_chain(&mut self, table: &Table<'a>, name: &str) {
        let message = format!("chain `{name}` does not exist in table `{}`", table.name.name);
        self.dangle(message, name);
    }

    /// Says that an object is not there which a rule uses: nft refuses such a rule.
    pub(super) fn check_object(&mut self, table: &Table<'a>, named: Named<'a>) {
        if !table.objects.contains(&named) {
            let Named { kind, name } = named;
            let message = format!("{kind} `{name}` does not exist in table `{}`", table.name.name);
            self.dangle(message, name);
        }
    }

    fn dangle(&mut self, message: String, name: &str) {
        if self.unknowns.is_muted {
            return;
        }
        let span = self.texts.span(name);
        self.dangling.entry(message).or_insert(Uses::new(span)).count += 1;
    }

    /// The elements of a set that a rule asks. Of one whose elements are there for a time it is no news that all were deleted.
    pub(super) fn asked_content(
        &mut self,
        table: &'p Table<'a>,
        name: &'a str,
        kinds: &[Type],
    ) -> Result<Rc<Content<'p, 'a>>, Refusal<'a>> {
        let content = self.content_of(table, name, kinds)?;
        let set = table.sets.get(name).filter(|set| !set.has_timeout);
        if let Some(set) = set
            && content.is_empty()
            && !self.unknowns.is_muted
            && !is_generated(&table_path(table))
        {
            let (declared, used) = (self.texts.span(set.text), self.texts.span(name));
            self.empty
                .entry(declared)
                .or_insert((name, Uses::new(used)))
                .1
                .count += 1;
        }
        Ok(content)
    }

    /// The elements of a named set, read once.
    pub(super) fn content_of(
        &mut self,
        table: &'p Table<'a>,
        name: &'a str,
        kinds: &[Type],
    ) -> Result<Rc<Content<'p, 'a>>, Refusal<'a>> {
        if let Some(content) = self.known_content(table, name, kinds) {
            return Ok(content);
        }
        let Some(set) = table.sets.get(name) else {
            return Err(Refusal::Unknown("the set does not exist"));
        };
        if let Some(declared) = content::declared(set)? {
            check_types(name, &declared, kinds)?;
        }
        let content = Rc::new(content::of_set(set, kinds, self.texts)?);
        content.reversed.iter().for_each(|unread| self.unread(unread));
        let key = (std::ptr::from_ref(table) as usize, name);
        self.contents.insert(key, (kinds.to_vec(), Rc::clone(&content)));
        Ok(content)
    }

    /// The elements of a named set that has been read.
    pub(super) fn known_content(
        &self,
        table: &'p Table<'a>,
        name: &'a str,
        kinds: &[Type],
    ) -> Option<Rc<Content<'p, 'a>>> {
        let key = (std::ptr::from_ref(table) as usize, name);
        let (known, content) = self.contents.get(&key)?;
        (known == kinds).then(|| Rc::clone(content))
    }
}

/// Whether a set of these types can be asked about values of those.
fn check_types<'a>(name: &'a str, declared: &[Type], asked: &[Type]) -> Result<(), Refusal<'a>> {
    let fits = |(a, b): (&Type, &Type)| {
        a == b
            || a.bits().is_none()
            || b.bits().is_none()
            || (a.bits() == b.bits() && !is_address(*a) && !is_address(*b))
    };
    if declared.len() == asked.len() && declared.iter().zip(asked).all(fits) {
        return Ok(());
    }
    Err(Unread::new(
        name,
        format!("set `{name}` holds something else than is asked here"),
    )
    .help("its type must be that of what stands on the left")
    .into())
}

fn is_address(kind: Type) -> bool {
    matches!(kind, Type::Address(_))
}

/// `inet filter`
pub(super) fn table_path(table: &Table<'_>) -> String {
    let family = match table.name.family {
        TableFamily::Ip => "ip",
        TableFamily::Ip6 => "ip6",
        TableFamily::Inet => "inet",
        TableFamily::Arp => "arp",
        TableFamily::Bridge => "bridge",
        TableFamily::Netdev => "netdev",
    };
    format!("{family} {}", table.name.name)
}
