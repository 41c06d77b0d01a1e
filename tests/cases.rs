//! Every literate case in `fixtures/cases`: what is found in it is what it expects, and nothing else.
#![cfg(test)]

#[path = "support/case.rs"]
mod case;
#[path = "support/file.rs"]
mod file;
#[path = "support/listing.rs"]
mod listing;
#[path = "support/run.rs"]
mod run;

#[test]
fn every_case_finds_what_it_expects_and_nothing_else() {
    let mut wrong = Vec::new();
    for path in listing::below("fixtures/cases", "md") {
        let cases = case::read(&file::text(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(!cases.is_empty(), "{path} has no case");
        for case in cases {
            let differences = match run::run(&case) {
                Ok((found, summary)) => case.differences(&found, &summary),
                Err(error) => vec![format!("{} (line {}): {error}", case.title, case.line)],
            };
            wrong.extend(
                differences
                    .into_iter()
                    .map(|difference| format!("{path}: {difference}")),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
