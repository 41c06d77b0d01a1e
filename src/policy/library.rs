//! The policies that ship with portcullis, in their own language. INVARIANT: each resolves without settings, and is
//! in canonical form.

/// Names of the policies that ship, `common` first.
pub const BUILTIN: &[&str] = &["common", "mke", "stacklight", "stackstate-agent"];

/// The text of a policy that ships.
#[must_use]
pub fn builtin(name: &str) -> Option<&'static str> {
    match name {
        "common" => Some(include_str!("../../policies/common.ports")),
        "mke" => Some(include_str!("../../policies/mke.ports")),
        "stacklight" => Some(include_str!("../../policies/stacklight.ports")),
        "stackstate-agent" => Some(include_str!("../../policies/stackstate-agent.ports")),
        _ => None,
    }
}
