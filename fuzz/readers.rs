//! What is fuzzed: each reader, by name. INVARIANT: a reader takes any bytes without a panic, in bounded time and memory.

use portcullis::dialect::{self, Dialect};
use portcullis::source::{SourceFile, SourceMap};
use portcullis::tree::{Node, Schema, Style, Tree};
use portcullis::{policy, site};

/// A reader: its name, the endings of files that it reads, and how it is called.
pub(crate) type Reader = (&'static str, &'static [&'static str], fn(&[u8]));

/// All readers.
pub(crate) const READERS: &[Reader] = &[
    ("iptables", &["rules", "v4", "v6"], iptables),
    ("nftables", &["nft", "conf"], nftables),
    ("nft_json", &["json"], nft_json),
    ("ports", &["ports"], ports),
    ("site", &["toml"], site_file),
    ("tree", &["yaml", "yml", "json"], tree),
];

fn iptables(data: &[u8]) {
    dialect("iptables", data);
}

fn nftables(data: &[u8]) {
    dialect("nftables", data);
}

fn dialect(name: &str, data: &[u8]) {
    let mut sources = SourceMap::new();
    let file = sources.add(SourceFile::from_bytes("fuzzed", data.to_vec()));
    let source = sources.source(file);
    let _claims: Vec<_> = dialect::ALL
        .iter()
        .map(|dialect| dialect.claims(source))
        .collect();
    if let Some(dialect) = dialect::by_name(name) {
        check_spans(dialect, &sources, file);
    }
}

/// Every place that is spoken of lies in the text.
fn check_spans(dialect: &dyn Dialect, sources: &SourceMap, file: portcullis::source::FileId) {
    let reading = dialect.read(&[sources.source(file)]);
    let rules = reading.rulesets.iter().flat_map(|ruleset| &ruleset.chains);
    for rule in rules.flat_map(|chain| &chain.rules) {
        let _text = sources.text(rule.span);
    }
    for label in reading
        .notices
        .iter()
        .filter_map(|notice| notice.primary.as_ref())
    {
        let _place = sources.place(label.span);
    }
}

fn nft_json(data: &[u8]) {
    // Only what begins as JSON is read as such.
    let mut text = br#"{"nftables":"#.to_vec();
    if data.starts_with(b"{") {
        text.clear();
    }
    text.extend_from_slice(data);
    dialect("nftables", &text);
}

fn ports(data: &[u8]) {
    let mut sources = SourceMap::new();
    let file = sources.add(SourceFile::from_bytes("fuzzed.ports", data.to_vec()));
    let _parsed = policy::parse(sources.source(file));
}

fn site_file(data: &[u8]) {
    let mut sources = SourceMap::new();
    let file = sources.add(SourceFile::from_bytes("portcullis.toml", data.to_vec()));
    let _read = site::read(sources.source(file));
}

/// YAML and JSON as trees: every place is one of the text, and what the JSON of others takes is JSON to us too.
fn tree(data: &[u8]) {
    let mut sources = SourceMap::new();
    let file = sources.add(SourceFile::from_bytes("fuzzed", data.to_vec()));
    let source = sources.source(file);
    let yaml = Tree::yaml(source, Schema::Kubernetes);
    let json = Tree::json(source);
    for tree in [&yaml, &json] {
        for problem in tree.problems() {
            assert!(source.text.get(problem.span.range()).is_some(), "{problem:?}");
        }
        for root in tree.documents() {
            check_node(root, source.text);
        }
    }
    let is_json = serde_json::from_str::<serde_json::Value>(source.text).is_ok();
    let doubles = json
        .problems()
        .iter()
        .all(|problem| problem.message.starts_with("key"));
    assert!(!is_json || doubles, "{:?}", json.problems());
}

fn check_node(node: Node<'_>, text: &str) {
    let written = text.get(node.span().range());
    assert!(written.is_some(), "{node:?}");
    let is_verbatim = node.style() == Some(Style::Plain) && node.text() != Some("");
    if is_verbatim && node.text().is_some_and(|text| !text.contains([' ', '\n'])) {
        assert_eq!(node.text(), written);
    }
    for entry in node.entries() {
        check_node(entry.key, text);
        check_node(entry.value, text);
    }
    for item in node.items() {
        check_node(item, text);
    }
}
