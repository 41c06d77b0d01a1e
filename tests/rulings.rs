//! The compiled diagrams against the naive interpreter: random rulesets, random packets, the same answers.

#![cfg(test)]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use portcullis::model::{
    Action, Base, Chain, ChainId, Compiler, Condition, Decider, Default, Edit, Families, Hook, HostFacts,
    Interpreter, Layer, Match, Packet, Path, Purpose, Rule, Ruleset, Unknown, Verdict,
};
use portcullis::packet::{Axis, Cause, End, Field, Order, OutcomeSet, PacketSet, RangeSet, Ruling, Space};
use portcullis::source::{SourceMap, Span};

/// splitmix64: small, seeded, the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((z ^ (z >> 31)) % u64::from(bound)).unwrap()
    }

    fn chance(&mut self, one_in: u32) -> bool {
        self.below(one_in) == 0
    }

    /// One of a list.
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let at = self.below(u32::try_from(from.len()).unwrap());
        from[usize::try_from(at).unwrap()]
    }

    fn values(&mut self, top: u32) -> RangeSet {
        let (a, b) = (self.below(top + 1), self.below(top + 1));
        RangeSet::range(u128::from(a.min(b)), u128::from(a.max(b)))
    }
}

/// Fields and the largest value the tests use of each.
const FIELDS: &[(Field, u32)] = &[
    (Field::Family, 1),
    (Field::Protocol, 3),
    (Field::State, 4),
    (Field::InInterface, 2),
    (Field::OutInterface, 2),
    (Field::Service, 7),
    (Field::SourcePort, 3),
    (Field::Destination4, 7),
    (Field::Source4, 7),
    (Field::DestinationClass, 1),
    (Field::StatusDnat, 1),
    (Field::StatusSnat, 1),
    (Field::SourceClass, 1),
    (Field::Mark(0), 1),
    (Field::Mark(5), 1),
];

fn span() -> Span {
    let mut map = SourceMap::new();
    let file = map.add_text("x", "x");
    Span::new(file, 0, 1)
}

fn condition(random: &mut Random, depth: u32, unknowns: bool) -> Condition {
    match random.below(12) {
        0 if depth < 3 => Condition::All((0..2).map(|_| condition(random, depth + 1, unknowns)).collect()),
        1 if depth < 3 => Condition::Any((0..2).map(|_| condition(random, depth + 1, unknowns)).collect()),
        2 | 3 => Condition::Not(Box::new(condition(random, depth + 1, unknowns))),
        4 if unknowns => {
            let property = random.pick(&[Some("p"), Some("q"), None]).map(Arc::from);
            Condition::Unknown(Unknown {
                property,
                why: "a test".into(),
            })
        }
        _ => {
            let (field, top) = random.pick(FIELDS);
            Condition::Test(field, random.values(top))
        }
    }
}

fn action(random: &mut Random, chain: u32, n_chains: u32, nat: Option<Hook>, unknowns: bool) -> Action {
    let jump_to = chain + 1 + random.below((n_chains - chain).max(2) - 1);
    match random.below(if nat.is_some() { 14 } else { 12 }) {
        0 | 1 => Action::Accept,
        2 | 3 => Action::Drop,
        4 => Action::Reject,
        5 => Action::Return,
        6 | 7 if jump_to < n_chains => Action::Jump(ChainId(jump_to)),
        8 if jump_to < n_chains => Action::Goto(ChainId(jump_to)),
        9 => Action::Edit(Edit::Mark {
            clear: random.pick(&[0, 1, 0x21]),
            flip: random.pick(&[1, 0x20, 0x21]),
        }),
        10 => Action::Edit(Edit::Untrack),
        11 if unknowns => Action::Unknown(Unknown {
            property: None,
            why: "a target".into(),
        }),
        12 | 13 if nat == Some(Hook::Input) => Action::Edit(Edit::Snat {
            to: (!random.chance(4)).then(|| RangeSet::point(u128::from(random.below(8)))),
        }),
        12 | 13 => Action::Edit(Edit::Dnat {
            to: Some(RangeSet::point(u128::from(random.below(8)))),
            ports: random
                .chance(2)
                .then(|| RangeSet::point(u128::from(random.below(8)))),
        }),
        _ => Action::Continue,
    }
}

fn ruleset(random: &mut Random, unknowns: bool) -> Ruleset {
    let hooks = [
        (Hook::Prerouting, -300, Purpose::Prepare),
        (Hook::Prerouting, -100, Purpose::Nat),
        (Hook::Prerouting, -90, Purpose::Nat),
        (Hook::Input, 0, Purpose::Filter),
        (Hook::Input, 10, Purpose::Filter),
        (Hook::Input, 100, Purpose::Nat),
        (Hook::Input, 200, Purpose::Filter),
        (Hook::Forward, -150, Purpose::Prepare),
        (Hook::Forward, 0, Purpose::Filter),
    ];
    let n_chains = u32::try_from(hooks.len()).unwrap() + 3;
    let chains = (0..n_chains)
        .map(|chain| {
            let nat = hooks
                .get(chain as usize)
                .filter(|(.., purpose)| *purpose == Purpose::Nat);
            let nat = nat.map(|(hook, ..)| *hook);
            let n_rules = random.below(5);
            let rules = (0..n_rules)
                .map(|_| Rule {
                    span: span(),
                    matches: (0..random.below(3))
                        .map(|_| Match {
                            span: span(),
                            condition: condition(random, 0, unknowns),
                        })
                        .collect(),
                    action: action(random, chain, n_chains, nat, unknowns),
                    action_span: span(),
                })
                .collect();
            Chain {
                calls: Arc::default(),
                path: format!("c{chain}"),
                span: span(),
                rules,
            }
        })
        .collect();
    let bases = (0u32..)
        .zip(hooks)
        .map(|(chain, (hook, priority, purpose))| Base {
            hook,
            priority,
            order: [0; 3],
            purpose,
            chain: ChainId(chain),
            default: if random.chance(2) {
                Default::Accept
            } else {
                Default::Drop
            },
            default_span: span(),
        })
        .collect();
    let families = Families::V4;
    Ruleset {
        layer: Layer::HostFirewall,
        families,
        chains,
        bases,
        sets: portcullis::model::NamedSets::default(),
    }
}

/// Every order of the axes has its turn.
fn space(seed: u64) -> Space {
    use Axis::{Destinations, Services, Sources};
    let orders = [
        [Services, Sources, Destinations],
        [Services, Destinations, Sources],
        [Sources, Services, Destinations],
        [Sources, Destinations, Services],
        [Destinations, Services, Sources],
        [Destinations, Sources, Services],
    ];
    let mut space = Space::default();
    space.set_order(Order::of(orders[usize::try_from(seed % 6).unwrap()]));
    space
}

/// The parts by deciding rule, made in one walk, are the packets that one walk a rule finds.
fn parts_are_whole(compiler: &mut Compiler<'_>, ruling: Ruling, within: PacketSet) {
    let causes = |set: &OutcomeSet| set.outcomes.iter().map(|outcome| outcome.cause).collect();
    let parts = compiler.space.partition(within, ruling, causes).unwrap();
    let mut all: BTreeSet<Cause> = BTreeSet::new();
    for set in compiler.space.terminals_within(within, ruling) {
        all.extend(set.outcomes.iter().map(|outcome| outcome.cause));
    }
    assert!(parts.iter().map(|part| part.0).eq(all.iter().copied()));
    for (cause, part) in parts {
        let has = |set: &OutcomeSet| set.outcomes.iter().any(|outcome| outcome.cause == cause);
        let alone = compiler.space.packets_within(within, ruling, &has).unwrap();
        assert_eq!(part, alone, "{cause:?}");
    }
}

fn agree(seed: u64, unknowns: bool) {
    let mut random = Random(seed);
    let rulesets = [ruleset(&mut random, unknowns)];
    let facts = HostFacts::default();
    let mut compiler = Compiler::new(&rulesets, facts.clone(), space(seed));
    let interpreter = Interpreter::new(&rulesets, &facts);
    for path in [Path::Input, Path::Forward] {
        let ruling = compiler.path(path).unwrap();
        let ruling = compiler.assume_properties(ruling).unwrap();
        let within =
            [(Field::Source4, 7), (Field::Service, 7)].map(|(field, top)| (field, random.values(top)));
        let within = compiler.space.product(&within).unwrap();
        parts_are_whole(&mut compiler, ruling, within);
        for _ in 0..60 {
            let values: Vec<(Field, u128)> = FIELDS
                .iter()
                .map(|&(field, top)| (field, u128::from(random.below(top + 1))))
                .collect();
            let packet = values.iter().fold(Packet::new(), |packet, &(field, value)| {
                packet.with(field, RangeSet::point(value))
            });
            let of = |field: Field| {
                values
                    .iter()
                    .find(|entry| entry.0 == field)
                    .map_or(0, |entry| entry.1)
            };
            let decided: BTreeSet<(Verdict, Option<Decider>)> = compiler
                .space
                .outcomes_of(ruling, &of)
                .outcomes
                .iter()
                .map(|outcome| {
                    let verdict = match outcome.end {
                        End::Accept => Verdict::Accept,
                        End::Drop => Verdict::Drop,
                        End::Reject => Verdict::Reject,
                        other => panic!("{other:?} at the end of a path"),
                    };
                    (verdict, compiler.decider(outcome.cause))
                })
                .collect();
            let answer = interpreter.run(path, packet);
            assert!(!answer.gave_up);
            assert_eq!(
                decided,
                answer.verdicts,
                "seed {seed}, {path:?}, {values:?}\n{}",
                outline(&rulesets[0])
            );
        }
    }
}

#[test]
fn compiled_and_interpreted_rulesets_decide_alike() {
    for seed in 0..1500 {
        agree(seed, false);
    }
}

#[test]
fn they_decide_alike_under_unknowns() {
    for seed in 10_000..11_500 {
        agree(seed, true);
    }
}

/// Rules that are told apart by their places.
fn numbered(mut ruleset: Ruleset) -> Ruleset {
    let file = span().file;
    let rules = ruleset.chains.iter_mut().flat_map(|chain| &mut chain.rules);
    for (at, rule) in (0u32..).zip(rules) {
        rule.span = Span::new(file, at, at + 1);
    }
    ruleset
}

/// Whichever of the redundant rules are taken out, every base chain decides as before. Gives how many there are.
fn some_can_go(seed: u64, unknowns: bool) -> usize {
    let mut random = Random(seed);
    let before = numbered(ruleset(&mut random, unknowns));
    let alone = [before.clone()];
    let found = Compiler::new(&alone, HostFacts::default(), space(seed))
        .redundant(&BTreeSet::new())
        .unwrap();
    let mut after = before.clone();
    for redundant in &found {
        let Decider::Rule { chain, rule, .. } = redundant.rule else {
            panic!("a default verdict cannot go")
        };
        if random.chance(3) {
            continue;
        }
        after.chains[chain.0 as usize].rules[rule].action = Action::Continue;
    }
    let both = [before, after];
    let mut compiler = Compiler::new(&both, HostFacts::default(), space(seed));
    for base in 0..both[0].bases.len() {
        let rulings = [0, 1].map(|ruleset| compiler.decided(ruleset, base).unwrap());
        for _ in 0..150 {
            let mut values: Vec<(Field, u128)> = FIELDS
                .iter()
                .map(|&(field, top)| (field, u128::from(random.below(top + 1))))
                .collect();
            let properties = [0, 1].map(|number| (Field::Property(number), u128::from(random.below(2))));
            values.extend(properties);
            let of = |field: Field| {
                let value = values.iter().find(|entry| entry.0 == field);
                value.map_or(0, |entry| entry.1)
            };
            let [one, other] = rulings.map(|ruling| {
                let set = compiler.space.outcomes_of(ruling, &of);
                let ends = set.outcomes.iter().map(|outcome| (outcome.end, outcome.edit));
                ends.collect::<BTreeSet<_>>()
            });
            assert_eq!(
                one,
                other,
                "seed {seed}, base {base}, {values:?}, {found:?}\n{}",
                outline(&both[0])
            );
        }
    }
    found.len()
}

#[test]
fn redundant_rules_can_go() {
    let n_found: usize = (0..1500).map(|seed| some_can_go(seed, false)).sum();
    let n_unsure: usize = (10_000..11_500).map(|seed| some_can_go(seed, true)).sum();
    assert!(n_found > 500 && n_unsure > 500, "{n_found} {n_unsure}");
}

/// The rules on one line each, for failures.
fn outline(ruleset: &Ruleset) -> String {
    let mut text = format!("{:?}\n", ruleset.families);
    for base in &ruleset.bases {
        writeln!(
            text,
            "{:?} {} {:?} {:?} {:?}",
            base.hook, base.priority, base.purpose, base.chain, base.default
        )
        .unwrap();
    }
    for chain in &ruleset.chains {
        writeln!(text, "{}", chain.path).unwrap();
        for rule in &chain.rules {
            let conditions: Vec<_> = rule.matches.iter().map(|one| &one.condition).collect();
            writeln!(text, "  {conditions:?} => {:?}", rule.action).unwrap();
        }
    }
    text
}
