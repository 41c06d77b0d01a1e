//! Kinds and versions of the groups of Cilium and Calico: which are read, which say nothing about who may talk to whom, and which
//! are not known.
//!
//! INVARIANT: of an object of these groups that is neither read nor known to filter nothing, it is said that it is not read.

use super::object::Object;
use super::{calico, cilium};

/// How an object stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Read,
    FiltersNothing,
    /// A kind that the group does not have, as far as is known here.
    UnknownKind,
    /// A version of a kind that is read, which is not known here.
    UnknownVersion,
}

/// Kinds of Cilium that filter nothing ("Custom Resources" of its API reference).
const OF_CILIUM: &[&str] = &[
    "CiliumBGPAdvertisement",
    "CiliumBGPClusterConfig",
    "CiliumBGPNodeConfig",
    "CiliumBGPNodeConfigOverride",
    "CiliumBGPPeerConfig",
    "CiliumBGPPeeringPolicy",
    "CiliumClusterwideEnvoyConfig",
    "CiliumEgressGatewayPolicy",
    "CiliumEndpoint",
    "CiliumEndpointSlice",
    "CiliumEnvoyConfig",
    "CiliumExternalWorkload",
    "CiliumGatewayClassConfig",
    "CiliumIdentity",
    "CiliumL2AnnouncementPolicy",
    "CiliumLoadBalancerIPPool",
    "CiliumLocalRedirectPolicy",
    "CiliumNode",
    "CiliumPodIPPool",
    "CiliumVTEPConfig",
];

/// Kinds of Calico that filter nothing, or whose meaning `calico` says (docs.tigera.io, "Resource definitions").
const OF_CALICO: &[&str] = &[
    "BGPConfiguration",
    "BGPFilter",
    "BGPPeer",
    "BlockAffinity",
    "CalicoNodeStatus",
    "ClusterInformation",
    "IPAMBlock",
    "IPAMConfig",
    "IPAMConfiguration",
    "IPAMHandle",
    "IPReservation",
    "KubeControllersConfiguration",
    "LicenseKey",
    "Node",
    "PacketCapture",
    "RemoteClusterConfiguration",
    "WorkloadEndpoint",
];

/// How an object of one of the groups stands; `None`: it is of another.
pub(super) fn standing(object: Object<'_>) -> Option<Standing> {
    let (group, kind) = (object.group(), object.kind);
    let version = object.api.split_once('/').map_or("", |(_, version)| version);
    let (is_read, filters_nothing, versions): (bool, _, &[&str]) = if group == cilium::GROUP {
        let is_read = cilium::kinds().any(|known| known == kind);
        (is_read, OF_CILIUM.contains(&kind), cilium::versions(kind))
    } else if calico::is_of(group) {
        let is_read = calico::kinds().any(|known| known == kind);
        (is_read, OF_CALICO.contains(&kind), calico::versions(group))
    } else {
        return None;
    };
    Some(match (is_read, versions.contains(&version)) {
        (true, true) => Standing::Read,
        (true, false) => Standing::UnknownVersion,
        _ if filters_nothing => Standing::FiltersNothing,
        _ => Standing::UnknownKind,
    })
}

/// Whether a file is read for a kind, if it names one of the groups: whatever is not known to filter nothing.
pub(super) fn matters(kind: &str, text: &str) -> bool {
    let is_named = |group: &str| text.contains(&format!("{group}/"));
    let is_of_calico = || is_named(calico::GROUP) && !OF_CALICO.contains(&kind);
    let is_of_cilium = || is_named(cilium::GROUP) && !OF_CILIUM.contains(&kind);
    let is_kind = kind.bytes().all(|one| one.is_ascii_alphanumeric());
    is_kind && (is_of_calico() || is_of_cilium()) && !kind.is_empty()
}
