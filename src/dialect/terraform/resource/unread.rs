//! Resources that let packets through or stop them, and are not read: firewalls of clouds whose rules are not modelled.

use std::collections::BTreeMap;

/// Kinds that are known to be such. Providers have more, of which nothing is said: like all that no kind here names, they are no
/// firewalls to this reader.
const KINDS: &[&str] = &[
    "alicloud_security_group",
    "alicloud_security_group_rule",
    "aws_networkfirewall_firewall_policy",
    "aws_networkfirewall_rule_group",
    "aws_lightsail_instance_public_ports",
    "azurerm_application_security_group",
    "azurerm_firewall",
    "azurerm_firewall_application_rule_collection",
    "azurerm_firewall_nat_rule_collection",
    "azurerm_firewall_network_rule_collection",
    "azurerm_firewall_policy_rule_collection_group",
    "azurerm_network_security_group",
    "azurerm_network_security_rule",
    "digitalocean_firewall",
    "exoscale_security_group",
    "exoscale_security_group_rule",
    "google_compute_firewall",
    "google_compute_firewall_policy_rule",
    "google_compute_network_firewall_policy_rule",
    "google_compute_region_network_firewall_policy_rule",
    "hcloud_firewall",
    "ibm_is_network_acl",
    "ibm_is_security_group",
    "ibm_is_security_group_rule",
    "linode_firewall",
    "oci_core_network_security_group_security_rule",
    "oci_core_security_list",
    "openstack_fw_rule_v2",
    "scaleway_instance_security_group",
    "vultr_firewall_rule",
];

/// How many resources of each such kind there are.
#[derive(Debug, Default)]
pub(in super::super) struct Unread(BTreeMap<&'static str, usize>);

impl Unread {
    /// Takes note of a resource, if it is one.
    pub(in super::super) fn meet(&mut self, kind: &str) {
        if let Some(kind) = KINDS.iter().find(|known| **known == kind) {
            *self.0.entry(kind).or_default() += 1;
        }
    }

    /// What the summary says of them.
    pub(in super::super) fn lines(self) -> impl Iterator<Item = String> {
        self.0.into_iter().map(|(kind, n)| match n {
            1 => format!("1 resource of kind `{kind}`: such filters are not read"),
            n => format!("{n} resources of kind `{kind}`: such filters are not read"),
        })
    }
}
