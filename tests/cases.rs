//! Every literate case in `fixtures/cases`: what is found in it is what it expects, and nothing else.
#![cfg(test)]

#[path = "support/file.rs"]
mod file;
#[path = "support/listing.rs"]
mod listing;

use portcullis::suite;

#[test]
fn every_case_finds_what_it_expects_and_nothing_else() {
    let mut wrong = Vec::new();
    for path in listing::below("fixtures/cases", "md") {
        let cases = suite::read(&file::text(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(!cases.is_empty(), "{path} has no case");
        for case in cases {
            match suite::run(&case, None) {
                Ok(ran) => wrong.extend(case.differences(&ran).into_iter().map(|difference| {
                    format!(
                        "{path}:{}: {}: {}",
                        difference.line, case.title, difference.message
                    )
                })),
                Err(error) => wrong.push(format!("{path}:{}: {}: {error}", case.line, case.title)),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
