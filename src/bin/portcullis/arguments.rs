//! What the command line may say. clap lives here.

mod format;
mod states;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use portcullis::check::{Past, Request, Watch};
use portcullis::packet::DEFAULT_BUDGET;
use portcullis::policy::ast::Date;
use portcullis::site;

use crate::terminal::Color;

use format::FormatParser;
pub(crate) use format::{FormatArgument, GraphFormat, Output, SeverityArgument, TableFormat, TestFormat};

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
    /// Whether to colour what is written to standard output and standard error
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Report missing and excess openings
    Check(Check),
    /// Print what is open, as a port table
    Openings(Openings),
    /// Write down the findings that are there, so that later runs report only others
    Baseline(BaselineArguments),
    /// Say which openings a change adds and takes away, and what it breaks and mends
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
    /// Propose a site file for the configs of a folder
    Init(Init),
    /// List the configuration languages and how exactly each is read
    Dialects {
        /// List every construct
        #[arg(long)]
        constructs: bool,
    },
    /// Print completions for a shell
    Completions {
        /// Which one
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man {
        /// Where to write one page a command, instead
        folder: Option<PathBuf>,
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
            is_merged: true,
            skips_unknown: false,
            known: Past::default(),
            budget: self.budget,
            watch: Watch::default(),
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
                select: Vec::new(),
                ignore: Vec::new(),
                no_common: self.no_common,
                redundant: false,
                today: Some(self.today.unwrap_or_else(today)),
            },
        }
    }
}

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own on the command line"
)]
pub(crate) struct Check {
    /// Files and folders; `-` is standard input
    #[arg(default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    /// How to write the findings, and where: `human`, `sarif=portcullis.sarif`. May be given several times; one format may do
    /// without a file [default: human]
    #[arg(long = "format", value_name = "FORMAT[=FILE]", value_parser = FormatParser)]
    pub(crate) formats: Vec<FormatArgument>,
    /// Where to write the format that has no file of its own, instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Print findings alone, without a summary or a progress bar
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say on standard error where the time went
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Report these codes alone: whole, or their first words (`unused` is `unused-suppression`); separated by commas
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    pub(crate) select: Vec<String>,
    /// Leave these codes out
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    pub(crate) ignore: Vec<String>,
    /// Write findings that comments took back to `sarif` too, marked as suppressed
    #[arg(long)]
    pub(crate) show_suppressed: bool,
    /// Write a comment with this reason above each finding that fails the run, then report what is left. Options may stand
    /// before the reason: `until=2027-01-31 moved in the spring`
    #[arg(long, value_name = "REASON", value_parser = reason)]
    pub(crate) add_ignore: Option<String>,
    /// Pass over given files that no dialect knows, as in folders: for hooks, which give every file that changed
    #[arg(long)]
    pub(crate) skip_unknown: bool,
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
    /// End with 0 whatever is found; what could not be done still ends with 2
    #[arg(long, conflicts_with = "fail_on")]
    pub(crate) exit_zero: bool,
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
    #[command(flatten)]
    pub(crate) to: Output,
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
    #[command(flatten)]
    pub(crate) to: Output,
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
        #[command(flatten)]
        to: Output,
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
    #[command(flatten)]
    pub(crate) to: Output,
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
pub(crate) struct Init {
    /// The folder, in which the file is written
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Print the file, and write nothing
    #[arg(long)]
    pub(crate) print: bool,
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

fn reason(text: &str) -> Result<String, String> {
    portcullis::suppress::check_reason(text).map(|()| text.to_owned())
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
