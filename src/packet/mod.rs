//! The algebra of packets. Imports nothing of the rest of the crate.

pub mod address;
mod apply;
mod choose;
mod extent;
mod field;
mod icmp;
mod meet;
mod order;
mod outcome;
mod partition;
mod pins;
pub mod protocol;
mod ranges;
mod ruling;
mod set;
mod space;
mod store;
mod substitute;
mod sweep;
mod text;
mod visit;
mod witness;

pub use address::{Family, Network};
pub use extent::Region;
pub use field::{Field, value};
pub use icmp::{icmp_name, icmp_type};
pub use order::{Axis, Order};
pub use outcome::{Assignment, Cause, Doubt, EditId, End, Outcome, OutcomeSet};
pub use pins::Pin;
pub use ranges::RangeSet;
pub use ruling::Ruling;
pub use set::{Bounds, PacketSet};
pub use space::{DEFAULT_BUDGET, MAX_PROPERTIES, Node, OverBudget, Space};
pub use sweep::Line;
pub use text::{describe_interfaces, describe_region, port_by_name, service_words};
pub use witness::Concrete;
