//! What the command line may say. clap lives here.

mod states;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use portcullis::check::{Known, Request};
use portcullis::connections;
use portcullis::finding::Severity;
use portcullis::packet::DEFAULT_BUDGET;
use portcullis::policy::ast::Date;
use portcullis::report::Format;
use portcullis::site;
use portcullis::suite;

pub(crate) use states::{BaselineArguments, Diff};

/// Checks what firewalls really let through against the port tables that vendors publish.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Threads to use; the output is the same for any number
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..).map(usize::from))]
    pub(crate) threads: Option<usize>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Report missing and excess openings
    Check(Check),
    /// Print what is open, as a port table
    Openings(Openings),
    /// Write down the findings that are there, so that later runs report only others
    Baseline(BaselineArguments),
    /// Say which openings a change adds and takes away, and which requirements it breaks and mends
    Diff(Diff),
    /// Print who may open connections to whom in a cluster
    Connections(Connections),
    /// Send packets through a config and show which rules decide
    Trace(Trace),
    /// Explain a finding code, or list them all
    Explain {
        /// The code, such as `missing-opening`
        code: Option<String>,
    },
    /// Show the policies
    Policy(Policy),
    /// Write a policy from a published table of ports
    Derive(Derive),
    /// Format policy files
    Fmt(Fmt),
    /// List the configuration languages and how exactly each is read
    Dialects {
        /// List every construct
        #[arg(long)]
        constructs: bool,
    },
}

/// What is read, and what is known about it.
#[derive(Debug, Args)]
pub(crate) struct Inputs {
    /// Read every file in this language, instead of finding out
    #[arg(long, value_name = "NAME", value_parser = dialect_names())]
    pub(crate) dialect: Option<String>,
    /// The site file, instead of the `portcullis.toml` found upward from each input
    #[arg(long, value_name = "FILE")]
    pub(crate) site: Option<PathBuf>,
    /// A policy to hold the configs against: the name of a shipped one, or a file
    #[arg(long = "policy", value_name = "POLICY")]
    pub(crate) policies: Vec<String>,
    /// Every input is a host with this role: `mke.manager`, or `manager` if there is one policy
    #[arg(long = "role", value_name = "ROLE")]
    pub(crate) roles: Vec<String>,
    /// What a zone is: `internal=10.0.0.0/16`, `internal@eth1`, `internal=10.0.0.0/16@eth1`
    #[arg(long = "zone", value_name = "ZONE")]
    pub(crate) zones: Vec<String>,
    /// Addresses of a name: `login.example.com=192.0.2.0/24`
    #[arg(long = "name", value_name = "NAME=NETWORK")]
    pub(crate) names: Vec<String>,
    /// A value that a policy leaves to the site: `mke.ui=tcp/4443`
    #[arg(long = "set", value_name = "POLICY.KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// A feature that is on: `stacklight.logging`
    #[arg(long = "feature", value_name = "POLICY.FEATURE")]
    pub(crate) features: Vec<String>,
    /// A feature that is off
    #[arg(long = "without", value_name = "POLICY.FEATURE")]
    pub(crate) without: Vec<String>,
    /// The version of a product: `stacklight=24.1`
    #[arg(long = "product-version", value_name = "POLICY=VERSION")]
    pub(crate) versions: Vec<String>,
    /// The value of a parameter that templates leave open: `SshCidr=10.0.0.0/8`
    #[arg(long = "parameter", value_name = "NAME=VALUE")]
    pub(crate) parameters: Vec<String>,
    /// The value of a variable of Terraform's root modules: `office=10.0.0.0/8`
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub(crate) variables: Vec<String>,
    /// A file of values for Terraform's root modules, from the folder of each: `env/prod.tfvars`
    #[arg(long = "var-file", value_name = "FILE")]
    pub(crate) variable_files: Vec<String>,
    /// The workspace of Terraform's root modules
    #[arg(long, value_name = "NAME")]
    pub(crate) workspace: Option<String>,
    /// Switch the policy `common` off
    #[arg(long)]
    pub(crate) no_common: bool,
    /// The day on which rows have expired or not, instead of the clock's: `2027-03-31`
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub(crate) today: Option<Date>,
    /// Edges that the diagrams of one host may have before its analysis is given up
    #[arg(long, value_name = "EDGES", default_value_t = DEFAULT_BUDGET, hide = true)]
    pub(crate) budget: usize,
}

impl Inputs {
    pub(crate) fn request(&self, paths: &[PathBuf]) -> Request {
        Request {
            paths: paths.to_vec(),
            dialect: self.dialect.clone(),
            site: self.site.clone(),
            coverage: false,
            known: Known::default(),
            budget: self.budget,
            arguments: site::Arguments {
                policies: self.policies.clone(),
                roles: self.roles.clone(),
                zones: self.zones.clone(),
                names: self.names.clone(),
                set: self.set.clone(),
                features: self.features.clone(),
                without: self.without.clone(),
                versions: self.versions.clone(),
                parameters: self.parameters.clone(),
                variables: self.variables.clone(),
                variable_files: self.variable_files.clone(),
                workspace: self.workspace.clone(),
                no_common: self.no_common,
                redundant: false,
                today: Some(self.today.unwrap_or_else(today)),
            },
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Files and folders; `-` is standard input
    #[arg(default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    /// How to write the findings
    #[arg(long, value_enum, default_value_t = FormatArgument::Human)]
    pub(crate) format: FormatArgument,
    /// Look for rules that could be taken out without a change, too
    #[arg(long)]
    pub(crate) redundant: bool,
    /// Say of each row what became of it, and of each opening which rows it rests on: in full in `json` and `markdown`
    #[arg(long)]
    pub(crate) coverage: bool,
    /// The least severity that makes the exit code 1
    #[arg(long, value_enum)]
    pub(crate) fail_on: Option<SeverityArgument>,
    /// Findings that are known, written by `portcullis baseline`, instead of the file that the site names
    #[arg(long, value_name = "FILE", conflicts_with = "new_from")]
    pub(crate) baseline: Option<PathBuf>,
    /// Report only findings that were not there at this revision of the git repository
    #[arg(long, value_name = "REV")]
    pub(crate) new_from: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Openings {
    /// Files and folders; `-` is standard input
    #[arg(default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    /// How to write the table
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    pub(crate) format: TableFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Connections {
    /// Manifests and folders of them; `-` is standard input
    #[arg(default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    /// How to write the connections
    #[arg(long, value_enum, default_value_t = GraphFormat::Text)]
    pub(crate) format: GraphFormat,
}

#[derive(Debug, Args)]
#[command(
    override_usage = "portcullis trace [OPTIONS] PACKET PATH...\n       portcullis trace [OPTIONS] --packets FILE PATH..."
)]
pub(crate) struct Trace {
    /// The packet, such as `tcp 10.0.0.1:40000 -> 10.0.0.2:22 in eth0`, then files and folders. With --packets only
    /// files and folders
    #[arg(required = true, value_name = "PACKET PATH")]
    pub(crate) words: Vec<String>,
    /// A file of packets, one JSON object a line; `-` is standard input. Answers in JSON lines
    #[arg(long, value_name = "FILE")]
    pub(crate) packets: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
}

#[derive(Debug, Args)]
pub(crate) struct Policy {
    #[command(subcommand)]
    pub(crate) command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Print the rows of a policy
    Show {
        /// The name of a shipped policy, or a file
        name: String,
        /// How to write the rows
        #[arg(long, value_enum, default_value_t = TableFormat::Text)]
        format: TableFormat,
    },
    /// List the shipped policies
    List,
    /// Look for names that nothing uses, rows twice and rows that contradict
    Check {
        /// Names of shipped policies, or files, that may be in force together; without any, each shipped one by itself
        names: Vec<String>,
    },
    /// Run the tests that stand beside policies: `NAME.test.md` beside `NAME.ports`
    Test(PolicyTest),
    /// Say in what two policies differ
    Diff {
        /// The name of a shipped policy, or a file
        old: String,
        /// The other
        new: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PolicyTest {
    /// Policies, pages of tests, or folders that hold some
    #[arg(default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    /// Run only the cases whose headings contain this
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Option<String>,
    /// How to write the results
    #[arg(long, value_enum, default_value_t = TestFormat::Text)]
    pub(crate) format: TestFormat,
}

/// `--format` of results of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestFormat {
    /// A line a page, and what failed
    Text,
    /// For programs
    Json,
    /// For servers that run tests
    Junit,
}

impl From<TestFormat> for suite::Format {
    fn from(format: TestFormat) -> Self {
        match format {
            TestFormat::Text => Self::Text,
            TestFormat::Json => Self::Json,
            TestFormat::Junit => Self::Junit,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Derive {
    /// The document: Markdown, HTML, CSV, TSV, reStructuredText, or the text of a copied page; `-` is standard input
    #[arg(value_name = "DOC")]
    pub(crate) document: PathBuf,
    /// The policy's name, instead of the document's
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Read only what stands under the headings that contain this
    #[arg(long, value_name = "HEADING")]
    pub(crate) select: Option<String>,
    /// Bring this policy up to date with the document, and say what is new, gone or changed; its edits stay
    #[arg(long, value_name = "POLICY")]
    pub(crate) update: Option<PathBuf>,
    /// The edition of the document that the policy was derived from: tells changes from edits
    #[arg(long, value_name = "DOC", requires = "update")]
    pub(crate) base: Option<PathBuf>,
    /// Where to write the policy, instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Fmt {
    /// Policy files, or folders that hold some; `-` is standard input
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Write nothing; exit with 1 if a file is not in canonical form
    #[arg(long)]
    pub(crate) check: bool,
}

/// `--format` of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    Text,
    Json,
}

/// `--format` of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// A line a connection
    Text,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
    /// For Graphviz
    Dot,
    /// For Markdown
    Mermaid,
}

impl From<GraphFormat> for connections::Format {
    fn from(format: GraphFormat) -> Self {
        match format {
            GraphFormat::Text => Self::Text,
            GraphFormat::Json => Self::Json,
            GraphFormat::Csv => Self::Csv,
            GraphFormat::Dot => Self::Dot,
            GraphFormat::Mermaid => Self::Mermaid,
        }
    }
}

/// `--format` of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArgument {
    /// Findings with the lines they are about
    Human,
    /// One line a finding
    Concise,
    /// For programs
    Json,
    /// For code scanning
    Sarif,
    /// Tables for people who were not there
    Markdown,
}

impl From<FormatArgument> for Format {
    fn from(format: FormatArgument) -> Self {
        match format {
            FormatArgument::Human => Self::Human,
            FormatArgument::Concise => Self::Concise,
            FormatArgument::Json => Self::Json,
            FormatArgument::Sarif => Self::Sarif,
            FormatArgument::Markdown => Self::Markdown,
        }
    }
}

/// `--fail-on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SeverityArgument {
    Note,
    Warning,
    Error,
}

impl From<SeverityArgument> for Severity {
    fn from(severity: SeverityArgument) -> Self {
        match severity {
            SeverityArgument::Note => Self::Note,
            SeverityArgument::Warning => Self::Warning,
            SeverityArgument::Error => Self::Error,
        }
    }
}

fn date(text: &str) -> Result<Date, String> {
    let date = Date::of_text(text).filter(|date| date.exists());
    date.ok_or_else(|| "write year, month and day: `2027-03-31`".to_owned())
}

/// What the clock says, in UTC.
fn today() -> Date {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Date::of_days(since.map_or(0, |since| since.as_secs() / 86_400))
}

fn dialect_names() -> clap::builder::PossibleValuesParser {
    let names = portcullis::dialect::ALL.iter().map(|dialect| dialect.name());
    clap::builder::PossibleValuesParser::new(names)
}

use clap::builder::TypedValueParser;
