//! `policy diff`, `policy check` and `derive --update`: policies compared, looked at and brought up to date.
#![cfg(test)]

#[path = "support/program.rs"]
mod program;
#[path = "support/written.rs"]
mod written;

use portcullis::policy::{self, ast};
use portcullis::source::SourceMap;
use program::Folder;

fn parsed(text: &str) -> ast::Policy {
    let mut sources = SourceMap::new();
    let file = sources.add_text("test.ports", text);
    let parsed = policy::parse(sources.source(file));
    assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
    parsed.policies.into_iter().next().unwrap()
}

fn diff(old: &str, new: &str) -> Vec<String> {
    let changes = policy::diff(&parsed(old), &parsed(new));
    changes.iter().map(ToString::to_string).collect()
}

const SHOP: &str = "policy shop {
  role web, database
  zone external
  service ui = tcp/443 configurable
  require ui: external -> web : ui \"the shop\" row 1
  require sql: web -> database : tcp/5432 row 2
}";

#[test]
fn policies_that_ask_for_the_same_do_not_differ() {
    assert_eq!(diff(SHOP, SHOP), [""; 0]);
    let other_form = SHOP
        .replace("  require sql", "  # orders\n  require   sql")
        .replace("web, database", "web role database");
    assert_eq!(diff(SHOP, &other_form), [""; 0]);
}

#[test]
fn a_row_is_followed_through_a_new_place_and_a_new_port() {
    let moved = SHOP.replace("row 2", "row 3").replace("tcp/5432", "tcp/5433");
    assert_eq!(
        diff(SHOP, &moved),
        [
            "row `sql` (row 3): place: `row 2` is now `row 3`",
            "row `sql` (row 3): services: `tcp/5432` is now `tcp/5433`",
        ]
    );
}

#[test]
fn what_a_service_stands_for_counts_and_not_its_name() {
    let renamed = SHOP
        .replace("service ui", "service site")
        .replace(": ui \"", ": site \"");
    assert_eq!(
        diff(SHOP, &renamed),
        ["new: service `site`", "gone: service `ui`"]
    );
    let fixed = SHOP.replace(" configurable", "");
    let changes = diff(SHOP, &fixed);
    assert!(
        changes.contains(&"row `ui` (row 1): services: `tcp/443 configurable` is now `tcp/443`".to_owned()),
        "{changes:?}"
    );
}

#[test]
fn rows_that_come_and_go_are_named_whole() {
    let more = SHOP.replace(
        "row 2\n",
        "row 2\n  allow ping: external -> web : icmp/echo-request when version >= 2\n",
    );
    let line = "row `ping`: allow external -> web : icmp/echo-request when version >= 2";
    assert_eq!(diff(SHOP, &more), [format!("new: {line}")]);
    assert_eq!(diff(&more, SHOP), [format!("gone: {line}")]);
}

fn advice(texts: &[&str]) -> Vec<String> {
    let mut sources = SourceMap::new();
    let mut policies = Vec::new();
    for text in texts {
        let file = sources.add_text("test.ports", *text);
        policies.extend(policy::parse(sources.source(file)).policies);
    }
    let found = policy::lint(&policies, &policies);
    found
        .iter()
        .map(|advice| format!("{}: {}", advice.code, advice.message))
        .collect()
}

#[test]
fn names_that_no_row_uses_are_said() {
    let text = "policy p {
  role spare, web in inside
  zone inside, outside
  zone elsewhere = outside
  feature logging
  parameter tenant
  service ui = tcp/443
  require inside -> web : tcp/80
}";
    assert_eq!(
        advice(&[text]),
        [
            "unused-name: role `spare` is used by no row",
            "unused-name: zone `elsewhere` is used by no row",
            "unused-name: feature `logging` is used by no row",
            "unused-name: parameter `tenant` is used by no row",
            "unused-name: service `ui` is used by no row",
        ]
    );
    let used = "policy p {
  role web
  zone outside
  feature logging
  parameter tenant
  service ui = tcp/443
  require web -> \"<tenant>.example.com\" : ui when not logging
  require outside -> web : ui
}";
    assert_eq!(advice(&[used]), [""; 0]);
}

#[test]
fn a_row_that_stands_twice_is_said() {
    let text = "policy p { role web zone out require a: out -> web : tcp/1 require b: out -> web : tcp/1 require c: out -> web : udp/1 }";
    assert_eq!(advice(&[text]), ["duplicate-row: row `b` says the same as `a`"]);
    let other_order = "policy p { role web zone out, inner
        require a: out, inner -> web : tcp/1, tcp/2
        require b: inner, out -> web : tcp/2, tcp/1
        require c: inner | out -> web : tcp/2, tcp/1 }";
    assert_eq!(
        advice(&[other_order]),
        ["duplicate-row: row `b` says the same as `a`"]
    );
}

#[test]
fn rows_that_contradict_are_said() {
    let forbids = "policy p { role web zone out forbid a: out -> * : tcp/20-25 require b: out -> web : tcp/22 require c: self -> web : tcp/21 }";
    assert_eq!(
        advice(&[forbids]),
        ["forbidden-requirement: `p/b` requires what `p/a` forbids"]
    );
    let mke = "policy mke { role worker require felix: self -> worker : tcp/9091 }";
    let stack = "policy stack { role node, scraper require felix: scraper -> node : tcp/9091 require other: scraper -> node : tcp/9092 }";
    assert_eq!(
        advice(&[mke, stack]),
        ["conflicting-rows: `mke/felix` keeps to the host itself what `stack/felix` has others connect to"]
    );
    let others = "policy p { role a, b require x: self -> a : tcp/1 require y: a -> b : tcp/1 }";
    assert_eq!(advice(&[others]), [""; 0], "another role is another host");
}

#[test]
fn a_port_under_the_name_of_another_is_said() {
    let text = "policy p { role web zone out service https = tcp/8443 require ssh: out -> web : tcp/22 require s: out -> web : https }";
    assert_eq!(
        advice(&[text]),
        ["unusual-port: `https` is registered for port 443, and another is stated"]
    );
}

#[test]
fn nothing_is_said_of_the_shipped_policies_but_what_their_tables_say() {
    let mut sources = SourceMap::new();
    let shipped: Vec<ast::Policy> = policy::BUILTIN
        .iter()
        .flat_map(|name| {
            let file = sources.add_text(*name, policy::builtin(name).unwrap());
            policy::parse(sources.source(file)).policies
        })
        .collect();
    let each = shipped
        .iter()
        .flat_map(|one| policy::lint(std::slice::from_ref(one), &shipped));
    let said: Vec<String> = each
        .map(|advice| format!("{}: {}", advice.code, advice.message))
        .collect();
    let stated = |name: &str, port: u16| {
        format!("unusual-port: `{name}` is registered for port {port}, and another is stated")
    };
    // MKE has its own ports for both; StackLight moved the exporter in 23.3.
    let known = [
        stated("etcd-peer", 2380),
        stated("prometheus", 9090),
        stated("node-exporter", 9100),
    ];
    assert_eq!(said, known);
}

const OLD: &str = "# Ports\n\n| Hosts | Port | Scope | Purpose |\n|---|---|---|---|\n| web | TCP 443 | external | shop |\n| web | TCP 25 | internal | mail |\n| db | TCP 5432 | internal | orders |\n";
const NEW: &str = "# Ports\n\n| Hosts | Port | Scope | Purpose |\n|---|---|---|---|\n| web | TCP 443 | external | shop |\n| cache | TCP 6379 | internal | sessions |\n| db | TCP 5433 | internal | orders |\n";

#[test]
fn an_update_adds_what_is_new_and_keeps_what_was_edited() {
    let folder = Folder::new(&[("old.md", OLD), ("new.md", NEW)]);
    let made = folder.run("derive old.md --name shop -o shop.ports");
    assert_eq!(made.status, 0, "{made:?}");
    let text = written::text(&folder, "shop.ports");
    // The edit: a better purpose, and the row is milder.
    let edited = text.replace(
        ": tcp/443  \"shop\"",
        ": tcp/443 severity warning \"what customers see\"",
    );
    assert_ne!(edited, text, "{text}");
    folder.write("shop.ports", edited.as_bytes());
    let run = folder.run("derive --update shop.ports --base old.md new.md");
    assert_eq!(run.status, 0, "{run:?}");
    for line in [
        "new: row `sessions` (row 2): require internal -> cache : tcp/6379",
        "gone: row `mail` (row 2): require internal -> web : tcp/25",
        "row `orders` (row 3): services: `tcp/5432` is now `tcp/5433`",
    ] {
        assert!(run.stderr.contains(line), "no `{line}` in {}", run.stderr);
    }
    let wanted = "policy shop \"Ports\" {
  role cache

  source \"Ports\"

  role web, db
  zone external, internal

  require shop:     external -> web   : tcp/443  severity warning \"what customers see\" row 1
  # gone from the document: remove the row if it is not needed
  require mail:     internal -> web   : tcp/25                    \"mail\"               row 2
  # changed in the document: services: `tcp/5432` is now `tcp/5433`
  require orders:   internal -> db    : tcp/5432                  \"orders\"             row 3
  # new in the document: review
  require sessions: internal -> cache : tcp/6379                  \"sessions\"           row 2
}
";
    assert_eq!(run.stdout, wanted);
}

#[test]
fn without_the_edition_before_rows_that_differ_are_only_said() {
    let folder = Folder::new(&[("old.md", OLD), ("new.md", NEW)]);
    folder.run("derive old.md --name shop -o shop.ports");
    let run = folder.run("derive --update shop.ports new.md");
    assert!(!run.stdout.contains("changed in the document"), "{}", run.stdout);
    assert!(
        run.stdout.contains("# new in the document: review\n"),
        "{}",
        run.stdout
    );
    assert!(
        run.stderr.contains("services: `tcp/5432` is now `tcp/5433`"),
        "{}",
        run.stderr
    );
}

#[test]
fn exit_codes_of_the_commands() {
    let folder = Folder::new(&[
        ("a.ports", SHOP),
        ("b.ports", &SHOP.replace("5432", "5433")),
        ("bad.ports", "policy p {"),
        (
            "left.md",
            "| Hosts | Port |\n|---|---|\n| web | TCP 1 |\n| web | none |\n",
        ),
        ("rules.tf", "variable \"rules\" {}"),
    ]);
    for (arguments, status) in [
        ("policy diff a.ports a.ports", 0),
        ("policy diff a.ports b.ports", 1),
        ("policy diff a.ports bad.ports", 2),
        ("policy diff a.ports none.ports", 2),
        ("policy check a.ports", 0),
        ("policy check mke stacklight", 1),
        ("policy check bad.ports", 2),
        ("derive left.md", 1),
        ("derive rules.tf", 2),
        ("derive none.md", 2),
    ] {
        let run = folder.run(arguments);
        assert_eq!(run.status, status, "{arguments}: {run:?}");
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    }
    folder.write("bytes.md", b"| Hosts | Port |\n|---|---|\n| web\xff | TCP 1 |\n");
    assert_eq!(folder.run("derive bytes.md").status, 2, "bytes that are no text");
}

const TESTED: &str = "policy shop {
  role web, database in internal
  zone internal
  require ui: any -> web : tcp/443
  require sql: web -> database : tcp/5432
  allow metrics: internal -> web : tcp/9100
  forbid replica: any -> database : tcp/5433
  require ship: web -> \"logs.example.com\" : tcp/6514
}";

/// A folder with a policy and a page of tests beside it.
fn tested(page: &str) -> Folder {
    Folder::new(&[("shop.ports", TESTED), ("shop.test.md", page)])
}

#[test]
fn tests_that_stand_beside_a_policy_pass() {
    let page = "# Shop
## Packets
zone: internal=10.0.0.0/16
name: logs.example.com=192.0.2.9
```packets
required  any         -> web : tcp/443
allowed   10.0.0.7    -> web : tcp/443     # what is required is allowed
allowed   10.0.0.7    -> web : tcp/9100
refused   203.0.113.7 -> web : tcp/9100
refused   10.0.0.7    -> web : tcp/9099-9100
refused   10.0.0.7    -> web : udp/443
forbidden 10.0.0.7    -> database : tcp/5433
required  web -> 192.0.2.9 : tcp/6514
refused   2001:db8::7 -> web : tcp/9100
```
## A config
role: database
zone: internal=10.0.0.0/16
```iptables
*filter
:INPUT DROP [0:0] # expect: missing-opening \"tcp/5432\"
COMMIT
```
";
    let folder = tested(page);
    for asked in ["shop.ports", "shop.test.md", "."] {
        let run = folder.run(&format!("policy test {asked}"));
        assert_eq!(run.status, 0, "{asked}: {}{}", run.stdout, run.stderr);
        assert!(
            run.stdout.ends_with("2 passed, 0 failed on 1 page\n"),
            "{}",
            run.stdout
        );
    }
}

#[test]
fn a_test_that_fails_says_where_and_why() {
    let page = "## Packets
zone: internal=10.0.0.0/16
```packets
refused   203.0.113.7 -> web : tcp/443
required  10.0.0.0/16 -> web : tcp/9100
```
## A config
role: web
zone: internal=10.0.0.0/16
```iptables
*filter
:INPUT DROP [0:0]
-A INPUT -p tcp --dport 443 -j ACCEPT # expect: excess-opening
COMMIT
```
## Another
```packets
allowed any -> web : tcp/443
```
";
    let folder = tested(page);
    let run = folder.run("policy test shop.ports");
    assert_eq!(run.status, 1, "{}{}", run.stdout, run.stderr);
    for said in [
        "shop.test.md:4: Packets\n  not refused: the rows allow it\n",
        "4 | refused   203.0.113.7 -> web : tcp/443\n",
        "shop.test.md:5: Packets\n  not required: no row requires it\n",
        "shop.test.md:13: A config\n  host.rules:3 surely excess-opening: not found\n",
        "   |                                       ^^^^^^^^^^^^^^^^^^^^^^^^\n",
        "1 passed, 2 failed on 1 page\n",
    ] {
        assert!(run.stdout.contains(said), "{said}\n{}", run.stdout);
    }
    let run = folder.run("policy test shop.ports --only Another");
    assert_eq!((run.status, run.stdout.contains("1 passed, 0 failed")), (0, true));
    let run = folder.run("policy test --format json");
    let results: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&results["passed"], &results["failed"]), (&1.into(), &2.into()));
    assert_eq!(results["pages"][0]["cases"][0]["failures"][0]["line"], 4);
    let run = folder.run("policy test --format junit");
    assert!(
        run.stdout
            .contains("<testsuites name=\"portcullis policy test\" tests=\"3\" failures=\"2\" errors=\"0\">")
    );
    assert!(
        run.stdout
            .contains("message=\"not required: no row requires it\""),
        "{}",
        run.stdout
    );
}

#[test]
fn what_cannot_be_tested_is_no_pass() {
    let refused = |page: &str, said: &str| {
        let run = tested(page).run("policy test shop.ports");
        assert_eq!(run.status, 2, "{page}\n{}{}", run.stdout, run.stderr);
        assert!(
            format!("{}{}", run.stdout, run.stderr).contains(said),
            "{said}\n{}{}",
            run.stdout,
            run.stderr
        );
    };
    refused("# Prose alone\n", "has no case");
    refused(
        "## A\n```packets\npermitted any -> web : tcp/1\n```\n",
        "shop.test.md:3: `permitted` is no verdict",
    );
    refused(
        "## A\n```packets\nallowed any -> any : tcp/1\n```\n",
        "shop.test.md:3: one end is a role",
    );
    refused(
        "## A\n```packets\nallowed web -> any : tcp/1\n```\n",
        "only `required`",
    );
    refused(
        "## A\n```packets\nallowed any -> web : tcp/https\n```\n",
        "`https` is no port",
    );
    refused(
        "## A\n```packets\nallowed any -> wbe : tcp/443\n```\n",
        "did you mean `web`?",
    );
    refused("## A\n```packets\n", "shop.test.md:2: a block is not closed");
    let folder = Folder::new(&[("shop.ports", TESTED)]);
    for (asked, said) in [
        (".", "no tests: tests of `NAME.ports` stand beside it"),
        ("shop.ports", "shop.ports has no tests: there is no shop.test.md"),
    ] {
        let run = folder.run(&format!("policy test {asked}"));
        assert_eq!(
            (run.status, run.stderr.contains(said)),
            (2, true),
            "{}",
            run.stderr
        );
    }
    folder.write(
        "shop.rego.test.md",
        b"## A\n```packets\nallowed any -> web : tcp/443\n```\n",
    );
    let run = folder.run("policy test");
    assert_eq!(
        (run.status, run.stderr.contains("there is no ")),
        (2, true),
        "{}",
        run.stderr
    );
}

#[test]
fn every_shipped_policy_has_tests_and_they_pass() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    for name in policy::BUILTIN {
        let page = portcullis::suite::test(&root.join(format!("{name}.test.md")), None);
        let page = page.unwrap_or_else(|error| panic!("{error}"));
        for case in &page.cases {
            assert!(case.has_passed(), "{name}: {case:?}");
        }
    }
}

#[test]
fn rows_expire_by_the_day_that_is_given() {
    let policy = "policy web { role server allow old: any -> server : tcp/8080 owner \"net team\" expires 2027-03-31 }";
    let dump = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 8080 -j ACCEPT\nCOMMIT\n";
    let folder = Folder::new(&[("web.ports", policy), ("host.rules", dump)]);
    let run = |today: &str| {
        folder.run(&format!(
            "check --policy web.ports --role web.server --no-common --today {today} host.rules"
        ))
    };
    let last = run("2027-03-31");
    assert_eq!(
        (last.status, last.stdout.contains("expired")),
        (0, false),
        "{}",
        last.stdout
    );
    let next = run("2027-04-01");
    assert_eq!(next.status, 1, "{}", next.stdout);
    let said = "assumed: row `web/old` expired after 2027-03-31, and is not in force\n";
    assert!(next.stdout.contains(said), "{}", next.stdout);
    let wrong = run("tomorrow");
    assert_eq!(
        (wrong.status, wrong.stderr.contains("write year, month and day")),
        (2, true)
    );
}
