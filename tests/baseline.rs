//! Findings that were there before: `baseline`, `check --baseline` and `check --new-from`.
#![cfg(test)]

#[path = "support/program.rs"]
mod program;
#[path = "support/repository.rs"]
mod repository;
#[path = "support/written.rs"]
mod written;

use program::{Folder, Run};
use repository::commit;

const POLICY: &str = "policy web \"The site\" {\n  role server\n\n  require site: any -> server : tcp/443 \"for everybody\"\n}\n";

/// Misses 443 and opens 8080.
const WRONG: &str =
    "*filter\n:INPUT DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 8080 -j ACCEPT\nCOMMIT\n";

const AUDIT: &str = "--policy web.ports --role web.server --no-common";

fn folder() -> Folder {
    Folder::new(&[("web.ports", POLICY), ("web.rules", WRONG)])
}

fn run(folder: &Folder, command: &str, arguments: &str) -> Run {
    folder.run(&format!("{command} {AUDIT} {arguments}"))
}

/// The findings of a run, a line each.
fn found(folder: &Folder, arguments: &str) -> Vec<String> {
    let run = run(folder, "check", &format!("--format concise {arguments}"));
    assert!(run.status < 2, "{run:?}");
    run.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn what_was_there_is_known_wherever_it_moves() {
    let folder = folder();
    let written = run(&folder, "baseline", "web.rules");
    assert_eq!(
        (written.status, written.stdout.as_str()),
        (0, "2 findings written to portcullis-baseline.json\n")
    );
    let known = "--baseline portcullis-baseline.json web.rules";
    assert!(found(&folder, known).is_empty());
    let said = run(&folder, "check", known);
    assert_eq!(said.status, 0);
    assert!(
        said.stdout.contains("; 2 findings known before"),
        "{}",
        said.stdout
    );
    let json = run(&folder, "check", &format!("--format json {known}")).stdout;
    assert!(json.contains("\"findings_known\": 2"), "{json}");
    let moved = WRONG.replace("-A INPUT", "-A INPUT -p icmp -j DROP\n-A INPUT");
    folder.write("web.rules", moved.as_bytes());
    assert!(
        found(&folder, known).is_empty(),
        "a rule that moved is the same rule"
    );
}

#[test]
fn a_wider_opening_is_new_and_its_entry_stale() {
    let folder = folder();
    run(&folder, "baseline", "web.rules");
    folder.write("web.rules", WRONG.replace("8080", "8080:8081").as_bytes());
    let found = found(&folder, "--baseline portcullis-baseline.json web.rules");
    let [wider, stale] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert!(wider.contains("no row allows tcp/8080-8081"), "{wider}");
    assert!(
        stale.starts_with("portcullis-baseline.json:21:15: warning[stale-baseline]"),
        "{stale}"
    );
}

#[test]
fn an_opening_of_very_many_packets_is_known_by_all_of_them() {
    let ports = |last: &str| {
        let rules = (1..=99).map(|n| format!("-A INPUT -s 10.0.0.{n} -p tcp --dport 80{n} -j services\n"));
        let one = format!("-A INPUT -s 10.0.0.200 -p tcp --dport {last} -j services\n");
        let rules: String = rules.chain([one]).collect();
        format!("*filter\n:INPUT DROP [0:0]\n:services - [0:0]\n{rules}-A services -j ACCEPT\nCOMMIT\n")
    };
    let folder = folder();
    folder.write("web.rules", ports("901").as_bytes());
    run(&folder, "baseline", "web.rules");
    let known = "--baseline portcullis-baseline.json web.rules";
    assert!(found(&folder, known).is_empty());
    let text = written::text(&folder, "portcullis-baseline.json");
    assert!(
        text.contains("\"region\"") && !text.contains("service=901"),
        "{text}"
    );
    folder.write("web.rules", ports("902").as_bytes());
    let changed = found(&folder, known);
    assert!(
        changed.iter().any(|line| line.contains("excess-opening")),
        "{changed:?}"
    );
}

#[test]
fn a_baseline_counts_from_its_folder() {
    let folder = folder();
    folder.write("site/web.rules", WRONG.as_bytes());
    run(&folder, "baseline", "-o site/known.json site");
    assert!(found(&folder, "--baseline site/known.json site/web.rules").is_empty());
    let path = folder.0.join("site/web.rules");
    let whole = found(
        &folder,
        &format!("--baseline site/known.json '{}'", path.display()),
    );
    assert!(whole.is_empty(), "{whole:?}");
}

#[test]
fn entries_of_files_that_were_not_read_are_left_alone() {
    let folder = folder();
    folder.write("other.rules", WRONG.as_bytes());
    run(&folder, "baseline", "web.rules other.rules");
    let known = "--baseline portcullis-baseline.json";
    assert!(found(&folder, &format!("{known} web.rules")).is_empty());
    std::fs::remove_file(folder.0.join("other.rules")).unwrap();
    let stale = found(&folder, &format!("{known} web.rules"));
    assert_eq!(stale.len(), 2, "{stale:?}");
    assert!(
        stale.iter().all(|line| line.contains("of `other.rules`")),
        "{stale:?}"
    );
}

#[test]
fn what_was_not_read_makes_no_baseline() {
    let folder = folder();
    folder.write(
        "cut.rules",
        b"*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dpo\n",
    );
    let refused = run(&folder, "baseline", "web.rules cut.rules");
    assert_eq!(refused.status, 2);
    assert!(refused.stderr.contains("cut.rules:3"), "{}", refused.stderr);
    assert!(!folder.0.join("portcullis-baseline.json").exists());
}

#[test]
fn a_baseline_that_is_none_is_refused() {
    let folder = folder();
    for (text, says) in [
        ("", "there is nothing in this baseline"),
        ("{\"version\": 2, \"findings\": []}", "no baseline of version 1"),
        ("{\"version\": 1}", "a list `findings`"),
        (
            "{\"version\": 1, \"findings\": [{\"code\": \"no-such\", \"certainty\": \"surely\"}]}",
            "no finding code `no-such`",
        ),
        (
            "{\"version\": 1, \"findings\": [{\"code\": \"excess-opening\", \"certainty\": \"maybe\"}]}",
            "`certainty`",
        ),
        (
            "{\"version\": 1, \"findings\": [{\"code\": \"excess-opening\", \"certainty\": \"surely\", \"packets\": \"all\"}]}",
            "`packets`",
        ),
        (
            "{\"version\": 1, \"findings\": [{\"code\": \"excess-opening\", \"certainty\": \"surely\", \"way\": \"in\", \"products\": [\"tcp/22\"]}]}",
            "`tcp/22` is no product of packets",
        ),
        (
            "{\"version\": 1, \"findings\": [{\"code\": \"shadowed-rule\", \"certainty\": \"surely\", \"text\": \"x\", \"count\": 0}]}",
            "`count`",
        ),
        ("{\"version\": 1, ", ""),
    ] {
        folder.write("known.json", text.as_bytes());
        let refused = run(&folder, "check", "--baseline known.json web.rules");
        assert_eq!(refused.status, 2, "{text}");
        assert!(refused.stderr.contains(says), "{text}: {}", refused.stderr);
    }
    let refused = run(&folder, "check", "--baseline nothing.json web.rules");
    assert_eq!(refused.status, 2, "{refused:?}");
}

#[test]
fn a_baseline_is_as_its_schema_says() {
    let folder = folder();
    run(&folder, "baseline", "web.rules");
    let text = written::text(&folder, "portcullis-baseline.json");
    let written: serde_json::Value = serde_json::from_str(&text).unwrap();
    let schema = include_str!("../docs/baseline.schema.json");
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&written)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    let wrong = serde_json::json!({"version": 1, "findings": [{"code": "excess-opening", "line": 3}]});
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn only_what_a_change_brings_is_reported() {
    let folder = folder();
    commit(&folder);
    assert!(found(&folder, "--new-from HEAD web.rules").is_empty());
    let wider = WRONG.replace("-A INPUT", "-A INPUT -p tcp --dport 22 -j ACCEPT\n-A INPUT");
    folder.write("web.rules", wider.as_bytes());
    folder.write("new.rules", WRONG.replace("8080", "23").as_bytes());
    let brought = found(&folder, "--new-from HEAD web.rules new.rules");
    assert_eq!(brought.len(), 3, "{brought:?}");
    assert!(
        brought
            .iter()
            .filter(|line| line.starts_with("new.rules"))
            .count()
            == 2,
        "{brought:?}"
    );
    assert!(
        brought
            .iter()
            .any(|line| line.starts_with("web.rules:4") && line.contains("tcp/22")),
        "{brought:?}"
    );
    let status = folder.git("status --porcelain");
    assert_eq!(
        status, " M web.rules\n?? new.rules\n",
        "the work tree and the index are as they were"
    );
    // From a folder further down, and by whole paths.
    let path = folder.0.join("web.rules");
    assert_eq!(
        found(&folder, &format!("--new-from HEAD '{}'", path.display())).len(),
        1
    );
}

#[test]
fn a_revision_that_is_none_is_refused() {
    let folder = folder();
    commit(&folder);
    let refused = run(&folder, "check", "--new-from nothing web.rules");
    assert_eq!(refused.status, 2);
    assert!(
        refused.stderr.contains("the revision `nothing`"),
        "{}",
        refused.stderr
    );
    let refused = run(&folder, "check", "--new-from=--help web.rules");
    assert_eq!(refused.status, 2, "no option of git gets through: {refused:?}");
    let both = run(&folder, "check", "--new-from HEAD --baseline x.json web.rules");
    assert_eq!(both.status, 2);
}
