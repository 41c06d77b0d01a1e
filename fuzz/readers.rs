//! What is fuzzed: each reader, by name. INVARIANT: a reader takes any bytes without a panic, in bounded time and memory.

use std::fmt::Write as _;

use portcullis::dialect::{self, Dialect};
use portcullis::source::{SourceFile, SourceMap};
use portcullis::tree::{Node, Schema, Style, Tree};
use portcullis::{derive, policy, site, suite};

/// A reader: its name, the endings of files that it reads, and how it is called.
pub(crate) type Reader = (&'static str, &'static [&'static str], fn(&[u8]));

/// All readers.
pub(crate) const READERS: &[Reader] = &[
    ("iptables", &["rules", "v4", "v6"], iptables),
    ("nftables", &["nft", "conf"], nftables),
    ("nft_json", &["json"], nft_json),
    ("ipset", &["save", "ipset"], ipset),
    ("ufw", &["rules", "txt", "profile", "result"], ufw),
    ("firewalld", &["xml", "conf", "out"], firewalld),
    ("ports", &["ports"], ports),
    ("policy_test", &["md"], policy_test),
    ("site", &["toml"], site_file),
    ("kubernetes", &["yaml", "yml", "json"], kubernetes),
    ("tree", &["yaml", "yml", "json"], tree),
    ("cloudformation", &["yaml", "yml", "json"], cloudformation),
    ("heat", &["yaml", "yml"], heat),
    ("recorded", &["json"], recorded),
    ("terraform", &["tf", "tfvars", "json"], terraform),
    ("derive_markdown", &["md"], derive_markdown),
    ("derive_html", &["html"], derive_html),
    ("derive_csv", &["csv"], derive_csv),
    ("derive_tsv", &["tsv"], derive_tsv),
    ("derive_rst", &["rst"], derive_rst),
    ("derive_flattened", &["txt"], derive_flattened),
];

/// Sets that a dump beside a fuzzed file of sets asks for.
const MAX_SETS: usize = 8;

fn iptables(data: &[u8]) {
    dialect("iptables", data);
}

fn nftables(data: &[u8]) {
    dialect("nftables", data);
}

/// A file of sets, and a dump that asks for its first sets from both sides.
fn ipset(data: &[u8]) {
    dialect("ipset", data);
    let text = String::from_utf8_lossy(data);
    let names = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("create "));
    let mut dump = "*filter\n:INPUT DROP [0:0]\n".to_owned();
    for name in names.filter_map(|rest| rest.split(' ').next()).take(MAX_SETS) {
        let _infallible = writeln!(dump, "-A INPUT -m set --match-set {name} src -j ACCEPT");
        let _infallible = writeln!(dump, "-A INPUT -m set ! --match-set {name} dst,src -j DROP");
    }
    dump += "COMMIT\n";
    unit(
        "iptables",
        &[("host.rules", dump.as_bytes()), ("ipset.save", data)],
    );
}

/// One of ufw's files, the others being what they are on many hosts.
fn ufw(data: &[u8]) {
    let fuzzed = which(
        data,
        &[
            "h/etc/ufw/user.rules",
            "h/etc/ufw/user6.rules",
            "h/etc/ufw/before.rules",
            "h/etc/default/ufw",
            "h/etc/ufw/applications.d/web",
            "h/etc/ufw/ufw.conf",
            "status.txt",
        ],
    );
    let user: &[u8] = b"*filter\n### RULES ###\n### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n\
        -A ufw-user-input -p tcp --dport 22 -j ACCEPT\nCOMMIT\n";
    let others: &[(&str, &[u8])] = &[
        ("h/etc/ufw/user.rules", user),
        ("h/etc/default/ufw", b"IPV6=yes\n"),
    ];
    if fuzzed == "status.txt" {
        unit("ufw", &[(fuzzed, data)]);
    } else {
        beside("ufw", (fuzzed, data), others);
    }
}

/// One of firewalld's files, beside a zone that speaks of it.
fn firewalld(data: &[u8]) {
    let fuzzed = which(
        data,
        &[
            "h/etc/firewalld/zones/public.xml",
            "h/etc/firewalld/services/web.xml",
            "h/etc/firewalld/policies/out.xml",
            "h/etc/firewalld/ipsets/banned.xml",
            "h/etc/firewalld/icmptypes/odd.xml",
            "h/etc/firewalld/direct.xml",
            "h/etc/firewalld/firewalld.conf",
            "zones.out",
        ],
    );
    let zone: &[u8] = b"<zone><interface name=\"eth0\"/><service name=\"web\"/><icmp-block name=\"odd\"/>\
        <rule><source ipset=\"banned\"/><drop/></rule></zone>";
    let others: &[(&str, &[u8])] = &[("h/etc/firewalld/zones/home.xml", zone)];
    if fuzzed == "zones.out" {
        unit("firewalld", &[(fuzzed, data)]);
    } else {
        beside("firewalld", (fuzzed, data), others);
    }
}

/// One of several names, by what is in the data.
fn which(data: &[u8], names: &'static [&'static str]) -> &'static str {
    let sum = data
        .iter()
        .fold(0_usize, |sum, byte| sum.wrapping_add(usize::from(*byte)));
    names.get(sum % names.len()).copied().unwrap_or("")
}

/// Reads a file with others, those of its name left out.
fn beside(name: &str, fuzzed: (&str, &[u8]), others: &[(&str, &[u8])]) {
    let mut files = vec![fuzzed];
    files.extend(others.iter().filter(|other| other.0 != fuzzed.0));
    unit(name, &files);
}

/// Reads several files as one unit.
fn unit(name: &str, files: &[(&str, &[u8])]) {
    let mut sources = SourceMap::new();
    let files = files
        .iter()
        .map(|(name, bytes)| sources.add(SourceFile::from_bytes(*name, bytes.to_vec())));
    let files: Vec<_> = files.collect();
    if let Some(dialect) = dialect::by_name(name) {
        check_spans(dialect, &sources, &files);
    }
}

fn kubernetes(data: &[u8]) {
    dialect("kubernetes", data);
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
        check_spans(dialect, &sources, &[file]);
    }
}

/// Every place that is spoken of lies in the text.
fn check_spans(dialect: &dyn Dialect, sources: &SourceMap, files: &[portcullis::source::FileId]) {
    let files: Vec<_> = files.iter().map(|file| sources.source(*file)).collect();
    let reading = dialect.read(&files);
    let rules = reading.rulesets.iter().flat_map(|ruleset| &ruleset.chains);
    for rule in rules.flat_map(|chain| &chain.rules) {
        let _text = sources.text(rule.span);
    }
    let sides = reading
        .groups
        .iter()
        .flat_map(|group| [&group.ingress, &group.egress]);
    for rule in sides.flatten().flat_map(|side| &side.rules) {
        let matches = rule.matches.iter().map(|one| one.span);
        for span in matches.chain([rule.span, rule.action_span]) {
            let text = sources.file(span.file).text().get(span.range());
            assert!(text.is_some(), "{span:?}");
        }
    }
    for label in reading
        .notices
        .iter()
        .filter_map(|notice| notice.primary.as_ref())
    {
        let _place = sources.place(label.span);
    }
}

fn cloudformation(data: &[u8]) {
    dialect("cloudformation", data);
}

fn heat(data: &[u8]) {
    dialect("heat", data);
}

fn recorded(data: &[u8]) {
    dialect("recorded", data);
}

/// One text as a file of each kind: HCL, JSON, a plan.
fn terraform(data: &[u8]) {
    for name in ["main.tf", "main.tf.json", "plan.json"] {
        unit("terraform", &[(name, data), ("terraform.tfvars", b"x = 1\n")]);
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

/// A page of tests. Nothing of it is run.
fn policy_test(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(cases) = suite::read(&text) {
        let n_lines = text.lines().count();
        for case in cases {
            assert!(case.line <= n_lines && case.files.iter().all(|file| file.line <= n_lines + 1));
        }
    }
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

fn derive_markdown(data: &[u8]) {
    derived("doc.md", data);
}

fn derive_html(data: &[u8]) {
    derived("doc.html", data);
}

fn derive_csv(data: &[u8]) {
    derived("doc.csv", data);
}

fn derive_tsv(data: &[u8]) {
    derived("doc.tsv", data);
}

fn derive_rst(data: &[u8]) {
    derived("doc.rst", data);
}

fn derive_flattened(data: &[u8]) {
    derived("doc.txt", data);
}

/// A document as its form: spans lie in the text, every row is accounted for, and what is written reads again.
fn derived(name: &str, data: &[u8]) {
    let mut sources = SourceMap::new();
    let file = sources.add(SourceFile::from_bytes(name, data.to_vec()));
    let derivation = derive::derive(sources.source(file), &derive::Options::default());
    let text = sources.file(file).text();
    let notes = [&derivation.guessed, &derivation.left, &derivation.skipped];
    let spans = notes.into_iter().flatten().map(|note| note.span);
    for span in spans.chain(derivation.problems.iter().map(|problem| problem.span)) {
        assert!(text.get(span.range()).is_some(), "{span:?} is not in the text");
    }
    assert_eq!(derivation.n_rows, derivation.n_derived + derivation.left.len());
    assert_eq!(derivation.text.is_empty(), !derivation.problems.is_empty());
    let policy = sources.add_text("derived.ports", derivation.text.as_str());
    let parsed = policy::parse(sources.source(policy));
    assert!(parsed.errors.is_empty(), "{}", derivation.text);
    let ours = "this is a mistake of the program";
    assert!(
        !derivation
            .problems
            .iter()
            .any(|problem| problem.help.starts_with(ours)),
        "{:?}",
        derivation.problems
    );
}
