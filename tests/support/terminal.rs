//! The program with a terminal for its standard error, or for all that it writes.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::pty::{Winsize, openpty};

/// What a run writes to a terminal of 100 columns, in the folder, with arguments that are split at spaces.
pub(crate) fn standard_error_of(folder: &Path, arguments: &str) -> String {
    shown(folder, arguments, &[], false)
}

/// What a run writes to such a terminal that is its standard output too.
pub(crate) fn all_of(folder: &Path, arguments: &str, environment: &[(&str, &str)]) -> String {
    shown(folder, arguments, environment, true)
}

fn shown(folder: &Path, arguments: &str, environment: &[(&str, &str)], all: bool) -> String {
    let size = Winsize {
        ws_row: 40,
        ws_col: 100,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let terminal = openpty(Some(&size), None).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(if all {
            Stdio::from(terminal.slave.try_clone().unwrap())
        } else {
            Stdio::null()
        })
        .stderr(Stdio::from(terminal.slave))
        .spawn()
        .unwrap();
    let mut bytes = Vec::new();
    // Reading ends with an error of the terminal once nobody holds its other side.
    let _end = std::fs::File::from(terminal.master).read_to_end(&mut bytes);
    child.wait().unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
