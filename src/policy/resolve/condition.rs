//! Conditions to truths: yes, no, or not known and what to set.

use super::Context;
use crate::policy::ast::{Comparison, Condition, Fact, Test, Version};
use crate::policy::row::Truth;
use crate::source::Spanned;

/// Whether a row is in force. Looks up every name, also where the answer is clear before.
pub(super) fn resolve(context: &mut Context<'_>, condition: &Condition) -> Truth {
    let mut any_of = Truth::No;
    for conjunction in &condition.any_of {
        let mut all_of = Truth::Yes;
        for test in conjunction {
            let truth = holds(context, test);
            all_of = and(all_of, truth);
        }
        any_of = or(any_of, all_of);
    }
    any_of
}

/// Both. A no decides; of two unknowns, both reasons count.
fn and(left: Truth, right: Truth) -> Truth {
    match (left, right) {
        (Truth::No, _) | (_, Truth::No) => Truth::No,
        (Truth::Yes, truth) | (truth, Truth::Yes) => truth,
        (Truth::Unknown(left), Truth::Unknown(right)) => Truth::Unknown(both(left, &right)),
    }
}

/// Either. A yes decides.
fn or(left: Truth, right: Truth) -> Truth {
    match (left, right) {
        (Truth::Yes, _) | (_, Truth::Yes) => Truth::Yes,
        (Truth::No, truth) | (truth, Truth::No) => truth,
        (Truth::Unknown(left), Truth::Unknown(right)) => Truth::Unknown(both(left, &right)),
    }
}

fn both(left: String, right: &str) -> String {
    if left.contains(right) {
        left
    } else {
        format!("{left}; {right}")
    }
}

fn holds(context: &mut Context<'_>, test: &Spanned<Test>) -> Truth {
    let known = match &test.value.fact {
        Fact::Feature(name) => feature(context, name, test),
        Fact::Version(comparison, than) => version(context, *comparison, than),
    };
    match known {
        Ok(holds) if holds != test.value.negated => Truth::Yes,
        Ok(_) => Truth::No,
        Err(reason) => Truth::Unknown(reason),
    }
}

fn feature(context: &mut Context<'_>, name: &str, test: &Spanned<Test>) -> Result<bool, String> {
    if !context.names.features.contains(name) {
        context.refuse(context.names.unknown_feature(name), test.span);
    }
    let policy = context.policy;
    context.facts.features.get(name).copied().ok_or_else(|| {
        let how = if context.facts.used {
            context.facts.how_to_set(policy, "feature", "")
        } else {
            let example = format!("[\"{name}\"]` or `without = [\"{name}\"]");
            context.facts.how_to_set(policy, "features", &example)
        };
        format!("`{policy}` does not know whether `{name}` is on: {how}")
    })
}

fn version(context: &Context<'_>, comparison: Comparison, than: &Version) -> Result<bool, String> {
    let policy = context.policy;
    let Some(version) = &context.facts.version else {
        let example = format!("\"{}\"", crate::policy::print::version(than));
        let how = context.facts.how_to_set(policy, "version", &example);
        return Err(format!("`{policy}` does not know its version: {how}"));
    };
    let order = compare(version, than);
    Ok(match comparison {
        Comparison::AtLeast => order.is_ge(),
        Comparison::AtMost => order.is_le(),
        Comparison::Above => order.is_gt(),
        Comparison::Below => order.is_lt(),
        Comparison::Same => order.is_eq(),
    })
}

/// Number by number; missing ones are 0, so that `24.1` is `24.1.0`.
fn compare(left: &Version, right: &Version) -> std::cmp::Ordering {
    let length = left.0.len().max(right.0.len());
    let padded = |version: &Version| -> Vec<u64> {
        version
            .0
            .iter()
            .copied()
            .chain(std::iter::repeat(0))
            .take(length)
            .collect()
    };
    padded(left).cmp(&padded(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers_not_text() {
        let version = Version::of_text;
        assert!(compare(&version("23.10"), &version("23.9")).is_gt());
        assert!(compare(&version("24.1"), &version("24.1.0")).is_eq());
        assert!(compare(&version("23.2.9"), &version("23.3")).is_lt());
    }

    #[test]
    fn truths_combine_as_kleene_says() {
        let unknown = || Truth::Unknown("?".to_owned());
        assert_eq!(and(Truth::No, unknown()), Truth::No);
        assert_eq!(and(unknown(), Truth::Yes), unknown());
        assert_eq!(or(Truth::Yes, unknown()), Truth::Yes);
        assert_eq!(or(unknown(), Truth::No), unknown());
        assert_eq!(or(unknown(), unknown()), unknown());
    }
}
