//! The command line: arguments in, exit codes out, no logic.
//!
//! Exit codes: 0 clean, 1 findings at or above `--fail-on`, 2 could not do what was asked.

mod arguments;
mod baseline;
mod check;
mod connections;
mod derive;
mod diff;
mod errors;
mod ignored;
mod init;
mod manual;
mod output;
mod policy;
mod terminal;
mod trace;
mod watched;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use portcullis::dialect::{self, Support};
use portcullis::finding::Code;
use portcullis::report;

use arguments::{Arguments, Command};

/// What a command comes to.
pub(crate) enum Ending {
    Clean,
    Found,
    Failed,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(match ending {
            Ending::Clean => 0,
            Ending::Found => 1,
            Ending::Failed => 2,
        })
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    terminal::ask(arguments.color);
    if let Some(threads) = arguments.threads {
        // Fails only if a pool was built before, which nothing does.
        let _built = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global();
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    let ending = run(arguments, &mut out).and_then(|ending| out.flush().map(|()| ending));
    match ending {
        Ok(ending) => ending.into(),
        // Whoever reads the output has gone away: nothing left to say to them.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            Ending::Failed.into()
        }
    }
}

fn run(arguments: Arguments, out: &mut dyn Write) -> io::Result<Ending> {
    match arguments.command {
        Command::Check(check) => check::check(&check, out),
        Command::Openings(openings) => check::openings(&openings, out),
        Command::Baseline(asked) => baseline::baseline(&asked, out),
        Command::Diff(asked) => diff::diff(&asked, out),
        Command::Connections(asked) => connections::connections(&asked, out),
        Command::Trace(trace) => trace::trace(&trace, out),
        Command::Explain { code } => explain(code.as_deref(), out),
        Command::Policy(policy) => policy::policy(&policy, out),
        Command::Derive(arguments) => derive::derive(&arguments, out),
        Command::Fmt(fmt) => policy::format(&fmt, out),
        Command::Init(asked) => init::init(&asked, out),
        Command::Dialects { constructs } => dialects(constructs, out),
        Command::Completions { shell } => manual::completions(shell, out),
        Command::Man { folder } => manual::man(folder.as_deref(), out),
    }
}

/// One line to standard error.
pub(crate) fn complain(message: &str) {
    // If standard error is gone too, there is nobody to tell.
    let _told = writeln!(io::stderr(), "error: {message}");
}

fn explain(code: Option<&str>, out: &mut dyn Write) -> io::Result<Ending> {
    let Some(id) = code else {
        for code in Code::ALL {
            let first = code.explain().lines().next().unwrap_or_default().trim();
            writeln!(out, "{:<22} {:<8} {first}", code.id(), code.severity().word())?;
        }
        return Ok(Ending::Clean);
    };
    let Some(code) = Code::by_id(id) else {
        let ids = || Code::ALL.iter().map(|code| code.id());
        let near = portcullis::policy::nearest(id, ids()).or_else(|| ids().find(|known| known.contains(id)));
        let hint = near.map_or_else(
            || "`portcullis explain` lists them".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        complain(&format!("there is no finding code `{id}`: {hint}"));
        return Ok(Ending::Failed);
    };
    report::explain::write(code, out)?;
    Ok(Ending::Clean)
}

fn dialects(constructs: bool, out: &mut dyn Write) -> io::Result<Ending> {
    for dialect in dialect::ALL {
        let known = dialect.constructs();
        let count = |support| {
            known
                .iter()
                .filter(|construct| construct.support == support)
                .count()
        };
        writeln!(out, "{}: {}", dialect.name(), dialect.summary())?;
        writeln!(
            out,
            "  {} constructs exact, {} without effect on filtering, {} unknown but constant for a packet, {} unknown each time, {} of what packets are taken not to have",
            count(Support::Exact),
            count(Support::PassThrough),
            count(Support::UnknownProperty),
            count(Support::UnknownEachTime),
            count(Support::Absent),
        )?;
        if constructs {
            for construct in &known {
                let support = match construct.support {
                    Support::Exact => "exact",
                    Support::PassThrough => "no effect",
                    Support::UnknownProperty => "unknown, constant for a packet",
                    Support::UnknownEachTime => "unknown, asked afresh each time",
                    Support::Absent => "never: packets are taken to have no extension headers",
                };
                writeln!(out, "  {:<40} {support}", construct.name)?;
            }
        }
    }
    Ok(Ending::Clean)
}
