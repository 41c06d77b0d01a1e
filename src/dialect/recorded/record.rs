//! What the files of a recording hold, by kind.
//!
//! INVARIANT: an object is recognised by the keys it has, wherever it stands: in the answer, in a list that a query cut out of it,
//! or alone.

use std::collections::BTreeMap;

use super::columns::column;
use crate::tree::Node;

/// The objects of a recording.
#[derive(Default)]
pub(super) struct Record<'t> {
    /// Security groups of EC2, with their permissions.
    pub(super) groups: Vec<Node<'t>>,
    /// Rules of EC2, each of which names its group.
    pub(super) rules: Vec<Node<'t>>,
    pub(super) acls: Vec<Node<'t>>,
    pub(super) instances: Vec<Node<'t>>,
    pub(super) interfaces: Vec<Node<'t>>,
    /// Entries of prefix lists, by the id of the list.
    pub(super) lists: BTreeMap<String, Vec<Node<'t>>>,
    /// Security groups of Neutron, with their rules or without.
    pub(super) neutron_groups: Vec<Node<'t>>,
    /// Rules of Neutron, with the name of the file that has them.
    pub(super) neutron_rules: Vec<(Node<'t>, String)>,
    pub(super) ports: Vec<Node<'t>>,
    /// Where it is said that more pages follow, with what the page is of.
    pub(super) more: Vec<(Node<'t>, &'static str)>,
}

/// What an answer has under one key, and whether groups that are in it may have more rules on its next page.
const PAGED: &[&str] = &[
    "SecurityGroups",
    "SecurityGroupRules",
    "NetworkAcls",
    "NetworkInterfaces",
    "PrefixLists",
    "Entries",
    "Reservations",
];

impl<'t> Record<'t> {
    /// Takes what a file holds.
    pub(super) fn gather(&mut self, root: Node<'t>, file: &str) {
        if root.is_sequence() {
            for item in root.items() {
                self.object(item, file);
            }
            return;
        }
        let list = |key: &str| root.get(key).into_iter().flat_map(|list| list.items());
        let token = root
            .get("NextToken")
            .filter(|token| token.text().is_some_and(|text| !text.is_empty()));
        if let Some(token) = token
            && let Some(of) = PAGED.iter().find(|key| root.get(key).is_some())
        {
            self.more.push((token, of));
        }
        for reservation in list("Reservations") {
            let instances = reservation.get("Instances");
            self.instances
                .extend(instances.into_iter().flat_map(|list| list.items()));
        }
        let of_lists = [
            "SecurityGroups",
            "SecurityGroupRules",
            "NetworkAcls",
            "NetworkInterfaces",
            "PrefixLists",
        ];
        let raw = ["security_groups", "security_group_rules", "ports"];
        let is_answer = of_lists
            .iter()
            .chain(&raw)
            .any(|key| root.get(key).is_some_and(|list| list.is_sequence()));
        if is_answer && column(&root, &["id"]).is_none() && root.get("NetworkInterfaceId").is_none() {
            for item in of_lists.into_iter().chain(raw).flat_map(list) {
                self.object(item, file);
            }
            return;
        }
        if let (Some(entries), Some(id)) = (root.get("Entries"), prefix_list_of(file)) {
            self.lists
                .entry(id.to_owned())
                .or_default()
                .extend(entries.items());
            return;
        }
        for key in ["security_group", "security_group_rule", "port"] {
            if let Some(only) = root.get(key) {
                self.object(only, file);
                return;
            }
        }
        self.object(root, file);
    }

    /// Takes one object for what its keys say that it is.
    fn object(&mut self, object: Node<'t>, file: &str) {
        let has = |key: &str| object.get(key).is_some();
        if has("IpPermissions") || has("IpPermissionsEgress") {
            self.groups.push(object);
        } else if has("SecurityGroupRuleId") || has("IsEgress") {
            self.rules.push(object);
        } else if has("NetworkAclId") && has("Entries") {
            self.acls.push(object);
        } else if has("InstanceId") && has("SecurityGroups") {
            self.instances.push(object);
        } else if has("NetworkInterfaceId") {
            self.interfaces.push(object);
        } else if let Some(id) = object.get("PrefixListId").and_then(|id| id.text()) {
            let entries = object.get("Cidrs").or_else(|| object.get("Entries"));
            if let Some(entries) = entries {
                self.lists
                    .entry(id.to_owned())
                    .or_default()
                    .extend(entries.items());
            }
        } else if has("Instances") {
            let instances = object.get("Instances");
            self.instances
                .extend(instances.into_iter().flat_map(|list| list.items()));
        } else if has("fixed_ips") || has("device_id") {
            self.ports.push(object);
        } else if is_neutron_rule(&object) {
            self.neutron_rules.push((object, file.to_owned()));
        } else if column(&object, &["id"]).is_some() && column(&object, &["name"]).is_some() {
            self.neutron_groups.push(object);
        }
    }
}

fn is_neutron_rule(object: &Node<'_>) -> bool {
    let has = |names: &[&str]| column(object, names).is_some();
    has(&["ip protocol"]) || has(&["port range"]) || (has(&["direction"]) && has(&["security group id"]))
}

/// The id of a prefix list in the name of a file.
pub(super) fn prefix_list_of(name: &str) -> Option<&str> {
    let (at, _) = name.match_indices("pl-").last()?;
    let rest = name.get(at..)?;
    let is_id = |one: char| one.is_ascii_hexdigit();
    let digits = rest.get(3..)?;
    let length = digits.find(|one| !is_id(one)).unwrap_or(digits.len());
    let behind = digits.get(length..)?;
    let is_whole = behind.is_empty() || behind.starts_with(['.', '_', '-']);
    (length >= 8 && is_whole).then(|| rest.get(..3 + length))?
}
