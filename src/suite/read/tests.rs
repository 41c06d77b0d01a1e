use super::*;
use crate::finding::{Finding, Label};
use crate::source::{SourceMap, Span};
use crate::suite::{Found, Ran};

/// What differs, each with its line.
fn differences(case: &Case, found: &[Found]) -> Vec<String> {
    let ran = Ran {
        found: found.to_vec(),
        ..Ran::default()
    };
    let all = case.differences(&ran).into_iter();
    all.map(|one| format!("line {}: {}", one.line, one.message))
        .collect()
}

const CASES: &str = r#"# Rejects
Prose with `code`:
## A reject is not an opening
Still missing.
expect: unbound-role "worker" possibly

```ports
policy web {
  require any -> server : tcp/443   # expect: missing-opening "tcp/443"
}
```
`hosts/edge.rules`:

```iptables
*filter
-A INPUT -j REJECT # expect: shadowed-rule # expect: excess-opening possibly
```

```text
not a file # expect: nonsense
```
# Quiet
quiet: shadowed-rule
```iptables
COMMIT
```
"#;

#[test]
fn a_page_becomes_cases_with_files_and_expectations() {
    let cases = read(CASES).unwrap();
    assert_eq!(cases.len(), 2);
    let [one, two] = cases.as_slice() else { panic!() };
    assert_eq!((one.title.as_str(), one.line), ("A reject is not an opening", 3));
    let names: Vec<_> = one
        .files
        .iter()
        .map(|file| (file.name.as_str(), file.language.as_str()))
        .collect();
    assert_eq!(
        names,
        [("policy.ports", "ports"), ("hosts/edge.rules", "iptables")]
    );
    assert_eq!(one.files[1].text, "*filter\n-A INPUT -j REJECT\n");
    let shown: Vec<_> = one.expected.iter().map(Expectation::shown).collect();
    assert_eq!(
        shown,
        [
            "nowhere possibly unbound-role \"worker\"",
            "policy.ports:2 surely missing-opening \"tcp/443\"",
            "hosts/edge.rules:2 surely shadowed-rule",
            "hosts/edge.rules:2 possibly excess-opening",
        ]
    );
    assert_eq!(
        (two.files[0].name.as_str(), two.quiet.as_slice()),
        ("host.rules", &[Code::ShadowedRule][..])
    );
}

#[test]
fn a_page_that_is_wrong_is_refused_with_its_line() {
    for (page, error) in [
        (
            "# a\n```ports\nx # expect: no-such\n```",
            "line 3: `no-such` is no code",
        ),
        (
            "# a\n```ports\nx # expect: excess-opening maybe\n```",
            "line 3: `maybe`",
        ),
        ("# a\n```ports\nx # related: y\n```", "line 3: words of a related"),
        ("# a\n```ports\n", "not closed"),
        (
            "# a\n```ports\n```\n```ports\n```",
            "line 4: the case has two files",
        ),
        ("# a\n```rust\n```", "line 2: a block of `rust` needs"),
        (
            "# a\nquiet: excess-opening\nexpect: excess-opening",
            "line 1: `excess-opening` is both",
        ),
    ] {
        let found = read(page).map(|_| ()).unwrap_err();
        let found = format!("line {}: {found}", found.line);
        assert!(found.contains(error), "{found}");
    }
}

#[test]
fn every_finding_is_expected_and_every_expectation_met() {
    let page = "# t\n```iptables\na # expect: excess-opening \"tcp/23\" # expect: excess-opening\nb\n```";
    let case = read(page).unwrap().remove(0);
    let mut sources = SourceMap::new();
    let file = sources.add_text("host.rules", &case.files[0].text);
    let found = |start: u32, message: &str| {
        let label = Label::new(Span::new(file, start, start + 1), "opens it");
        Found::of(
            &Finding::new(Code::ExcessOpening, message, Some(label)),
            &sources,
            "",
        )
    };
    assert!(differences(&case, &[found(0, "tcp/23"), found(0, "udp/1")]).is_empty());
    assert!(differences(&case, &[found(0, "udp/1"), found(0, "tcp/23")]).is_empty());
    assert_eq!(
        differences(&case, &[found(0, "udp/1"), found(2, "tcp/23")]),
        [
            "line 3: host.rules:1 surely excess-opening \"tcp/23\": not found",
            "line 4: host.rules:2 surely excess-opening \"tcp/23\" error: not expected",
        ]
    );
    let mut unsure = found(0, "tcp/23");
    unsure.certainty = Certainty::Possibly;
    assert_eq!(differences(&case, &[unsure, found(0, "udp/1")]).len(), 2);
}

#[test]
fn a_related_label_is_looked_for_where_it_is_expected() {
    let page = "# t\n```nft\na # expect: excess-opening\nb # related: \"in `@s`\"\n```";
    let case = read(page).unwrap().remove(0);
    let mut sources = SourceMap::new();
    let file = sources.add_text("host.nft", &case.files[0].text);
    let found = |start: u32, words: &str| {
        let label = |start| Label::new(Span::new(file, start, start + 1), words);
        let finding = Finding::new(Code::ExcessOpening, "open", Some(label(0))).related(label(start));
        Found::of(&finding, &sources, "")
    };
    assert!(differences(&case, &[found(2, "is in `@s` by")]).is_empty());
    for other in [found(0, "is in `@s` by"), found(2, "is in `@r` by")] {
        let wrong = differences(&case, &[other]);
        assert_eq!(wrong, ["line 4: host.nft:2: no related label \"in `@s`\""]);
    }
}

#[test]
fn options_and_questions_are_read_with_the_case() {
    let page = "# t\nrole: manager\nzone: `internal=10.0.0.0/8`\nnote: prose\n```packets\n# a comment\nrefused any -> manager : tcp/22\n```";
    let case = read(page).unwrap().remove(0);
    let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        case.options,
        [option("role", "manager"), option("zone", "internal=10.0.0.0/8")]
    );
    assert_eq!(case.questions.len(), 1);
    assert_eq!(case.questions[0].line, 7);
}

#[test]
fn a_file_does_not_leave_its_folder() {
    for name in ["../x", "/x", "a/../../x"] {
        let page = format!("# t\n`{name}`:\n```iptables\n```");
        assert!(
            read(&page).unwrap_err().message.contains("below the folder"),
            "{name}"
        );
    }
}
