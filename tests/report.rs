//! One sample through every format, against files that a person can check.

#![cfg(test)]

#[path = "support/sample.rs"]
mod sample;

use portcullis::finding::{Certainty, Code, Finding, Label, Severity, Summary};
use portcullis::report::{self, Format, Report, Style};
use portcullis::source::{SourceMap, Span};

use sample::{golden, plain, rendered};

#[test]
fn human_is_as_expected() {
    golden("human.txt", &plain(Format::Human));
}

#[test]
fn concise_is_as_expected() {
    golden("concise.txt", &plain(Format::Concise));
}

#[test]
fn json_is_as_expected() {
    golden("report.json", &plain(Format::Json));
}

#[test]
fn sarif_is_as_expected() {
    golden("report.sarif", &plain(Format::Sarif));
}

#[test]
fn markdown_is_as_expected() {
    golden("report.md", &plain(Format::Markdown));
}

#[test]
fn the_order_of_findings_does_not_matter() {
    for format in Format::ALL {
        assert_eq!(
            plain(format),
            rendered(format, &Style::default(), true),
            "{}",
            format.word()
        );
    }
}

#[test]
fn nothing_dangerous_reaches_a_terminal_and_no_line_floods_it() {
    for format in [Format::Human, Format::Concise, Format::Markdown] {
        let text = plain(format);
        assert!(!text.contains('\u{1b}'), "{}", format.word());
        assert!(
            text.lines().all(|line| line.chars().count() < 500),
            "{}",
            format.word()
        );
    }
    let colored = rendered(
        Format::Human,
        &Style {
            color: true,
            ..Style::default()
        },
        false,
    );
    assert!(colored.contains("\u{1b}[") && !colored.contains("\u{1b}[31mRED"));
}

#[test]
fn sarif_is_valid_against_the_official_schema() {
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let mut schema = read(include_str!("schema/sarif-2.1.0.json"));
    // Its pattern for languages is not a regular expression (a bracket is not closed), and we write none.
    for owner in ["run", "toolComponent"] {
        schema["definitions"][owner]["properties"]["language"]
            .as_object_mut()
            .unwrap()
            .remove("pattern");
    }
    let validator = jsonschema::validator_for(&schema).unwrap();
    let log = read(&plain(Format::Sarif));
    let errors: Vec<_> = validator
        .iter_errors(&log)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    // The schema is not one that takes anything.
    let mut broken = log;
    broken["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0.into();
    assert!(!validator.is_valid(&broken), "line 0 is refused");
}

#[test]
fn sarif_lines_and_columns_count_from_one() {
    let log: serde_json::Value = serde_json::from_str(&plain(Format::Sarif)).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let region = |text: &str| {
        let result = results
            .iter()
            .find(|it| it["message"]["text"].as_str().unwrap().starts_with(text))
            .unwrap();
        let region = &result["locations"][0]["physicalLocation"]["region"];
        ["startLine", "startColumn", "endLine", "endColumn"].map(|key| region[key].as_u64().unwrap_or(0))
    };
    // `:INPUT DROP`: the third line, and D is its eighth character.
    assert_eq!(region("`m1` blocks"), [3, 8, 3, 12]);
    // `-A INPUT -p tcp -m tcp --dport 10255`: the fourth line; 31 characters stand before the port.
    assert_eq!(region("no row allows tcp/10255"), [4, 32, 4, 37]);
    // Two wide characters and two umlauts before it count one each.
    let before = "-A INPUT -m comment --comment \"größe 端口\" -p tcp --dport "
        .chars()
        .count() as u64;
    assert_eq!(region("policy `common`"), [5, before + 1, 5, before + 13]);
}

#[test]
fn every_code_is_explained() {
    for &code in Code::ALL {
        let explanation = report::explain::explanation(code);
        assert!(
            explanation.title.len() <= 120,
            "{}: the first paragraph is short",
            code.id()
        );
        assert!(
            explanation.title.ends_with('.'),
            "{}: it is a sentence",
            code.id()
        );
        let n_paragraphs = explanation.text.split("\n\n").count();
        assert!(
            n_paragraphs >= 3,
            "{}: what it says, why it matters, what to do",
            code.id()
        );
        assert!(
            explanation.text.lines().all(|line| line.chars().count() <= 110),
            "{}",
            code.id()
        );
        let mut out = Vec::new();
        report::explain::write(code, &mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().contains(code.id()));
    }
}

#[test]
fn a_fingerprint_survives_moved_lines_and_tells_findings_apart() {
    let prints = |dump: &str| {
        let mut sources = SourceMap::new();
        let file = sources.add_text("v4.rules", dump);
        let findings: Vec<_> = dump
            .match_indices("22")
            .map(|(at, _)| {
                let at = at.try_into().unwrap();
                let mut finding = Finding::new(
                    Code::ExcessOpening,
                    "m",
                    Some(Label::new(Span::new(file, at, at + 2), "")),
                );
                finding.certainty = Certainty::Possibly;
                finding
            })
            .collect();
        let summary = Summary::default();
        let report = Report {
            sources: &sources,
            findings: &findings,
            known: &[],
            shows_known: false,
            fail_on: Severity::Error,
            summary: &summary,
            coverage: None,
            site: None,
        };
        let mut out = Vec::new();
        report::write(&report, Format::Sarif, &Style::default(), &mut out).unwrap();
        let log: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        results
            .iter()
            .map(|it| {
                it["partialFingerprints"]["primaryLocationLineHash"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect::<Vec<_>>()
    };
    let before = prints("-A INPUT --dport 22 -j ACCEPT\n");
    assert_eq!(before, prints("# moved\n\n  -A INPUT --dport 22 -j ACCEPT\n"));
    let twice = prints("-A INPUT --dport 22 -j ACCEPT\n-A INPUT --dport 22 -j ACCEPT\n");
    assert_eq!(twice[0], before[0]);
    assert_ne!(twice[0], twice[1]);
}

#[test]
fn no_span_breaks_a_report() {
    let texts = [
        "",
        "a",
        "\n",
        "ä\r\n\r\n端口",
        "\t\u{1b}\r",
        &"é,".repeat(600),
        &"x\n".repeat(40),
    ];
    for text in texts {
        let mut sources = SourceMap::new();
        let file = sources.add_text("x", text);
        let ends: Vec<u32> = (0..=text.len() + 1)
            .filter(|at| *at < 40 || at % 97 < 3)
            .map(|at| u32::try_from(at).unwrap())
            .collect();
        for &start in &ends {
            let findings: Vec<_> = ends
                .iter()
                .filter(|&&end| end >= start)
                .map(|&end| {
                    let label = |start, end| Label::new(Span::new(file, start, end), "l");
                    Finding::new(Code::UnreadText, "m", Some(label(start, end))).related(label(end, end))
                })
                .collect();
            let summary = Summary::default();
            let report = Report {
                sources: &sources,
                findings: &findings,
                known: &[],
                shows_known: false,
                fail_on: Severity::Error,
                summary: &summary,
                coverage: None,
                site: None,
            };
            for format in Format::ALL {
                report::write(&report, format, &Style::default(), &mut std::io::sink()).unwrap();
            }
        }
    }
}

#[test]
fn every_json_field_is_documented() {
    fn keys(value: &serde_json::Value, found: &mut std::collections::BTreeSet<String>) {
        match value {
            serde_json::Value::Object(fields) => {
                for (key, value) in fields {
                    found.insert(key.clone());
                    keys(value, found);
                }
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
            _ => {}
        }
    }
    let mut found = std::collections::BTreeSet::new();
    keys(&serde_json::from_str(&plain(Format::Json)).unwrap(), &mut found);
    let docs = include_str!("../docs/json.md");
    let missing: Vec<_> = found
        .iter()
        .filter(|key| !docs.contains(&format!("`{key}`")))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/json.md does not say what {missing:?} are"
    );
}
