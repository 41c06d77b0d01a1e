//! The matrix of the page for auditors, cell by cell: what stands in a cell is of its own packets, at both ends.
#![cfg(test)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder with these files.
fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("portcullis-matrix-{name}-{}", std::process::id()));
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// The cells of the page of a folder: `WHOSE / SERVICE PEER: WHAT`.
fn cells(folder: &Path) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .current_dir(folder)
        .args(["check", ".", "--format", "html"])
        .output()
        .unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    let matrix = between(&page, "<section id=\"matrix\">", "</section>");
    let mut cells = BTreeSet::new();
    for table in parts(matrix, "<table class=\"matrix\">", "</table>") {
        let caption = words(between(table, "<caption>", "</caption>"));
        let heads = parts(table, "<th scope=\"col\">", "</th>");
        for line in parts(table, "<tr><th scope=\"row\">", "</tr>") {
            let service = line.split_once("</th>").unwrap().0;
            let peers = heads.iter().skip(1);
            for (peer, cell) in peers.zip(parts(line, "<td", "</td>")) {
                if cell.contains("<summary>") {
                    let what = words(between(cell, "<summary>", "</summary>"));
                    cells.insert(format!("{caption} / {service} {peer}: {what}"));
                }
            }
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
    cells
}

fn between<'t>(text: &'t str, before: &str, behind: &str) -> &'t str {
    parts(text, before, behind).into_iter().next().unwrap()
}

fn parts<'t>(text: &'t str, before: &str, behind: &str) -> Vec<&'t str> {
    let parts = text.split(before).skip(1);
    parts.map(|part| part.split(behind).next().unwrap()).collect()
}

/// The text of a piece of the page.
fn words(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, text)| text));
    }
    text
}

fn assert_cells(folder: &Path, expected: &[&str]) {
    let expected: BTreeSet<String> = expected.iter().map(|&cell| cell.to_owned()).collect();
    let cells = cells(folder);
    let missing: Vec<_> = expected.difference(&cells).collect();
    let besides: Vec<_> = cells.difference(&expected).collect();
    assert!(
        missing.is_empty() && besides.is_empty(),
        "missing: {missing:#?}\nbesides: {besides:#?}"
    );
}

#[test]
fn a_cell_is_about_its_own_peer_and_zones_have_their_hosts() {
    // 443 is open to `internal` alone, and the host sends nothing: as a host of `internal` it would have to connect to 443 of the
    // role, and to accept 5514 of it.
    let folder = folder(
        "peers",
        &[
            (
                "portcullis.toml",
                "policies = [\"shop.ports\"]\ncommon = false\n[zones]\ninternal = { networks = [\"10.0.0.0/8\"] }\n\
                 [[bind]]\nroles = [\"shop.web\"]\nzone = \"internal\"\nfiles = [\"{host}.rules\"]\naddresses = [\"10.0.1.0/24\"]\n",
            ),
            (
                "shop.ports",
                "policy shop {\n  role web\n  zone internal, external\n  \
                 require ui: external, internal -> web : tcp/443\n  require ship: web -> internal : tcp/5514\n}\n",
            ),
            (
                "w.rules",
                "*filter\n:INPUT DROP [0:0]\n:OUTPUT DROP [0:0]\n\
                 -A INPUT -m state --state ESTABLISHED -j ACCEPT\n-A OUTPUT -m state --state ESTABLISHED -j ACCEPT\n\
                 -A INPUT -s 10.0.0.0/8 -p tcp --dport 443 -j ACCEPT\nCOMMIT\n",
            ),
        ],
    );
    assert_cells(
        &folder,
        &[
            "Connections to shop.web / tcp/443 (https) from external: missing",
            "Connections to shop.web / tcp/443 (https) from internal: required, open; sender: missing",
            "Connections from shop.web / tcp/5514 to internal: missing; receiver: missing",
            "Connections to hosts in internal / tcp/5514 from shop.web: missing; sender: missing",
            "Connections from hosts in internal / tcp/443 (https) to shop.web: missing",
        ],
    );
}

/// Two hosts that send, one of which may not; one that receives; a role that nobody has.
const SHOP: &str = "\
policy shop {
  role web, db, cache
  zone internal, external
  require sql: web -> db : tcp/5432
  require c: web -> cache : tcp/6379
  allow mon: internal -> web, db : tcp/9100
  forbid rep: any -> db : tcp/5433-5434
  require health: self -> web : tcp/8081
  require either: external -> web : tcp/80 | tcp/443
}
";

const SHOP_SITE: &str = "\
policies = [\"shop.ports\"]
common = false
[zones]
internal = { networks = [\"10.0.0.0/8\"], interfaces = [\"eth1\"] }
external = { interfaces = [\"eth0\"] }
[[bind]]
roles = [\"shop.web\"]
zone = \"internal\"
files = [\"web/{host}.rules\"]
addresses = [\"10.0.1.0/24\"]
[[bind]]
roles = [\"shop.db\"]
zone = \"internal\"
files = [\"db/{host}.rules\"]
addresses = [\"10.0.2.0/24\"]
";

#[test]
fn both_ends_count_and_roles_without_hosts_are_there() {
    let folder = folder(
        "ends",
        &[
            ("portcullis.toml", SHOP_SITE),
            ("shop.ports", SHOP),
            (
                "web/w1.rules",
                "*filter\n:INPUT DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\n\
                 -A INPUT -m state --state ESTABLISHED -j ACCEPT\n-A INPUT -p tcp --dport 443 -j ACCEPT\n\
                 -A INPUT -i eth1 -s 10.0.0.0/8 -p tcp --dport 9100 -j ACCEPT\n\
                 -A INPUT -i eth0 -p tcp --dport 22 -j ACCEPT\n-A INPUT -i eth1 -p tcp --dport 8081 -j ACCEPT\nCOMMIT\n",
            ),
            (
                "web/w2.rules",
                "*filter\n:INPUT DROP [0:0]\n:OUTPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n-A OUTPUT -o lo -j ACCEPT\n\
                 -A INPUT -m state --state ESTABLISHED -j ACCEPT\n-A OUTPUT -m state --state ESTABLISHED -j ACCEPT\n\
                 -A INPUT -i eth0 -p tcp --dport 443 -j ACCEPT\nCOMMIT\n",
            ),
            (
                "db/d1.rules",
                "*filter\n:INPUT DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -m state --state ESTABLISHED -j ACCEPT\n\
                 -A INPUT -i eth1 -s 10.0.1.0/24 -p tcp --dport 5432:5433 -j ACCEPT\nCOMMIT\n",
            ),
        ],
    );
    assert_cells(
        &folder,
        &[
            // Nothing was checked where nobody is bound, and the sender's own end is said there too.
            "Connections to shop.cache / tcp/6379 (redis) from shop.web: unchecked; sender: missing at w2",
            "Connections from shop.web / tcp/6379 (redis) to shop.cache: missing at w2; receiver: unchecked",
            // The receiver lets both in; one of them does not get out.
            "Connections to shop.db / tcp/5432 (postgresql) from shop.web: required, open; sender: missing at w2",
            "Connections from shop.web / tcp/5432 (postgresql) to shop.db: missing at w2",
            // Of what the row forbids one port is open, to hosts that lie in `internal`.
            "Connections to shop.db / tcp/5433-5434 from any: forbidden, open",
            "Connections to shop.db / tcp/5433 from internal: forbidden, open",
            "Connections to shop.db / tcp/9100 (node-exporter) from internal: allowed",
            "Connections to shop.web / tcp/9100 (node-exporter) from internal: allowed, open",
            // 22 is open on the interface of `external`, 8081 on that of `internal` beside the host itself.
            "Connections to shop.web / tcp/22 (ssh) from external: excess",
            "Connections to shop.web / tcp/8081 from internal: excess",
            "Connections to shop.web / tcp/8081 from self: required, open",
            // One of two ways is enough.
            "Connections to shop.web / tcp/80 (http) from external: closed, another way is open",
            "Connections to shop.web / tcp/443 (https) from external: required, open",
            // w1 lets in 443 by every interface, which no row allows from `internal`.
            "Connections to shop.web / tcp/443 (https) from internal: excess",
        ],
    );
}
