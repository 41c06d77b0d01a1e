//! A line that is seen whether or not a test passes: what was skipped or left out.

use std::io::Write;

/// Prints it past the capture of the test harness.
pub(crate) fn say(line: &str) {
    let _closed = writeln!(std::io::stderr(), "{line}");
}
