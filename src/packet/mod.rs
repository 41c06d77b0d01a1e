//! The algebra of packets. Imports nothing of the rest of the crate.

pub mod address;
mod apply;
mod field;
mod order;
mod outcome;
pub mod protocol;
mod ranges;
mod ruling;
mod set;
mod space;
mod sweep;

pub use address::{Family, Network};
pub use field::{Field, value};
pub use outcome::{Assignment, Cause, Doubt, EditId, End, Outcome, OutcomeSet};
pub use ranges::RangeSet;
pub use ruling::Ruling;
pub use set::{Bounds, PacketSet};
pub use sweep::Line;
pub use space::{DEFAULT_BUDGET, MAX_PROPERTIES, Node, OverBudget, Pin, Space};
