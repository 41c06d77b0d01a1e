//! placeholder
use super::Resolved;
/// Shown.
pub struct ShownPolicy;
/// Shown.
pub struct ShownRow;
/// Shows.
#[must_use]
pub fn show(_: &Resolved) -> ShownPolicy { ShownPolicy }
