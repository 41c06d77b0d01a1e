//! Rulesets to be judged: files, parts of files, generated ones. INVARIANT: what the kernel gets says the same as what we
//! read, and is that very text unless a test says otherwise.

use std::path::Path;

use portcullis::dialect::{Claim, Dialect, detect};
use portcullis::model::Ruleset;
use portcullis::packet::Family;
use portcullis::source::{Source, SourceFile, SourceMap};

use crate::loading::Tool;

/// A ruleset and the way that it takes into the kernel.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    name: String,
    pub(crate) text: String,
    pub(crate) tool: Tool,
    /// What the kernel gets, if it is not the text itself.
    pub(crate) loaded: Option<String>,
    /// The sets that its rules ask for, as ipset saves them.
    pub(crate) sets: Option<String>,
    /// The other files of a unit, by their paths, where the name is one too.
    parts: Vec<(String, String)>,
    /// The family that alone is judged, if a text says something of both.
    family: Option<Family>,
}

impl Subject {
    /// A text by its name, loaded by the tool of its language.
    pub(crate) fn new(name: &str, text: String) -> Self {
        let mut subject = Self {
            name: name.to_owned(),
            text,
            tool: Tool::Iptables,
            loaded: None,
            sets: None,
            parts: Vec::new(),
            family: None,
        };
        if subject.in_source(|source| detect(source).is_some_and(|dialect| dialect.name() == "nftables")) {
            subject.tool = Tool::Nft;
        }
        subject
    }

    /// The same, loaded by another tool.
    pub(crate) fn by(self, tool: Tool) -> Self {
        Self { tool, ..self }
    }

    /// The same, said to the kernel in other words.
    pub(crate) fn in_words(self, text: &str) -> Self {
        Self {
            loaded: Some(text.to_owned()),
            ..self
        }
    }

    /// The same, with sets that its rules ask for.
    pub(crate) fn with_sets(self, sets: String) -> Self {
        Self {
            sets: Some(sets),
            ..self
        }
    }

    /// Files of one unit by their paths, the first of which names it; the kernel gets what another program makes of them.
    pub(crate) fn of_files(files: &[(String, String)], tool: Tool, loaded: &str) -> Self {
        let ((name, text), parts) = files.split_first().unwrap();
        let parts = parts.to_vec();
        let subject = Self::new(name, text.clone()).by(tool).in_words(loaded);
        Self { parts, ..subject }
    }

    /// All its files, each with its path.
    pub(crate) fn files(&self) -> Vec<(String, String)> {
        let sets = self
            .sets
            .iter()
            .map(|sets| ("ipset.save".to_owned(), sets.clone()));
        let all = std::iter::once((self.file_name(), self.text.clone())).chain(sets);
        all.chain(self.parts.iter().cloned()).collect()
    }

    /// The same, of one family alone.
    pub(crate) fn of(self, family: Family) -> Self {
        Self {
            family: Some(family),
            ..self
        }
    }

    /// The interfaces that must be there for nft to take the text: those that are asked for by their index, or filtered.
    pub(crate) fn interfaces(&self) -> Vec<String> {
        let is_end = |letter: char| letter.is_whitespace() || ",;{}=[]".contains(letter);
        let mut words = self
            .text
            .split(is_end)
            .filter(|word| !word.is_empty() && *word != "!");
        let mut found = Vec::new();
        while let Some(word) = words.next() {
            if self.tool == Tool::Nft && matches!(word, "iif" | "oif" | "device" | "devices") {
                let names = words.clone().take(3).map(|name| name.trim_matches('"'));
                found.extend(names.take_while(|name| matches!(*name, "lo" | "eth0" | "eth1" | "wg0")));
            }
        }
        found.into_iter().map(str::to_owned).collect()
    }

    /// The file's name: what it ends with can say what it is.
    pub(crate) fn file_name(&self) -> String {
        if !self.parts.is_empty() {
            return self.name.clone();
        }
        let name = self.name.rsplit('/').next().unwrap_or_default();
        name.replace(
            |letter: char| !letter.is_ascii_alphanumeric() && !"._-".contains(letter),
            "-",
        )
    }

    fn in_source<T>(&self, ask: impl Fn(Source<'_>) -> T) -> T {
        let mut sources = SourceMap::new();
        let file = sources.add_text(self.file_name(), self.text.as_str());
        ask(sources.source(file))
    }

    /// The rulesets and the families that they filter. Tools but nft take one family at a time.
    pub(crate) fn read(&self) -> Result<(Vec<Ruleset>, Vec<Family>), String> {
        let mut sources = SourceMap::new();
        let files = self.files().into_iter();
        let files: Vec<_> = files.map(|(name, text)| sources.add_text(name, text)).collect();
        let unit: Vec<_> = files.into_iter().map(|file| sources.source(file)).collect();
        let read = detect(unit[0]).map(|dialect| dialect.read(&unit).rulesets);
        let mut rulesets = read.ok_or("is in no language that we read")?;
        if let Some(family) = self.family {
            rulesets.retain(|ruleset| ruleset.families.include(family));
        }
        let filters = |family: &Family| {
            let mut families = rulesets.iter().map(|ruleset| ruleset.families);
            families.any(|families| families.include(*family))
        };
        let families: Vec<_> = Family::ALL.into_iter().filter(filters).collect();
        match families.as_slice() {
            [] => Err("has no ruleset".to_owned()),
            [_, _, ..] if self.tool != Tool::Nft => Err("is of two families".to_owned()),
            _ => Ok((rulesets, families)),
        }
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let how = match self.tool {
            Tool::Iptables => "",
            Tool::IptablesLegacy => " (legacy)",
            Tool::Nft => " (nft)",
        };
        write!(to, "{}{how}", self.name)
    }
}

/// Whether a text is a dump and nothing else, such as a page about dumps or the output of somebody's tests.
fn is_whole(text: &str) -> bool {
    let mut is_inside = false;
    let mut outside = text.lines().map(str::trim).filter(|line| {
        let was_inside = is_inside;
        is_inside = line.starts_with('*') || (is_inside && *line != "COMMIT");
        !is_inside && !was_inside
    });
    text.contains("COMMIT") && outside.all(|line| line.is_empty() || line.starts_with('#'))
}

/// Whether a text is a dump of iptables by what is in it. Files that ufw loads are parts of something, and no dumps.
fn is_iptables(source: Source<'_>) -> bool {
    let is_dump =
        |dialect: &dyn Dialect| dialect.name() == "iptables" && dialect.claims(source) == Claim::Content;
    detect(source).is_some_and(is_dump)
}

/// The dumps of a folder, whatever their files are called.
pub(crate) fn dumps(root: &Path) -> Vec<Subject> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
        let entry = entry.unwrap();
        // Larger files are no dumps, and reading all of them would take the time.
        if !entry.file_type().is_file() || entry.metadata().is_ok_and(|about| about.len() > 1 << 20) {
            continue;
        }
        let Ok(bytes) = std::fs::read(entry.path()) else {
            continue;
        };
        let mut sources = SourceMap::new();
        let file = sources.add(SourceFile::from_bytes("dump", bytes));
        let source = sources.source(file);
        if is_whole(source.text) && is_iptables(source) {
            found.push(Subject::new(
                &entry.path().to_string_lossy(),
                source.text.to_owned(),
            ));
        }
    }
    found
}
