//! The policy language: port tables as code.
//!
//! Text goes to a tree ([`parse`]), the tree under a site's settings to [`Row`]s ([`resolve`]), which is all that the
//! evaluator reads. INVARIANT: mistakes of syntax come from the first step alone, mistakes of meaning from the second.

pub mod ast;
mod diff;
mod error;
mod error_kind;
mod facts;
mod format;
mod icmp;
mod library;
mod lint;
mod near;
mod parser;
mod print;
mod resolve;
mod row;
mod settings;
mod show;
mod update;

pub use diff::{Change, diff};
pub use error::{Diagnosed, ErrorKind, PolicyError};
pub use format::format;
pub use library::{BUILTIN, builtin};
pub use lint::{Advice, lint};
pub use near::nearest;
pub use parser::{MAX_BYTES, MAX_ROWS, Parsed, RESERVED, parse};
pub use resolve::{
    Expired, Inactive, Lifted, Remark, Resolved, Role, Waived, Zone, check, check_names, resolve,
};
pub use row::{Choice, Kind, Peer, Row, Service, Truth};
pub use settings::{Settings, Value};
pub use show::{ShownPolicy, ShownRow, ShownService, show};
pub use update::update;
