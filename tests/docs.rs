//! What README.md and docs/ show: every `console` block is what the program prints, every `ports` and `toml` block is read
//! without an error. A line `…` in a block stands for lines that are left out.
#![cfg(test)]

use std::process::Command;

use portcullis::policy;
use portcullis::site;
use portcullis::source::SourceMap;

#[path = "support/file.rs"]
mod file;

/// One fenced block.
struct Block {
    /// `docs/site.md:12`
    place: String,
    language: String,
    text: String,
}

/// The pages: README.md and all of docs/.
fn blocks() -> Vec<Block> {
    let docs = std::fs::read_dir(file::place("docs")).unwrap();
    let names = docs.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut pages: Vec<String> = names
        .filter(|name| {
            std::path::Path::new(name)
                .extension()
                .is_some_and(|ending| ending == "md")
        })
        .map(|name| format!("docs/{name}"))
        .chain(["README.md".to_owned()])
        .collect();
    pages.sort();
    let mut blocks = Vec::new();
    for page in pages {
        let text = file::text(&page);
        let mut open: Option<Block> = None;
        for (at, line) in text.lines().enumerate() {
            match (line.strip_prefix("```"), &mut open) {
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (Some(language), None) => {
                    open = Some(Block {
                        place: format!("{page}:{}", at + 1),
                        language: language.to_owned(),
                        text: String::new(),
                    });
                }
                (None, Some(block)) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{page}: a block without an end");
    }
    blocks
}

fn blocks_in(language: &str) -> Vec<Block> {
    let found: Vec<_> = blocks()
        .into_iter()
        .filter(|block| block.language == language)
        .collect();
    assert!(!found.is_empty(), "no page has a `{language}` block");
    found
}

/// Both outputs of a command line, as a terminal shows them.
fn run(command: &str) -> String {
    let words = command
        .strip_prefix("cargo run --release -- ")
        .or_else(|| command.strip_prefix("portcullis "))
        .unwrap_or_else(|| panic!("`{command}` is not a command line of portcullis"));
    let mut quoted = false;
    let mut arguments = vec![String::new()];
    for letter in words.chars() {
        match letter {
            '\'' | '"' => quoted = !quoted,
            ' ' if !quoted => arguments.push(String::new()),
            letter => arguments.last_mut().unwrap().push(letter),
        }
    }
    let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(arguments.iter().filter(|argument| !argument.is_empty()))
        .current_dir(file::place("."))
        .env_remove("RUST_BACKTRACE")
        .output()
        .unwrap();
    [output.stdout, output.stderr]
        .map(|part| String::from_utf8(part).unwrap())
        .concat()
}

/// Whether `shown` is `actual` with lines left out where it says `…`; if not, the first part that is not there.
fn compare<'s>(shown: &'s str, actual: &str) -> Result<(), &'s str> {
    let trimmed: Vec<&str> = actual.lines().map(str::trim_end).collect();
    let actual = format!("\n{}\n", trimmed.join("\n").trim_matches('\n'));
    let mut rest = actual.as_str();
    let parts: Vec<&str> = shown.split("…\n").collect();
    for (at, part) in parts.iter().enumerate() {
        let wanted = format!("\n{}\n", part.trim_matches('\n'));
        if part.trim().is_empty() {
            continue;
        }
        let Some(found) = rest.find(&wanted) else {
            return Err(part);
        };
        if at == 0 && found > 0 {
            return Err(part);
        }
        rest = &rest[found + wanted.len() - 1..];
    }
    let ends_open = parts.last().is_some_and(|last| last.trim().is_empty()) && parts.len() > 1;
    if ends_open || rest.trim().is_empty() {
        Ok(())
    } else {
        Err("(the end)")
    }
}

#[test]
fn every_console_block_shows_what_the_program_prints() {
    for block in blocks_in("console") {
        let mut commands: Vec<(String, String)> = Vec::new();
        for line in block.text.lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                commands.push((command.to_owned(), String::new()));
            } else if let Some((_, shown)) = commands.last_mut() {
                shown.push_str(line);
                shown.push('\n');
            } else {
                panic!("{}: output before any command", block.place);
            }
        }
        for (command, shown) in commands {
            let actual = run(&command);
            if let Err(part) = compare(&shown, &actual) {
                panic!(
                    "{}: `{command}` does not print\n{part}\nbut\n{actual}",
                    block.place
                );
            }
        }
    }
}

#[test]
fn every_policy_that_is_shown_is_read_without_an_error() {
    for block in blocks_in("ports") {
        let mut sources = SourceMap::new();
        let file = sources.add_text(&block.place, &block.text);
        let parsed = policy::parse(sources.source(file));
        assert!(parsed.errors.is_empty(), "{}: {:#?}", block.place, parsed.errors);
        let clashes = policy::check(&parsed.policies);
        assert!(clashes.is_empty(), "{}: {clashes:#?}", block.place);
        let formatted = policy::format(sources.source(file)).unwrap_or_default();
        assert_eq!(formatted, block.text, "{}: not in canonical form", block.place);
    }
}

#[test]
fn every_site_file_that_is_shown_is_read_without_an_error() {
    for block in blocks_in("toml") {
        let mut sources = SourceMap::new();
        let file = sources.add_text("portcullis.toml", &block.text);
        if let Err(errors) = site::read(sources.source(file)) {
            panic!("{}: {errors:?}", block.place);
        }
    }
}

#[test]
fn a_block_with_lines_left_out_is_compared_by_its_parts() {
    let actual = "one\ntwo\nthree\nfour\n";
    for shown in [
        "one\ntwo\nthree\nfour\n",
        "one\n…\nfour\n",
        "…\nthree\n…\n",
        "one\n…\n",
        "…\nfour\n",
    ] {
        assert_eq!(compare(shown, actual), Ok(()), "{shown}");
    }
    for shown in [
        "two\n…\n",
        "one\n…\nthree\n",
        "one\nthree\nfour\n",
        "…\nthree\n…\ntwo\n…\n",
        "on\n…\n",
    ] {
        assert!(compare(shown, actual).is_err(), "{shown}");
    }
}
