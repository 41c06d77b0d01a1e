//! Chains before and after all others, and what they wrote down. INVARIANT: a packet with a number never gets past the
//! last chain, so it leaves no connection behind and meets no socket: every packet is independent of the others.
//!
//! The number is the IPv4 identification or the IPv6 flow label. Packets numbered 0 pass; they are a connection's past.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use portcullis::packet::Family;
use serde_json::Value;

use crate::loading::{Tool, run};

/// The mark of packets that we send from this host. The first chain takes it off.
pub(crate) const OURS: u32 = 0x706f_7274;

/// What became of the packets.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Came as far as the first hook.
    pub(crate) arrived: BTreeSet<u16>,
    /// Passed the last hook, in which state of connection tracking.
    pub(crate) accepted: BTreeMap<u16, String>,
    /// Was answered with an error or a reset.
    pub(crate) refused: BTreeSet<u16>,
}

/// Sets up the chains, or empties what they wrote if they are there.
pub(crate) fn begin() {
    Tool::Nft.load(&table(), Family::V4).unwrap();
}

/// A table of sets for both families and the chains that fill them. Declared and deleted first, so that it is empty.
fn table() -> String {
    let mut text =
        "table inet portcullis\ndelete table inet portcullis\ntable inet portcullis {\n".to_owned();
    for name in ["arrived", "refused"] {
        let _ = writeln!(text, "set {name}4 {{ typeof ip id; size 65535; flags dynamic; }}");
        let _ = writeln!(
            text,
            "set {name}6 {{ typeof ip6 flowlabel; size 65535; flags dynamic; }}"
        );
    }
    text.push_str("set accepted4 { typeof ip id . ct state; size 65535; flags dynamic; }\n");
    text.push_str("set accepted6 { typeof ip6 flowlabel . ct state; size 65535; flags dynamic; }\n");
    let _ = writeln!(text, "{CHAINS}");
    let _ = writeln!(
        text,
        "chain before_output {{ type filter hook output priority -1000000;
           meta mark {OURS} meta mark set 0 goto arrived
           {ANSWERS}
           drop
         }}\n}}"
    );
    text
}

const CHAINS: &str = "
  chain arrived {
    ip id != 0 add @arrived4 { ip id }
    ip6 flowlabel != 0 add @arrived6 { ip6 flowlabel }
  }
  chain accepted {
    ip id 0 accept
    ip6 flowlabel 0 accept
    meta nfproto ipv4 add @accepted4 { ip id . ct state }
    meta nfproto ipv6 add @accepted6 { ip6 flowlabel . ct state }
    drop
  }
  chain before_prerouting { type filter hook prerouting priority -1000000; jump arrived; }
  chain after_input { type filter hook input priority 1000000; jump accepted; }
  chain after_postrouting { type filter hook postrouting priority 1000000; jump accepted; }
";

/// The kernel's answers. An ICMP error has the header of the packet that it is about behind its own 8 bytes; a reset
/// acknowledges the number in the upper bytes of the sequence (see `wire`), or has it for its own sequence if the packet
/// acknowledged something itself.
const ANSWERS: &str = "
  icmp type destination-unreachable add @refused4 { @th,96,16 }
  icmpv6 type destination-unreachable add @refused6 { @th,76,20 }
  meta nfproto ipv4 tcp flags & (rst | ack) == rst | ack add @refused4 { @th,72,16 }
  meta nfproto ipv4 tcp flags & (rst | ack) == rst add @refused4 { @th,40,16 }
  meta nfproto ipv6 tcp flags & (rst | ack) == rst | ack add @refused6 { @th,68,20 }
  meta nfproto ipv6 tcp flags & (rst | ack) == rst add @refused6 { @th,36,20 }
";

/// Reads what the chains wrote.
pub(crate) fn read() -> Seen {
    let text = run("nft", &["-j", "list", "table", "inet", "portcullis"], "").unwrap();
    let listed: Value = serde_json::from_str(&text).unwrap();
    let mut seen = Seen::default();
    for set in listed["nftables"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one.get("set"))
    {
        let name = set["name"].as_str().unwrap().trim_end_matches(['4', '6']);
        for element in set["elem"].as_array().into_iter().flatten() {
            // Of packets that we did not send, such as the kernel's own, the number means nothing.
            let numbered = element.get("concat").map_or(element, |both| &both[0]);
            let Some(number) = numbered.as_u64().and_then(|number| u16::try_from(number).ok()) else {
                continue;
            };
            match name {
                "arrived" => drop(seen.arrived.insert(number)),
                "refused" => drop(seen.refused.insert(number)),
                _ => drop(
                    seen.accepted
                        .insert(number, element["concat"][1].as_str().unwrap_or("").to_owned()),
                ),
            }
        }
    }
    seen
}
