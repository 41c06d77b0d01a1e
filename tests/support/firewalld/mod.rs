//! firewalld's own tests: what `firewall-cmd` is told, and the chains that are listed then.

pub(crate) mod command;
pub(crate) mod compare;
pub(crate) mod state;
