//! Terraform's language, expression by expression: what its documentation says of each. INVARIANT: `fixtures/terraform/functions.txt`
//! has every function that is modelled.
#![cfg(test)]

#[path = "support/file.rs"]
mod file;

use portcullis::dialect::Dialect as _;
use portcullis::dialect::terraform::{Terraform, console};

const TABLE: &str = "fixtures/terraform/functions.txt";

/// Functions that need files beside them, and are tried where there are some.
const WITH_FILES: &[&str] = &[
    "filebase64",
    "filebase64sha256",
    "filebase64sha512",
    "fileexists",
    "filemd5",
    "fileset",
    "filesha1",
    "filesha256",
    "filesha512",
    "templatefile",
];

#[test]
fn expressions_are_what_the_documentation_says() {
    let table = file::text(TABLE);
    let mut wrong = Vec::new();
    for line in table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (expression, expected) = line.rsplit_once(" => ").expect(line);
        let found = match console(expression) {
            Ok(json) => json,
            Err(why) if why.starts_with("not known: ") => "unknown".to_owned(),
            Err(why) => format!("error ({why})"),
        };
        if found != expected && !(expected == "error" && found.starts_with("error (")) {
            wrong.push(format!("{expression}\n    is {found}\n    not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_function_is_in_the_table() {
    let table = file::text(TABLE);
    let constructs = Terraform.constructs();
    let functions = constructs.iter().filter_map(|one| one.name.strip_suffix("()"));
    let missing: Vec<&str> = functions
        .filter(|name| !WITH_FILES.contains(name) && !table.contains(&format!("{name}(")))
        .collect();
    assert!(missing.is_empty(), "no line for: {}", missing.join(", "));
}
