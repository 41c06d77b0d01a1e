//! What two rulesets let through, chain by chain. INVARIANT: both are compiled into one space, so equal sets are equal
//! numbers.

#[path = "hooked.rs"]
mod hooked;

use std::collections::BTreeMap;

use portcullis::dialect::Dialect;
use portcullis::finding::Code;
use portcullis::model::{Action, Compiler, Default, Families, HostFacts, Ruleset};
use portcullis::packet::{Bounds, Family, Field, RangeSet, Space};
use portcullis::source::SourceMap;

use hooked::hooked;

/// The rulesets of a text, and whether all of it was read.
pub(crate) fn read(dialect: &dyn Dialect, text: &str) -> (Vec<Ruleset>, bool) {
    let mut map = SourceMap::new();
    let file = map.add_text("case", text);
    let reading = dialect.read(&[map.source(file)]);
    let is_read = reading
        .notices
        .iter()
        .all(|notice| notice.code != Code::UnreadText);
    (reading.rulesets, is_read)
}

/// What each chain accepts if the rest is dropped, and if it is accepted, by family and name.
pub(crate) type Meaning = BTreeMap<(String, bool), Vec<Bounds>>;

/// The meanings of two rulesets.
pub(crate) fn meanings(one: Vec<Ruleset>, two: Vec<Ruleset>, is_question: bool) -> [Meaning; 2] {
    let n_first = one.len();
    let rulesets: Vec<Ruleset> = one
        .into_iter()
        .chain(two)
        .map(|ruleset| prepared(ruleset, is_question))
        .collect();
    let mut compiler = Compiler::new(&rulesets, HostFacts::default(), Space::default());
    let mut meanings = [Meaning::new(), Meaning::new()];
    for (at, ruleset) in rulesets.iter().enumerate() {
        for (index, base) in ruleset.bases.iter().enumerate() {
            let path = &ruleset.chains[base.chain.0 as usize].path;
            let ruling = compiler.decided(at, index).unwrap();
            // Two words for one property that is not modelled are two properties to us: none is told from another.
            let ruling = compiler.assume_properties(ruling).unwrap();
            let accepted = compiler.space.accepted(ruling).unwrap();
            let accepted = of_families(&mut compiler.space, accepted, ruleset.families);
            let key = (
                format!("{:?} {path}", ruleset.families),
                base.default == Default::Accept,
            );
            meanings[usize::from(at >= n_first)]
                .entry(key)
                .or_default()
                .push(accepted);
        }
    }
    meanings
}

/// Packets of another family never meet a ruleset.
fn of_families(space: &mut Space, accepted: Bounds, families: Families) -> Bounds {
    let family = match families {
        Families::Both => return accepted,
        Families::V4 => Family::V4,
        Families::V6 => Family::V6,
    };
    let met = space
        .test(Field::Family, &RangeSet::point(family.value()))
        .unwrap();
    Bounds {
        surely: space.intersection(accepted.surely, met).unwrap(),
        possibly: space.intersection(accepted.possibly, met).unwrap(),
    }
}

/// The ruleset with every chain that has a name of its own hooked, once for each default verdict. Of questions alone what
/// meets them is accepted, so that they mean something.
fn prepared(mut ruleset: Ruleset, is_question: bool) -> Ruleset {
    if is_question {
        let rules = ruleset.chains.iter_mut().flat_map(|chain| &mut chain.rules);
        for rule in rules.filter(|rule| rule.action == Action::Continue) {
            rule.action = Action::Accept;
        }
    }
    hooked(ruleset, |chain| !chain.path.contains('('))
}
