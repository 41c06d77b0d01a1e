//! `init`: what is proposed for folders of configs, and that it can be used as it is.
#![cfg(test)]

#[path = "support/program.rs"]
mod program;
#[path = "support/written.rs"]
mod written;

use program::Folder;

const DUMP: &str = "*filter\n:INPUT DROP [0:0]\n-A INPUT -s 10.20.0.0/16 -p tcp --dport 22 -j ACCEPT\n-A INPUT -s 10.20.7.9/32 -j ACCEPT\n-A INPUT -s 8.8.8.0/24 -j ACCEPT\nCOMMIT\n";

#[test]
fn folders_called_as_roles_are_bound_to_them_and_private_networks_are_the_zone() {
    let folder = Folder::new(&[
        ("control-plane/m1/rules.v4", DUMP),
        ("control-plane/m2/rules.v4", DUMP),
        ("workers/w1.rules", DUMP),
        ("workers/w2.rules", DUMP),
        ("README.md", "no config\n"),
    ]);
    let shown = folder.run("init --print");
    assert_eq!((shown.status, shown.stderr.as_str()), (0, ""));
    let lines: Vec<&str> = shown
        .stdout
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .collect();
    assert_eq!(
        lines,
        [
            "policies = [\"kubernetes\"]",
            "[zones]",
            "internal = { networks = [\"10.20.0.0/16\"] }",
            "[[bind]]",
            "roles = [\"kubernetes.control-plane\"]",
            "zone  = \"internal\"",
            "files = [\"control-plane/{host}/*\"]",
            "[[bind]]",
            "roles = [\"kubernetes.worker\"]",
            "zone  = \"internal\"",
            "files = [\"workers/{host}.rules\"]",
        ]
    );
    let written = folder.run("init");
    assert_eq!(written.status, 0, "{written:?}");
    assert!(written.stdout.contains("for 4 configs"), "{}", written.stdout);
    assert_eq!(written::text(&folder, "portcullis.toml"), shown.stdout);
    // It is a site: each host is known, with its role.
    let checked = folder.run("check --format json --coverage");
    let report: serde_json::Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!(
        (checked.status, report["summary"]["hosts"].as_u64()),
        (1, Some(4)),
        "{}",
        checked.stderr
    );
    let again = folder.run("init");
    assert_eq!(again.status, 2);
    assert!(
        again.stderr.contains("portcullis.toml is there already"),
        "{}",
        again.stderr
    );
}

#[test]
fn what_is_not_known_is_left_to_the_reader_and_the_file_is_still_one() {
    let folder = Folder::new(&[
        ("dumps/alpha.rules", DUMP),
        (
            "main.tf",
            "resource \"aws_security_group\" \"a\" {\n  ingress {\n    from_port = 22\n    to_port = 22\n    protocol = \"tcp\"\n    cidr_blocks = [\"10.0.0.0/8\"]\n  }\n}\n",
        ),
    ]);
    let shown = folder.run("init --print").stdout;
    assert!(shown.contains("policies = []\n"), "{shown}");
    assert!(shown.contains("# [[bind]]\n# roles = [\"POLICY.ROLE\"]\n# zone  = \"internal\"\n# files = [\"dumps/{host}.rules\"]\n"), "{shown}");
    assert!(
        shown.contains("# resources = [\"aws_security_group.NAME\"]"),
        "{shown}"
    );
    assert_eq!(folder.run("init").status, 0);
    let run = folder.run("check --exit-zero");
    assert_eq!(run.status, 0, "{}", run.stderr);
    let empty = Folder::new(&[("README.md", "no config\n")]);
    let run = empty.run("init");
    assert_eq!(run.status, 2);
    assert!(
        run.stderr.contains("no config that a dialect knows"),
        "{}",
        run.stderr
    );
    assert!(!empty.0.join("portcullis.toml").exists());
}

#[test]
fn of_several_policies_that_may_be_meant_none_is_chosen() {
    let folder = Folder::new(&[("managers/m1.rules", DUMP), ("workers/w1.rules", DUMP)]);
    let shown = folder.run("init --print").stdout;
    assert!(
        shown.contains(
            "# `docker-swarm`, `mke` have roles that are called as folders here are: choose.\npolicies = []\n"
        ),
        "{shown}"
    );
    assert!(
        shown.contains("is called as `docker-swarm.manager` is, and mke.manager: choose.\n# [[bind]]\n"),
        "{shown}"
    );
}
