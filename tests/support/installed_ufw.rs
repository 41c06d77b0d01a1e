//! ufw as it is installed, run on a copy of its files in a network of its own. INVARIANT: nothing of the machine changes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::say;

/// What ufw has loaded, and what it says of it.
pub(crate) struct Loaded {
    /// Of IPv4 and of IPv6.
    pub(crate) dumps: [String; 2],
    pub(crate) status: String,
}

/// A copy of what is installed of ufw, which a run may change: the folder that stands for the root of a machine.
pub(crate) struct Installed(pub(crate) PathBuf);

impl Installed {
    /// `None` where ufw is not installed or the network cannot be a new one.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let program = ["/usr/sbin/ufw", "/sbin/ufw"]
            .into_iter()
            .find(|path| Path::new(path).is_file());
        let can_unshare = Command::new("unshare")
            .args(["-n", "true"])
            .status()
            .is_ok_and(|status| status.success());
        let is_able = program.is_some() && can_unshare;
        if !is_able {
            say::say("skipped: ufw: the program is not installed, or this is not root");
            assert!(
                std::env::var_os("PORTCULLIS_CI").is_none(),
                "ufw must not be skipped here"
            );
            return None;
        }
        let root = std::env::temp_dir().join(format!("portcullis-ufw-{}-{name}", std::process::id()));
        for (from, to) in [
            ("/usr/share/ufw", "usr/share"),
            ("/lib/ufw", "lib"),
            ("/etc/ufw", "etc"),
            ("/etc/default/ufw", "etc/default"),
        ] {
            std::fs::create_dir_all(root.join(to)).unwrap();
            let copied = Command::new("cp").args(["-a", from]).arg(root.join(to)).status();
            assert!(copied.unwrap().success(), "{from}");
        }
        Some(Self(root))
    }

    /// Runs commands of ufw in a network of their own, which passes packets on, then turns ufw on.
    pub(crate) fn run(&self, commands: &[String]) -> Loaded {
        let ufw = format!("ufw --rootdir={0} --datadir={0}", self.0.display());
        let mut script = "ip link set lo up\n".to_owned();
        script += "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding\n";
        for command in commands {
            writeln!(script, "{ufw} {command} >>{0}/said 2>&1", self.0.display()).unwrap();
        }
        writeln!(
            script,
            "{ufw} --force enable >>{0}/said 2>&1 || exit 1",
            self.0.display()
        )
        .unwrap();
        writeln!(
            script,
            "iptables-save >{0}/v4; ip6tables-save >{0}/v6; {ufw} status verbose >{0}/status 2>/dev/null",
            self.0.display()
        )
        .unwrap();
        let status = Command::new("unshare")
            .args(["-n", "sh", "-c", &script])
            .status()
            .unwrap();
        let said = std::fs::read_to_string(self.0.join("said")).unwrap_or_default();
        assert!(status.success(), "{said}");
        let read = |name: &str| std::fs::read_to_string(self.0.join(name)).unwrap();
        Loaded {
            dumps: ["v4", "v6"].map(read),
            status: read("status"),
        }
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Commands of every kind, the same for a number.
pub(crate) fn commands(seed: usize) -> Vec<String> {
    let pick = |at: usize, from: &[&str]| from[(seed * 7 + at * 5 + at / 3) % from.len()].to_owned();
    let mut commands = vec![
        format!("default {} incoming", pick(seed, &["deny", "reject", "allow"])),
        format!(
            "default {} outgoing",
            pick(seed + 1, &["allow", "deny", "reject"])
        ),
        format!("default {} routed", pick(seed + 2, &["deny", "allow", "reject"])),
        format!("logging {}", pick(seed, &["low", "off", "medium", "full"])),
    ];
    for at in 0..14 {
        let verdict = pick(
            at,
            &["allow", "deny", "reject", "limit", "allow log", "allow log-all"],
        );
        let (action, log) = verdict.split_once(' ').unwrap_or((&verdict, ""));
        let from = pick(
            at + 1,
            &["any", "10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "any"],
        );
        let to = if from.contains(':') {
            "any"
        } else {
            &pick(at + 2, &["any", "10.1.1.1", "any"])
        };
        let port = pick(
            at + 3,
            &["port 22", "port 80,443", "port 6000:6010", "", "port 53"],
        );
        let protocol = pick(at + 4, &["proto tcp", "proto udp"]);
        let protocol = if port.contains([',', ':']) || at % 2 == 0 {
            protocol
        } else {
            String::new()
        };
        let side = pick(at + 5, &["", "in on eth0", "out on eth1", "", "in"]);
        let route = if at % 5 == 4 { "route " } else { "" };
        commands.push(format!(
            "{route}{action} {side} {log} {protocol} from {from} to {to} {port}"
        ));
    }
    commands.push("allow 'WWW Full'".to_owned());
    commands.push("route allow in on eth0 out on eth1 to 10.9.9.9 port 8080 proto tcp".to_owned());
    commands
}
