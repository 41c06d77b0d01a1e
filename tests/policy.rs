//! The policy language, through its public functions: what is read, refused, printed and put in force.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

use miette::{GraphicalReportHandler, GraphicalTheme};
use portcullis::policy::{self, PolicyError, Settings};
use portcullis::source::SourceMap;

/// The sketch of the design document, as it stands there.
const SKETCH: &str = r#"policy mke "Mirantis Kubernetes Engine" {
  source "MKE: open ports to incoming traffic"
  role manager, worker
  zone external, internal
  service ui  = tcp/443            # configurable: a site may set another
  service api = tcp/6443
  require bgp:    internal           -> manager, worker : tcp/179            "BGP peers, Kubernetes networking"
  require ui:     external, internal -> manager         : ui                 "web UI and API"
  require gossip: internal           -> manager, worker : tcp/7946, udp/7946 "gossip-based clustering"
  require         self               -> manager, worker : tcp/6444           "Kubernetes API reverse proxy"
}
"#;

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/policy")
        .join(folder);
    let entries = fs::read_dir(&folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "ports"));
    paths.sort();
    assert!(!paths.is_empty(), "no fixtures in {}", folder.display());
    paths
}

/// Compares with the file, or rewrites it under `UPDATE_EXPECT=1`.
fn expect(path: &Path, actual: &str) {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path, actual).unwrap();
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        actual,
        expected,
        "{} differs; UPDATE_EXPECT=1 rewrites it",
        path.display()
    );
}

fn map_of(name: &str, text: &str) -> (SourceMap, portcullis::source::FileId) {
    let mut map = SourceMap::new();
    let file = map.add_text(name, text);
    (map, file)
}

fn rendered(errors: &[PolicyError], map: &SourceMap) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(110);
    let mut text = String::new();
    for error in errors {
        handler.render_report(&mut text, &error.diagnostic(map)).unwrap();
    }
    text
}

/// The errors of syntax; where there are none, those of meaning.
fn errors_of(map: &SourceMap, file: portcullis::source::FileId) -> Vec<PolicyError> {
    let parsed = policy::parse(map.source(file));
    if !parsed.errors.is_empty() {
        return parsed.errors;
    }
    policy::check(&parsed.policies)
}

#[test]
fn the_sketch_of_the_design_reads_as_it_stands() {
    let (map, file) = map_of("mke.ports", SKETCH);
    let parsed = policy::parse(map.source(file));
    assert_eq!(rendered(&parsed.errors, &map), "");
    let resolved = policy::resolve(&parsed.policies[0], &Settings::default(), &[]).unwrap();
    let ids: Vec<_> = resolved.rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["mke/bgp", "mke/ui", "mke/gossip", "mke/tcp-6444"]);
    assert_eq!(
        policy::format(map.source(file)).unwrap(),
        SKETCH.replace(
            "  service ui  = tcp/443            #",
            "  service ui  = tcp/443  #"
        )
    );
}

#[test]
fn shipped_policies_are_sound_and_in_canonical_form() {
    for name in policy::BUILTIN {
        let text = policy::builtin(name).unwrap();
        let (map, file) = map_of(&format!("{name}.ports"), text);
        assert_eq!(rendered(&errors_of(&map, file), &map), "", "{name}");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("policies/{name}.ports"));
        expect(&path, &policy::format(map.source(file)).unwrap());
    }
}

#[test]
fn refusals_are_worded_as_expected() {
    for path in fixtures("err") {
        let name = path.file_name().unwrap().to_str().unwrap();
        let (map, file) = map_of(name, &fs::read_to_string(&path).unwrap());
        let errors = errors_of(&map, file);
        assert!(!errors.is_empty(), "{name} is not refused");
        expect(&path.with_extension("txt"), &rendered(&errors, &map));
    }
}

#[test]
fn canonical_forms_are_as_expected_and_stay() {
    for path in fixtures("ok") {
        let name = path.file_name().unwrap().to_str().unwrap();
        let (map, file) = map_of(name, &fs::read_to_string(&path).unwrap());
        let parsed = policy::parse(map.source(file));
        assert_eq!(rendered(&parsed.errors, &map), "", "{name}");
        let printed = policy::format(map.source(file)).unwrap();
        let (again, second) = map_of(name, &printed);
        assert_eq!(
            policy::format(again.source(second)).unwrap(),
            printed,
            "{name} is not stable"
        );
        let reparsed = policy::parse(again.source(second));
        assert_eq!(
            without_spans(&reparsed.policies),
            without_spans(&parsed.policies),
            "{name}"
        );
        expect(&path.with_extension("formatted"), &printed);
    }
}

/// The tree as text, places apart.
fn without_spans(policies: &[policy::ast::Policy]) -> String {
    let text = format!("{policies:?}");
    let mut parts = text.split("Span {");
    let first = parts.next().unwrap_or("").to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once('}').map_or(part, |(_, rest)| rest)
    })
}
