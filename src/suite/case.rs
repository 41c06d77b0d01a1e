//! Literate cases: Markdown to input files and the findings that are expected in them. INVARIANT: every finding must
//! be expected and every expectation met, so a case says what a finding is *not*, too.
//!
//! Each heading begins a case of its own; headings without files are prose. A fenced block is a file:
//!
//! - its name stands on a line before it, "`hosts/edge.rules`:", else it comes from the block's language (see
//!   [`DEFAULT_NAMES`]); blocks of `text` or `console` are illustrations;
//! - `# expect: CODE ["text"] [possibly] [SEVERITY]` at the end of a line expects a finding whose primary span begins in
//!   that line, with `text` in its message, its primary label, its extent or its help; several may follow each other. The
//!   comment is taken off before the file is read, so it may stand in any language and changes no line number;
//! - `# related: "text"` likewise expects that a related label of some finding begins in that line, with `text` in it. Other
//!   related labels need no expectation.
//!
//! In the prose, each on a line of its own:
//!
//! - `expect: CODE ["text"] [possibly] [SEVERITY]` expects a finding that lies in none of the case's files;
//! - `quiet: CODE` says that the case is there to show what `CODE` is not about;
//! - `says: TEXT` expects a line of the summary with that text;
//! - `budget: N` gives the analysis of a host that many edges.

use portcullis::finding::{Certainty, Code, Finding, Label, Severity};
use portcullis::source::SourceMap;

/// Languages of blocks that are files without being named, and the names they get.
const DEFAULT_NAMES: &[(&str, &str)] = &[
    ("ports", "policy.ports"),
    ("iptables", "host.rules"),
    ("ip6tables", "host.rules6"),
    ("ipset", "ipset.save"),
    ("nft", "host.nft"),
    ("toml", "portcullis.toml"),
    ("cloudformation", "template.yaml"),
    ("terraform", "main.tf"),
];
const ILLUSTRATIONS: &[&str] = &["text", "console"];

/// One case.
#[derive(Debug, Default)]
pub(crate) struct Case {
    /// Its heading.
    pub(crate) title: String,
    /// Line of the heading in the Markdown.
    pub(crate) line: usize,
    /// Its files in order.
    pub(crate) files: Vec<File>,
    /// What must be found, and nothing else.
    pub(crate) expected: Vec<Expectation>,
    /// Labels that findings must have besides.
    pub(crate) related: Vec<Related>,
    /// Codes that it shows not to fire.
    pub(crate) quiet: Vec<Code>,
    /// What the summary must say.
    pub(crate) says: Vec<String>,
    /// Edges for the analysis of a host, if not as many as usual.
    pub(crate) budget: Option<usize>,
}

/// An input file of a case.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) name: String,
    /// The language of its block.
    pub(crate) language: String,
    /// Its text without expectations.
    pub(crate) text: String,
}

/// A finding that must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expectation {
    /// File name and line, from 1.
    pub(crate) place: Option<(String, usize)>,
    pub(crate) code: Code,
    pub(crate) text: Option<String>,
    pub(crate) certainty: Certainty,
    pub(crate) severity: Option<Severity>,
}

/// A related label, by its file, line from 1, and words.
pub(crate) type Related = (String, usize, String);

/// What a case needs to know of a finding.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    place: Option<(String, usize)>,
    code: Code,
    certainty: Certainty,
    severity: Severity,
    message: String,
    /// Message, label, extent and help, a line each.
    text: String,
    related: Vec<Related>,
}

impl Found {
    /// Reduces a finding. Files are named as below the folder `root`, as the source map shows it;
    /// what lies in others, such as shipped policies, lies nowhere.
    pub(crate) fn of(finding: &Finding, sources: &SourceMap, root: &str) -> Self {
        let place_of = |label: &Label| {
            let file = sources.file(label.span.file);
            let name = file.name().strip_prefix(root)?.trim_start_matches('/');
            Some((name.to_owned(), file.line_column(label.span.start).line))
        };
        let place = finding.primary.as_ref().and_then(place_of);
        let related = finding.related.iter().filter_map(|label| {
            let (name, line) = place_of(label)?;
            Some((name, line, label.message.clone()))
        });
        let mut text = vec![finding.message.clone()];
        text.extend(finding.primary.iter().map(|label| label.message.clone()));
        text.extend(finding.extent.iter().cloned());
        text.extend(finding.help.clone());
        Self {
            place,
            code: finding.code,
            certainty: finding.certainty,
            severity: finding.severity,
            message: finding.message.clone(),
            text: text.join("\n"),
            related: related.collect(),
        }
    }
}

/// Reads a Markdown file of cases. Errors name the line.
pub(crate) fn read(markdown: &str) -> Result<Vec<Case>, String> {
    let mut reader = Reader::default();
    for (at, line) in markdown.lines().enumerate() {
        reader
            .line(at + 1, line)
            .map_err(|error| format!("line {}: {error}", at + 1))?;
    }
    if reader.block.is_some() {
        return Err("a block is not closed".to_owned());
    }
    reader.end_case();
    for case in &reader.cases {
        if let Some(code) = case
            .quiet
            .iter()
            .find(|code| case.expected.iter().any(|one| one.code == **code))
        {
            return Err(format!(
                "line {}: `{}` is both quiet and expected",
                case.line,
                code.id()
            ));
        }
    }
    Ok(reader.cases)
}

impl Case {
    /// Everything that is wrong with what was found, and with the lines of the summary.
    pub(crate) fn differences(&self, found: &[Found], summary: &[String]) -> Vec<String> {
        let mut left: Vec<&Found> = found.iter().collect();
        let unsaid = |says: &&String| !summary.iter().any(|line| line.contains(says.as_str()));
        let mut wrong: Vec<String> = self
            .says
            .iter()
            .filter(unsaid)
            .map(|says| format!("the summary does not say \"{says}\", only {summary:?}"))
            .collect();
        let related: Vec<&Related> = found.iter().flat_map(|found| &found.related).collect();
        for (name, line, text) in &self.related {
            let is_there = |label: &&Related| label.0 == *name && label.1 == *line && label.2.contains(text);
            if !related.iter().copied().any(|label| is_there(&label)) {
                wrong.push(format!("{name}:{line}: no related label \"{text}\""));
            }
        }
        let mut expected: Vec<&Expectation> = self.expected.iter().collect();
        expected.sort_by_key(|expectation| expectation.text.is_none());
        for expectation in expected {
            match left.iter().position(|found| expectation.is_met_by(found)) {
                Some(at) => drop(left.remove(at)),
                None => wrong.push(format!("{}: not found", expectation.shown())),
            }
        }
        wrong.extend(
            left.into_iter()
                .map(|found| format!("{}: not expected", found.shown())),
        );
        wrong
            .into_iter()
            .map(|wrong| format!("{} (line {}): {wrong}", self.title, self.line))
            .collect()
    }
}

impl Expectation {
    fn is_met_by(&self, found: &Found) -> bool {
        self.place == found.place
            && self.code == found.code
            && self.certainty == found.certainty
            && self.severity.is_none_or(|severity| severity == found.severity)
            && self
                .text
                .as_ref()
                .is_none_or(|text| found.text.contains(text.as_str()))
    }

    fn shown(&self) -> String {
        let text = self
            .text
            .as_ref()
            .map_or(String::new(), |text| format!(" {text:?}"));
        format!(
            "{} {} {}{text}",
            shown_place(self.place.as_ref()),
            self.certainty.word(),
            self.code.id()
        )
    }
}

impl Found {
    fn shown(&self) -> String {
        let place = shown_place(self.place.as_ref());
        format!(
            "{place} {} {} \"{}\" {}",
            self.certainty.word(),
            self.code.id(),
            self.message,
            self.severity.word()
        )
    }
}

fn shown_place(place: Option<&(String, usize)>) -> String {
    place.map_or("nowhere".to_owned(), |(file, line)| format!("{file}:{line}"))
}

#[derive(Default)]
struct Reader {
    cases: Vec<Case>,
    case: Case,
    /// The name on the last line that was not blank.
    name: Option<String>,
    block: Option<Block>,
}

struct Block {
    fence: String,
    /// `None`: an illustration.
    file: Option<File>,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Result<(), String> {
        if let Some(block) = &mut self.block {
            if line.trim_end() == block.fence {
                self.case
                    .files
                    .extend(self.block.take().and_then(|block| block.file));
            } else if let Some(file) = &mut block.file {
                let (line, related) = split_related(line)?;
                let (text, expectations) = split_expectations(line)?;
                file.text.push_str(text);
                file.text.push('\n');
                let line = file.text.matches('\n').count();
                let place = Some((file.name.clone(), line));
                let placed = expectations.into_iter().map(|one| Expectation {
                    place: place.clone(),
                    ..one
                });
                self.case.expected.extend(placed);
                let related = related.into_iter().map(|text| (file.name.clone(), line, text));
                self.case.related.extend(related);
            }
            return Ok(());
        }
        if line.starts_with("```") {
            return self.begin_block(line);
        }
        if line.trim().is_empty() {
            return Ok(());
        }
        self.name = named(line);
        if line.starts_with('#') {
            self.end_case();
            line.trim_start_matches('#')
                .trim()
                .clone_into(&mut self.case.title);
            self.case.line = number;
        } else if let Some(text) = line.strip_prefix("expect:") {
            self.case.expected.push(expectation(text)?);
        } else if let Some(text) = line.strip_prefix("quiet:") {
            self.case.quiet.push(code(text.trim())?);
        } else if let Some(text) = line.strip_prefix("says:") {
            self.case.says.push(text.trim().to_owned());
        } else if let Some(text) = line.strip_prefix("budget:") {
            let budget = text
                .trim()
                .parse()
                .map_err(|_| format!("`{text}` is no number"))?;
            self.case.budget = Some(budget);
        }
        Ok(())
    }

    fn begin_block(&mut self, line: &str) -> Result<(), String> {
        let language = line.trim_start_matches('`').trim();
        let fence = line.chars().take_while(|c| *c == '`').collect();
        let default = DEFAULT_NAMES
            .iter()
            .find(|(known, _)| *known == language)
            .map(|(_, name)| *name);
        let name = match (self.name.take(), default) {
            (Some(name), _) => name,
            (None, Some(name)) => name.to_owned(),
            (None, None) if ILLUSTRATIONS.contains(&language) => {
                self.block = Some(Block { fence, file: None });
                return Ok(());
            }
            (None, None) => {
                return Err(format!(
                    "a block of `{language}` needs a line with its file's name before it"
                ));
            }
        };
        if self.case.files.iter().any(|file| file.name == name) {
            return Err(format!("the case has two files `{name}`"));
        }
        let file = File {
            name,
            language: language.to_owned(),
            text: String::new(),
        };
        self.block = Some(Block {
            fence,
            file: Some(file),
        });
        Ok(())
    }

    fn end_case(&mut self) {
        let case = std::mem::take(&mut self.case);
        if !case.files.is_empty() || !case.expected.is_empty() || !case.quiet.is_empty() {
            self.cases.push(case);
        }
    }
}

/// The name in a line "`name`:".
fn named(line: &str) -> Option<String> {
    let name = line.trim().strip_prefix('`')?.strip_suffix("`:")?;
    (!name.is_empty() && !name.contains('`')).then(|| name.to_owned())
}

const MARK: &str = "# expect:";

const RELATED_MARK: &str = "# related:";

/// A line of a file without the related labels that are expected in it, and their words. They stand behind all else.
fn split_related(line: &str) -> Result<(&str, Vec<String>), String> {
    let Some((text, marked)) = line.split_once(RELATED_MARK) else {
        return Ok((line, Vec::new()));
    };
    let words = marked.split(RELATED_MARK).map(|words| {
        let quoted = words
            .trim()
            .strip_prefix('"')
            .and_then(|words| words.strip_suffix('"'));
        quoted
            .map(str::to_owned)
            .ok_or("words of a related label stand in quotation marks")
    });
    Ok((text.trim_end(), words.collect::<Result<_, _>>()?))
}

/// A line of a file without its expectations, and they.
fn split_expectations(line: &str) -> Result<(&str, Vec<Expectation>), String> {
    let mut parts = line.split(MARK);
    let text = parts.next().unwrap_or("");
    let expectations: Vec<_> = parts.map(expectation).collect::<Result<_, _>>()?;
    Ok((
        if expectations.is_empty() {
            line
        } else {
            text.trim_end()
        },
        expectations,
    ))
}

/// `CODE ["text"] [possibly] [SEVERITY]`
fn expectation(text: &str) -> Result<Expectation, String> {
    let text = text.trim();
    let (id, rest) = text.split_once(' ').unwrap_or((text, ""));
    let code = code(id)?;
    let (quoted, rest) = match rest.trim().strip_prefix('"') {
        Some(quoted) => {
            let (quoted, rest) = quoted.split_once('"').ok_or("a text is not closed")?;
            (Some(quoted.to_owned()), rest.trim())
        }
        None => (None, rest.trim()),
    };
    let mut certainty = Certainty::Surely;
    let mut severity = None;
    for word in rest.split_whitespace() {
        match word {
            "possibly" => certainty = Certainty::Possibly,
            "error" => severity = Some(Severity::Error),
            "warning" => severity = Some(Severity::Warning),
            "note" => severity = Some(Severity::Note),
            other => return Err(format!("`{other}` is not part of an expectation")),
        }
    }
    Ok(Expectation {
        place: None,
        code,
        text: quoted,
        certainty,
        severity,
    })
}

fn code(id: &str) -> Result<Code, String> {
    Code::by_id(id).ok_or_else(|| format!("`{id}` is no code"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis::source::Span;

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
        assert!(
            case.differences(&[found(0, "tcp/23"), found(0, "udp/1")], &[])
                .is_empty()
        );
        assert!(
            case.differences(&[found(0, "udp/1"), found(0, "tcp/23")], &[])
                .is_empty()
        );
        assert_eq!(
            case.differences(&[found(0, "udp/1"), found(2, "tcp/23")], &[]),
            [
                "t (line 1): host.rules:1 surely excess-opening \"tcp/23\": not found",
                "t (line 1): host.rules:2 surely excess-opening \"tcp/23\" error: not expected",
            ]
        );
        let mut unsure = found(0, "tcp/23");
        unsure.certainty = Certainty::Possibly;
        assert_eq!(case.differences(&[unsure, found(0, "udp/1")], &[]).len(), 2);
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
        assert!(case.differences(&[found(2, "is in `@s` by")], &[]).is_empty());
        for other in [found(0, "is in `@s` by"), found(2, "is in `@r` by")] {
            let wrong = case.differences(&[other], &[]);
            assert_eq!(wrong, ["t (line 1): host.nft:2: no related label \"in `@s`\""]);
        }
    }
}
