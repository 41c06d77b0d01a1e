//! The policy language: port tables as code.

pub mod ast;
mod error;
mod error_kind;
mod near;
mod parser;
mod row;

pub use error::{Diagnosed, ErrorKind, PolicyError};
pub use parser::{MAX_BYTES, MAX_ROWS, Parsed, RESERVED, parse};
pub use row::{Choice, Kind, Peer, Row, Service, Truth};
