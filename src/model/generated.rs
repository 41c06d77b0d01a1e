//! Names that programs give to the chains and tables that they keep: what stands in them is not the site's to tidy.

/// Prefixes of chains of iptables, by the programs that keep them: kube-proxy, Calico, Cilium, Antrea, flannel, Weave, the
/// plugins of CNI, Docker, libvirt, fail2ban.
const CHAINS: &[&str] = &[
    "KUBE-",
    "cali-",
    "CILIUM_",
    "ANTREA-",
    "FLANNEL-",
    "WEAVE-",
    "CNI-",
    "DOCKER",
    "LIBVIRT_",
    "f2b-",
    "fail2ban-",
];

/// Tables of nft that such programs keep for themselves.
const TABLES: &[&str] = &[
    "kube-proxy",
    "docker-bridges",
    "f2b-table",
    "libvirt_network",
    "calico",
    "cilium",
    "crowdsec",
    "crowdsec6",
];

/// Whether a program keeps the chain of a path (`filter/KUBE-SERVICES`, `ip kube-proxy/services`), or the table that it
/// begins with.
#[must_use]
pub fn is_generated(path: &str) -> bool {
    let (table, chain) = path.split_once('/').unwrap_or((path, ""));
    let table = table.rsplit(' ').next().unwrap_or_default();
    TABLES.contains(&table) || CHAINS.iter().any(|prefix| chain.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_are_known_by_their_beginning_and_tables_by_their_name() {
        for path in [
            "filter/KUBE-SERVICES",
            "nat/DOCKER",
            "ip kube-proxy/services",
            "inet f2b-table",
        ] {
            assert!(is_generated(path), "{path}");
        }
        for path in [
            "filter/INPUT",
            "filter/my-KUBE-",
            "inet filter/calico",
            "kube-proxy-of-ours/x",
        ] {
            assert!(!is_generated(path), "{path}");
        }
    }
}
