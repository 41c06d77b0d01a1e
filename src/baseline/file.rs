//! Baselines as files: JSON, version 1 (`docs/baseline.md`, `docs/baseline.schema.json`). Fields are added, never renamed or removed.
//!
//! INVARIANT: the same findings are the same bytes, sorted, an entry's fields a line each, so that a change of the file is
//! a change of what is known.

use std::io;

use serde::Serialize;

use super::{Entry, Key, tidy};
use crate::finding::{Certainty, Code, Packets};
use crate::packet::Product;
use crate::source::{Source, Span};
use crate::tree::{Node, Tree};

/// How the file is called unless it is said.
pub const DEFAULT_NAME: &str = "portcullis-baseline.json";

#[derive(Serialize)]
struct FileV1<'e> {
    version: u32,
    findings: Vec<EntryV1<'e>>,
}

#[derive(Serialize)]
struct EntryV1<'e> {
    code: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    file: &'e str,
    #[serde(skip_serializing_if = "str::is_empty")]
    object: &'e str,
    certainty: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    rows: &'e [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    packets: &'e [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    way: Option<&'e str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    products: &'e [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
}

/// Writes entries, each once.
pub fn write(entries: &[Entry], out: &mut dyn io::Write) -> io::Result<()> {
    let mut entries = entries.to_vec();
    tidy(&mut entries);
    let file = FileV1 {
        version: 1,
        findings: entries.iter().map(mirror).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &file)?;
    writeln!(out)
}

fn mirror(entry: &Entry) -> EntryV1<'_> {
    EntryV1 {
        code: entry.key.code.id(),
        file: &entry.key.file,
        object: &entry.key.object,
        certainty: entry.key.certainty.word(),
        rows: &entry.key.rows,
        packets: &entry.extent,
        way: entry.packets.as_ref().map(|packets| packets.way.as_str()),
        products: entry.packets.as_ref().map_or(&[], |packets| &packets.products),
        region: entry.region.map(|region| format!("{region:016x}")),
        text: entry.key.text.as_deref(),
        count: (entry.count > 1).then_some(entry.count),
    }
}

/// Why a baseline cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    /// The bytes that are wrong.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// Reads a baseline: its entries with their places.
pub fn read(source: Source<'_>) -> Result<Vec<(Entry, Option<Span>)>, Misread> {
    let start = Span::new(source.file, 0, 0);
    let misread = |span: Span, message: String| Misread {
        span,
        message,
        help: "write it again: `portcullis baseline`".to_owned(),
    };
    let tree = Tree::json(source);
    if let Some(problem) = tree.problems().first() {
        return Err(misread(problem.span, problem.message.clone()));
    }
    let root = tree.documents().next();
    let root = root.ok_or_else(|| misread(start, "there is nothing in this baseline".into()))?;
    let version = root.get("version");
    if version.and_then(|version| version.as_int()) != Some(1) {
        let span = version.map_or(start, |version| version.span());
        return Err(misread(span, "this is no baseline of version 1".into()));
    }
    let findings = root.get("findings").filter(Node::is_sequence);
    let findings = findings.ok_or_else(|| misread(start, "a baseline has a list `findings`".into()))?;
    let read = |node: Node<'_>| match entry(node) {
        Ok(entry) => Ok((
            entry,
            Some(node.get("code").map_or(node.span(), |code| code.span())),
        )),
        Err(message) => Err(misread(node.span(), message)),
    };
    findings.items().map(read).collect()
}

fn entry(node: Node<'_>) -> Result<Entry, String> {
    let text = |key: &str| match node.get(key) {
        None => Ok(None),
        Some(value) => match value.as_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(format!("`{key}` of an entry is a text")),
        },
    };
    let texts = |key: &str| match node.get(key) {
        None => Ok(Vec::new()),
        Some(value) => {
            let items = value.items().map(|item| item.as_str().map(str::to_owned));
            let texts = items.collect::<Option<Vec<_>>>().filter(|_| value.is_sequence());
            texts.ok_or_else(|| format!("`{key}` of an entry is a list of texts"))
        }
    };
    let code = text("code")?.unwrap_or_default();
    let code = Code::by_id(&code).ok_or_else(|| format!("there is no finding code `{code}`"))?;
    let certainty = match text("certainty")?.as_deref() {
        Some("surely") => Certainty::Surely,
        Some("possibly") => Certainty::Possibly,
        _ => return Err("`certainty` of an entry is `surely` or `possibly`".into()),
    };
    let region = text("region")?
        .map(|text| {
            u64::from_str_radix(&text, 16).map_err(|_| "`region` of an entry is a hexadecimal number")
        })
        .transpose()?;
    let products = texts("products")?;
    if let Some(wrong) = products.iter().find(|text| text.parse::<Product>().is_err()) {
        return Err(format!("`{wrong}` is no product of packets"));
    }
    let packets = text("way")?.map(|way| Packets { way, products });
    let count = match node.get("count") {
        None => 1,
        Some(value) => value
            .as_int()
            .and_then(|count| usize::try_from(count).ok())
            .filter(|count| *count > 0)
            .ok_or("`count` of an entry is a number from 1 on")?,
    };
    Ok(Entry {
        key: Key {
            file: text("file")?.unwrap_or_default(),
            object: text("object")?.unwrap_or_default(),
            code,
            certainty,
            rows: texts("rows")?,
            text: text("text")?,
        },
        extent: texts("packets")?,
        packets,
        region,
        count,
    })
}
