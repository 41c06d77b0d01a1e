//! firewalld as it is installed, run on a folder of files in a network of its own. INVARIANT: nothing of the machine changes.
//!
//! Its daemon wants D-Bus to be asked by; what loads the rules does not: the daemon's own `Firewall` is started on the folder in
//! place of `/etc/firewalld`, in a network namespace where nft then prints what it has loaded.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::say;

/// Starts firewalld on the folder that it is given.
const START: &str = "import sys
from firewall import config
config.set_system_config_paths(sys.argv[1])
from firewall.core.fw import Firewall
firewall = Firewall()
firewall.start()
if firewall._state != 'RUNNING':
    sys.exit('firewalld is ' + firewall._state)
";

/// Whether firewalld is there and may load rules. Says so if not.
pub(crate) fn is_able() -> bool {
    let run = |program: &str, arguments: &[&str]| {
        let status = Command::new(program).args(arguments).output();
        status.is_ok_and(|output| output.status.success())
    };
    let import = ["-c", "import firewall.core.fw, nftables"];
    let is_able = Path::new("/usr/sbin/firewalld").is_file()
        && run("/usr/bin/python3", &import)
        && run("unshare", &["-n", "true"]);
    if !is_able {
        say::say("skipped: firewalld: the program is not installed, or this is not root");
        assert!(
            std::env::var_os("PORTCULLIS_CI").is_none(),
            "firewalld must not be skipped here"
        );
    }
    is_able
}

/// The ruleset that firewalld loads for the files of its folder, as nft prints it.
pub(crate) fn ruleset(name: &str, files: &[(String, String)]) -> String {
    let root = Root(std::env::temp_dir().join(format!("portcullis-firewalld-{}-{name}", std::process::id())));
    for (name, text) in files {
        let path = root.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let script = "ip link set lo up && /usr/bin/python3 -c \"$1\" \"$2\" >&2 && nft list ruleset";
    let output = Command::new("unshare")
        .args(["-n", "sh", "-c", script, "sh", START])
        .arg(&root.0)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {said}");
    // What it cannot take it leaves out, and goes on with what it ships.
    assert!(!said.contains("ERROR"), "{name}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// A folder that is gone when it is dropped.
struct Root(PathBuf);

impl Drop for Root {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The files of a configuration with elements of every kind, the same for a number.
pub(crate) fn files(seed: usize) -> Vec<(String, String)> {
    let pick =
        |at: usize, from: &[&str]| from[(seed * 7 + at * 5 + at / 3 + seed / 3 * at) % from.len()].to_owned();
    let target = |at| {
        pick(
            at,
            &[
                "",
                " target=\"DROP\"",
                " target=\"ACCEPT\"",
                " target=\"%%REJECT%%\"",
            ],
        )
    };
    let rule = |at: usize| {
        let (family, address) = if pick(at, &["4", "6", "4"]) == "4" {
            (
                "ipv4",
                pick(at + 1, &["192.0.2.0/25", "198.51.100.7", "10.1.0.0/16"]),
            )
        } else {
            ("ipv6", pick(at + 1, &["2001:db8::/33", "2001:db8:1::7"]))
        };
        let invert = pick(at + 2, &["", "", " invert=\"yes\""]);
        let element = pick(
            at + 3,
            &[
                "<service name=\"ssh\"/>",
                "<port port=\"8000-8010\" protocol=\"tcp\"/>",
                "<protocol value=\"gre\"/>",
                "<source-port port=\"123\" protocol=\"udp\"/>",
                "",
            ],
        );
        let verdict = pick(at + 4, &["accept", "drop", "reject"]);
        let priority = pick(at + 5, &["", " priority=\"-10\"", " priority=\"20\""]);
        format!(
            "  <rule family=\"{family}\"{priority}><source address=\"{address}\"{invert}/>{element}<{verdict}/></rule>\n"
        )
    };
    let elements = |at: usize| {
        let all = [
            "  <service name=\"https\"/>\n",
            "  <service name=\"own\"/>\n",
            "  <port port=\"53\" protocol=\"udp\"/>\n",
            "  <protocol value=\"sctp\"/>\n",
            "  <source-port port=\"68\" protocol=\"udp\"/>\n",
            "  <icmp-block name=\"echo-request\"/>\n",
            "  <port port=\"5000-5100\" protocol=\"tcp\"/>\n",
            "  <icmp-block-inversion/>\n",
            "  <forward/>\n",
            "  <masquerade/>\n",
        ];
        let chosen = all
            .iter()
            .enumerate()
            .filter(|(number, _)| (seed * 31 + at * 17 + number * number * 5).is_multiple_of(3));
        chosen.map(|(_, element)| *element).collect::<String>() + &rule(at) + &rule(at + 7)
    };
    let zone = |at, bound: &str| format!("<zone{}>\n{bound}{}</zone>\n", target(at), elements(at));
    let networks = "  <source address=\"192.0.2.0/24\"/>\n  <source ipset=\"friends\"/>\n";
    let policy = format!(
        "<policy target=\"{}\" priority=\"{}\">\n  <ingress-zone name=\"{}\"/>\n  <egress-zone name=\"{}\"/>\n{}</policy>\n",
        pick(3, &["CONTINUE", "DROP", "ACCEPT", "REJECT"]),
        pick(4, &["-5", "7"]),
        pick(5, &["inner", "ANY", "public"]),
        pick(6, &["HOST", "outer", "ANY"]),
        rule(30)
    );
    let files = [
        ("firewalld.conf", "DefaultZone=public\nIPv6_rpfilter=no\nLogDenied=off\n".to_owned()),
        ("zones/public.xml", zone(1, "")),
        ("zones/inner.xml", zone(11, networks)),
        ("zones/outer.xml", zone(21, "  <interface name=\"eth1\"/>\n")),
        (
            "ipsets/friends.xml",
            "<ipset type=\"hash:net\"><entry>198.51.100.0/25</entry><entry>203.0.113.9</entry></ipset>\n".to_owned(),
        ),
        (
            "services/own.xml",
            "<service><port port=\"8080\" protocol=\"tcp\"/><port port=\"9000-9005\" protocol=\"udp\"/></service>\n".to_owned(),
        ),
        ("policies/between.xml", policy),
    ];
    files.map(|(name, text)| (name.to_owned(), text)).to_vec()
}
