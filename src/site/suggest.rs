//! "did you mean": the known word nearest to an unknown one.

/// The candidate that a typing mistake most likely meant: at most a third of the letters differ, and no other
/// is nearer. The first of equally near ones.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count().min(64) / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|&(distance, _)| distance <= limit)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters have to be put in, left out, replaced, or swapped with their neighbour, up to the first 64.
fn distance(from: &str, to: &str) -> usize {
    let letters = |text: &str| -> Vec<char> {
        text.chars()
            .take(64)
            .map(|letter| letter.to_ascii_lowercase())
            .collect()
    };
    let (from, to) = (letters(from), letters(to));
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.iter().enumerate() {
        let mut next = vec![at + 1];
        for (over, other) in to.iter().enumerate() {
            let cell = |cells: &[usize], at: usize| cells.get(at).copied().unwrap_or(usize::MAX - 1);
            let mut least = (cell(&row, over) + usize::from(letter != other))
                .min(cell(&row, over + 1) + 1)
                .min(cell(&next, over) + 1);
            let swapped =
                at > 0 && over > 0 && from.get(at - 1) == Some(other) && to.get(over - 1) == Some(letter);
            if swapped {
                least = least.min(cell(&before, over - 1) + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_of_typing_are_seen_through() {
        for (typed, meant) in [
            ("polices", "policies"),
            ("zone", "zones"),
            ("Bind", "bind"),
            ("bnid", "bind"),
        ] {
            assert_eq!(
                nearest(typed, ["policies", "common", "zones", "bind"]),
                Some(meant),
                "{typed}"
            );
        }
        for typed in ["", "x", "firewall", "zzzzz"] {
            assert_eq!(
                nearest(typed, ["policies", "common", "zones", "bind"]),
                None,
                "{typed}"
            );
        }
        assert_eq!(
            (distance("ab", "ba"), distance("", "abc"), distance("abc", "abc")),
            (1, 3, 0)
        );
    }
}
