//! The table of README.md about seven groups says what the cases of `fixtures/cases/world-open.md` expect, which `tests/cases.rs`
//! holds true.
#![cfg(test)]

#[path = "support/file.rs"]
mod file;

use portcullis::finding::{Certainty, Code};
use portcullis::suite;

#[test]
fn the_table_says_what_the_cases_expect() {
    let cases = suite::read(&file::text("fixtures/cases/world-open.md")).unwrap();
    let expected: Vec<(String, &str)> = cases
        .iter()
        .map(|case| {
            let open = case
                .expected
                .iter()
                .filter(|one| one.code == Code::ForbiddenOpening);
            let certainties: Vec<Certainty> = open.map(|one| one.certainty).collect();
            let word = if certainties.contains(&Certainty::Surely) {
                "open"
            } else if certainties.is_empty() {
                "closed"
            } else {
                "possibly"
            };
            (case.title.clone(), word)
        })
        .collect();
    let readme = file::text("README.md");
    let section = readme.split("### Seven small groups").nth(1).unwrap();
    let rows = section
        .lines()
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1);
    let rows: Vec<(String, &str)> = rows
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            (cells.next().unwrap().to_owned(), cells.next().unwrap())
        })
        .collect();
    assert_eq!(rows.len(), 7);
    assert_eq!(rows, expected);
}
