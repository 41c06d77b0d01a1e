//! What people write in the cells of port tables: ports, peers, conditions, names.

pub(super) mod condition;
pub(super) mod name;
pub(super) mod peer;
pub(super) mod port;
mod services;
mod token;
