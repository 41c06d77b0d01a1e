//! Names that templates of Heat use: what is modelled of them, and how far.
//!
//! INVARIANT: `constructs` lists what the reader goes by, from the same tables.

use crate::dialect::cloudformation::intrinsic::{HEAT_FUNCTIONS, HEAT_UNMODELLED};
use crate::dialect::{Construct, Support};

/// A security group with its rules.
pub(super) const GROUP: &str = "OS::Neutron::SecurityGroup";
/// A rule, apart from its group.
pub(super) const RULE: &str = "OS::Neutron::SecurityGroupRule";
/// A port, which is in groups.
pub(super) const PORT: &str = "OS::Neutron::Port";
/// A server, which is in groups or has ports that are.
pub(super) const SERVER: &str = "OS::Nova::Server";

/// Whether resources of a type are made by another template, which gets their properties for parameters.
pub(super) fn is_nested(kind: &str) -> bool {
    let extension = std::path::Path::new(kind).extension();
    kind == "OS::Heat::ResourceGroup" || extension.is_some_and(|extension| extension == "yaml")
}

/// What the reader knows, for people.
pub(super) fn constructs() -> Vec<Construct> {
    let construct = |support| {
        move |name: &str| Construct {
            name: name.to_owned(),
            support,
        }
    };
    let (exact, unknown) = (construct(Support::Exact), construct(Support::UnknownProperty));
    let conditions = ["equals", "not", "and", "or", "parameters"];
    let mut constructs: Vec<Construct> = [GROUP, RULE, PORT, SERVER].map(exact).into();
    constructs.extend(HEAT_FUNCTIONS.iter().map(|(name, _)| exact(name)));
    constructs.extend(conditions.map(exact));
    constructs.extend(HEAT_UNMODELLED.iter().map(|name| unknown(name)));
    constructs
}
