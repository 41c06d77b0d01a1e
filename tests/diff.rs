//! `diff`: what a change of configs opens, closes, breaks and mends.
#![cfg(test)]

#[path = "support/program.rs"]
mod program;
#[path = "support/repository.rs"]
mod repository;

use program::{Folder, Run};
use repository::commit;

/// A dump that drops what these rules do not decide.
fn dump(rules: &[&str]) -> String {
    let rules: Vec<String> = rules.iter().map(|rule| format!("-A INPUT {rule}\n")).collect();
    let rules = rules.concat();
    format!("*filter\n:INPUT DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n{rules}COMMIT\n")
}

/// The differences of two texts, `OLD` and `NEW` of a name.
fn of_texts(name: &str, old: &str, new: &str, arguments: &str) -> Run {
    let folder = Folder::new(&[(&format!("old/{name}"), old), (&format!("new/{name}"), new)]);
    folder.run(&format!("diff --no-common {arguments} old new"))
}

fn of_rules(old: &[&str], new: &[&str]) -> Run {
    of_texts("web.rules", &dump(old), &dump(new), "")
}

#[track_caller]
fn assert_says(run: &Run, status: i32, expected: &[&str]) {
    assert_eq!(run.status, status, "{run:?}");
    let lines: Vec<&str> = run.stdout.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, expected, "{run:?}");
}

const NOTHING: &str =
    "0 openings added, 0 taken away, 0 possibly changed; 0 requirements broken, 0 mended; 1 host compared";

#[test]
fn what_only_moves_is_not_said() {
    let run = of_rules(
        &[
            "-p tcp --dport 22 -j ACCEPT",
            "-p tcp -m multiport --dports 80,443 -j ACCEPT",
        ],
        &[
            "-p tcp -m tcp --dport 443 -j ACCEPT",
            "-p tcp --dport 80 -m comment --comment 'the site' -j ACCEPT",
            "-s 0.0.0.0/1 -p tcp --dport 22 -j ACCEPT",
            "-s 128.0.0.0/1 -p tcp --dport 22 -j ACCEPT",
        ],
    );
    assert_says(&run, 0, &[NOTHING]);
}

#[test]
fn what_opens_and_what_closes_is_said_with_both_places() {
    let run = of_rules(
        &[
            "-s 10.0.0.0/8 -p tcp --dport 22 -j ACCEPT",
            "-p tcp --dport 80 -j ACCEPT",
        ],
        &[
            "-p tcp --dport 80:81 -j ACCEPT",
            "-s 10.0.0.0/9 -p tcp --dport 22 -j ACCEPT",
        ],
    );
    assert_says(
        &run,
        1,
        &[
            "web.rules",
            "  + tcp/81 from any IPv4 address  # was web.rules:2:8 drops what no rule accepts, is web.rules:4:25 opens it",
            "  - tcp/22 (ssh) from 10.128.0.0/9  # was web.rules:4:39 opens it, is web.rules:2:8 drops what no rule accepts",
            "1 opening added, 1 taken away, 0 possibly changed; 0 requirements broken, 0 mended; 1 host compared",
        ],
    );
}

#[test]
fn what_is_not_known_is_told_apart() {
    let limited = "-p tcp --dport 80 -m limit --limit 1/s -j ACCEPT";
    let run = of_rules(
        &["-p tcp --dport 22 -j ACCEPT"],
        &["-p tcp --dport 22 -j ACCEPT", limited],
    );
    assert_says(
        &run,
        1,
        &[
            "web.rules",
            "  ? tcp/80 (http) from any IPv4 address (was closed, is possibly open)  # was web.rules:2:8 drops what no rule accepts, is web.rules:5:25 opens it",
            "0 openings added, 0 taken away, 1 possibly changed; 0 requirements broken, 0 mended; 1 host compared",
        ],
    );
    let run = of_rules(&[limited], &["-p icmp -j DROP", limited]);
    assert_says(&run, 0, &[NOTHING]);
    let run = of_rules(&[limited], &["-p tcp --dport 80 -j ACCEPT"]);
    assert!(run.stdout.contains("(was possibly open, is open)"), "{run:?}");
    let other = "-p tcp --dport 80 -m recent --name x --rcheck -j ACCEPT";
    let run = of_rules(&[limited], &[other]);
    assert!(
        run.stdout
            .contains("? tcp/80 (http) from any IPv4 address (possibly open for other reasons)"),
        "{run:?}"
    );
}

#[test]
fn what_a_host_calls_is_said_too() {
    let old = dump(&["-p tcp --dport 22 -j ACCEPT"]);
    let new = old.replace(
        ":OUTPUT ACCEPT",
        "-A OUTPUT -p tcp --dport 25 -j DROP\n:OUTPUT ACCEPT",
    );
    let run = of_texts("web.rules", &old, &new, "");
    assert_eq!(run.status, 1);
    assert!(
        run.stdout
            .contains("  - calls tcp/25 (smtp) from any IPv4 address to any IPv4 address"),
        "{run:?}"
    );
}

#[test]
fn hosts_come_go_and_are_renamed() {
    let (web, db) = (
        dump(&["-p tcp --dport 80 -j ACCEPT"]),
        dump(&["-p tcp --dport 5432 -j ACCEPT"]),
    );
    let folder = Folder::new(&[
        ("old/web.rules", &web),
        ("old/gone.rules", &dump(&["-p tcp --dport 23 -j ACCEPT"])),
        ("new/db/main.rules", &db),
        ("new/hosts/web.rules", &web),
    ]);
    let run = folder.run("diff --no-common old new");
    assert_says(
        &run,
        1,
        &[
            "db/main.rules (new)",
            "  + tcp/5432 (postgresql) from any IPv4 address  # is db/main.rules:4:25 opens it",
            "gone.rules (gone)",
            "  - tcp/23 (telnet) from any IPv4 address  # was gone.rules:4:25 opens it",
            "1 opening added, 1 taken away, 0 possibly changed; 0 requirements broken, 0 mended; 3 hosts compared",
        ],
    );
    let renamed = Folder::new(&[
        ("old/a.rules", &web),
        ("old/b.rules", &db),
        ("new/x.rules", &db),
        ("new/b.rules", &web),
    ]);
    let run = renamed.run("diff --no-common --format json old new");
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(run.status, 1, "`b.rules` is another host now: {run:?}");
    assert_eq!(json["renamed"], serde_json::json!([]), "{json}");
    let files = renamed.run("diff --no-common old/b.rules new/x.rules");
    assert_says(&files, 0, &[NOTHING]);
}

#[test]
fn a_change_is_compared_with_a_revision() {
    let rules = dump(&["-p tcp --dport 80 -j ACCEPT"]);
    let folder = Folder::new(&[("hosts/web.rules", &rules)]);
    commit(&folder);
    assert_eq!(folder.run("diff --no-common --base HEAD").status, 0);
    std::fs::rename(
        folder.0.join("hosts/web.rules"),
        folder.0.join("hosts/front.rules"),
    )
    .unwrap();
    let renamed = folder.run("diff --no-common --base HEAD");
    assert_says(&renamed, 0, &[NOTHING]);
    folder.write(
        "hosts/front.rules",
        dump(&["-p tcp --dport 80 -j ACCEPT", "-p tcp --dport 22 -j ACCEPT"]).as_bytes(),
    );
    commit(&folder);
    folder.write("hosts/front.rules", rules.as_bytes());
    let run = folder.run("diff --no-common --base HEAD hosts");
    assert_says(
        &run,
        1,
        &[
            "hosts/front.rules",
            "  - tcp/22 (ssh) from any IPv4 address  # was hosts/front.rules:5:25 opens it, is hosts/front.rules:2:8 drops what no rule accepts",
            "0 openings added, 1 taken away, 0 possibly changed; 0 requirements broken, 0 mended; 1 host compared",
        ],
    );
    assert_eq!(folder.git("status --porcelain"), " M hosts/front.rules\n");
    let first = folder.run("diff --no-common --base HEAD~1");
    assert_says(&first, 0, &[NOTHING]);
}

const POLICY: &str = "policy web \"The site\" {\n  role server\n\n  require site: any -> server : tcp/443 \"for everybody\"\n}\n";

#[test]
fn groups_are_known_by_their_addresses() {
    let group = |port: u16, source: &str| {
        format!(
            "resource \"aws_security_group\" \"app\" {{}}\nresource \"aws_security_group\" \"web\" {{\n  ingress {{\n    from_port = {port}\n    to_port = {port}\n    protocol = \"tcp\"\n    {source}\n  }}\n}}\n"
        )
    };
    let from_app = "security_groups = [aws_security_group.app.id]";
    let run = of_texts("main.tf", &group(443, from_app), &group(443, from_app), "");
    assert_eq!(run.status, 0, "{run:?}");
    let run = of_texts(
        "main.tf",
        &group(443, from_app),
        &group(443, "cidr_blocks = [\"10.0.0.0/8\"]"),
        "",
    );
    assert_eq!(run.status, 1);
    assert!(
        run.stdout.contains("  + tcp/443 (https) from 10.0.0.0/8"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.starts_with("aws_security_group.web\n"),
        "{}",
        run.stdout
    );
    let run = of_texts("main.tf", &group(443, from_app), &group(444, from_app), "");
    assert!(
        run.stdout
            .contains("  + tcp/444 from members of `aws_security_group.app`"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("  - tcp/443 (https) from members of `aws_security_group.app`"),
        "{}",
        run.stdout
    );
}

const CLUSTER: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {template: {metadata: {labels: {app: web}}}}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: db, namespace: shop}\nspec: {template: {metadata: {labels: {app: db}}}}\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: db, namespace: shop}\nspec:\n  podSelector: {matchLabels: {app: db}}\n  ingress:\n  - from: [{podSelector: {matchLabels: {app: web}}}]\n    ports: [{port: 5432}]\n";

#[test]
fn workloads_are_known_by_their_names() {
    let run = of_texts(
        "all.yaml",
        CLUSTER,
        &CLUSTER.replace("  - from:", "  - # the site\n    from:"),
        "",
    );
    assert_eq!(run.status, 0, "{run:?}");
    let wider = CLUSTER.replace("{matchLabels: {app: web}}}]", "{}}]");
    let run = of_texts("all.yaml", CLUSTER, &wider, "");
    assert_eq!(run.status, 1);
    assert!(
        run.stdout.starts_with("shop/db\n  + tcp/5432 (postgresql) from "),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("shop/web\n"), "{}", run.stdout);
    assert!(!run.stdout.contains("  - "), "{}", run.stdout);
}

#[test]
fn a_workload_that_is_called_otherwise_is_renamed() {
    // It may be called by itself too, so that its name is in what it opens.
    let near = CLUSTER.replace("{matchLabels: {app: web}}}]", "{}}]");
    for text in [CLUSTER, near.as_str()] {
        let folder = Folder::new(&[
            ("old/all.yaml", text),
            ("new/all.yaml", &text.replace("{name: db,", "{name: data,")),
        ]);
        let run = folder.run("diff --no-common --format json old new");
        let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(
            json["renamed"],
            serde_json::json!([{"old": "shop/db", "new": "shop/data"}]),
            "{json}"
        );
    }
}

#[test]
fn what_cannot_be_read_is_no_difference() {
    let folder = Folder::new(&[
        ("old/a.rules", &dump(&[])),
        (
            "new/a.rules",
            "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dpo\n",
        ),
    ]);
    let run = folder.run("diff --no-common old new");
    assert_eq!(run.status, 2, "{run:?}");
    assert!(run.stderr.contains("a.rules:3"), "{}", run.stderr);
    assert_eq!(folder.run("diff old").status, 2);
    assert_eq!(folder.run("diff old nothing").status, 2);
    assert_eq!(folder.run("diff --base HEAD old").status, 2, "there is no commit");
    let small = folder.run("diff --no-common --budget 3 old old");
    assert_eq!(small.status, 2, "{small:?}");
}

#[test]
fn json_is_as_its_schema_says() {
    let folder = Folder::new(&[
        ("web.ports", POLICY),
        ("old/web.rules", &dump(&["-p tcp --dport 443 -j ACCEPT"])),
        (
            "new/web.rules",
            &dump(&["-p tcp --dport 8443 -m limit --limit 1/s -j ACCEPT"]),
        ),
        ("new/db.rules", &dump(&[])),
    ]);
    let run = folder.run("diff --policy web.ports --role web.server --no-common --format json old new");
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let schema: serde_json::Value = serde_json::from_str(include_str!("../docs/diff.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&json)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}\n{json}");
    let change = &json["hosts"][1]["changes"][1];
    assert_eq!(
        (&change["before"], &change["after"]),
        (&"open".into(), &"closed".into()),
        "{json}"
    );
    assert_eq!(
        json["broken"][0]["rows"],
        serde_json::json!(["web/site"]),
        "{json}"
    );
}

#[test]
fn markdown_keeps_texts_in_their_cells() {
    let folder = Folder::new(&[
        ("old/a|b.rules", &dump(&[])),
        ("new/a|b.rules", &dump(&["-p tcp --dport 22 -j ACCEPT"])),
    ]);
    let run = folder.run("diff --no-common --format markdown old new");
    let expected = "### Openings\n\n1 opening added, 0 taken away, 0 possibly changed; 0 requirements broken, 0 mended; 1 host compared\n\n\
        | | Host | Packets | Before | Now |\n| --- | --- | --- | --- | --- |\n\
        | added | a\\|b.rules | tcp/22 (ssh) from any IPv4 address | closed, a\\|b.rules:2:8 | open, a\\|b.rules:4:25 |\n\n";
    assert_eq!(run.stdout, expected, "{run:?}");
}
