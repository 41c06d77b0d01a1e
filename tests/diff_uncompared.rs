//! What `diff` cannot compare is said, and is no silence that looks like "nothing changes".
#![cfg(test)]

#[path = "support/program.rs"]
mod program;
#[path = "support/repository.rs"]
mod repository;

use program::Folder;
use repository::commit;

const CHAIN: &str = "table inet filter {\n  chain input {\n    type filter hook input priority 0; policy drop;\n    tcp dport 22 accept\n  }\n}\n";

/// What is said not to be compared between two texts of a name, and the exit code.
fn uncompared(name: &str, old: &str, new: &str) -> (i32, Vec<String>) {
    let folder = Folder::new(&[(&format!("old/{name}"), old), (&format!("new/{name}"), new)]);
    let human = folder.run("diff --no-common old new");
    let said = human
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("not compared: "));
    let said: Vec<String> = said.map(str::to_owned).collect();
    let json = folder.run("diff --no-common --format json old new");
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["summary"]["not_compared"], serde_json::json!(said), "{json}");
    let posted = folder.run("diff --no-common --format markdown old new").stdout;
    assert_eq!(
        posted.matches("\n- not compared: ").count(),
        said.len(),
        "{posted}"
    );
    assert_eq!(human.stderr, "");
    (human.status, said)
}

#[test]
fn a_host_that_nothing_filters_any_more_is_said() {
    let old = format!("flush ruleset\n{CHAIN}");
    for new in ["flush ruleset\n", "table inet filter {\n}\n"] {
        let (status, said) = uncompared("fw.nft", &old, new);
        assert_eq!(status, 1);
        assert_eq!(
            said,
            ["IPv4", "IPv6"].map(|family| format!(
                "{family} of `fw.nft`: nothing filters it now, so everything gets through unless rules that were not read stop it"
            ))
        );
    }
    assert_eq!(uncompared("fw.nft", &old, &old), (0, Vec::new()));
}

#[test]
fn a_family_that_one_state_has_is_said() {
    let dump = "*filter\n:INPUT DROP [0:0]\nCOMMIT\n";
    let folder = Folder::new(&[("one/h.v4", dump), ("both/h.v4", dump), ("both/h.v6", dump)]);
    for (old, new, which, what) in [
        ("one", "both", "new", "got through before"),
        ("both", "one", "old", "gets through now"),
    ] {
        let run = folder.run(&format!("diff --no-common {old} {new}"));
        assert_eq!(run.status, 1, "{run:?}");
        let says = format!("only the {which} state filters it, so what {what} is not known\n");
        assert!(run.stdout.starts_with("not compared: IPv6 of `h.v4"), "{run:?}");
        assert!(run.stdout.contains(&says), "{run:?}");
    }
}

#[test]
fn filters_that_are_not_judged_are_said() {
    let azure = "resource \"azurerm_network_security_group\" \"n\" {\n  name = \"n\"\n  security_rule {\n    name = \"ssh\"\n  }\n}\nresource \"google_compute_firewall\" \"f\" {}\n";
    let expected = [
        "1 resource of kind `azurerm_network_security_group`: such filters are not read",
        "1 resource of kind `google_compute_firewall`: such filters are not read",
    ];
    let (status, said) = uncompared("main.tf", azure, azure);
    assert_eq!(status, 0);
    assert_eq!(said.len(), 2, "{said:?}");
    let folder = Folder::new(&[("main.tf", azure)]);
    let checked = folder.run("check main.tf").stdout;
    for (line, expected) in said.iter().zip(expected) {
        assert!(line.ends_with(expected), "{line}");
        assert!(checked.contains(&format!("{expected}\n")), "{checked}");
    }
    let list = "resource \"aws_network_acl\" \"n\" {\n  ingress {\n    rule_no = 100\n    action = \"allow\"\n    protocol = \"tcp\"\n    from_port = 443\n    to_port = 443\n    cidr_block = \"0.0.0.0/0\"\n  }\n}\n";
    let (_, said) = uncompared("main.tf", list, &list.replace("443", "444"));
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("`aws_network_acl.n` stands before no host"),
        "{said:?}"
    );
}

#[test]
fn submodules_are_read_in_both_states() {
    let dump = |port: u16| {
        format!(
            "*filter\n:INPUT DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport {port} -j ACCEPT\nCOMMIT\n"
        )
    };
    let folder = Folder::new(&[("web.rules", &dump(443))]);
    let other = Folder::new(&[("db.rules", &dump(5432))]);
    commit(&other);
    commit(&folder);
    let path = other.0.display().to_string();
    folder.git(&format!(
        "-c protocol.file.allow=always submodule --quiet add {path} shared"
    ));
    commit(&folder);
    let same = folder.run("diff --no-common --base HEAD");
    assert_eq!(same.status, 0, "{same:?}");
    assert!(same.stdout.contains("2 hosts compared"), "{same:?}");
    folder.write("shared/db.rules", dump(5433).as_bytes());
    let changed = folder.run("diff --no-common --base HEAD");
    assert_eq!(changed.status, 1, "{changed:?}");
    assert!(
        changed.stdout.starts_with("shared/db.rules\n  + tcp/5433"),
        "{changed:?}"
    );
}

#[test]
fn a_repository_is_found_by_its_paths() {
    let dump = "*filter\n:INPUT DROP [0:0]\nCOMMIT\n";
    let folder = Folder::new(&[("hosts/web.rules", dump)]);
    commit(&folder);
    let elsewhere = Folder::new(&[]);
    let hosts = folder.0.join("hosts");
    let open = dump.replace("COMMIT", "-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT");
    folder.write("hosts/web.rules", open.as_bytes());
    let run = elsewhere.run(&format!("diff --no-common --base HEAD '{}'", hosts.display()));
    assert_eq!(run.status, 1, "{run:?}");
    assert!(
        run.stdout.starts_with("hosts/web.rules\n  + tcp/22 (ssh)"),
        "{run:?}"
    );
}
