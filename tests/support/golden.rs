//! Expected output in files: compares a text with a file, or rewrites the file when `UPDATE_EXPECT=1` is set.
//! INVARIANT: a missing file is a failure, never a silent pass.

use std::fmt::Write as _;

use super::file;

/// Lines of unchanged text that are shown around a change.
const CONTEXT: usize = 3;
/// Longer texts are compared as a whole, not line by line.
const MAX_LINES: usize = 4000;

/// Fails with the changed lines unless the file at `path` of the package holds `actual`. Line ends are `\n`.
#[track_caller]
pub(crate) fn assert_golden(path: &str, actual: &str) {
    if let Some(report) = difference_from_file(path, actual, std::env::var_os("UPDATE_EXPECT").is_some()) {
        panic!("{report}");
    }
}

fn difference_from_file(path: &str, actual: &str, update: bool) -> Option<String> {
    let place = file::place(path);
    let expected = std::fs::read_to_string(&place).map(|text| text.replace("\r\n", "\n"));
    if expected.as_deref().ok() == Some(actual) {
        return None;
    }
    if update {
        return std::fs::write(&place, actual)
            .err()
            .map(|error| format!("{path}: {error}"));
    }
    let advice = "UPDATE_EXPECT=1 writes what is now; read it before you commit it";
    Some(match expected {
        Ok(expected) => format!(
            "{path} differs (- expected, + actual); {advice}\n{}",
            diff(&expected, actual)
        ),
        Err(error) => format!("{path}: {error}; {advice}\n{actual}"),
    })
}

/// The lines that differ, with some around them; `-` is only in `old`, `+` only in `new`.
pub(crate) fn diff(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split('\n').collect(), new.split('\n').collect());
    let edits = edits(&old, &new);
    let near = |at: usize| {
        let from = at.saturating_sub(CONTEXT);
        edits
            .iter()
            .skip(from)
            .take(at - from + CONTEXT + 1)
            .any(|edit| edit.0 != ' ')
    };
    let mut text = String::new();
    let mut is_gap = false;
    for (at, (sign, line)) in edits.iter().enumerate() {
        if near(at) {
            let _ = writeln!(text, "{sign} {line}");
        } else if !is_gap {
            text.push_str("  …\n");
        }
        is_gap = !near(at);
    }
    text
}

/// Lines kept (` `), removed (`-`) and added (`+`), by the longest common subsequence of what lies between the
/// common beginning and the common end.
fn edits<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(char, &'a str)> {
    let n_head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[n_head..], &new[n_head..]);
    let n_tail = old_rest
        .iter()
        .rev()
        .zip(new_rest.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let (a, b) = (
        &old_rest[..old_rest.len() - n_tail],
        &new_rest[..new_rest.len() - n_tail],
    );
    let mut edits: Vec<(char, &str)> = old[..n_head].iter().map(|line| (' ', *line)).collect();
    if a.len() > MAX_LINES || b.len() > MAX_LINES {
        edits.extend(a.iter().map(|line| ('-', *line)));
        edits.extend(b.iter().map(|line| ('+', *line)));
    } else {
        changed(a, b, &mut edits);
    }
    edits.extend(old[old.len() - n_tail..].iter().map(|line| (' ', *line)));
    edits
}

fn changed<'a>(a: &[&'a str], b: &[&'a str], edits: &mut Vec<(char, &'a str)>) {
    let width = b.len() + 1;
    let mut common = vec![0u16; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i * width + j] = if a[i] == b[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            edits.push((' ', a[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || (i < a.len() && common[(i + 1) * width + j] >= common[i * width + j + 1]) {
            edits.push(('-', a[i]));
            i += 1;
        } else {
            edits.push(('+', b[j]));
            j += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_shows_changed_lines_and_a_little_around() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let new = "1\n2\n3\n4\n5\nsix\n7\n8\n9\n10\n";
        assert_eq!(
            diff(old, new),
            "  …\n  3\n  4\n  5\n- 6\n+ six\n  7\n  8\n  9\n+ 10\n  \n"
        );
        assert_eq!(diff("a\nb\nc", "b\nc\nd"), "- a\n  b\n  c\n+ d\n");
        assert_eq!(diff("", "x"), "- \n+ x\n");
    }

    #[test]
    fn an_equal_file_passes_and_a_missing_or_other_one_does_not() {
        let rules = file::text("rustfmt.toml");
        assert_eq!(difference_from_file("rustfmt.toml", &rules, false), None);
        assert!(
            difference_from_file("rustfmt.toml", "x", false)
                .unwrap()
                .contains("+ x")
        );
        assert!(
            difference_from_file("no/such.txt", "x", false)
                .unwrap()
                .starts_with("no/such.txt: ")
        );
    }

    #[test]
    fn update_writes_the_file() {
        let path = std::env::temp_dir().join(format!("portcullis-golden-{}", std::process::id()));
        let path = path.to_str().unwrap();
        assert_eq!(difference_from_file(path, "new\n", true), None);
        assert_eq!(std::fs::read_to_string(path).unwrap(), "new\n");
        assert_eq!(difference_from_file(path, "new\n", false), None);
        std::fs::remove_file(path).unwrap();
    }
}
