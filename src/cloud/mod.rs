//! What the rules of clouds mean, in whichever file they are written: permissions of AWS and `OpenStack` to rules.
//!
//! Readers of Terraform, `CloudFormation`, Heat and recorded answers of the APIs say what was written where ([`Permission`],
//! [`Value`], [`Peer`]); here is what it lets through. INVARIANT: nothing here knows a file format, and whatever is not known or
//! would be refused by the API becomes a question that takes both answers.

mod doubt;
pub mod ec2;
mod lowering;
pub mod neutron;
pub mod nova;
mod peer;
mod permission;
mod service;

pub use doubt::{Doubt, Guard, Value};
pub use lowering::Lowering;
pub use peer::{GroupName, Peer};
pub use permission::{Direction, Permission, everything, everything_unless};
