//! The program as its users meet it: exit codes, output, and what it says to arguments that are wrong.
#![cfg(test)]

#[path = "support/program.rs"]
mod program;
#[path = "support/written.rs"]
mod written;

use program::{Folder, Run};

const POLICY: &str = "policy web \"The site\" {\n  role server\n\n  require site: any -> server : tcp/443 \"for everybody\"\n}\n";

/// Meets the policy.
const OPEN: &str = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 443 -j ACCEPT\nCOMMIT\n";

/// Misses 443 and opens 8080.
const WRONG: &str =
    "*filter\n:INPUT DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 8080 -j ACCEPT\nCOMMIT\n";

/// Opens 8080 to some, at a rate.
const PERHAPS: &str = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m multiport --dports 443 -j ACCEPT\n-A INPUT -p tcp --dport 8080 -m limit --limit 1/s -j ACCEPT\nCOMMIT\n";

const AUDIT: &str = "--policy web.ports --role web.server --no-common";

fn folder() -> Folder {
    Folder::new(&[
        ("web.ports", POLICY),
        ("open.rules", OPEN),
        ("wrong.rules", WRONG),
        ("perhaps.rules", PERHAPS),
    ])
}

fn check(folder: &Folder, arguments: &str) -> Run {
    folder.run(&format!("check {AUDIT} {arguments}"))
}

#[track_caller]
fn assert_fails(run: &Run, says: &[&str]) {
    assert_eq!(run.status, 2, "{run:?}");
    for text in says {
        assert!(run.stderr.contains(text), "no `{text}` in:\n{}", run.stderr);
    }
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
}

#[test]
fn exit_codes_say_clean_found_and_failed() {
    let folder = folder();
    assert_eq!(check(&folder, "open.rules").status, 0);
    assert_eq!(check(&folder, "wrong.rules").status, 1);
    folder.write(
        "cut.rules",
        b"*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dpo\n",
    );
    assert_eq!(check(&folder, "cut.rules").status, 2, "unread text is no pass");
    assert_eq!(check(&folder, "open.rules cut.rules").status, 2);
    assert_eq!(check(&folder, "wrong.rules nothing.rules").status, 2);
    let small = check(&folder, "--budget 5 open.rules");
    assert_eq!(small.status, 2, "what was not analysed is no pass: {small:?}");
    assert!(
        small.stdout.contains("error[analysis-budget]"),
        "{}",
        small.stdout
    );
}

#[test]
fn fail_on_decides_which_severity_is_found() {
    let folder = folder();
    assert_eq!(check(&folder, "perhaps.rules").status, 0, "a warning is no error");
    assert_eq!(check(&folder, "--fail-on warning perhaps.rules").status, 1);
    assert_eq!(check(&folder, "--fail-on warning open.rules").status, 0);
    folder.write(
        "site/portcullis.toml",
        b"policies = [\"../web.ports\"]\ncommon = false\nfail_on = \"warning\"\n[[bind]]\nroles = [\"web.server\"]\nfiles = [\"*.rules\"]\n",
    );
    folder.write("site/perhaps.rules", PERHAPS.as_bytes());
    assert_eq!(folder.run("check site").status, 1, "the site says so");
    assert_eq!(
        folder.run("check --fail-on error site").status,
        0,
        "the command line wins"
    );
}

#[test]
fn human_findings_show_the_deciding_bytes_and_the_row() {
    let run = check(&folder(), "wrong.rules");
    let expected = "\
error[missing-opening]: `web/site` requires tcp/443 (https) from anywhere, which is blocked
  ┌─ wrong.rules:2:8
  │
2 │ :INPUT DROP [0:0]
  │        ^^^^ drops what no rule accepts
  │
  ┌─ web.ports:4:3
  │
4 │   require site: any -> server : tcp/443 \"for everybody\"
  │   ----------------------------------------------------- `web/site` requires it
";
    assert!(run.stdout.contains(expected), "{}", run.stdout);
    for line in [
        "error[excess-opening]: no row allows tcp/8080 (http-alt) from any IPv4 address",
        "4 │ -A INPUT -p tcp --dport 8080 -j ACCEPT",
        "  │                         ^^^^ opens tcp/8080 (http-alt) from any IPv4 address",
        "not checked: IPv6 of host `wrong.rules`: no dump of it was given",
        "2 errors, 0 warnings, 0 notes",
        "1 row checked on 1 host: 1 rule read from 1 file",
    ] {
        assert!(
            run.stdout.lines().any(|found| found == line),
            "{line}\n{}",
            run.stdout
        );
    }
    assert_eq!(run.stderr, "");
}

#[test]
fn every_format_has_the_same_findings() {
    let folder = folder();
    let concise = check(&folder, "--format concise wrong.rules");
    let lines: Vec<_> = concise.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", concise.stdout);
    assert!(
        lines[0].starts_with("wrong.rules:2:8: error[missing-opening]"),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].starts_with("wrong.rules:4:25: error[excess-opening]"),
        "{}",
        lines[1]
    );
    let json = check(&folder, "--format json wrong.rules");
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let codes: Vec<_> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["missing-opening", "excess-opening"]);
    let sarif = check(&folder, "--format sarif wrong.rules");
    let sarif: serde_json::Value = serde_json::from_str(&sarif.stdout).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let codes: Vec<_> = results
        .iter()
        .map(|result| result["ruleId"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["missing-opening", "excess-opening"]);
    let at = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(at["artifactLocation"]["uri"], "wrong.rules");
    assert_eq!(at["region"]["startLine"], 2);
    assert_eq!(at["region"]["startColumn"], 8);
    for format in ["human", "concise", "json", "sarif"] {
        assert_eq!(
            check(&folder, &format!("--format {format} wrong.rules")).status,
            1
        );
    }
}

#[test]
fn a_dump_may_come_by_standard_input() {
    let folder = folder();
    let run = folder.run_with(&format!("check {AUDIT} --format concise -"), WRONG, &[]);
    assert_eq!(run.status, 1, "{run:?}");
    assert_eq!(run.stdout.lines().count(), 2, "{}", run.stdout);
    assert_eq!(folder.run_with(&format!("check {AUDIT} -"), OPEN, &[]).status, 0);
    let empty = folder.run_with(&format!("check {AUDIT} -"), "", &[]);
    assert_fails(&empty, &["no dialect knows this file"]);
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let folder = folder();
    let plain = |environment: &[(&str, &str)]| {
        let run = folder.run_with(&format!("check {AUDIT} wrong.rules"), "", environment);
        !run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}')
    };
    assert!(plain(&[]), "a pipe is no terminal");
    assert!(plain(&[("NO_COLOR", "1")]));
    assert!(plain(&[("NO_COLOR", "1"), ("TERM", "xterm-256color")]));
}

#[test]
fn openings_are_a_port_table() {
    let folder = folder();
    let text = folder.run("openings wrong.rules perhaps.rules");
    let expected = "\
perhaps.rules
  tcp/443 (https) from any IPv4 address  # perhaps.rules:3:39
  tcp/8080 (http-alt) from any IPv4 address (possibly)  # perhaps.rules:4:25

wrong.rules
  tcp/8080 (http-alt) from any IPv4 address  # wrong.rules:4:25
";
    assert_eq!(
        (text.status, text.stdout.as_str()),
        (0, expected),
        "{}",
        text.stderr
    );
    let json = folder.run("openings --format json perhaps.rules");
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json[0]["host"], "perhaps.rules");
    assert_eq!(json[0]["openings"][1]["certainty"], "possibly");
    assert_eq!(json[0]["openings"][0]["rule"], "perhaps.rules:3:39");
    folder.write("shut.rules", b"*filter\n:INPUT DROP [0:0]\nCOMMIT\n");
    let shut = folder.run("openings shut.rules");
    assert_eq!(
        shut.stdout,
        "shut.rules\n  nothing is open to new connections from elsewhere\n"
    );
    assert_fails(
        &folder.run("openings nothing.rules"),
        &["cannot read `nothing.rules`"],
    );
}

#[test]
fn openings_say_which_names_lead_nowhere() {
    let folder = folder();
    folder.write(
        "jump.rules",
        b"*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -j webb\nCOMMIT\n",
    );
    folder.write(
        "set.nft",
        b"table ip t {\n\tchain c {\n\t\ttype filter hook input priority 0; policy drop;\n\t\tip saddr @admins accept\n\t}\n}\n",
    );
    let run = folder.run("openings jump.rules set.nft");
    assert_eq!(run.status, 1, "{}", run.stderr);
    for said in [
        "jump.rules:3:20: chain `webb` does not exist in table `filter`",
        "set.nft:4:13: set `admins` does not exist in table `t`",
    ] {
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
}

#[test]
fn trace_shows_each_rule_on_a_packets_way() {
    let folder = folder();
    folder.write(
        "jump.rules",
        b"*filter\n:INPUT DROP [0:0]\n:web - [0:0]\n-A INPUT -p tcp -j web\n-A web -p tcp --dport 443 -j ACCEPT\nCOMMIT\n",
    );
    let run = folder.run("trace 'tcp 10.0.0.1:40000 -> 10.0.0.2:443 in eth0' jump.rules");
    let expected = "  jump.rules:4: jumps: -A INPUT -p tcp -j web
  jump.rules:5: accepts: -A web -p tcp --dport 443 -j ACCEPT
accept
";
    assert_eq!((run.status, run.stdout.as_str()), (0, expected), "{}", run.stderr);
    let run = folder.run("trace 'udp 10.0.0.1:40000 -> 10.0.0.2:443 in eth0' jump.rules");
    assert_eq!(
        run.stdout,
        "  jump.rules:2: drops by default: :INPUT DROP [0:0]\ndrop\n"
    );
    let run = folder.run("trace 'tcp 10.0.0.1:40000 -> 10.0.0.2:8080 in eth0' perhaps.rules");
    let last: Vec<_> = run.stdout.lines().rev().take(2).collect();
    assert_eq!(last[1], "unknown: accept or drop", "{}", run.stdout);
    assert!(
        last[0].starts_with("  not known: perhaps.rules:4"),
        "{}",
        run.stdout
    );
}

/// The kernel routes a packet after its destination was translated: to a container's address it is forwarded, whatever
/// the input chain would have said of it.
#[test]
fn trace_follows_a_translated_packet_to_where_it_is_routed() {
    let folder = folder();
    let published = b"*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80\n\
        -A PREROUTING -p tcp --dport 8081 -j DNAT --to-destination 127.0.0.1:80\nCOMMIT\n\
        *filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\nCOMMIT\n";
    folder.write("published/published.rules", published);
    let verdict = |port: u16| {
        let packet = format!("tcp 10.0.0.1:40000 -> 10.0.0.2:{port} in eth0");
        let run = folder.run(&format!("trace '{packet}' published/published.rules"));
        run.stdout
            .lines()
            .find(|line| !line.starts_with(' '))
            .map(str::to_owned)
    };
    assert_eq!(verdict(80).as_deref(), Some("accept"));
    // Whether 172.17.0.2 is the host's own is not known.
    assert_eq!(verdict(8080).as_deref(), Some("unknown: accept or drop"));
    // Whether `route_localnet` of eth0 is set is not known either.
    assert_eq!(verdict(8081).as_deref(), Some("unknown: accept or drop"));
}

#[test]
fn trace_answers_batches_in_json_lines() {
    let folder = folder();
    folder.write(
        "packets.jsonl",
        br#"{"hook":"input","iif":"eth0","src":"10.0.0.1","dst":"10.0.0.2","proto":"tcp","sport":40000,"dport":8080}
{"hook":"input","iif":"eth0","src":"10.0.0.1","dst":"10.0.0.2","proto":"tcp","dport":443}

{"hook":"output","oif":"eth0","src":"10.0.0.2","dst":"10.0.0.1","proto":"udp","dport":53}
"#,
    );
    let run = folder.run("trace --packets packets.jsonl wrong.rules");
    let answers: Vec<serde_json::Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let verdicts: Vec<_> = answers
        .iter()
        .map(|answer| answer["verdict"].as_str().unwrap())
        .collect();
    assert_eq!((run.status, verdicts), (0, vec!["accept", "drop", "accept"]));
    assert_eq!(
        answers[0]["rule"],
        serde_json::json!({ "path": "wrong.rules", "line": 4, "text": "-A INPUT -p tcp --dport 8080 -j ACCEPT" })
    );
    assert_eq!(answers[1]["rule"]["line"], 2);
    let mixed = "{\"src\":\"10.0.0.1\",\"dst\":\"::1\"}\n{\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\",\"dport\":8080}\n";
    let run = folder.run_with("trace --packets - wrong.rules", mixed, &[]);
    assert_fails(&run, &["-:1: src and dst are of different families"]);
    assert_eq!(
        run.stdout.lines().count(),
        2,
        "one answer a line, also for those that cannot be read"
    );
    assert!(run.stdout.lines().nth(1).unwrap().contains("\"accept\""));
}

#[test]
fn explain_knows_every_code() {
    let folder = folder();
    let all = folder.run("explain").stdout;
    for code in portcullis::finding::Code::ALL {
        assert!(all.contains(code.id()), "{} is not listed", code.id());
        let run = folder.run(&format!("explain {}", code.id()));
        assert_eq!(run.status, 0);
        let head = format!("{}[{}]", code.severity().word(), code.id());
        assert!(run.stdout.starts_with(&head), "{}", run.stdout);
    }
    assert_fails(
        &folder.run("explain mising-opening"),
        &["did you mean `missing-opening`?"],
    );
    assert_fails(
        &folder.run("explain nonsense"),
        &["`portcullis explain` lists them"],
    );
}

#[test]
fn policies_are_listed_and_shown() {
    let folder = folder();
    let list = folder.run("policy list").stdout;
    let expected = "\
common             What holds for every host
calico             Calico
ceph               Ceph
consul             HashiCorp Consul
docker-swarm       Docker Swarm
etcd               etcd
k3s                K3s
kafka              Apache Kafka
kubernetes         Kubernetes
mke                Mirantis Kubernetes Engine
nomad              HashiCorp Nomad
openstack          OpenStack services
opensearch         OpenSearch and Elasticsearch
postgresql         PostgreSQL
prometheus         Prometheus and common exporters
rabbitmq           RabbitMQ
redis              Redis
rke2               RKE2
stacklight         Mirantis StackLight
stackstate-agent   StackState agent
vault              HashiCorp Vault
";
    assert_eq!(list, expected);
    for (name, n_rows) in [("mke", 25), ("stacklight", 30), ("stackstate-agent", 3)] {
        let text = folder.run(&format!("policy show {name}"));
        assert_eq!(text.status, 0);
        let start = format!("{name}/");
        let rows = text.stdout.lines().filter(|line| line.starts_with(&start));
        assert_eq!(rows.count(), n_rows, "{name}");
        let json = folder.run(&format!("policy show {name} --format json"));
        let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
        assert_eq!(json["rows"].as_array().unwrap().len(), n_rows, "{name}");
        for row in json["rows"].as_array().unwrap() {
            let says = |key: &str| !row[key].is_null();
            assert!(
                [
                    "id",
                    "direction",
                    "roles",
                    "peers",
                    "services",
                    "purpose",
                    "document"
                ]
                .into_iter()
                .all(says),
                "{row}"
            );
        }
    }
    let own = folder.run("policy show web.ports").stdout;
    assert_eq!(own.lines().next(), Some("web: The site"));
    let row = own.lines().nth(2).unwrap();
    let words: Vec<_> = row.split_whitespace().collect();
    assert_eq!(
        words,
        [
            "web/site",
            "require",
            "ingress",
            "server",
            "any",
            "tcp/443",
            "for",
            "everybody"
        ]
    );
    assert_fails(&folder.run("policy show mkee"), &["did you mean `mke`?"]);
}

#[test]
fn fmt_writes_one_form_and_keeps_it() {
    let folder = folder();
    let untidy = "# ours\npolicy web{role server\nrequire site:any->server:tcp/443 # all\n}";
    folder.write("untidy.ports", untidy.as_bytes());
    let looked = folder.run("fmt --check untidy.ports web.ports");
    assert_eq!(
        (looked.status, looked.stdout.as_str()),
        (1, "untidy.ports is not in canonical form\n")
    );
    let read = || written::text(&folder, "untidy.ports");
    assert_eq!(read(), untidy, "--check writes nothing");
    assert_eq!(folder.run("fmt untidy.ports").stdout, "untidy.ports formatted\n");
    let tidy = "# ours\npolicy web {\n  role server\n  require site: any -> server : tcp/443  # all\n}\n";
    assert_eq!(read(), tidy);
    assert_eq!(folder.run("fmt untidy.ports").stdout, "", "it is already");
    assert_eq!(folder.run("fmt --check .").status, 0, "folders are searched");
    let piped = folder.run_with("fmt -", untidy, &[]);
    assert_eq!((piped.status, piped.stdout.as_str()), (0, tidy));
    folder.write("bad.ports", b"policy web { rule }");
    assert_fails(&folder.run("fmt bad.ports"), &["bad.ports", "`rule`"]);
    assert_fails(
        &folder.run("fmt nothing.ports"),
        &["nothing.ports cannot be read"],
    );
}

#[test]
fn a_policy_of_ones_own_needs_no_qualified_role_and_lies_where_the_command_runs() {
    let folder = folder();
    folder.write("below/portcullis.toml", b"policies = [\"mke\"]\n");
    folder.write(
        "own.ports",
        b"policy own { role web zone internal require shop: internal -> web : tcp/8443 \"shop\" }",
    );
    folder.write("below/web.rules", WRONG.as_bytes());
    let found = folder.run("check --policy own.ports --role web below/web.rules");
    assert_eq!(found.status, 1, "{}", found.stderr);
    assert!(
        found.stdout.contains("`own/shop` requires tcp/8443"),
        "{}",
        found.stdout
    );
}

/// A site whose every file is bound by name.
fn site_of(files: &[(&str, &[u8])]) -> Folder {
    let folder = folder();
    folder.write(
        "portcullis.toml",
        b"policies = [\"web.ports\"]\ncommon = false\n[[bind]]\nroles = [\"web.server\"]\nfiles = [\"h/{host}/rules.v4\", \"h/{host}/extra-*\", \"h/{host}/ipset.save\"]\n",
    );
    for (name, bytes) in files {
        folder.write(name, bytes);
    }
    folder
}

#[test]
fn a_bound_file_that_nobody_can_read_fails_the_run() {
    let open = OPEN.as_bytes();
    let utf16: Vec<u8> = OPEN.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, says) in [
        (&utf16[..], "h/bad/rules.v4"),
        (b"sudo: iptables-save: command not found\n", "no dialect knows it"),
        (b"", "h/bad/rules.v4"),
        (b"# nothing\n", "h/bad/rules.v4: there is nothing in it"),
    ] {
        let site = site_of(&[("h/good/rules.v4", open), ("h/bad/rules.v4", bytes)]);
        let run = site.run("check h");
        assert_eq!(run.status, 2, "{run:?}");
        assert!(format!("{}{}", run.stdout, run.stderr).contains(says), "{run:?}");
    }
}

#[test]
fn what_a_pattern_happens_to_match_is_only_said() {
    let open = OPEN.as_bytes();
    let sets = b"create mgmt hash:net family inet\nadd mgmt 10.0.0.0/8\n";
    let site = site_of(&[
        ("h/good/rules.v4", open),
        ("h/good/extra-notes.txt", b"ask Kim"),
        ("h/good/ipset.save", sets),
    ]);
    let run = site.run("check h");
    assert_eq!(run.status, 0, "{run:?}");
    assert!(
        run.stdout.contains("extra-notes.txt: a binding matches it"),
        "{run:?}"
    );
    assert!(!run.stdout.contains("ipset.save"), "{run:?}");
}

#[test]
fn two_dumps_that_say_what_one_chain_does_fail_the_run() {
    let site = site_of(&[
        ("h/one/rules.v4", OPEN.as_bytes()),
        ("h/one/extra-old", WRONG.as_bytes()),
    ]);
    let run = site.run("check h");
    assert_eq!(run.status, 2, "{run:?}");
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(said.contains("both hold the chain"), "{said}");
    let nat = b"*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 443\nCOMMIT\n";
    let site = site_of(&[("h/one/rules.v4", OPEN.as_bytes()), ("h/one/extra-nat", nat)]);
    let run = site.run("check h");
    assert!(
        run.status < 2,
        "tables in files of their own are one host: {run:?}"
    );
}

#[test]
fn a_policy_that_is_no_text_is_refused_and_left_alone() {
    let folder = folder();
    let policy = b"# Gr\xf6\xdfe\npolicy web \"W\xfcrze\" {\n    role server\n}\n";
    folder.write("latin.ports", policy);
    for command in [
        "fmt latin.ports",
        "policy show latin.ports",
        "check --policy latin.ports --role server open.rules",
    ] {
        let run = folder.run(command);
        assert_eq!(run.status, 2, "{command}: {run:?}");
        assert!(
            run.stderr.contains("these bytes are not UTF-8 text"),
            "{command}: {run:?}"
        );
    }
    let left = std::fs::read(folder.0.join("latin.ports")).unwrap();
    assert_eq!(left, policy, "nothing was written");
}

#[test]
fn openings_of_a_router_are_what_it_lets_in_and_what_it_passes_on() {
    let folder = folder();
    folder.write(
        "gateway.rules",
        b"*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp --dport 8443 -j DNAT --to-destination 10.20.1.5:443\nCOMMIT\n\
          *filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n-A FORWARD -p tcp -m multiport --dports 443,5432 -j ACCEPT\nCOMMIT\n",
    );
    let site = "policies = [\"web.ports\"]\ncommon = false\n[[bind]]\nroles = [\"web.server\"]\nfiles = [\"gateway.rules\"]\n";
    folder.write("portcullis.toml", site.as_bytes());
    let plain = folder.run("openings gateway.rules").stdout;
    assert!(
        plain.contains("tcp/8443") && !plain.contains("passes on"),
        "{plain}"
    );
    folder.write("portcullis.toml", format!("{site}router = true\n").as_bytes());
    let router = folder.run("openings gateway.rules").stdout;
    let passed: Vec<_> = router.lines().filter(|line| line.contains("passes on")).collect();
    assert!(
        passed.len() == 1 && passed[0].contains("tcp/443") && passed[0].contains("tcp/5432"),
        "the published port is an opening, not transit: {router}"
    );
    assert!(
        router.lines().any(|line| line.trim().starts_with("tcp/8443")),
        "{router}"
    );
}

#[test]
fn a_trace_knows_nothing_of_a_family_without_a_dump() {
    let run = folder().run("trace 'tcp [2001:db8::1]:4000 -> [2001:db8::2]:443 in eth0' open.rules");
    assert!(run.stdout.contains("unknown"), "{run:?}");
    assert!(
        run.stdout.contains("no dump of what the host does to IPv6"),
        "{run:?}"
    );
}

#[test]
fn openings_tell_the_sure_from_the_possible() {
    let run = folder().run("openings perhaps.rules --format json");
    let found: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let text = found.to_string();
    assert!(text.contains("tcp/443") && text.contains("tcp/8080"), "{text}");
    let folder = folder();
    folder.write(
        "doubt.rules",
        b"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 23 -m recent --rcheck --name x --rsource -j DROP\nCOMMIT\n",
    );
    let lines = folder.run("openings doubt.rules").stdout;
    let possible: Vec<_> = lines.lines().filter(|line| line.contains("(possibly)")).collect();
    assert_eq!(possible.len(), 1, "{lines}");
    assert!(possible[0].contains("tcp/23"), "{lines}");
}

#[test]
fn a_shadowed_rule_names_who_takes_most_of_it_and_who_sends_it_back() {
    let folder = folder();
    folder.write(
        "shadow.rules",
        b"*filter\n:INPUT DROP [0:0]\n:WEB - [0:0]\n-A INPUT -s 10.0.0.0/10 -j ACCEPT\n-A INPUT -s 10.64.0.0/11 -j ACCEPT\n-A INPUT -s 10.96.0.0/11 -j ACCEPT\n-A INPUT -s 10.128.0.0/9 -j DROP\n-A INPUT -s 10.0.0.0/8 -j ACCEPT\n-A INPUT -p tcp -j WEB\n-A WEB -p tcp --dport 80 -j RETURN\n-A WEB -p tcp --dport 80 -j ACCEPT\nCOMMIT\n",
    );
    let run = folder.run("check --no-common shadow.rules --format json");
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let line_of_first_related = |line: u64| {
        let finding = findings.iter().find(|finding| {
            finding["code"] == "shadowed-rule" && finding["primary"]["start"]["line"] == line
        });
        let finding = finding.unwrap_or_else(|| panic!("nothing at line {line} in {}", run.stdout));
        finding["related"][0]["start"]["line"].as_u64()
    };
    assert_eq!(
        line_of_first_related(8),
        Some(7),
        "half of the packets are dropped"
    );
    assert_eq!(line_of_first_related(11), Some(10), "the RETURN comes first");
}

#[test]
fn dialects_and_their_constructs_are_listed() {
    let folder = folder();
    let short = folder.run("dialects").stdout;
    let long = folder.run("dialects --constructs").stdout;
    for dialect in portcullis::dialect::ALL {
        assert!(short.contains(&format!("{}: {}", dialect.name(), dialect.summary())));
        for construct in dialect.constructs() {
            assert!(long.contains(&construct.name), "{}", construct.name);
        }
    }
    let netmap = long
        .lines()
        .find(|line| line.trim().starts_with("-j NETMAP "))
        .unwrap();
    assert!(
        netmap.ends_with("unknown, asked afresh each time"),
        "one address of many is chosen: {netmap}"
    );
}

/// Command lines that are wrong, and what is said to them.
const WRONG_ARGUMENTS: &[(&str, &[&str])] = &[
    (
        "check --policy mkee open.rules",
        &["there is no policy `mkee`", "did you mean `mke`?"],
    ),
    (
        "check --policy nothing.ports open.rules",
        &[
            "there is no policy `nothing.ports`",
            "no readable file nothing.ports",
        ],
    ),
    (
        "check --policy mke --role managr open.rules",
        &[
            "no policy in force has a role `managr`",
            "did you mean `manager`?",
        ],
    ),
    (
        "check --policy mke --policy twin.ports --role manager open.rules",
        &[
            "several policies in force have a role `manager`",
            "write `mke.manager` or `twin.manager`",
        ],
    ),
    (
        "check --policy mke --role manager --zone intrnal@eth0 open.rules",
        &[
            "zone `intrnal` has no `networks`",
            "did you mean `internal`?",
            "only `internal` and `external`",
        ],
    ),
    (
        "check --policy mke --role manager --zone internal=10.0.0.0/40 open.rules",
        &["the prefix length of `10.0.0.0/40` is too large", "`10.0.0.0/8`"],
    ),
    (
        "check --policy mke --role manager --zone intrnal=10.0.0.0/8 open.rules",
        &["zone `intrnal` is named by no policy", "did you mean `internal`?"],
    ),
    (
        "check --policy mke --role manager --without stacklight.logging open.rules",
        &["policy `stacklight` is not in force", "name it under `policies`"],
    ),
    (
        "check --policy mke --role manager --set stacklight.smtp=tcp/25 open.rules",
        &["policy `stacklight` is not in force"],
    ),
    (
        "check --policy mke --role manager --product-version stacklight=1 open.rules",
        &["policy `stacklight` is not in force"],
    ),
    (
        "check --policy uses.ports --role shop.server --set mke.ui=tcp/4443 open.rules",
        &[
            "policy `mke` is not in force",
            "`shop` uses it",
            "`use mke { … }`",
        ],
    ),
    (
        "check --policy mke --role manager --feature mke.logging open.rules",
        &["unknown feature `logging`", "policy `mke` has no features"],
    ),
    (
        "check --policy mke --policy nope --role worker open.rules",
        &["there is no policy `nope`"],
    ),
    (
        "check --policy stacklight --role node --feature stacklight.loging open.rules",
        &["unknown feature `loging`", "did you mean `logging`?"],
    ),
    (
        "check --policy stacklight --role node --product-version stacklight=new open.rules",
        &["`new` is not a version", "such as `24.1`"],
    ),
    (
        "check --policy mke --role manager --set mke.uii=tcp/1 open.rules",
        &["no setting `uii`", "did you mean `ui`?"],
    ),
    (
        "check --policy mke --role manager --set mke.ui=tcp/99999 open.rules",
        &["port 99999 does not exist", "such as `tcp/8443`"],
    ),
    (
        "check nothing.rules",
        &["cannot read `nothing.rules`: no such file or folder"],
    ),
    (
        "check web.ports",
        &["no dialect knows this file", "portcullis dialects"],
    ),
    (
        "check --site nothing.toml open.rules",
        &["nothing.toml cannot be read"],
    ),
    (
        "check --format yaml open.rules",
        &["`yaml`", "human, concise, json, jsonl, sarif"],
    ),
    (
        "check --fail-on never open.rules",
        &["'never'", "note, warning, error"],
    ),
    ("check --dialect nft open.rules", &["'nft'", "iptables"]),
    ("check --threads 0 open.rules", &["'0'", "--threads"]),
    ("chekc open.rules", &["chekc", "check"]),
    (
        "trace 'tcp 10.0.0.1 -> 10.0.0.2:99999' open.rules",
        &["`99999` is not a port"],
    ),
    (
        "trace 'hello' open.rules",
        &["`hello` is not a protocol", "name a protocol"],
    ),
    (
        "trace 'tcp 10.0.0.1:1 -> 10.0.0.2:2'",
        &["no file or folder to trace through"],
    ),
    (
        "trace --packets nothing.jsonl open.rules",
        &["nothing.jsonl cannot be read"],
    ),
    (
        "trace --packets nothing.jsonl open.rules wrong.rules",
        &["--packets takes one host"],
    ),
];

#[test]
fn wrong_arguments_are_answered_with_what_would_be_right() {
    let folder = folder();
    folder.write(
        "twin.ports",
        b"policy twin { role manager zone internal require ssh: internal -> manager : tcp/22 \"logins\" }",
    );
    folder.write(
        "uses.ports",
        b"policy shop { role server zone internal use mke require ui: internal -> server : tcp/443 }",
    );
    for (arguments, says) in WRONG_ARGUMENTS {
        let run = folder.run(arguments);
        assert_eq!(run.status, 2, "{arguments}: {run:?}");
        assert_fails(&run, says);
    }
}

#[test]
fn a_wrong_site_file_is_shown_with_the_place() {
    let folder = folder();
    folder.write("site/portcullis.toml", b"policies = [\"mke\"]\nzone = 1\n");
    folder.write("site/open.rules", OPEN.as_bytes());
    assert_fails(
        &folder.run("check site"),
        &[
            "unknown key `zone`",
            "portcullis.toml:2:1",
            "did you mean `zones`?",
        ],
    );
    folder.write("site/portcullis.toml", b"policies = [\"mke\"\n");
    assert_fails(&folder.run("check site"), &["portcullis.toml"]);
    folder.write("site/portcullis.toml", b"policies = [\"own.ports\"]\n");
    folder.write(
        "site/own.ports",
        b"policy own { role a require any -> b : tcp/1 }\n",
    );
    assert_fails(&folder.run("check site"), &["own.ports:1", "`b`"]);
}

#[test]
fn what_a_site_file_says_to_no_effect_is_refused_at_its_place() {
    let folder = folder();
    folder.write("site/open.rules", OPEN.as_bytes());
    let site = |more: &str| {
        let text =
            format!("policies = [\"mke\"]\n{more}\n[[bind]]\nroles = \"mke.manager\"\nfiles = \"*.rules\"\n");
        folder.write("site/portcullis.toml", text.as_bytes());
        folder.run("check site")
    };
    for (text, says, place) in [
        (
            "[zones.intrnal]\nnetworks = '10.0.0.0/8'",
            "`internal`?",
            "toml:2:8",
        ),
        (
            "[policy.stacklight]\nfeatures = ['loging']",
            "policy `stacklight` is not in force",
            "toml:2:9",
        ),
        (
            "[lift]\n'common/nope' = 'lab'",
            "only rows that forbid can be lifted",
            "toml:3:1",
        ),
        (
            "[lift]\n'common/rpd' = 'lab'",
            "did you mean `common/rdp`?",
            "toml:3:1",
        ),
        (
            "[lift]\n'comon/rdp' = 'lab'",
            "did you mean `common/rdp`?",
            "toml:3:1",
        ),
    ] {
        assert_fails(&site(text), &[says, place]);
    }
    let run = site("[zones.dmz]\nnetworks = '10.9.0.0/16'");
    assert_ne!(
        run.status, 2,
        "a zone may be there to be no part of others: {run:?}"
    );
    assert!(
        run.stdout.contains("zone `dmz` is named by nothing"),
        "{}",
        run.stdout
    );
    folder.write(
        "site/portcullis.toml",
        b"policies = [\"mke\", \"stacklight\"]\n[policy.stacklight]\nfeatures = \"logging\"\n",
    );
    let run = folder.run("check --policy mke --role manager site");
    assert_ne!(
        run.status, 2,
        "the file is not wrong where --policy puts others in force: {run:?}"
    );
    let run = folder.run("check --policy mke --role manager --without stacklight.logging site");
    assert_fails(&run, &["policy `stacklight` is not in force"]);
}

#[test]
fn a_row_of_two_policies_in_force_is_one_row() {
    let folder = folder();
    // 8080 is open, and what the host sends is not filtered.
    folder.write(
        "two.ports",
        b"policy t { role server zone external feature f\n\
          require eg: external -> server : tcp/443 when f\n\
          forbid ex: external -> server : tcp/8080 }\n\
          policy u { use t }\n",
    );
    let audit =
        "check --policy two.ports --role t.server --no-common --feature t.f --format json wrong.rules";
    let json: serde_json::Value = serde_json::from_str(&folder.run(audit).stdout).unwrap();
    let findings = json["findings"].as_array().unwrap();
    let cited: Vec<_> = findings
        .iter()
        .map(|finding| {
            let rows = finding["rows"].as_array().unwrap().iter();
            let rows: Vec<_> = rows.map(|row| row["id"].as_str().unwrap()).collect();
            (finding["code"].as_str().unwrap(), rows)
        })
        .filter(|(code, _)| *code != "excess-opening")
        .collect();
    assert_eq!(
        cited,
        [
            ("missing-opening", vec!["t/eg"]),
            ("forbidden-opening", vec!["t/ex"])
        ],
        "once each, and surely where one of the two is sure"
    );
}

#[test]
fn bytes_that_are_no_text_are_said_and_fail_the_run() {
    let folder = folder();
    let mut dump = OPEN.as_bytes().to_vec();
    dump.extend_from_slice(b"# caf\xe9\n");
    folder.write("latin.rules", &dump);
    let run = check(&folder, "latin.rules");
    assert_eq!(run.status, 2, "{run:?}");
    assert!(run.stdout.contains("error[unread-text]"), "{}", run.stdout);
    assert!(run.stdout.contains("latin.rules:5:6"), "{}", run.stdout);
}

/// The files of one `/etc/ufw`, as a host has them.
const UFW: &[(&str, &str)] = &[
    ("h/etc/ufw/ufw.conf", "ENABLED=yes\nLOGLEVEL=low\n"),
    ("h/etc/ufw/sysctl.conf", "net/ipv4/ip_forward=1\n"),
    (
        "h/etc/default/ufw",
        "IPV6=no\nDEFAULT_INPUT_POLICY=DROP\nDEFAULT_OUTPUT_POLICY=ACCEPT\nDEFAULT_FORWARD_POLICY=DROP\n",
    ),
    (
        "h/etc/ufw/before.rules",
        "*filter\n:ufw-before-input - [0:0]\n:ufw-before-output - [0:0]\n:ufw-before-forward - [0:0]\nCOMMIT\n",
    ),
    (
        "h/etc/ufw/user.rules",
        "*filter\n:ufw-user-input - [0:0]\n### tuple ### allow tcp 443 0.0.0.0/0 any 0.0.0.0/0 in\n-A ufw-user-input -p tcp --dport 443 -j ACCEPT\nCOMMIT\n",
    ),
    ("h/etc/ufw/user.rules.20260101_101010", "*filter\nCOMMIT\n"),
    (
        "h/etc/ufw/applications.d/site",
        "[Site]\ntitle=Site\ndescription=It\nports=443/tcp\n",
    ),
];

/// However it is given, a folder of files that belong together is one host.
#[test]
fn a_folder_of_ufw_is_one_host_by_whichever_of_its_files() {
    let folder = folder();
    for (name, text) in UFW {
        folder.write(name, text.as_bytes());
    }
    for paths in [
        "h",
        "h/etc/ufw",
        "h/etc/ufw/user.rules",
        "h/etc/default/ufw",
        "h/etc/ufw/user.rules h/etc/ufw/sysctl.conf h/etc/ufw/ufw.conf h/etc/ufw/before.rules",
    ] {
        let run = check(&folder, paths);
        assert_eq!(run.status, 0, "{paths}: {run:?}");
        let counts = "1 row checked on 1 host: 1 rule read from 7 files";
        assert!(run.stdout.contains(counts), "{paths}: {run:?}");
    }
    assert_fails(
        &check(&folder, "h/etc/ufw/nothing.rules"),
        &["no such file or folder"],
    );
}

#[test]
fn addresses_of_a_name_that_no_policy_has_are_pointed_out() {
    let folder = folder();
    folder.write(
        "portcullis.toml",
        b"policies = [\"stackstate-agent\"]\n[policy.stackstate-agent]\ntenant = \"acme\"\n\
        [names]\n\"quay.oi\" = [\"192.0.2.0/24\"]\n\"example.org\" = [\"192.0.2.9\"]\n",
    );
    let run = folder.run("check wrong.rules");
    let near = "the addresses of `quay.oi` count for nothing, since no policy in force speaks of it: did you mean `quay.io`?";
    assert!(run.stdout.contains(near), "{}{}", run.stdout, run.stderr);
    assert!(
        run.stdout.contains(
            "the addresses of `example.org` count for nothing, since no policy in force speaks of it\n"
        ),
        "{}",
        run.stdout
    );
}

#[test]
fn a_trace_says_what_it_would_have_to_know() {
    let folder = folder();
    folder.write(
        "mark.rules",
        b"*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j CONNMARK --restore-mark\nCOMMIT\n\
        *filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n-A INPUT -m mark --mark 0x1/0x1 -j ACCEPT\n\
        -A FORWARD -o eth1 -j ACCEPT\nCOMMIT\n",
    );
    let run = folder.run("trace 'tcp 10.0.0.1:40000 -> 10.0.0.2:22 in eth0' mark.rules");
    let why = "  not known: mark.rules:8:25: which mark the packet has is not known";
    assert!(run.stdout.contains("unknown: accept or drop\n"), "{}", run.stdout);
    assert!(run.stdout.contains(why), "{}", run.stdout);
    folder.write(
        "dnat.nft",
        b"table ip n {\n\tchain p {\n\t\ttype nat hook prerouting priority -100;\n\t\ttcp dport 80 dnat to 10.9.9.9\n\t}\n}\n\
        table ip f {\n\tchain i {\n\t\ttype filter hook input priority 0; policy drop;\n\t}\n\tchain f {\n\
        \t\ttype filter hook forward priority 0; policy drop;\n\t\toifname \"eth1\" accept\n\t}\n}\n",
    );
    let run = folder.run("trace 'tcp 10.0.0.1:40000 -> 10.0.0.2:80 in eth0' dnat.nft");
    let why = "  not known: dnat.nft:13:11: by which interface the packet leaves is not said";
    assert!(run.stdout.contains(why), "{}", run.stdout);
}

#[test]
fn a_trace_shows_each_rule_once() {
    let folder = folder();
    folder.write(
        "limit.rules",
        b"*filter\n:INPUT DROP [0:0]\n:web - [0:0]\n-A INPUT -m limit --limit 1/s -j MARK --set-mark 1\n\
        -A INPUT -p tcp -j web\n-A web -p tcp --dport 443 -j ACCEPT\nCOMMIT\n",
    );
    let run = folder.run("trace 'tcp 10.0.0.1:40000 -> 10.0.0.2:443 in eth0' limit.rules");
    let expected = "  limit.rules:4: perhaps changes: -A INPUT -m limit --limit 1/s -j MARK --set-mark 1
  limit.rules:5: jumps: -A INPUT -p tcp -j web
  limit.rules:6: accepts: -A web -p tcp --dport 443 -j ACCEPT
accept
";
    assert_eq!(run.stdout, expected);
}

#[test]
fn a_batch_names_the_field_that_is_wrong() {
    let folder = folder();
    let ends = r#""src":"10.0.0.1","dst":"10.0.0.2""#;
    for (packet, said) in [
        (r#"{"src":"10.0.0.1"}"#.to_owned(), "`dst` is missing"),
        (
            r#"{"src":"10.0.0.300","dst":"::1"}"#.to_owned(),
            "`10.0.0.300` is not an IP address",
        ),
        (
            format!("{{{ends},\"dport\":70000}}"),
            "`dport` is a number from 0 to 65535, not `70000`",
        ),
        (
            format!("{{{ends},\"proto\":[6]}}"),
            "`proto` is a number from 0 to 255, not `[6]`",
        ),
        (format!("{{{ends},\"iif\":7}}"), "`iif` is text, not `7`"),
        (format!("{{{ends}"), "the JSON breaks off"),
        ("[1]".to_owned(), "a packet is a JSON object"),
        ("tcp".to_owned(), "this is not JSON from column 2 on"),
    ] {
        let run = folder.run_with("trace --packets - wrong.rules", &packet, &[]);
        assert_fails(&run, &[said]);
        assert!(!run.stderr.contains("line 1"), "{}", run.stderr);
    }
}
