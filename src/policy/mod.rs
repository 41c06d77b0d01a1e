//! The policy language: port tables as code.

mod row;

pub use row::{Choice, Kind, Peer, Row, Service, Truth};
