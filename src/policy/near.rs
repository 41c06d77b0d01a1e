//! Near misses: a name that is not there to the one that was perhaps meant.

/// Names longer than this are not compared: the cost is the product of the lengths.
const MAX_LENGTH: usize = 64;

/// "did you mean `x`?", or `otherwise` if no candidate is near.
#[must_use]
pub(super) fn did_you_mean<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    otherwise: impl Into<String>,
) -> String {
    nearest(name, candidates).map_or_else(|| otherwise.into(), |near| format!("did you mean `{near}`?"))
}

/// The candidate with the fewest edits, if they are few for its length. The first of equals.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    if length > MAX_LENGTH {
        return None;
    }
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= MAX_LENGTH)
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|&(edits, candidate)| edits <= (length.max(candidate.len()) / 3).max(1) && edits < length)
        .min_by_key(|&(edits, _)| edits)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`, without regard to case.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().map(|c| c.to_ascii_lowercase()).collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (row, from) in a.chars().map(|c| c.to_ascii_lowercase()).enumerate() {
        let mut next = vec![row + 1];
        for (column, &to) in b.iter().enumerate() {
            let cell = |cells: &[usize], at: usize| cells.get(at).copied().unwrap_or(usize::MAX - 1);
            let mut edits = (cell(&last, column) + usize::from(from != to))
                .min(cell(&last, column + 1) + 1)
                .min(cell(&next, column) + 1);
            let swapped = column > 0 && b.get(column - 1) == Some(&from) && previous == Some(to);
            if swapped && row > 0 {
                edits = edits.min(cell(&before_last, column - 1) + 1);
            }
            next.push(edits);
        }
        previous = Some(from);
        before_last = std::mem::replace(&mut last, next);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted_and_a_swap_is_one() {
        for (a, b, edits) in [
            ("", "", 0),
            ("", "ab", 2),
            ("logging", "logging", 0),
            ("loging", "logging", 1),
            ("reqiure", "require", 1),
            ("Allow", "allow", 0),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
    }

    #[test]
    fn far_names_are_not_suggested() {
        assert_eq!(nearest("manger", ["worker", "manager"]), Some("manager"));
        assert_eq!(nearest("x", ["y", "worker"]), None);
        assert_eq!(nearest("tcp", ["udp"]), None);
    }
}
