//! Requirements times layers: what is missing, what is in excess.
//!
//! The evaluator sees rows, zones and rulesets; it has never heard of a file format. INVARIANT: a finding is *sure* only
//! if it holds whatever the unknown parts turn out to be; everything in between is possible, and names its doubt.

mod address;
mod advice;
mod barred;
mod calls;
mod change;
mod conflict;
mod connection;
mod coverage;
mod doubt;
mod element;
mod excess;
mod extent;
mod feasible;
mod filters;
mod host;
mod idle;
mod layers;
mod met;
mod missing;
mod opened;
mod openings;
mod peer;
mod permitted;
mod publish;
mod redundant;
mod reply;
mod required;
mod shadow;
mod spare;
mod taker;
mod translate;
mod unreachable;
mod view;
mod words;

pub use address::{Addresses, Crowd};
pub use change::{Change, Changes, Direction, Requirement, State, Told, changes, fingerprint};
pub use conflict::conflicting_rows;
pub use connection::{ServicePart, service_parts};
pub use coverage::{Held, JudgedOpening};
pub use host::{Evaluation, Host, evaluate};
pub use openings::{Opening, openings};
pub use peer::World;
pub use spare::spare_rules;
pub use words::citation;
