//! Names that templates use: what is modelled of them, and how far.
//!
//! INVARIANT: `constructs` lists what the reader goes by, from the same tables.

use super::intrinsic::FUNCTIONS;
use crate::dialect::{Construct, Support};

/// A resource that filters, or makes up a filter.
pub(super) const GROUP: &str = "AWS::EC2::SecurityGroup";
/// A rule of a group, apart from it.
pub(super) const INGRESS: &str = "AWS::EC2::SecurityGroupIngress";
/// Likewise.
pub(super) const EGRESS: &str = "AWS::EC2::SecurityGroupEgress";
/// A network ACL.
pub(super) const ACL: &str = "AWS::EC2::NetworkAcl";
/// One of its entries.
pub(super) const ACL_ENTRY: &str = "AWS::EC2::NetworkAclEntry";
/// A network ACL in front of a subnet.
pub(super) const ACL_ASSOCIATION: &str = "AWS::EC2::SubnetNetworkAclAssociation";
/// A network, and a part of it.
pub(super) const VPC: &str = "AWS::EC2::VPC";
/// Likewise.
pub(super) const SUBNET: &str = "AWS::EC2::Subnet";
/// Networks with a name.
pub(super) const PREFIX_LIST: &str = "AWS::EC2::PrefixList";

/// Transforms that add no rule and change none that is written out.
const HARMLESS: &[&str] = &[
    "AWS::Serverless-2016-10-31",
    "AWS::LanguageExtensions",
    "AWS::SecretsManager-2020-07-23",
    "AWS::SecretsManager-2024-09-16",
    "AWS::CodeDeployBlueGreen",
    "AWS::ServiceCatalog",
];

/// Whether a transform leaves the rules of groups as they are.
pub(super) fn is_harmless_transform(name: &str) -> bool {
    HARMLESS.contains(&name)
}

/// Whether a key stands for resources that a loop makes.
pub(super) fn is_loop(key: &str) -> bool {
    key.starts_with("Fn::ForEach::")
}

/// Whether the text of a parameter is its value: of `AWS::SSM::Parameter::Value<…>` it is the name of one kept elsewhere.
pub(super) fn is_text_parameter(kind: &str) -> bool {
    !kind.starts_with("AWS::SSM::Parameter::Value<")
}

/// Whether a resource of some kind is a filter or a part of one, and no member of any.
pub(super) fn is_filter(kind: &str) -> bool {
    let other = ["AWS::RDS::DBSecurityGroup", "AWS::ElastiCache::SecurityGroup"];
    kind.starts_with(GROUP) || kind.starts_with(ACL) || other.iter().any(|prefix| kind.starts_with(prefix))
}

/// Whether what stands under a key puts a resource behind groups: `SecurityGroupIds`, `VPCSecurityGroups`, `GroupSet`,
/// `Groups` of a network interface.
pub(super) fn attaches(key: &str) -> bool {
    key == "GroupSet" || key == "Groups" || (key.contains("SecurityGroup") && !key.ends_with("Name"))
}

/// What the reader knows, for people.
pub(super) fn constructs() -> Vec<Construct> {
    let exact = |name: String| Construct {
        name,
        support: Support::Exact,
    };
    let unknown = |name: &str| Construct {
        name: name.to_owned(),
        support: Support::UnknownProperty,
    };
    let resources = [
        GROUP,
        INGRESS,
        EGRESS,
        ACL,
        ACL_ENTRY,
        ACL_ASSOCIATION,
        PREFIX_LIST,
    ];
    let mut constructs: Vec<Construct> = resources.map(|name| exact(name.to_owned())).into();
    constructs.push(exact("Ref".to_owned()));
    let computed = FUNCTIONS.iter().filter(|(name, _)| *name != "ImportValue");
    constructs.extend(computed.map(|(name, _)| exact(format!("Fn::{name}"))));
    let conditions = ["Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or", "Condition"];
    constructs.extend(conditions.map(|name| exact(name.to_owned())));
    constructs.extend(["Parameters", "Mappings", "AWS::NoValue"].map(|name| exact(name.to_owned())));
    let unknowns = [
        "Fn::ImportValue",
        "Fn::Transform",
        "Fn::ForEach",
        "Fn::GetAZs",
        "Fn::Base64",
        "Transform",
        "AWS::SSM::Parameter::Value",
    ];
    constructs.extend(unknowns.map(unknown));
    constructs
}
