//! What commands are told that compare states: what was there before with what is there now.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use portcullis::diff;

use super::Inputs;

#[derive(Debug, Args)]
pub(crate) struct BaselineArguments {
    /// Files and folders; `-` is standard input
    #[arg(default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    /// Look for rules that could be taken out without a change, too
    #[arg(long)]
    pub(crate) redundant: bool,
    /// Where to write it; `-` is standard output. By default where the site file has its `baseline`, or else
    /// portcullis-baseline.json
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    override_usage = "portcullis diff [OPTIONS] OLD NEW\n       portcullis diff [OPTIONS] --base REV [PATH]..."
)]
pub(crate) struct Diff {
    /// Two files, or two folders: the old state and the new one. With --base, what to compare of the work tree
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Compare with this revision of the git repository
    #[arg(long, value_name = "REV")]
    pub(crate) base: Option<String>,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    /// How to write the changes
    #[arg(long, value_enum, default_value_t = DiffFormat::Human)]
    pub(crate) format: DiffFormat,
}

/// `--format` of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    /// A line a change
    Human,
    /// For programs
    Json,
    /// For a comment on a pull request
    Markdown,
}

impl From<DiffFormat> for diff::Format {
    fn from(format: DiffFormat) -> Self {
        match format {
            DiffFormat::Human => Self::Human,
            DiffFormat::Json => Self::Json,
            DiffFormat::Markdown => Self::Markdown,
        }
    }
}
