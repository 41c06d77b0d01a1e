//! Writes a generated input to standard output: `cargo run --example generate -- SHAPE N [SEED]`, where `SHAPE` is
//! `policy`, `cluster`, `calico-cluster`, `cilium-cluster`, `groups` (of Terraform) or a ruleset's shape. `repository N FOLDER` writes one of Terraform, of `N` root modules.

mod cluster;
mod mixed;
mod policy;
mod random;
mod ruleset;
mod terraform;

use std::io::Write as _;
use std::process::ExitCode;

use ruleset::{Shape, ruleset};

/// What the arguments ask for; `None` if they ask for nothing that there is.
fn text(arguments: &[String]) -> Option<String> {
    let (shape, n) = (arguments.first()?, arguments.get(1)?.parse().ok()?);
    let seed = arguments.get(2).map_or(Some(1), |seed| seed.parse().ok())?;
    match shape.as_str() {
        "policy" => return Some(policy::policy(n, seed)),
        "cluster" => return Some(cluster::cluster(n)),
        "calico-cluster" => return Some(cluster::calico_cluster(n)),
        "cilium-cluster" => return Some(cluster::cilium_cluster(n)),
        "groups" => return Some(terraform::groups(n, seed)),
        _ => {}
    }
    let shape = Shape::ALL.into_iter().find(|known| known.name() == shape)?;
    Some(ruleset(shape, n, seed))
}

/// Writes a repository below a folder; `None` if that is not asked for.
fn repository(arguments: &[String]) -> Option<std::io::Result<()>> {
    let [shape, n, folder] = arguments else {
        return None;
    };
    let n = n.parse().ok().filter(|_| shape == "repository")?;
    Some(terraform::write(std::path::Path::new(folder), n, 1))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(written) = repository(&arguments) {
        return match written {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let Some(text) = text(&arguments) else {
        let shapes = Shape::ALL.map(Shape::name).join(" | ");
        let _ = writeln!(
            std::io::stderr(),
            "usage: generate ({shapes} | policy | cluster | calico-cluster | cilium-cluster | groups) N [SEED], or: generate repository N FOLDER"
        );
        return ExitCode::from(2);
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
