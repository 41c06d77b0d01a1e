//! Writes a generated input to standard output: `cargo run --example generate -- SHAPE N [SEED]`, where `SHAPE` is
//! `policy` or a ruleset's shape.

mod mixed;
mod policy;
mod random;
mod ruleset;

use std::io::Write as _;
use std::process::ExitCode;

use ruleset::{Shape, ruleset};

/// What the arguments ask for; `None` if they ask for nothing that there is.
fn text(arguments: &[String]) -> Option<String> {
    let (shape, n) = (arguments.first()?, arguments.get(1)?.parse().ok()?);
    let seed = arguments.get(2).map_or(Some(1), |seed| seed.parse().ok())?;
    if shape == "policy" {
        return Some(policy::policy(n, seed));
    }
    let shape = Shape::ALL.into_iter().find(|known| known.name() == shape)?;
    Some(ruleset(shape, n, seed))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(text) = text(&arguments) else {
        let shapes = Shape::ALL.map(Shape::name).join(" | ");
        let _ = writeln!(std::io::stderr(), "usage: generate ({shapes} | policy) N [SEED]");
        return ExitCode::from(2);
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
