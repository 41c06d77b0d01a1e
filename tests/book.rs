//! The pages of docs/ that are made from the program, and the book that they are bound in. `UPDATE_EXPECT=1` writes them anew.
#![cfg(test)]

#[path = "support/file.rs"]
mod file;
#[path = "support/golden.rs"]
mod golden;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;

use portcullis::finding::Code;
use portcullis::report::explain::explanation;

/// Commands whose options the page about the command line shows.
const COMMANDS: [&str; 20] = [
    "",
    "check",
    "openings",
    "baseline",
    "diff",
    "connections",
    "trace",
    "explain",
    "policy",
    "policy show",
    "policy list",
    "policy check",
    "policy test",
    "policy diff",
    "derive",
    "fmt",
    "init",
    "dialects",
    "completions",
    "man",
];

fn help(command: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(command.split_whitespace())
        .arg("--help")
        .env("COLUMNS", "100")
        .output()
        .unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_code_has_its_place_in_the_book() {
    let mut page =
        String::from("# Finding codes\n\nMade from the program: `portcullis explain CODE` says the same.\n");
    for &code in Code::ALL {
        let (id, severity) = (code.id(), code.severity().word());
        // As hyperlinks of terminals lead here.
        write!(page, "\n## {id}\n\n*{severity}.* {}\n", explanation(code).text).unwrap();
    }
    golden::assert_golden("docs/codes.md", &page);
}

#[test]
fn every_option_has_its_place_in_the_book() {
    let mut page = String::from("# The command line\n\nMade from the program: `--help` says the same.\n");
    for command in COMMANDS {
        let name = format!("portcullis {command}");
        let name = name.trim_end();
        write!(
            page,
            "\n## {name}\n\n```text\n{}\n```\n",
            help(command).trim_end()
        )
        .unwrap();
    }
    golden::assert_golden("docs/command-line.md", &page);
    // No command is left out.
    let listed = |text: &str| -> BTreeSet<String> {
        let commands = text.split("Commands:\n").nth(1).unwrap_or("");
        let lines = commands.lines().take_while(|line| !line.is_empty());
        lines
            .filter_map(|line| line.split_whitespace().next())
            .map(str::to_owned)
            .collect()
    };
    let mut all = listed(&help(""));
    all.extend(
        listed(&help("policy"))
            .iter()
            .map(|name| format!("policy {name}")),
    );
    all.retain(|name| !name.ends_with("help"));
    let shown: BTreeSet<String> = COMMANDS
        .iter()
        .filter(|name| !name.is_empty())
        .map(|it| (*it).to_owned())
        .collect();
    assert_eq!(all, shown);
}

#[test]
fn every_page_is_in_the_book_and_every_link_leads_somewhere() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/docs");
    let summary = file::text("docs/SUMMARY.md");
    let entries = std::fs::read_dir(docs).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages: BTreeSet<String> = names
        .filter(|name| name.strip_suffix(".md").is_some_and(|name| name != "SUMMARY"))
        .collect();
    for page in &pages {
        assert_eq!(
            summary.matches(&format!("({page})")).count(),
            1,
            "{page} in SUMMARY.md"
        );
    }
    for page in pages.iter().map(String::as_str).chain(["SUMMARY.md"]) {
        let text = std::fs::read_to_string(format!("{docs}/{page}")).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap();
            if file.is_empty() || link.contains("://") || link.contains(' ') {
                continue;
            }
            assert!(std::path::Path::new(docs).join(file).exists(), "{page}: {link}");
        }
    }
    let book = std::fs::read_to_string(format!("{docs}/book.toml")).unwrap();
    assert!(book.contains("src = \".\""));
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&["completions", shell]);
        for word in ["show-suppressed", "exit-zero", "policy", "connections", "sarif"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let page = run(&["man"]);
    assert!(page.contains(".TH portcullis 1") && page.contains("check"));
    let folder = std::env::temp_dir().join(format!("portcullis-man-{}", std::process::id()));
    run(&["man", folder.to_str().unwrap()]);
    let page = std::fs::read_to_string(folder.join("portcullis-policy-test.1")).unwrap();
    assert!(page.contains("junit"), "{page}");
    std::fs::remove_dir_all(&folder).unwrap();
}
