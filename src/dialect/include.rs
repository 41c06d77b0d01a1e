//! Which files an `include` means.
//!
//! nft(8), "INCLUDE FILES": files of a pattern are taken in the order of their names, hidden ones are not, and a pattern may
//! match nothing. A bare path (`a.nft`, `d/*.nft`) is looked for in nft's include path, which is `/etc`, and then beside the file that
//! names it, as if that folder had been given as `nft -I`; one that begins with `./` or `../`, which nft takes from where it is
//! started, beside that file alone. An absolute path is looked for below every folder above the file, nearest first, so that a
//! copy of a host's `/etc` is read as the host would. INVARIANT: here are names only; the disk
//! is asked elsewhere.

/// Where nft looks for files of bare names: what `nft --help` says of `-I`.
const INCLUDE_PATH: &str = "/etc";

/// Whether a path has wildcards.
pub(crate) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// The patterns that a path may mean in a file of that name, the likeliest first.
pub(crate) fn candidates(including: &str, path: &str) -> Vec<String> {
    let folder = including.rsplit_once('/').map(|(folder, _)| folder);
    let Some(inside) = path.strip_prefix('/') else {
        let joined = match folder {
            Some(folder) => format!("{folder}/{path}"),
            None => path.to_owned(),
        };
        let mut candidates = Vec::new();
        if !path.starts_with("./") && !path.starts_with("../") {
            candidates = self::candidates(including, &format!("{INCLUDE_PATH}/{path}"));
        }
        candidates.push(normal(&joined));
        return candidates;
    };
    let mut candidates = Vec::new();
    let mut above = folder;
    while let Some(folder) = above {
        candidates.push(normal(&format!("{folder}/{inside}")));
        above = if folder.is_empty() {
            None
        } else {
            folder.rsplit_once('/').map(|(above, _)| above)
        };
    }
    if !including.starts_with('/') {
        candidates.push(normal(inside));
    }
    candidates.push(normal(path));
    candidates.dedup();
    candidates
}

/// The folder of which `name` is the file that `pattern` matches from there: empty if it is the one where names begin.
pub(crate) fn above<'n>(name: &'n str, pattern: &str) -> Option<&'n str> {
    let mut end = name.len();
    for pattern in pattern.rsplit('/') {
        let left = name.get(..end)?;
        let part = left.rsplit('/').next()?;
        if left.is_empty() || !part_matches(pattern, part) {
            return None;
        }
        end = (left.len() - part.len()).saturating_sub(1);
    }
    let is_root = end == 0 && name.starts_with('/');
    name.get(..end.max(usize::from(is_root)))
}

/// The path without `.` parts and without `..` behind a name.
pub(crate) fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            "" if !parts.is_empty() => {}
            ".." if parts.last().is_some_and(|last| !last.is_empty() && *last != "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// Which of the names an include means: their indices, in the order in which the files are read.
pub(crate) fn among<'n>(including: &str, path: &str, names: impl Iterator<Item = &'n str>) -> Vec<usize> {
    let names: Vec<String> = names.map(normal).collect();
    for pattern in candidates(including, path) {
        let mut found: Vec<(&str, usize)> = names
            .iter()
            .enumerate()
            .filter(|(_, name)| matches(&pattern, name))
            .map(|(at, name)| (name.as_str(), at))
            .collect();
        found.sort_unstable();
        if !found.is_empty() {
            return found.into_iter().map(|(_, at)| at).collect();
        }
    }
    Vec::new()
}

/// Whether a path matches a pattern, part by part.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    let (mut patterns, mut parts) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), parts.next()) {
            (Some(pattern), Some(part)) if part_matches(pattern, part) => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

/// Whether one name matches one part of a pattern: `*`, `?`, `[a-z]`. A hidden name is matched by its own dot only.
pub(crate) fn part_matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        let step = pattern.get(at).and_then(|one| match one {
            '*' => Some((at + 1, true)),
            '?' => Some((at + 1, false)),
            '[' => class(&pattern, at, *name.get(from)?).map(|next| (next, false)),
            one => (name.get(from) == Some(one)).then_some((at + 1, false)),
        });
        match (step, star) {
            (Some((next, true)), _) => {
                star = Some((next, from));
                at = next;
            }
            (Some((next, false)), _) => {
                at = next;
                from += 1;
            }
            (None, Some((behind, tried))) => {
                star = Some((behind, tried + 1));
                at = behind;
                from = tried + 1;
            }
            (None, None) => return false,
        }
    }
    pattern
        .get(at..)
        .is_some_and(|rest| rest.iter().all(|one| *one == '*'))
}

/// Where the pattern goes on behind a class that holds the character.
fn class(pattern: &[char], at: usize, char: char) -> Option<usize> {
    let end = at + 1 + pattern.get(at + 1..)?.iter().position(|one| *one == ']')?;
    let mut inside = pattern.get(at + 1..end)?;
    let is_negated = matches!(inside.first(), Some('!' | '^'));
    if is_negated {
        inside = inside.get(1..)?;
    }
    let mut holds = false;
    let mut next = 0;
    while let Some(&low) = inside.get(next) {
        let high = match (inside.get(next + 1), inside.get(next + 2)) {
            (Some('-'), Some(&high)) => {
                next += 2;
                high
            }
            _ => low,
        };
        holds |= (low..=high).contains(&char);
        next += 1;
    }
    (holds != is_negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_shells_do() {
        for (pattern, name) in [
            ("*.nft", "a.nft"),
            ("[0-9]*.nft", "10-x.nft"),
            ("a?c", "abc"),
            ("[!x]", "y"),
            ("*", ""),
        ] {
            assert!(part_matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("*.nft", ".a.nft"),
            ("*.nft", "a.nft~"),
            ("[!x]", "x"),
            ("a*b*c", "acb"),
        ] {
            assert!(!part_matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn an_include_means_the_nearest_file() {
        let names = [
            "h/etc/nftables.conf",
            "h/etc/nft.d/b.nft",
            "h/etc/nft.d/a.nft",
            "etc/nft.d/c.nft",
        ];
        let found = |path| among("h/etc/nftables.conf", path, names.iter().copied());
        assert_eq!(found("nft.d/*.nft"), [2, 1]);
        assert_eq!(found("/etc/nft.d/*.nft"), [2, 1]);
        assert_eq!(found("/etc/nft.d/c.nft"), [3]);
        assert_eq!(found("./nft.d/../nft.d/a.nft"), [2]);
        assert_eq!(found("/etc/nft.d/d.nft"), [0usize; 0]);
        let found = |path| among("h/etc/nft.d/a.nft", path, names.iter().copied());
        assert_eq!(found("nftables.conf"), [0]);
        assert_eq!(found("b.nft"), [1]);
        assert_eq!(found("./nftables.conf"), [0usize; 0]);
    }
}
