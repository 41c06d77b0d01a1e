//! The formats that other programs read, held against what those programs ask for.
#![cfg(test)]

#[path = "support/sample.rs"]
mod sample;

use std::collections::BTreeSet;

use portcullis::report::{Format, Links, Style};
use roxmltree::{Document, Node};
use serde_json::{Value, json};

use sample::{golden, plain, rendered};

#[test]
fn each_format_is_as_expected() {
    for (format, name) in [
        (Format::Jsonl, "report.jsonl"),
        (Format::Github, "github.txt"),
        (Format::Gitlab, "gitlab.json"),
        (Format::Junit, "junit.xml"),
        (Format::Csv, "report.csv"),
        (Format::Html, "report.html"),
    ] {
        golden(name, &plain(format));
    }
}

/// What docs.gitlab.com says of the report, "Code Quality report format", which is more than the schema that GitLab itself holds each
/// issue against (`app/validators/json_schemas/codeclimate.json`: description, fingerprint, severity and location).
fn gitlab_schema() -> Value {
    let position = json!({
        "type": "object",
        "required": ["line"],
        "properties": {"line": {"type": "integer", "minimum": 1}, "column": {"type": "integer", "minimum": 1}}
    });
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["description", "check_name", "fingerprint", "location", "severity"],
            "properties": {
                "description": {"type": "string", "minLength": 1},
                "check_name": {"type": "string", "minLength": 1},
                "fingerprint": {"type": "string", "minLength": 1},
                "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
                "location": {
                    "type": "object",
                    "required": ["path"],
                    "properties": {
                        "path": {"type": "string", "pattern": "^(?!\\./|/).+"},
                        "lines": {"type": "object", "required": ["begin"]},
                        "positions": {"type": "object", "required": ["begin"], "properties": {"begin": position, "end": position}}
                    },
                    "oneOf": [{"required": ["lines"]}, {"required": ["positions"]}]
                }
            }
        }
    })
}

#[test]
fn gitlab_takes_the_report() {
    let validator = jsonschema::validator_for(&gitlab_schema()).unwrap();
    let report: Value = serde_json::from_str(&plain(Format::Gitlab)).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(&report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    let issues = report.as_array().unwrap();
    let prints: BTreeSet<_> = issues.iter().map(|issue| issue["fingerprint"].as_str()).collect();
    assert_eq!(
        prints.len(),
        issues.len(),
        "GitLab drops all but one of a fingerprint"
    );
    let mut broken = report.clone();
    broken[0]["location"]["positions"]["begin"]["line"] = 0.into();
    assert!(
        !validator.is_valid(&broken),
        "the schema is not one that takes anything"
    );
}

/// The elements and attributes that the schema of Jenkins knows of those that are written, and which it asks for
/// (jenkinsci/xunit-plugin, `junit-10.xsd`).
fn assert_junit(text: &str) {
    let document = Document::parse(text).unwrap();
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "testsuites");
    for node in root.descendants().filter(Node::is_element) {
        let (parents, known, required): (&[&str], &[&str], &[&str]) = match node.tag_name().name() {
            "testsuites" => (&[""], &["name", "time", "tests", "failures", "errors"], &[]),
            "testsuite" => (
                &["testsuites"],
                &["name", "tests", "failures", "errors", "file"],
                &["name", "tests", "failures", "errors"],
            ),
            "testcase" => (&["testsuite"], &["name", "classname", "time", "group"], &["name"]),
            "failure" | "error" => (&["testcase"], &["message", "type"], &["message"]),
            "system-out" => (&["testcase"], &[], &[]),
            other => panic!("`{other}` is no element of JUnit"),
        };
        let parent = node
            .parent_element()
            .map_or("", |parent| parent.tag_name().name());
        assert!(
            parents.contains(&parent),
            "{} in {parent}",
            node.tag_name().name()
        );
        for attribute in node.attributes() {
            assert!(known.contains(&attribute.name()), "{}", attribute.name());
        }
        assert!(required.iter().all(|name| node.has_attribute(*name)));
        if ["testsuites", "testsuite"].contains(&node.tag_name().name()) {
            let cases = || node.descendants().filter(|inner| inner.has_tag_name("testcase"));
            let with = |name: &str| {
                let has = |case: &Node<'_, '_>| case.children().any(|child| child.has_tag_name(name));
                cases().filter(has).count().to_string()
            };
            assert_eq!(
                node.attribute("tests"),
                Some(cases().count().to_string().as_str())
            );
            assert_eq!(node.attribute("failures"), Some(with("failure").as_str()));
            assert_eq!(node.attribute("errors"), Some(with("error").as_str()));
        }
    }
}

#[test]
fn test_servers_take_the_report() {
    assert_junit(&plain(Format::Junit));
}

#[test]
fn github_reads_one_annotation_a_line_and_no_text_starts_another() {
    let text = plain(Format::Github);
    let lines: Vec<&str> = text.lines().collect();
    let (annotations, rest): (Vec<&str>, Vec<&str>) = lines.iter().partition(|line| line.starts_with("::"));
    assert_eq!(rest, ["4 errors, 3 warnings, 1 note"]);
    assert_eq!(annotations.len(), 9, "eight findings and a failure");
    let severity = |line: &&str| line.split(' ').next().unwrap().to_owned();
    let words: Vec<String> = annotations[..8].iter().map(severity).collect();
    let mut sorted = words.clone();
    sorted.sort_by_key(|word| {
        ["::error", "::warning", "::notice"]
            .iter()
            .position(|it| it == word)
    });
    assert_eq!(words, sorted, "GitHub shows the first ten of each");
    for line in annotations {
        let (properties, _) = line[2..].split_once("::").unwrap();
        let (_, properties) = properties.split_once(' ').unwrap();
        for property in properties.split(',') {
            let (key, value) = property.split_once('=').unwrap();
            assert!(
                ["file", "line", "endLine", "col", "endColumn", "title"].contains(&key),
                "{key}"
            );
            assert!(!value.contains([':', '\n', '\r']), "{value}");
        }
    }
}

#[test]
fn a_csv_reader_gets_the_cells_back() {
    let text = plain(Format::Csv);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let column = |name: &str| head.iter().position(|it| it == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 8);
    let row = rows
        .iter()
        .find(|row| &row[column("message")] == "no row allows tcp/10255 from any");
    let row = row.unwrap();
    assert_eq!(&row[column("file")], "hosts/m1/v4.rules");
    assert_eq!((&row[column("line")], &row[column("column")]), ("4", "32"));
    assert_eq!(&row[column("tags")], "PCI DSS 1.3.1; CIS 4.2");
    // The line of the dump begins with `-`, which a spreadsheet would compute.
    assert_eq!(
        &row[column("text")],
        "'-A INPUT -p tcp -m tcp --dport 10255 -j ACCEPT"
    );
    for cell in rows.iter().flat_map(|row| row.iter()) {
        assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell}");
    }
}

#[test]
fn each_line_of_jsonl_is_an_object_that_says_what_it_is() {
    let whole: Value = serde_json::from_str(&plain(Format::Json)).unwrap();
    let mut kinds: Vec<(String, Vec<Value>)> = Vec::new();
    for line in plain(Format::Jsonl).lines() {
        let mut value: Value = serde_json::from_str(line).unwrap();
        let kind = value.as_object_mut().unwrap().remove("type").unwrap();
        let kind = kind.as_str().unwrap().to_owned();
        match kinds.last_mut().filter(|last| last.0 == kind) {
            Some((_, values)) => values.push(value),
            None => kinds.push((kind, vec![value])),
        }
    }
    let names: Vec<&str> = kinds.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(names, ["finding", "suppressed", "row", "opening", "summary"]);
    for ((_, values), same) in kinds.iter().zip([
        &whole["findings"],
        &whole["suppressed"],
        &whole["coverage"]["rows"],
        &whole["coverage"]["openings"],
    ]) {
        assert_eq!(&Value::from(values.clone()), same);
    }
    assert_eq!(kinds[4].1[0], whole["summary"]);
}

#[test]
fn what_is_taken_back_is_a_suppressed_result_of_sarif() {
    let log: Value = serde_json::from_str(&plain(Format::Sarif)).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let marked: Vec<&Value> = results
        .iter()
        .filter(|it| it.get("suppressions").is_some())
        .collect();
    assert_eq!((results.len(), marked.len()), (9, 1));
    let suppression = &marked[0]["suppressions"][0];
    assert_eq!(suppression["kind"], "inSource");
    assert_eq!(suppression["justification"], "the <old> printers");
    assert_eq!(
        suppression["location"]["physicalLocation"]["region"]["startLine"],
        1
    );
}

#[test]
fn hyperlinks_lead_to_files_and_explanations_and_change_no_visible_letter() {
    let style = Style {
        links: Some(Links {
            root: "/work/a site".into(),
            explanations: Some("https://example.org/book/"),
        }),
        ..Style::default()
    };
    let linked = rendered(Format::Human, &style, false);
    for link in [
        "[\u{1b}]8;;https://example.org/book/codes.html#excess-opening\u{1b}\\excess-opening\u{1b}]8;;\u{1b}\\]",
        "─ \u{1b}]8;;file:///work/a%20site/hosts/m1/v4.rules\u{1b}\\hosts/m1/v4.rules\u{1b}]8;;\u{1b}\\:4:32",
        "file:///work/a%20site/hosts/m2/long%20line.rules\u{1b}\\",
    ] {
        assert!(linked.contains(link), "{link:?}\n{linked}");
    }
    let mut visible = String::new();
    let mut rest = linked.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}]8;;") {
        visible.push_str(before);
        rest = after.split_once("\u{1b}\\").unwrap().1;
    }
    visible.push_str(rest);
    assert_eq!(visible, plain(Format::Human));
    // In colours the line before a place ends with an escape sequence, and the links are the same.
    let colored = rendered(Format::Human, &Style { color: true, ..style }, false);
    let links = |text: &str| text.matches("\u{1b}]8;;file:").count();
    assert_eq!(links(&colored), links(&linked));
    assert!(colored.contains("8;;https://example.org/book/codes.html#excess-opening"));
}

#[test]
fn the_page_is_whole_asks_for_nothing_and_no_text_of_a_user_is_markup() {
    let page = plain(Format::Html);
    // Elements that have no end (HTML, "Void elements").
    let without_end = ["meta", "br"];
    let mut open: Vec<Vec<u8>> = Vec::new();
    let mut ids = BTreeSet::new();
    let mut targets = BTreeSet::new();
    for token in html5gum::Tokenizer::new(&page) {
        match token.unwrap() {
            html5gum::Token::StartTag(tag) => {
                let name = String::from_utf8(tag.name.to_vec()).unwrap();
                assert!(
                    !["script", "link", "img", "iframe", "purpose", "old"].contains(&name.as_str()),
                    "{name}"
                );
                for (key, value) in &tag.attributes {
                    let value = String::from_utf8_lossy(&value.value).into_owned();
                    match key.as_slice() {
                        b"id" => assert!(ids.insert(value.clone()), "{value} twice"),
                        b"href" => drop(targets.insert(value.strip_prefix('#').unwrap().to_owned())),
                        b"src" | b"style" => panic!("{value}"),
                        _ => {}
                    }
                }
                if !without_end.contains(&name.as_str()) {
                    open.push(tag.name.to_vec());
                }
            }
            html5gum::Token::EndTag(tag) => assert_eq!(open.pop(), Some(tag.name.to_vec())),
            html5gum::Token::Error(error) => panic!("{error:?}"),
            _ => {}
        }
    }
    assert!(open.is_empty());
    assert!(targets.is_subset(&ids), "{targets:?} {ids:?}");
    assert!(page.contains("default-src 'none'") && !page.contains("http://") && !page.contains("https://"));
    assert!(
        page.contains("the &lt;old&gt; printers")
            && page.contains("a &lt;purpose&gt; with <code>marks</code>")
    );
}

#[test]
fn the_matrix_has_a_cell_for_what_is_required_and_for_what_is_excess() {
    let page = plain(Format::Html);
    let cells = |class: &str| page.matches(&format!("<td class=\"{class}\">")).count();
    // To the role `mke.manager` by tcp/10250: `mke/kubelet` is verified, but `mke/bgp`, of the same service and peers (a zone and
    // a role that no host has), is broken at m1; so it is from that role. 10255 is an excess from both zones.
    assert!(page.contains("<caption>Connections to <b>mke.manager</b></caption>"));
    assert!(page.contains("<caption>Connections from <b>mke.worker</b></caption>"));
    assert_eq!((cells("missing"), cells("excess")), (3, 2), "{page}");
}

#[test]
fn the_report_is_valid_against_its_published_schema() {
    let schema: Value = serde_json::from_str(include_str!("../docs/report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut report: Value = serde_json::from_str(&plain(Format::Json)).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&report)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    report["findings"][0].as_object_mut().unwrap().remove("code");
    assert!(
        !validator.is_valid(&report),
        "the schema is not one that takes anything"
    );
}
