//! Chains as sets of packets: which packets get to each of their verdicts and jumps.
//!
//! INVARIANT: what is compared is compiled into one space, so equal sets are equal numbers.

use std::collections::BTreeSet;
use std::sync::Arc;

use portcullis::model::{
    Action, Base, Chain, ChainId, Compiler, Condition, Default as Verdict, Edit, Families, Hook, HostFacts,
    Layer, Match, Rule, Ruleset,
};
use portcullis::packet::{Family, Field, RangeSet, Space};
use portcullis::source::Span;

/// What is not known to us and is in the tests: they are of firewalld's newest version, and nothing but its commands puts
/// interfaces in zones.
const KNOWN: &[(&str, bool)] = &[
    ("one zone", false),
    ("icmp codes", false),
    ("icmp last", false),
    ("listener discovery", true),
    ("interfaces of the default zone", false),
    ("policies by themselves", false),
    ("translated output", true),
];

/// A chain with the names of what it leads to.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    chain: Chain,
    /// One for each rule.
    labels: Vec<String>,
}

/// A chain of some rulesets of a family, by the end of its name; an empty one if there is none.
pub(crate) fn chain(rulesets: &[Ruleset], families: Families, name: &str) -> Option<Named> {
    let suffix = format!("firewalld/{name}");
    let mut of_family = rulesets.iter().filter(|ruleset| ruleset.families == families);
    of_family.find_map(|ruleset| {
        let chain = ruleset
            .chains
            .iter()
            .find(|chain| chain.path.ends_with(&suffix))?;
        let labels = chain.rules.iter().map(|rule| label(ruleset, &rule.action));
        let base = ruleset
            .bases
            .iter()
            .find(|base| ruleset.chains[base.chain.0 as usize].path == chain.path);
        let mut named = Named {
            labels: labels.collect(),
            chain: chain.clone(),
        };
        // firewalld's last rule rejects: ours is the default verdict.
        if base.is_some_and(|base| base.default == Verdict::Drop) {
            let mut last = chain.rules.first()?.clone();
            (last.matches, last.action) = (Vec::new(), Action::Reject);
            named.chain.rules.push(last);
            named.labels.push("Reject".into());
        }
        Some(named)
    })
}

fn label(ruleset: &Ruleset, action: &Action) -> String {
    match action {
        Action::Jump(to) | Action::Goto(to) => {
            let path = &ruleset.chains[to.0 as usize].path;
            format!("jump {}", path.rsplit('/').next().unwrap())
        }
        Action::Unknown(unknown) => format!("unknown {}", unknown.why),
        action => format!("{action:?}"),
    }
}

fn is_verdict(action: &Action) -> bool {
    matches!(
        action,
        Action::Accept
            | Action::Drop
            | Action::Reject
            | Action::Edit(Edit::Dnat { .. } | Edit::Redirect { .. } | Edit::Snat { .. })
    )
}

impl Named {
    /// With what the tests say; and without what changes nothing, as a RETURN at the end of a chain does.
    fn tested(mut self) -> Self {
        let rules = self.chain.rules.iter_mut();
        for one in rules.flat_map(|rule| &mut rule.matches) {
            answer(&mut one.condition);
        }
        let does_something = |rule: &Rule| {
            let never = rule.matches.iter().any(|one| is_never(&one.condition));
            !never && rule.action != Action::Return && rule.action != Action::Continue
        };
        let keep: Vec<bool> = self.chain.rules.iter().map(does_something).collect();
        self.retain(&keep);
        self
    }

    fn retain(&mut self, keep: &[bool]) {
        let mut at = keep.iter();
        self.chain.rules.retain(|_| *at.next().unwrap());
        let mut at = keep.iter();
        self.labels.retain(|_| *at.next().unwrap());
    }

    /// The ruleset in which the rules of one label accept, other verdicts drop, and the rest goes on.
    fn reaching(&self, label: &str, families: Families) -> Ruleset {
        let mut chain = self.chain.clone();
        for (rule, own) in chain.rules.iter_mut().zip(&self.labels) {
            rule.action = if own == label {
                Action::Accept
            } else if is_verdict(&rule.action) {
                Action::Drop
            } else {
                Action::Continue
            };
            for one in &mut rule.matches {
                forget(&mut one.condition);
            }
            // A ruleset of one family meets no packets of another.
            rule.matches.extend(of_family(families, chain.span));
        }
        let base = Base {
            default: Verdict::Drop,
            ..Base::filter(Hook::Input, ChainId(0), chain.span)
        };
        Ruleset {
            layer: Layer::HostFirewall,
            families,
            chains: vec![chain],
            bases: vec![base],
            sets: portcullis::model::NamedSets::default(),
        }
    }
}

/// Recursive over conditions of tests.
fn answer(condition: &mut Condition) {
    let known = match condition {
        Condition::Unknown(unknown) => {
            let known = KNOWN
                .iter()
                .find(|(name, _)| unknown.property.as_deref() == Some(*name));
            known.map(|(_, answer)| *answer)
        }
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter_mut().for_each(answer);
            None
        }
        Condition::Not(part) => {
            answer(part);
            None
        }
        Condition::Test(..) | Condition::Member(_) => None,
    };
    match known {
        Some(true) => *condition = Condition::All(Vec::new()),
        Some(false) => *condition = Condition::Any(Vec::new()),
        None => {}
    }
}

/// Recursive over conditions of tests.
fn is_never(condition: &Condition) -> bool {
    match condition {
        Condition::Any(parts) => parts.iter().all(is_never),
        Condition::All(parts) => parts.iter().any(is_never),
        _ => false,
    }
}

fn of_family(families: Families, span: Span) -> Option<Match> {
    let family = match families {
        Families::V4 => Family::V4,
        Families::V6 => Family::V6,
        Families::Both => return None,
    };
    let condition = Condition::Test(Field::Family, RangeSet::point(family.value()));
    Some(Match { span, condition })
}

/// Names of what is not known differ: it is one thing. Recursive over conditions of tests.
fn forget(condition: &mut Condition) {
    match condition {
        Condition::Unknown(unknown) => unknown.property = None,
        Condition::All(parts) | Condition::Any(parts) => parts.iter_mut().for_each(forget),
        Condition::Not(part) => forget(part),
        Condition::Test(..) | Condition::Member(_) => {}
    }
}

/// What differs between two chains. Jumps of the second to chains that the first has not, lead to nothing.
pub(crate) fn difference(ours: Option<Named>, theirs: Named, families: Families) -> Option<String> {
    let mut theirs = theirs.tested();
    let empty = Named {
        chain: Chain {
            calls: Arc::default(),
            rules: Vec::new(),
            ..theirs.chain.clone()
        },
        labels: Vec::new(),
    };
    let ours = ours.map_or(empty, Named::tested);
    let known: BTreeSet<&String> = ours.labels.iter().collect();
    let keep: Vec<bool> = theirs
        .labels
        .iter()
        .map(|label| !label.starts_with("jump ") || known.contains(label))
        .collect();
    theirs.retain(&keep);
    let jumps = |named: &Named| {
        let jumps = named.labels.iter().filter(|label| label.starts_with("jump "));
        jumps.cloned().collect::<Vec<_>>()
    };
    if jumps(&ours) != jumps(&theirs) {
        return Some(format!("jumps {:?} are not {:?}", jumps(&ours), jumps(&theirs)));
    }
    let labels: BTreeSet<&String> = ours.labels.iter().chain(&theirs.labels).collect();
    for label in labels {
        let both = [ours.reaching(label, families), theirs.reaching(label, families)];
        let mut compiler = Compiler::new(&both, HostFacts::default(), Space::default());
        let accepted = [0, 1].map(|at| {
            let ruling = compiler.decided(at, 0).unwrap();
            let ruling = compiler.assume_properties(ruling).unwrap();
            compiler.space.accepted(ruling).unwrap()
        });
        if accepted[0] != accepted[1] {
            let rule = |named: &Named| {
                let rules = named.chain.rules.iter().zip(&named.labels);
                let of_label = rules.filter(|(_, own)| *own == label);
                let conditions = of_label.map(|(rule, _)| {
                    let conditions = rule.matches.iter().map(|one| format!("{:?}", one.condition));
                    conditions.collect::<Vec<_>>().join(" & ")
                });
                conditions.collect::<Vec<_>>().join(" | ")
            };
            return Some(format!("{label}: {} ;; {}", rule(&ours), rule(&theirs)));
        }
    }
    None
}
