//! The grammars in `grammar/` held against the parsers in `src/`: what one takes the other takes, and the doc lines
//! of the parser are the grammar's text. `GRAMMAR_SEED=N` tries other sentences than the fixed ones.
#![cfg(test)]

#[path = "support/ebnf/mod.rs"]
mod ebnf;
#[path = "support/file.rs"]
mod file;
#[path = "support/language.rs"]
mod language;
#[path = "support/listing.rs"]
mod listing;
#[path = "support/say.rs"]
mod say;

use ebnf::Grammar;
use language::Language;
use portcullis::source::SourceMap;

/// A grammar with the parser that it is held against.
struct Entry {
    /// `grammar/NAME.ebnf`
    name: &'static str,
    /// The folder or file of the parser.
    sources: &'static str,
    /// Whether the parser takes all of a text without complaint.
    parses: fn(&str) -> bool,
    /// The parser's reserved words, if names must not be one.
    reserved: Option<&'static [&'static str]>,
    /// Folders and file extensions of texts that are derivable.
    legal: &'static [(&'static str, &'static str)],
    /// Folders and file extensions of texts with mistakes: derivable only where the parser takes them too, and
    /// the mistake is one of meaning.
    illegal: &'static [(&'static str, &'static str)],
}

const ENTRIES: &[Entry] = &[
    Entry {
        name: "calico-selector",
        sources: "src/dialect/kubernetes/calico",
        parses: parses_calico_selector,
        reserved: None,
        legal: &[],
        illegal: &[],
    },
    Entry {
        name: "ipset",
        sources: "src/dialect/ipset",
        parses: parses_ipset,
        reserved: None,
        legal: &[("fixtures/ipset", "save")],
        illegal: &[("fixtures/errors/ipset", "save")],
    },
    Entry {
        name: "iptables",
        sources: "src/dialect/iptables",
        parses: parses_iptables,
        reserved: None,
        legal: &[],
        illegal: &[("fixtures/errors/iptables", "rules")],
    },
    Entry {
        name: "nftables",
        sources: "src/dialect/nftables",
        parses: parses_nftables,
        reserved: None,
        legal: &[],
        illegal: &[("fixtures/errors/nftables", "nft")],
    },
    Entry {
        name: "ports",
        sources: "src/policy/parser",
        parses: parses_ports,
        reserved: Some(portcullis::policy::RESERVED),
        legal: &[
            ("policies", "ports"),
            ("fixtures/policy/ok", "ports"),
            ("fixtures/generated", "ports"),
        ],
        illegal: &[("fixtures/policy/err", "ports")],
    },
    Entry {
        name: "ufw",
        sources: "src/dialect/ufw",
        parses: parses_tuple,
        reserved: None,
        legal: &[],
        illegal: &[],
    },
];

fn parses_ports(text: &str) -> bool {
    let mut sources = SourceMap::new();
    let file = sources.add_text("sentence.ports", text);
    portcullis::policy::parse(sources.source(file)).errors.is_empty()
}

/// A selector where all of the language may stand, in a policy that a program wrote.
fn parses_calico_selector(text: &str) -> bool {
    use portcullis::dialect::{Dialect, kubernetes::Kubernetes};
    use portcullis::finding::Code;
    let policy = serde_json::json!({
        "apiVersion": "projectcalico.org/v3", "kind": "GlobalNetworkPolicy", "metadata": {"name": "sentence"},
        "spec": {"ingress": [{"action": "Allow", "source": {"namespaceSelector": text}}]},
    });
    let mut sources = SourceMap::new();
    let file = sources.add_text("sentence.json", policy.to_string());
    let notices = Kubernetes.read(&[sources.source(file)]).notices;
    notices.iter().all(|notice| notice.code != Code::UnreadText)
}

/// Warnings are of meaning: a range in which nothing is, a table that comes again.
fn parses_iptables(text: &str) -> bool {
    use portcullis::dialect::{Dialect, iptables::Iptables};
    use portcullis::finding::{Code, Severity};
    let mut sources = SourceMap::new();
    let file = sources.add_text("sentence.rules", text);
    let notices = Iptables.read(&[sources.source(file)]).notices;
    notices.iter().all(|notice| {
        let is_of_context = OF_CONTEXT.iter().any(|words| notice.message.contains(words));
        notice.code != Code::UnreadText || notice.severity < Severity::Error || is_of_context
    })
}

/// What is said about a text that the grammar cannot say: it takes what stands elsewhere, or what a number means.
const OF_CONTEXT: &[&str] = &[
    "ends before it starts",
    "this overlaps",
    "is declared again",
    "does not belong into this chain",
    "more than 15 ports",
    "comes twice",
    "lacks an option",
    "this is said twice",
    "holds single values, no intervals",
    "intervals of this set overlap",
    "no hook calls this chain",
    "goes with another family or protocol",
    "only TCP is answered by a reset",
    "than what stands before it",
    "and its table of one",
    "this answer is of the other family",
];

/// What is said of elements, and of options of a type of sets, is of context: the grammar does not know the type.
fn parses_ipset(text: &str) -> bool {
    use portcullis::dialect::{Dialect, ipset::Ipset};
    let mut sources = SourceMap::new();
    let file = sources.add_text("sentence.save", text);
    let notices = Ipset.read(&[sources.source(file)]).notices;
    let is_of_context = |message: &str| OF_SETS.iter().any(|words| message.contains(words));
    notices.iter().all(|notice| is_of_context(&notice.message))
}

const OF_SETS: &[&str] = &[
    "is not created",
    "is there already",
    "is no option of",
    "is no element of",
    "is a list itself",
    "cannot be in a",
    "is outside of the range",
    "without `range`",
    "is not an IPv",
    "is not one IPv6",
    "is not a port",
    "is not a protocol",
    "has no ports",
    "is not an ICMP type",
    "is not a hardware address",
    "is not the name of an interface",
    "is not a mark",
    "is not a mask",
];

fn parses_nftables(text: &str) -> bool {
    use portcullis::dialect::{Dialect, nftables::Nftables};
    use portcullis::finding::Code;
    let mut sources = SourceMap::new();
    let file = sources.add_text("sentence.nft", text);
    let notices = Nftables.read(&[sources.source(file)]).notices;
    let is_of_context = |message: &str| OF_CONTEXT.iter().any(|words| message.contains(words));
    notices
        .iter()
        .all(|notice| notice.code != Code::UnreadText || is_of_context(&notice.message))
}

/// One line that ufw takes for a rule of its own.
fn parses_tuple(text: &str) -> bool {
    use portcullis::dialect::{Dialect, ufw::Ufw};
    use portcullis::finding::Code;
    let mut sources = SourceMap::new();
    let file = sources.add_text("user.rules", text);
    let notices = Ufw.read(&[sources.source(file)]).notices;
    let is_of_context = |message: &str| OF_CONTEXT.iter().any(|words| message.contains(words));
    text.starts_with("### tuple ###")
        && !text.contains('\n')
        && notices
            .iter()
            .all(|notice| notice.code != Code::UnreadText || is_of_context(&notice.message))
}

fn seed() -> u64 {
    let seed = std::env::var("GRAMMAR_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(1);
    println!("GRAMMAR_SEED={seed}");
    seed
}

/// Runs a check on every language and fails with all that it found.
fn check_all(check: impl Fn(&Entry, &Language<'_>) -> Vec<String>) {
    let mut wrong = Vec::new();
    for entry in ENTRIES {
        let grammar = Grammar::read(&file::text(&format!("grammar/{}.ebnf", entry.name)));
        let source: Vec<String> = listing::below(entry.sources, "rs")
            .iter()
            .map(|path| file::text(path))
            .collect();
        let language = Language {
            name: entry.name,
            grammar: grammar.unwrap_or_else(|error| panic!("grammar/{}.ebnf: {error}", entry.name)),
            source: source.join("\n"),
            parses: &entry.parses,
            reserved: entry.reserved,
        };
        wrong.extend(check(entry, &language));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_sentence_is_parsed_and_every_alternative_used() {
    check_all(|_, language| language.refused_sentences(seed()));
}

#[test]
fn slightly_wrong_sentences_are_refused_alike() {
    check_all(|_, language| language.disputed_mutants(seed()));
}

/// Sentences that nft is asked about.
const N_ASKED: usize = 400;

/// What nft or the kernel has against a legal sentence: names of hosts that are not known here, a burst of nothing, NAT before
/// connection tracking.
const OF_KERNEL: &[&str] = &[
    "Could not resolve hostname",
    "burst must be > 0",
    "Could not process rule: Operation not supported",
];

/// What is legal by the grammar is legal by nft too, or the reader complains of it.
#[test]
fn nft_takes_the_sentences() {
    if let Err(why) = nft_takes("table ip t\n") {
        assert!(
            std::env::var_os("PORTCULLIS_CI").is_none(),
            "nft cannot be asked: {why}"
        );
        say::say(&format!("skipped: grammar: nft cannot be asked: {why}"));
        return;
    }
    let grammar = Grammar::read(&file::text("grammar/nftables.ebnf")).unwrap();
    let mut generator = grammar.generator(seed());
    let (mut n_refused, mut n_left_out, mut wrong) = (0, 0, Vec::new());
    for _ in 0..N_ASKED {
        let sentence = generator.sentence().unwrap().text + "\n";
        // A comment in a line of its own swallows the line break behind it, and with it the end of a line that was
        // continued into it: an oddity of nft's scanner, not of its language.
        let mut continued = sentence.split("\\\n").skip(1);
        if continued.any(|line| line.trim_start_matches([' ', '\t']).starts_with('#')) {
            n_left_out += 1;
            continue;
        }
        let Err(why) = nft_takes(&sentence) else { continue };
        if OF_KERNEL.iter().any(|words| why.contains(words)) {
            n_left_out += 1;
            continue;
        }
        n_refused += 1;
        if !complains(&sentence) {
            wrong.push(format!("{why}\n{sentence}"));
        }
    }
    println!("nft refuses {n_refused} of {N_ASKED} sentences, {n_left_out} left out");
    assert!(
        wrong.is_empty(),
        "nft refuses {} sentences:\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}

/// Whether our reader has something against a text.
fn complains(text: &str) -> bool {
    use portcullis::dialect::{Dialect, nftables::Nftables};
    use portcullis::finding::Severity;
    let mut sources = SourceMap::new();
    let file = sources.add_text("sentence.nft", text);
    let notices = Nftables.read(&[sources.source(file)]).notices;
    notices.iter().any(|notice| notice.severity == Severity::Error)
}

/// What nft says against a text, in a network namespace of its own.
fn nft_takes(text: &str) -> Result<(), String> {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut child = Command::new("unshare")
        .args(["--net", "nft", "--check", "--file", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    // A program that is not there reads nothing.
    let _unread = child.stdin.take().unwrap().write_all(text.as_bytes());
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

#[test]
fn fixtures_are_derivable_and_errors_are_not() {
    check_all(|entry, language| {
        let mut wrong = Vec::new();
        for (folders, is_legal) in [(entry.legal, true), (entry.illegal, false)] {
            for path in folders
                .iter()
                .flat_map(|(folder, extension)| listing::below(folder, extension))
            {
                let text = file::text(&path).replace("\r\n", "\n");
                let is_legal = is_legal || (entry.parses)(&text);
                wrong.extend(language.misjudged(&path, &text, is_legal));
            }
        }
        wrong
    });
}

#[test]
fn the_doc_lines_of_the_parser_are_the_grammar() {
    check_all(|_, language| language.strayed_names());
}

#[test]
fn grammar_and_parser_reserve_the_same_words() {
    check_all(|_, language| language.strayed_words());
}

#[test]
fn every_grammar_is_held_against_a_parser() {
    let grammars = listing::below("grammar", "ebnf");
    let entries: Vec<String> = ENTRIES
        .iter()
        .map(|entry| format!("grammar/{}.ebnf", entry.name))
        .collect();
    assert!(
        grammars.iter().all(|path| entries.contains(path)),
        "{grammars:?} are not all in {entries:?}"
    );
}
