//! The formats of reports, by their words.

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// For people: the lines of each finding, underlined, and a summary.
    Human,
    /// For people and `grep`: one line a finding, no summary.
    Concise,
    /// For programs: `docs/json.md`.
    Json,
    /// For programs that read as it comes: one JSON object a line.
    Jsonl,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// For the log of GitHub Actions, which makes annotations of it.
    Github,
    /// For GitLab's code quality.
    Gitlab,
    /// For servers that run tests.
    Junit,
    /// For people who were not there: tables of findings and, if it was asked for, of the coverage.
    Markdown,
    /// For spreadsheets: a line a finding.
    Csv,
    /// For auditors: one page that opens anywhere, with a matrix of what is required and what is open.
    Html,
}

impl Format {
    /// All, in the order of the help text.
    pub const ALL: [Self; 11] = [
        Self::Human,
        Self::Concise,
        Self::Json,
        Self::Jsonl,
        Self::Sarif,
        Self::Github,
        Self::Gitlab,
        Self::Junit,
        Self::Markdown,
        Self::Csv,
        Self::Html,
    ];

    /// The word for `--format`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Concise => "concise",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Junit => "junit",
            Self::Markdown => "markdown",
            Self::Csv => "csv",
            Self::Html => "html",
        }
    }

    /// What it is for, in a line.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Human => "Findings with the lines they are about, and a summary",
            Self::Concise => "One line a finding",
            Self::Json => "For programs",
            Self::Jsonl => "For programs, one object a line",
            Self::Sarif => "For code scanning",
            Self::Github => "Annotations of GitHub Actions",
            Self::Gitlab => "Code quality of GitLab",
            Self::Junit => "For servers that run tests",
            Self::Markdown => "Tables for people who were not there",
            Self::Csv => "For spreadsheets",
            Self::Html => "One page for auditors, with the coverage",
        }
    }

    /// The format of a word.
    #[must_use]
    pub fn by_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.word() == word)
    }
}
