//! `diff` and rows: a change breaks a row where packets of it were as it asks and no longer are.
#![cfg(test)]

#[path = "support/program.rs"]
mod program;

use program::Folder;

const POLICY: &str = "policy web \"The site\" {\n  role server\n  zone office\n\n  require site: any -> server : tcp/443 \"for everybody\"\n  require login: office -> server : tcp/22 \"for administrators\"\n  require health: self -> server : tcp/9000 \"for its own checks\"\n  allow proxy: any -> server : tcp/80\n  forbid any -> server : tcp/23 \"telnet\"\n}\n";

const SITE: &str = "policies = [\"web.ports\"]\ncommon = false\n[zones]\noffice = { networks = [\"10.0.0.0/8\"] }\n[[bind]]\nroles = [\"web.server\"]\nfiles = [\"web.rules\"]\n";

/// What every state has: the host to itself, and the two rows that are required.
const MET: [&str; 3] = [
    "INPUT -i lo -j ACCEPT",
    "INPUT -p tcp --dport 443 -j ACCEPT",
    "INPUT -s 10.0.0.0/8 -p tcp --dport 22 -j ACCEPT",
];

fn dump(rules: &[&str], more: &[&str]) -> String {
    let rules: Vec<String> = rules
        .iter()
        .chain(more)
        .map(|rule| format!("-A {rule}\n"))
        .collect();
    let rules = rules.concat();
    format!("*filter\n:INPUT DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n{rules}COMMIT\n")
}

fn folder(old: &str, new: &str) -> Folder {
    let mut files = Vec::new();
    for (state, text) in [("old", old), ("new", new)] {
        files.push((format!("{state}/web.rules"), text));
        files.push((format!("{state}/web.ports"), POLICY));
        files.push((format!("{state}/portcullis.toml"), SITE));
        files.push((format!("{state}/.git/HEAD"), ""));
    }
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    Folder::new(&files)
}

/// What a change breaks and mends, a line each.
fn rows(old: &str, new: &str) -> Vec<String> {
    let run = folder(old, new).run("diff old new");
    assert!(run.status < 2 && run.stderr.is_empty(), "{run:?}");
    let is_of_rows = |line: &&str| line.contains("breaks ") || line.contains("mends ");
    run.stdout.lines().filter(is_of_rows).map(str::to_owned).collect()
}

/// That a change of rules breaks these rows, and that its contrary mends them.
#[track_caller]
fn assert_breaks(old: &[&str], new: &[&str], expected: &[&str]) {
    let (old, new) = (dump(old, &[]), dump(new, &[]));
    let broken: Vec<String> = expected
        .iter()
        .map(|of| format!("breaks {of} on web.rules"))
        .collect();
    let mended: Vec<String> = expected
        .iter()
        .map(|of| format!("mends {of} on web.rules"))
        .collect();
    assert_eq!(rows(&old, &new), broken);
    assert_eq!(rows(&new, &old), mended);
}

#[test]
fn a_row_breaks_where_its_packets_no_longer_get_through() {
    let [own, site, login] = MET;
    assert_breaks(
        &MET,
        &[own, site],
        &["missing-opening of `web/login`: tcp/22 (ssh) from `office`"],
    );
    assert_breaks(
        &MET,
        &[own, site, "INPUT -s 10.0.0.0/9 -p tcp --dport 22 -j ACCEPT"],
        &["missing-opening of `web/login`: tcp/22 (ssh) from 10.128.0.0/9"],
    );
    assert_breaks(
        &MET,
        &[site, login],
        &["missing-opening of `web/health`: tcp/9000 from 127.0.0.1 to 127.0.0.1 in lo"],
    );
}

#[test]
fn a_row_breaks_where_its_answers_no_longer_get_through() {
    let (filtered, more) = (":OUTPUT DROP", "OUTPUT -m state --state ESTABLISHED -j ACCEPT");
    let own = "OUTPUT -o lo -j ACCEPT";
    let answered = dump(&MET, &[own, more]).replace(":OUTPUT ACCEPT", filtered);
    let silent = dump(&MET, &[own]).replace(":OUTPUT ACCEPT", filtered);
    let found = rows(&answered, &silent);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("breaks blocked-reply of `web/login`: "),
        "{found:?}"
    );
    assert!(
        found[1].starts_with("breaks blocked-reply of `web/site`: "),
        "{found:?}"
    );
    let back = rows(&silent, &answered);
    assert!(
        back.iter()
            .all(|line| line.starts_with("mends blocked-reply of ")),
        "{back:?}"
    );
    // A request that is blocked has no answers: they are not mended.
    let closed = dump(&MET[..1], &[own]).replace(":OUTPUT ACCEPT", filtered);
    let found = rows(&silent, &closed);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found
            .iter()
            .all(|line| line.starts_with("breaks missing-opening")),
        "{found:?}"
    );
}

#[test]
fn what_is_forbidden_breaks_its_row_by_the_packets_that_open() {
    let [own, site, login] = MET;
    assert_breaks(
        &[own, site, login, "INPUT -p tcp --dport 24 -j ACCEPT"],
        &[own, site, login, "INPUT -p tcp --dport 23:24 -j ACCEPT"],
        &["forbidden-opening of `web/tcp-23`: tcp/23 (telnet) from any IPv4 address"],
    );
    assert_breaks(
        &[
            own,
            site,
            login,
            "INPUT -s 192.0.2.0/24 -p tcp --dport 23 -j ACCEPT",
        ],
        &[
            own,
            site,
            login,
            "INPUT -s 192.0.2.0/23 -p tcp --dport 23 -j ACCEPT",
        ],
        &["forbidden-opening of `web/tcp-23`: tcp/23 (telnet) from 192.0.3.0/24"],
    );
}

#[test]
fn an_opening_that_no_row_asks_for_is_said_once_above() {
    let [own, site, login] = MET;
    let two = [
        own,
        site,
        login,
        "INPUT -p tcp --dport 8080 -j ACCEPT",
        "INPUT -p tcp --dport 8081 -j ACCEPT",
    ];
    let one = [own, site, login, "INPUT -p tcp --dport 8080:8081 -j ACCEPT"];
    let run = folder(&dump(&two, &[]), &dump(&one, &[])).run("diff old new");
    assert_eq!(
        (run.status, run.stdout.as_str()),
        (
            0,
            "0 openings added, 0 taken away, 0 possibly changed; 0 requirements broken, 0 mended; 1 host compared\n"
        )
    );
    assert_breaks(
        &one,
        &[
            own,
            site,
            login,
            "INPUT -s 10.0.0.0/9 -p tcp --dport 8080 -j ACCEPT",
        ],
        &[],
    );
}

#[test]
fn a_doubt_breaks_possibly_and_mends_nothing() {
    let [own, _, login] = MET;
    let limited = [
        own,
        login,
        "INPUT -p tcp --dport 443 -m recent --rcheck -j ACCEPT",
    ];
    let (met, doubtful, closed) = (dump(&MET, &[]), dump(&limited, &[]), dump(&[own, login], &[]));
    let site = "missing-opening of `web/site`: tcp/443 (https) from any IPv4 address on web.rules";
    assert_eq!(rows(&met, &doubtful), [format!("possibly breaks {site}")]);
    assert_eq!(rows(&doubtful, &met), [format!("possibly mends {site}")]);
    assert_eq!(rows(&closed, &doubtful), [""; 0]);
    assert_eq!(rows(&doubtful, &closed), [format!("possibly breaks {site}")]);
    let posted = folder(&met, &doubtful).run("diff --format markdown old new");
    assert!(
        posted
            .stdout
            .contains("\n- possibly missing-opening of \\`web/site\\`"),
        "{}",
        posted.stdout
    );
}

#[test]
fn what_comments_and_waivers_take_back_is_not_said() {
    let [own, site, login] = MET;
    let open = "INPUT -p tcp --dport 23 -m comment --comment \"portcullis: ignore[forbidden-opening] the old box\" -j ACCEPT";
    assert_eq!(
        rows(&dump(&MET, &[]), &dump(&[own, site, login, open], &[])),
        [""; 0]
    );
    let waived = folder(&dump(&MET, &[]), &dump(&[own, site], &[]));
    waived.write(
        "new/web.ports",
        (POLICY.trim_end().trim_end_matches('}').to_owned() + "  waive web/login \"moves next week\"\n}\n")
            .as_bytes(),
    );
    let run = waived.run("diff old new");
    assert!(run.stdout.contains("- tcp/22 (ssh)"), "{run:?}");
    assert!(!run.stdout.contains("breaks "), "{run:?}");
}

#[test]
fn a_network_acl_before_a_group_breaks_what_no_longer_arrives() {
    let text = |port: u16| {
        format!(
            "resource \"aws_subnet\" \"s\" {{\n  vpc_id = \"vpc-1\"\n  cidr_block = \"10.0.1.0/24\"\n}}\nresource \"aws_network_acl\" \"n\" {{\n  vpc_id = \"vpc-1\"\n  subnet_ids = [aws_subnet.s.id]\n  ingress {{\n    rule_no = 100\n    action = \"allow\"\n    protocol = \"tcp\"\n    from_port = {port}\n    to_port = {port}\n    cidr_block = \"0.0.0.0/0\"\n  }}\n}}\nresource \"aws_security_group\" \"g\" {{\n  ingress {{\n    from_port = 443\n    to_port = 443\n    protocol = \"tcp\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }}\n}}\nresource \"aws_instance\" \"i\" {{\n  subnet_id = aws_subnet.s.id\n  vpc_security_group_ids = [aws_security_group.g.id]\n}}\n"
        )
    };
    let site = "policies = [\"web.ports\"]\ncommon = false\n[[bind]]\nroles = [\"web.server\"]\nresources = [\"aws_instance.i\"]\n";
    let policy = "policy web { role server require site: any -> server : tcp/443 }\n";
    let folder = Folder::new(&[]);
    for (state, port) in [("old", 443), ("new", 80)] {
        folder.write(&format!("{state}/main.tf"), text(port).as_bytes());
        folder.write(&format!("{state}/portcullis.toml"), site.as_bytes());
        folder.write(&format!("{state}/web.ports"), policy.as_bytes());
        folder.write(&format!("{state}/.git/HEAD"), b"");
    }
    let run = folder.run("diff old new");
    let said: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| line.contains("web/site"))
        .collect();
    // The answers were blocked before, since the list lets nothing out; they are not mended by there being none.
    assert_eq!(
        said,
        ["breaks missing-opening of `web/site`: tcp/443 (https) from any IPv4 address on aws_instance.i"],
        "{run:?}"
    );
    assert!(
        !run.stdout.contains("tcp/80"),
        "port 80 is closed at the instance: {run:?}"
    );
}
