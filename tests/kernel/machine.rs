//! What this machine can do. INVARIANT: `is_able` is silent or says why it is not; under `PORTCULLIS_CI` it fails instead.

use std::process::{Command, Stdio};

use portcullis::packet::Family;

use crate::loading::Tool;
use crate::namespace;

/// Whether rulesets can be loaded and packets be sent here.
pub(crate) fn is_able() -> bool {
    let Some(why) = missing() else { return true };
    assert!(
        std::env::var_os("PORTCULLIS_CI").is_none(),
        "PORTCULLIS_CI is set, and the kernel cannot be asked: {why}"
    );
    crate::say::say(&format!("skipped: kernel: {why}"));
    false
}

/// Whether rulesets can be loaded by a tool. Says so if not: kernels come without the older filter.
pub(crate) fn has(tool: Tool) -> bool {
    let loads = std::thread::spawn(move || namespace::unshare().is_ok() && tool.load("", Family::V4).is_ok());
    let has = loads.join().unwrap_or(false);
    if !has {
        let program = tool.program(Family::V4);
        crate::say::say(&format!("skipped: kernel: {program} does not work here"));
    }
    has
}

fn missing() -> Option<String> {
    for (program, argument) in [
        ("ip", "-V"),
        ("nft", "-v"),
        ("iptables-restore", "-V"),
        ("ip6tables-restore", "-V"),
        ("iptables-save", "-V"),
        ("ipset", "-v"),
    ] {
        let run = Command::new(program)
            .arg(argument)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if run.is_err() {
            return Some(format!("`{program}` is not installed"));
        }
    }
    let tried = std::thread::spawn(|| {
        namespace::unshare().map_err(|error| format!("no network namespace of one's own: {error}"))?;
        namespace::tun("probe0").map_err(|error| format!("no TUN device: {error}"))?;
        Tool::Nft
            .load(
                "table inet probe { chain c { type filter hook input priority 0; ct state new accept; }; }",
                Family::V4,
            )
            .map_err(|error| format!("no nftables with connection tracking: {error}"))
    });
    match tried.join() {
        Ok(Ok(())) => None,
        Ok(Err(why)) => Some(why),
        Err(_) => Some("the first try panicked".to_owned()),
    }
}
