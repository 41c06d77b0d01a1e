//! The algebra of packets. Imports nothing of the rest of the crate.

pub mod address;
mod field;
pub mod protocol;
mod ranges;

pub use address::{Family, Network};
pub use field::{Field, value};
pub use ranges::RangeSet;
