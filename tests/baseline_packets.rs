//! What a baseline knows of packets: they are compared as numbers, whatever rules and zones are called and however they are cut.
#![cfg(test)]

#[path = "support/program.rs"]
mod program;
#[path = "support/repository.rs"]
mod repository;

use program::Folder;
use repository::commit;

const POLICY: &str = "policy web { role server zone internal require site: any -> server : tcp/443 }\n";

fn site(zones: &str) -> String {
    format!(
        "policies = [\"web.ports\"]\ncommon = false\n{zones}[[bind]]\nroles = [\"web.server\"]\nfiles = [\"hosts/*\"]\n"
    )
}

fn zone(networks: &str) -> String {
    format!("[zones]\ninternal = {{ networks = [\"{networks}\"] }}\n")
}

fn dump(rules: &[&str]) -> String {
    let rules: Vec<String> = rules.iter().map(|rule| format!("-A INPUT {rule}\n")).collect();
    let rules = rules.concat();
    format!(
        "*filter\n:INPUT DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 443 -j ACCEPT\n{rules}COMMIT\n"
    )
}

/// A repository in a state.
fn repository(site: &str, rules: &[&str]) -> Folder {
    let folder = Folder::new(&[
        ("web.ports", POLICY),
        ("portcullis.toml", site),
        ("hosts/web.rules", &dump(rules)),
    ]);
    commit(&folder);
    let written = folder.run("baseline -o known.json hosts");
    assert_eq!(written.status, 0, "{written:?}");
    folder
}

#[test]
fn a_baseline_goes_where_the_site_has_it() {
    let folder = Folder::new(&[
        ("web.ports", POLICY),
        (
            "portcullis.toml",
            &("baseline = \"known/all.json\"\n".to_owned() + &site("")),
        ),
        ("hosts/web.rules", &dump(&[WIDE])),
    ]);
    let refused = folder.run("check hosts");
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(
        refused.stderr.contains("write it: `portcullis baseline`"),
        "{}",
        refused.stderr
    );
    let written = folder.run("baseline hosts");
    assert_eq!(
        (written.status, written.stdout.as_str()),
        (0, "1 finding written to known/all.json\n"),
        "{written:?}"
    );
    assert_eq!(folder.run("check hosts").status, 0);
    assert!(!folder.0.join("portcullis-baseline.json").exists());
}

/// What is new by a baseline and by the revision: the same.
#[track_caller]
fn new(folder: &Folder) -> Vec<String> {
    let lines = |arguments: &str| -> Vec<String> {
        let run = folder.run(&format!("check --format concise {arguments} hosts"));
        assert!(run.status < 2 && run.stderr.is_empty(), "{run:?}");
        let found = run.stdout.lines().filter(|line| !line.contains("stale-baseline"));
        found.map(str::to_owned).collect()
    };
    let brought = lines("--new-from HEAD");
    assert_eq!(lines("--baseline known.json"), brought);
    brought
}

const WIDE: &str = "-s 10.0.0.0/8 -p tcp --dport 8080 -j ACCEPT";

#[test]
fn an_opening_that_is_widened_with_its_zone_is_new() {
    let folder = repository(&site(&zone("10.0.0.0/8")), &[WIDE]);
    folder.write("portcullis.toml", site(&zone("10.0.0.0/7")).as_bytes());
    assert!(new(&folder).is_empty(), "the zone alone opens nothing");
    let wider = dump(&["-s 10.0.0.0/7 -p tcp --dport 8080 -j ACCEPT"]);
    folder.write("hosts/web.rules", wider.as_bytes());
    let found = new(&folder);
    let [one] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert!(one.contains("tcp/8080 (http-alt) from `internal`"), "{one}");
}

#[test]
fn an_opening_that_is_only_called_otherwise_is_known() {
    let folder = repository(&site(""), &[WIDE]);
    folder.write("portcullis.toml", site(&zone("10.0.0.0/8")).as_bytes());
    assert!(new(&folder).is_empty());
    let said = folder.run("check --baseline known.json hosts").stdout;
    assert!(!said.contains("stale-baseline"), "{said}");
}

#[test]
fn an_opening_that_is_cut_otherwise_is_known() {
    let folder = repository(
        &site(""),
        &[
            WIDE,
            "-p tcp --dport 9000 -j ACCEPT",
            "-p tcp --dport 9001 -j ACCEPT",
        ],
    );
    for rules in [
        &["-s 10.0.0.0/9 -p tcp --dport 8080 -j ACCEPT"][..],
        &[
            "-s 10.0.0.0/9 -p tcp --dport 8080 -j ACCEPT",
            "-s 10.128.0.0/9 -p tcp --dport 8080 -j ACCEPT",
        ],
        &["-p tcp --dport 9000:9001 -j ACCEPT"],
    ] {
        folder.write("hosts/web.rules", dump(rules).as_bytes());
        assert!(new(&folder).is_empty(), "{rules:?}");
    }
    folder.write(
        "hosts/web.rules",
        dump(&["-p tcp --dport 8999:9001 -j ACCEPT"]).as_bytes(),
    );
    assert_eq!(new(&folder).len(), 1);
}

#[test]
fn what_is_there_once_more_is_new() {
    let dead = "-s 10.0.0.0/9 -p tcp --dport 8080 -j ACCEPT";
    let folder = repository(&site(""), &[WIDE, dead]);
    folder.write("hosts/web.rules", dump(&[WIDE, dead, dead]).as_bytes());
    let found = new(&folder);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("shadowed-rule"), "{found:?}");
    // A list that says two of what is there once is out of date.
    let written = folder.run("baseline -o known.json hosts");
    assert_eq!(written.stdout, "3 findings written to known.json\n");
    folder.write("hosts/web.rules", dump(&[WIDE, dead]).as_bytes());
    let said = folder
        .run("check --format concise --baseline known.json hosts")
        .stdout;
    assert!(said.contains("fewer than 2 findings `shadowed-rule`"), "{said}");
}

#[test]
fn a_file_that_was_renamed_brings_nothing() {
    let folder = repository(&site(""), &[WIDE, "-p tcp --dport 9000 -j ACCEPT"]);
    let brought = |what: &str| -> Vec<String> {
        let run = folder.run("check --format concise --new-from HEAD hosts");
        assert!(run.status < 2, "{what}: {run:?}");
        run.stdout.lines().map(str::to_owned).collect()
    };
    let rename = |old: &str, new: &str| {
        std::fs::rename(folder.0.join("hosts").join(old), folder.0.join("hosts").join(new)).unwrap();
    };
    rename("web.rules", "front.rules");
    assert_eq!(brought("not added yet"), [""; 0]);
    folder.git("add --all");
    assert_eq!(brought("added"), [""; 0]);
    folder.write(
        "hosts/front.rules",
        dump(&[
            WIDE,
            "-p tcp --dport 9000 -j ACCEPT",
            "-p tcp --dport 9001 -j ACCEPT",
        ])
        .as_bytes(),
    );
    let found = brought("changed too");
    assert_eq!(found.len(), 1, "git tells by most of its text: {found:?}");
    assert!(found[0].contains("tcp/9001"), "{found:?}");
    // Another file beside it is no renamed one.
    folder.git("reset --quiet --hard");
    folder.write("hosts/front.rules", dump(&[WIDE]).as_bytes());
    assert_eq!(brought("a copy").len(), 1);
}
