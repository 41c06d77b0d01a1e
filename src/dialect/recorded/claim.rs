//! Whether a file is a recorded answer: by the keys that stand in it.
//!
//! INVARIANT: each way to claim a file names keys that only such an answer has together.

use super::record::prefix_list_of;
use crate::dialect::{Claim, beginning};
use crate::source::Source;

/// Keys that an answer has, all of one line.
const KEYS: &[&[&str]] = &[
    &["SecurityGroups", "IpPermissions"],
    &["GroupId", "IpPermissions", "IpPermissionsEgress"],
    &["SecurityGroupRules", "IsEgress"],
    &["NetworkAcls", "Entries"],
    &["PrefixLists", "PrefixListId"],
    &["Reservations", "Instances", "InstanceId"],
    &["NetworkInterfaces", "NetworkInterfaceId", "Groups"],
    &["security_groups", "security_group_rules"],
    &["security_group_rules", "direction"],
    &["security_group_rule", "direction"],
    &["ports", "security_groups", "fixed_ips"],
    &["rules", "project_id", "stateful"],
    &["rules", "security_group_id", "direction"],
    &["security_group_id", "direction", "remote_ip_prefix"],
    &["IP Protocol", "IP Range", "Port Range"],
    &["ID", "Name", "Description", "Project", "Tags"],
];

/// Claims JSON that has the keys of an answer in its beginning, and entries of a prefix list by the name of their file too:
/// their answer does not say whose they are.
pub(super) fn claim(source: Source<'_>) -> Claim {
    const BEGINNING: usize = 1 << 16;
    let text = beginning(source.text, BEGINNING);
    if !text.trim_start().starts_with(['{', '[']) || text.contains("AWSTemplateFormatVersion") {
        return Claim::No;
    }
    let has = |key: &&str| text.contains(&format!("\"{key}\""));
    let is_entries = prefix_list_of(source.name).is_some() && ["Entries", "Cidr"].iter().all(has);
    // An empty answer says what it is by its one key.
    let is_empty = |key: &str| {
        let squeezed: String = text.chars().filter(|one| !one.is_whitespace()).collect();
        squeezed.len() < 200 && squeezed == format!("{{\"{key}\":[]}}")
    };
    let is_answer = KEYS.iter().any(|keys| keys.iter().all(has));
    if is_answer
        || is_entries
        || ["SecurityGroups", "security_groups"]
            .iter()
            .any(|key| is_empty(key))
    {
        Claim::Content
    } else {
        Claim::No
    }
}
