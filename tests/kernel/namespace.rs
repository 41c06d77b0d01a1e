//! A network of its own: interfaces, addresses, routes, and packets into them. INVARIANT: all of it belongs to the thread
//! that called `Namespace::new` and is gone with it; its interfaces have no other end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::sched::CloneFlags;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, SockaddrIn6, sendto, setsockopt,
    socket, sockopt,
};
use portcullis::packet::Family;
use tappers::{Interface, Tun};

use crate::loading::run;
use crate::markers;

/// The interface by which packets leave that are not told by which.
pub(crate) const USUAL: &str = "tun0";

/// Everything arrives and leaves where it is told to, no answer is held back, and nothing is thought ill of.
const SETTINGS: &[(&str, &str)] = &[
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv4/conf/default/rp_filter", "0"),
    ("ipv4/conf/all/accept_local", "1"),
    ("ipv4/conf/default/accept_local", "1"),
    ("ipv4/conf/all/route_localnet", "1"),
    ("ipv4/conf/all/send_redirects", "0"),
    ("ipv4/conf/default/send_redirects", "0"),
    ("ipv4/ip_forward", "1"),
    ("ipv4/icmp_ratemask", "0"),
    ("ipv4/icmp_ratelimit", "0"),
    ("ipv4/icmp_msgs_per_sec", "100000000"),
    ("ipv4/icmp_msgs_burst", "100000000"),
    ("ipv6/icmp/ratelimit", "0"),
    ("ipv6/icmp/ratemask", ""),
    ("ipv6/conf/all/forwarding", "1"),
    ("ipv6/conf/all/accept_dad", "0"),
    ("ipv6/conf/default/accept_dad", "0"),
    ("ipv6/conf/default/addr_gen_mode", "1"),
    ("netfilter/nf_conntrack_tcp_be_liberal", "1"),
    ("netfilter/nf_conntrack_tcp_loose", "1"),
    // What is begun must not end before it is asked about, however slow the machine.
    ("netfilter/nf_conntrack_generic_timeout", "3600"),
    ("netfilter/nf_conntrack_icmp_timeout", "3600"),
    ("netfilter/nf_conntrack_icmpv6_timeout", "3600"),
    ("netfilter/nf_conntrack_tcp_timeout_syn_sent", "3600"),
    ("netfilter/nf_conntrack_udp_timeout", "3600"),
    ("netfilter/nf_conntrack_udp_timeout_stream", "3600"),
    // Checksums of sctp and udplite are not ours to make.
    ("netfilter/nf_conntrack_checksum", "0"),
];

/// Gives the thread a network namespace of its own.
pub(crate) fn unshare() -> io::Result<()> {
    Ok(nix::sched::unshare(CloneFlags::CLONE_NEWNET)?)
}

/// A TUN device in the namespace of the thread.
pub(crate) fn tun(name: &str) -> io::Result<Tun> {
    Tun::new_named(Interface::new(name)?)
}

/// Where packets are to go.
pub(crate) struct Routes<'r> {
    pub(crate) family: Family,
    /// The interface that everything leaves by which is for somebody else.
    pub(crate) out: &'r str,
    /// The host's own addresses.
    pub(crate) own: BTreeSet<IpAddr>,
}

pub(crate) struct Namespace {
    interfaces: BTreeMap<String, Tun>,
    raw: [OwnedFd; 2],
    /// The commands that take back the last routes.
    undo: String,
}

impl Namespace {
    /// Enters a new namespace with these interfaces and [`USUAL`].
    pub(crate) fn new(names: &BTreeSet<String>) -> Self {
        unshare().unwrap();
        for (path, value) in SETTINGS {
            // Some are of newer kernels, and some of modules that are loaded later: see `settle`.
            let _absent = std::fs::write(format!("/proc/sys/net/{path}"), value);
        }
        // `lo` becomes an interface like the others, so that packets can be made to arrive by it.
        let rename = "link set dev lo down\nlink set dev lo name loopback0\nlink set dev loopback0 up\n";
        run("ip", &["-batch", "-"], rename).unwrap();
        let mut commands = String::new();
        let mut interfaces = BTreeMap::new();
        let usual = USUAL.to_owned();
        for (at, name) in names
            .iter()
            .chain([&usual])
            .collect::<BTreeSet<_>>()
            .into_iter()
            .enumerate()
        {
            interfaces.insert(
                name.clone(),
                tun(name).unwrap_or_else(|error| panic!("{name}: {error}")),
            );
            // An address for each: masquerading drops what has none to take.
            let _ = writeln!(commands, "link set dev {name} up mtu 65000");
            let _ = writeln!(commands, "addr add 198.18.{at}.1/32 dev {name}");
            let _ = writeln!(commands, "addr add 2001:2:0:{at:x}::1/128 dev {name} nodad");
        }
        run("ip", &["-batch", "-"], &commands).unwrap();
        Self {
            interfaces,
            raw: [raw(Family::V4), raw(Family::V6)],
            undo: String::new(),
        }
    }

    /// Sets what can only be set once connection tracking is there.
    pub(crate) fn settle() {
        for (path, value) in SETTINGS.iter().filter(|(path, _)| path.starts_with("netfilter")) {
            std::fs::write(format!("/proc/sys/net/{path}"), value)
                .unwrap_or_else(|error| panic!("{path}: {error}"));
        }
    }

    /// Routes packets, and takes back the routes before.
    pub(crate) fn route(&mut self, routes: &Routes<'_>) {
        let family = if routes.family == Family::V4 { "-4" } else { "-6" };
        let mut commands = std::mem::take(&mut self.undo);
        let _ = writeln!(commands, "route replace default dev {}", routes.out);
        for own in &routes.own {
            let _ = writeln!(commands, "route replace local {own} dev loopback0 table local");
            let _ = writeln!(self.undo, "route del local {own} dev loopback0 table local");
        }
        run("ip", &[family, "-batch", "-"], &commands).unwrap();
    }

    /// Takes back all routes.
    pub(crate) fn unroute(&mut self, family: Family) {
        let family = if family == Family::V4 { "-4" } else { "-6" };
        let commands = std::mem::take(&mut self.undo);
        run("ip", &[family, "-batch", "-"], &commands).unwrap();
    }

    /// Lets a packet arrive by an interface; what the kernel does about it is done when this returns. What the kernel
    /// refuses to look at is as good as dropped.
    pub(crate) fn arrive(&self, interface: &str, packet: &[u8]) {
        let _refused = self.interfaces[interface].send(packet);
    }

    /// Sends a packet from this host.
    pub(crate) fn leave(&self, to: IpAddr, packet: &[u8]) {
        let flags = MsgFlags::empty();
        // A send that the ruleset stops fails.
        let _stopped = match to {
            IpAddr::V4(to) => {
                let to = SockaddrIn::from(SocketAddrV4::new(to, 0));
                sendto(self.raw[0].as_raw_fd(), packet, &to, flags)
            }
            IpAddr::V6(to) => {
                let to = SockaddrIn6::from(SocketAddrV6::new(to, 0, 0, 0));
                sendto(self.raw[1].as_raw_fd(), packet, &to, flags)
            }
        };
    }
}

/// A socket for whole packets, marked so that they can be told from the kernel's own.
fn raw(family: Family) -> OwnedFd {
    let family = if family == Family::V4 {
        AddressFamily::Inet
    } else {
        AddressFamily::Inet6
    };
    let raw = socket(family, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::Raw).unwrap();
    setsockopt(&raw, sockopt::Mark, &markers::OURS).unwrap();
    raw
}
