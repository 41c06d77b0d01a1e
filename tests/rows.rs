//! Every row of the shipped tables against filters made for it: all open, one row blocked, one port of the host itself
//! exposed. INVARIANT: what is blocked is what is missed, nothing else, so no row is passed unchecked or blamed for
//! another.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portcullis::check::load_policies;
use portcullis::dialect;
use portcullis::evaluate::{self, Addresses, Evaluation, Host, World};
use portcullis::finding::{Certainty, Code, Finding, Severity};
use portcullis::model::{
    Action, Base, Chain, ChainId, Condition, Default, Families, Hook, Layer, Match, Purpose, Rule, Ruleset,
};
use portcullis::packet::{Family, Field, Network, RangeSet, Space, value};
use portcullis::policy::{Kind, Peer, Row};
use portcullis::site::{self, Site, Zones};
use portcullis::source::{FileId, SourceMap, Span};

const ZONES: &str = "[zones]\ninternal = { networks = [\"10.20.0.0/16\"] }\n";

const MKE: &str = "policies = [\"mke\"]\ncommon = false\n";

/// Everything that the StackLight table leaves to the site, apart from the version.
const STACKLIGHT: &str = r#"
policies = ["stacklight"]
common = false
[names]
"smtp.example"     = ["203.0.113.1"]
"teams.example"    = ["203.0.113.2"]
"case.example"     = ["203.0.113.3"]
"now.example"      = ["203.0.113.4"]
"slack.example"    = ["203.0.113.5"]
"own.example"      = ["203.0.113.6"]
"store.example"    = ["203.0.113.7"]
"target.example"   = ["203.0.113.8"]
"syslog.example"   = ["203.0.113.9"]
"endpoint.example" = ["203.0.113.10"]
"tls.example"      = ["203.0.113.11"]
"mgmt.example"     = ["203.0.113.12"]
"mcc-metrics-prod-ns.servicebus.windows.net" = ["203.0.113.13"]
[policy.stacklight]
smtp-host         = "smtp.example"
teams-host        = "teams.example"
salesforce-hosts  = "case.example"
servicenow-host   = "now.example"
slack-host        = "slack.example"
receiver-hosts    = "own.example"
remote-write-host = "store.example"
scrape-hosts      = "target.example"
syslog-host       = "syslog.example"
monitored-hosts   = "endpoint.example"
certificate-hosts = "tls.example"
telemeter-host    = "mgmt.example"
receiver          = "tcp/9000"
remote-write      = "tcp/9001"
scrape            = "tcp/9002"
syslog            = "udp/514"
"#;

const AGENT: &str = r#"
policies = ["stackstate-agent"]
common = false
[names]
"acme.app.stackstate.io" = ["203.0.113.1"]
"quay.io"                = ["203.0.113.2"]
"registry.example"       = ["203.0.113.3"]
[policy.stackstate-agent]
tenant = "acme"
mirror = "registry.example"
"#;

/// Rows of the StackLight table that hold only with a feature, as its condition column says.
const CONDITIONAL: [(&str, &str, &str); 19] = [
    ("opensearch-dashboards", "opensearch-dashboards", "logging"),
    ("email", "alertmanager", "email-notifications"),
    ("teams", "alertmanager", "teams-notifications"),
    ("salesforce", "alertmanager", "salesforce-notifications"),
    ("servicenow", "alertmanager", "servicenow-notifications"),
    ("slack", "alertmanager", "slack-notifications"),
    ("receivers", "alertmanager", "custom-notifications"),
    (
        "salesforce-reporter",
        "salesforce-reporter",
        "salesforce-reporter",
    ),
    ("remote-write", "prometheus", "remote-write"),
    ("custom-scrapes", "prometheus", "custom-scrapes"),
    ("remote-syslog", "fluentd", "remote-syslog"),
    ("metric-collector", "metric-collector", "management-cluster"),
    (
        "endpoint-monitoring",
        "endpoint-monitoring",
        "endpoint-monitoring",
    ),
    (
        "certificate-monitoring",
        "certificate-monitoring",
        "certificate-monitoring",
    ),
    ("fluentd", "node", "logging"),
    ("fluentd", "prometheus", "logging"),
    ("tf-controller", "tf-control", "tungsten-fabric"),
    ("tf-vrouter", "compute", "tungsten-fabric"),
    ("tf-vrouter", "prometheus", "tungsten-fabric"),
];

/// Roles that are machines with a firewall of their own; all others are pods or stand behind a load balancer.
const MACHINES: [&str; 7] = [
    "mke.manager",
    "mke.worker",
    "stacklight.node",
    "stacklight.master",
    "stacklight.compute",
    "stacklight.tf-control",
    "stackstate-agent.node",
];

fn stacklight(version: &str, features: &str) -> String {
    format!("{STACKLIGHT}version = \"{version}\"\n{features}\n")
}

/// With every feature on.
fn whole_stacklight(version: &str) -> String {
    let features: BTreeSet<&str> = CONDITIONAL.iter().map(|row| row.2).collect();
    let features: Vec<_> = features.iter().map(|feature| format!("\"{feature}\"")).collect();
    stacklight(version, &format!("features = [{}]", features.join(", ")))
}

/// The rows of a site with what is known around them.
struct Setting {
    sources: SourceMap,
    /// The site file, in which made-up rules lie.
    file: FileId,
    rows: Vec<Row>,
    roles: Vec<String>,
    world: World,
}

fn host(roles: &[&str], rulesets: Vec<Ruleset>) -> Host {
    Host {
        name: "host".into(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        zone: None,
        addresses: Addresses::default(),
        rulesets,
        is_closed: true,
        is_closed_egress: false,
        is_router: false,
        identity: None,
        members: Arc::default(),
    }
}

impl Setting {
    fn new(toml: &str) -> Self {
        let mut sources = SourceMap::new();
        let file = sources.add_text("portcullis.toml", format!("{toml}{ZONES}"));
        let mut site: Site = site::read(sources.source(file)).unwrap();
        let policies = load_policies(&mut sources, &mut site, None).unwrap();
        let zones = policies.resolved.iter().flat_map(|policy| &policy.zones);
        let machines = |role: &&&str| role.starts_with("stacklight.");
        let networks = |text: &str| Addresses::of([text.parse::<Network>().unwrap()]);
        let world = World {
            redundant: false,
            coverage: false,
            compared: false,
            zones: Zones::resolve(&site, true),
            aliases: zones
                .filter_map(|zone| Some((zone.name.clone(), zone.alias.clone()?)))
                .collect(),
            role_members: (1..)
                .zip(MACHINES.iter().filter(machines))
                .map(|(at, role)| ((*role).to_owned(), networks(&format!("10.20.{at}.0/24"))))
                .collect(),
            role_zones: BTreeMap::new(),
            zone_members: BTreeMap::new(),
            role_crowds: BTreeMap::new(),
            zone_crowds: BTreeMap::new(),
            identities: Arc::default(),
            bridges: RangeSet::empty(),
            names: site
                .names
                .iter()
                .map(|(name, at)| (name.clone(), Addresses::of(at.iter().map(|one| one.value))))
                .collect(),
        };
        let roles = policies.resolved.iter().flat_map(|policy| &policy.roles);
        Self {
            roles: roles.map(|role| role.name.clone()).collect(),
            rows: policies.rows(&site),
            sources,
            file,
            world,
        }
    }

    /// The openings that hosts of a role need.
    fn openings(&self, role: &str) -> Vec<Opening> {
        let rows = self.rows.iter().filter(|row| row.kind == Kind::Require);
        rows.flat_map(|row| self.openings_of(row, role)).collect()
    }

    fn openings_of(&self, row: &Row, role: &str) -> Vec<Opening> {
        let is_role = |peer: &Peer| matches!(peer, Peer::Role { name, .. } if name == role);
        let has_role =
            |peers: &portcullis::policy::Choice<Peer>| peers.items.iter().any(|one| is_role(&one.value));
        let mut openings = Vec::new();
        for (is_ingress, mine, far) in [(true, &row.to, &row.from), (false, &row.from, &row.to)] {
            if !has_role(mine) {
                continue;
            }
            for peer in &far.items {
                for service in &row.services.items {
                    openings.push(Opening {
                        row: row.id.clone(),
                        is_ingress,
                        is_self: peer.value == Peer::This,
                        peer: self.addresses(&peer.value),
                        protocol: service.value.protocol.unwrap(),
                        port: service.value.values.single().unwrap(),
                    });
                }
            }
        }
        openings
    }

    fn addresses(&self, peer: &Peer) -> RangeSet {
        let zone = |name: &String| {
            let name = self.world.aliases.get(name).unwrap_or(name);
            self.world.zones.zone(name).unwrap().networks(Family::V4).clone()
        };
        match peer {
            Peer::This => RangeSet::point(0x7f00_0001),
            Peer::Zone(name) => zone(name),
            Peer::Role { name, home } => match self.world.role_members.get(name) {
                Some(members) => members.family(Family::V4).clone(),
                None => zone(home.as_ref().unwrap()),
            },
            Peer::Name(name) => self.world.names[name].family(Family::V4).clone(),
            Peer::Any | Peer::Every | Peer::Unset(_) => panic!("no shipped table requires {peer:?}"),
        }
    }

    fn evaluate(&self, role: &str, rulesets: Vec<Ruleset>) -> Evaluation {
        let host = host(&[role], rulesets);
        evaluate::evaluate(&host, &self.rows, &self.world, Space::default())
    }

    /// What is found on a host of a role with this dump.
    fn findings(&mut self, role: &str, dump: &str) -> Vec<Finding> {
        let file = self.sources.add_text("host.rules", dump);
        let reading = dialect::by_name("iptables")
            .unwrap()
            .read(&[self.sources.source(file)]);
        assert!(reading.notices.is_empty(), "{dump}\n{:?}", reading.notices);
        self.evaluate(role, reading.rulesets).findings
    }
}

/// One service for one peer that a row requires.
#[derive(Debug, Clone)]
struct Opening {
    row: String,
    is_ingress: bool,
    is_self: bool,
    peer: RangeSet,
    protocol: u8,
    port: u128,
}

impl Opening {
    /// The options of an iptables rule for it.
    fn options(&self) -> String {
        let protocol = match self.protocol {
            6 => "tcp",
            17 => "udp",
            other => panic!("no shipped table has protocol {other}"),
        };
        let (chain, peer) = if self.is_ingress {
            ("INPUT", "src")
        } else {
            ("OUTPUT", "dst")
        };
        let from = match self.peer.ranges() {
            _ if self.is_self => "-i lo".to_owned(),
            [(low, high)] => format!("-m iprange --{peer}-range {}-{}", shown(*low), shown(*high)),
            // The outside, which no table has on a host without the inside.
            _ => String::new(),
        };
        format!(
            "-A {chain} {from} -p {protocol} -m {protocol} --dport {}",
            self.port
        )
    }
}

fn shown(address: u128) -> std::net::Ipv4Addr {
    u32::try_from(address).unwrap().into()
}

/// A dump that opens what is asked for, after the rules `first`.
fn dump(openings: &[Opening], first: &[String]) -> String {
    let mut lines = vec![
        "*filter".to_owned(),
        ":INPUT DROP [0:0]".into(),
        ":FORWARD DROP [0:0]".into(),
        ":OUTPUT DROP [0:0]".into(),
    ];
    lines.extend(first.iter().cloned());
    lines.push("-A INPUT -i lo -j ACCEPT".into());
    lines.push("-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT".into());
    lines.push("-A OUTPUT -o lo -j ACCEPT".into());
    lines.push("-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT".into());
    let mut accepts: Vec<String> = openings
        .iter()
        .filter(|one| !one.is_self)
        .map(|one| format!("{} -j ACCEPT", one.options()))
        .collect();
    // Wide before narrow and each once: no rule may be shadowed.
    accepts.sort_by_key(String::len);
    let mut taken: Vec<String> = Vec::new();
    for accept in accepts {
        let port = accept.split(" -p ").nth(1).unwrap_or("").to_owned();
        let is_covered = |other: &String| {
            *other == accept
                || (other.ends_with(&port) && !other.contains("iprange") && accept.contains("INPUT"))
        };
        if !taken.iter().any(is_covered) {
            taken.push(accept);
        }
    }
    lines.extend(taken);
    lines.push("COMMIT\n".into());
    lines.join("\n")
}

/// Ids of the rows that findings of a code are held against.
fn rows_of(findings: &[Finding], code: Code) -> BTreeSet<&str> {
    let of_code = findings.iter().filter(|finding| finding.code == code);
    of_code
        .flat_map(|finding| finding.rows.iter().map(|row| row.id.as_str()))
        .collect()
}

/// Blocks each row of a role in turn on a host that is otherwise right. The rows that were blocked.
fn block_each_row_on_a_machine(setting: &mut Setting, role: &str) -> BTreeSet<String> {
    let openings = setting.openings(role);
    let right = dump(&openings, &[]);
    let findings = setting.findings(role, &right);
    assert!(findings.is_empty(), "{role}\n{right}\n{findings:#?}");
    let rows: BTreeSet<String> = openings.iter().map(|one| one.row.clone()).collect();
    for row in &rows {
        let blocked = openings.iter().filter(|one| one.row == *row);
        let drops: Vec<_> = blocked.map(|one| format!("{} -j DROP", one.options())).collect();
        let text = dump(&openings, &drops);
        let found = setting.findings(role, &text);
        let missing: Vec<_> = found
            .iter()
            .filter(|finding| finding.code == Code::MissingOpening)
            .collect();
        assert_eq!(
            rows_of(&found, Code::MissingOpening),
            BTreeSet::from([row.as_str()]),
            "{role}\n{text}"
        );
        for finding in missing {
            assert_eq!(
                (finding.certainty, finding.severity),
                (Certainty::Surely, Severity::Error),
                "{role}\n{text}{finding:#?}"
            );
            let at = finding.primary.as_ref().unwrap().span;
            assert_eq!(setting.sources.text(at), "DROP", "{role} {row}");
        }
    }
    rows
}

#[test]
fn each_row_of_mke_is_missed_where_it_is_blocked_and_nowhere_else() {
    let mut setting = Setting::new(MKE);
    let mut blocked = block_each_row_on_a_machine(&mut setting, "mke.manager");
    assert_eq!(blocked.len(), 25, "a manager needs every row");
    blocked = block_each_row_on_a_machine(&mut setting, "mke.worker");
    assert_eq!(blocked.len(), 10, "rows with workers among their hosts");
}

#[test]
fn each_row_of_stacklight_for_machines_is_missed_where_it_is_blocked() {
    for (version, exporter) in [("24.1", "node-exporter"), ("23.2", "node-exporter-before-23-3")] {
        let mut setting = Setting::new(&whole_stacklight(version));
        for (role, rows) in [
            (
                "stacklight.node",
                &[exporter, "fluentd", "calico", "telegraf-smart", "mke-metrics"][..],
            ),
            ("stacklight.master", &["mke-api", "master-api"]),
            ("stacklight.compute", &["libvirt", "tf-vrouter"]),
            ("stacklight.tf-control", &["tf-controller"]),
        ] {
            let rows: BTreeSet<_> = rows.iter().map(|row| format!("stacklight/{row}")).collect();
            assert_eq!(block_each_row_on_a_machine(&mut setting, role), rows);
        }
    }
}

#[test]
fn the_images_of_the_agent_are_missed_where_neither_registry_is_reached() {
    let mut setting = Setting::new(AGENT);
    let rows = block_each_row_on_a_machine(&mut setting, "stackstate-agent.node");
    assert_eq!(rows, BTreeSet::from(["stackstate-agent/images".to_owned()]));
}

#[test]
fn the_two_tables_disagree_about_9091_and_nothing_else() {
    let both = whole_stacklight("24.1").replace("[\"stacklight\"]", "[\"mke\", \"stacklight\"]");
    let setting = Setting::new(&both);
    let all: Vec<_> = setting.roles.iter().map(String::as_str).collect();
    let found = evaluate::conflicting_rows(&setting.rows, &[host(&all, Vec::new())], &setting.world);
    let rows: Vec<_> = found
        .iter()
        .map(|finding| finding.rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>())
        .collect();
    assert_eq!(rows, [["mke/felix", "stacklight/calico"]]);
}

#[test]
fn each_port_of_the_host_itself_is_exposed_where_it_is_opened() {
    let mut setting = Setting::new(MKE);
    for (role, n_rows) in [("mke.manager", 6), ("mke.worker", 5)] {
        let openings = setting.openings(role);
        let own: Vec<_> = openings.iter().filter(|one| one.is_self).cloned().collect();
        assert_eq!(own.len(), n_rows, "rows of scope Self");
        for one in own {
            let open = format!("-A INPUT -p tcp -m tcp --dport {} -j ACCEPT", one.port);
            let text = dump(&openings, std::slice::from_ref(&open));
            let found = setting.findings(role, &text);
            let codes: Vec<_> = found.iter().map(|finding| finding.code).collect();
            assert_eq!(codes, [Code::ExposedSelfPort], "{text}");
            assert_eq!(
                rows_of(&found, Code::ExposedSelfPort),
                BTreeSet::from([one.row.as_str()])
            );
            assert_eq!(found[0].severity, Severity::Error);
            let at = found[0].primary.as_ref().unwrap().span;
            assert_eq!(setting.sources.text(at), one.port.to_string());
        }
    }
}

/// A union of accept rules in front of a workload: what is not accepted is dropped.
fn union(layer: Layer, file: FileId, openings: &[&Opening]) -> Ruleset {
    let span = Span::new(file, 0, 0);
    let accept = |tests: Vec<(Field, RangeSet)>| Rule {
        span,
        matches: tests
            .into_iter()
            .map(|(field, values)| Match {
                span,
                condition: Condition::Test(field, values),
            })
            .collect(),
        action: Action::Accept,
        action_span: span,
    };
    let established = || {
        accept(vec![(
            Field::State,
            RangeSet::range(value::ESTABLISHED, value::ESTABLISHED),
        )])
    };
    let chain = |path: &str, is_ingress: bool| {
        let mut rules = vec![established()];
        let mut seen = BTreeSet::new();
        for one in openings.iter().filter(|one| one.is_ingress == is_ingress) {
            if !seen.insert((one.peer.ranges().to_vec(), one.protocol, one.port)) {
                continue;
            }
            let peer = if is_ingress {
                Field::Source4
            } else {
                Field::Destination4
            };
            rules.push(accept(vec![
                (Field::Family, RangeSet::point(Family::V4.value())),
                (peer, one.peer.clone()),
                (Field::Protocol, RangeSet::point(one.protocol.into())),
                (Field::Service, RangeSet::point(one.port)),
            ]));
        }
        Chain {
            calls: Arc::default(),
            path: path.into(),
            span,
            rules,
        }
    };
    let base = |hook, chain| Base {
        hook,
        priority: 0,
        order: [0; 3],
        purpose: Purpose::Filter,
        chain: ChainId(chain),
        default: Default::Drop,
        default_span: span,
    };
    Ruleset {
        layer,
        families: Families::V4,
        chains: vec![chain("ingress", true), chain("egress", false)],
        bases: vec![base(Hook::Input, 0), base(Hook::Output, 1)],
        sets: portcullis::model::NamedSets::default(),
    }
}

/// Leaves out each row of a role in turn. The rows that were left out.
fn leave_out_each_row(setting: &Setting, role: &str, layer: Layer) -> BTreeSet<String> {
    let openings = setting.openings(role);
    let right = union(layer, setting.file, &openings.iter().collect::<Vec<_>>());
    let findings = setting.evaluate(role, vec![right]).findings;
    assert!(findings.is_empty(), "{role}\n{findings:#?}");
    let rows: BTreeSet<String> = openings.iter().map(|one| one.row.clone()).collect();
    for row in &rows {
        let rest: Vec<_> = openings.iter().filter(|one| one.row != *row).collect();
        let found = setting
            .evaluate(role, vec![union(layer, setting.file, &rest)])
            .findings;
        let codes: BTreeSet<_> = found.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, BTreeSet::from([Code::MissingOpening]), "{role} {row}");
        assert_eq!(
            rows_of(&found, Code::MissingOpening),
            BTreeSet::from([row.as_str()]),
            "{role}"
        );
        for finding in found {
            assert_eq!(
                (finding.certainty, finding.severity),
                (Certainty::Surely, Severity::Error),
                "{role} {row}"
            );
        }
    }
    rows
}

#[test]
fn each_row_of_a_workload_is_missed_where_no_rule_of_its_union_opens_it() {
    let mut seen = BTreeSet::new();
    for toml in [
        whole_stacklight("24.1"),
        whole_stacklight("23.2"),
        AGENT.to_owned(),
    ] {
        let setting = Setting::new(&toml);
        for role in setting
            .roles
            .iter()
            .filter(|role| !MACHINES.contains(&role.as_str()))
        {
            for layer in [Layer::SecurityGroup, Layer::NetworkPolicy] {
                let rows = leave_out_each_row(&setting, role, layer);
                assert!(!rows.is_empty(), "{role} has no row");
                seen.extend(rows);
            }
        }
    }
    let stacklight = seen.iter().filter(|row| row.starts_with("stacklight/"));
    assert_eq!(
        stacklight.count(),
        30,
        "29 rows of the document, one of them in two versions"
    );
    assert!(seen.contains("stackstate-agent/receiver"));
}

#[test]
fn an_excess_opening_of_a_union_is_found_too() {
    let setting = Setting::new(AGENT);
    let mut openings = setting.openings("stackstate-agent.agent");
    openings.push(Opening {
        row: String::new(),
        is_ingress: true,
        is_self: false,
        peer: RangeSet::range(0x0a00_0000, 0x0aff_ffff),
        protocol: 6,
        port: 8080,
    });
    for layer in [Layer::SecurityGroup, Layer::NetworkPolicy] {
        let union = union(layer, setting.file, &openings.iter().collect::<Vec<_>>());
        let found = setting.evaluate("stackstate-agent.agent", vec![union]).findings;
        let codes: Vec<_> = found.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, [Code::ExcessOpening]);
    }
}

#[test]
fn a_row_with_a_condition_is_required_only_while_it_holds() {
    for (row, role, feature) in CONDITIONAL {
        let (id, role) = (format!("stacklight/{row}"), format!("stacklight.{role}"));
        let whole = Setting::new(&whole_stacklight("24.1"));
        let rest: Vec<_> = whole.openings(&role);
        let rest: Vec<_> = rest.iter().filter(|one| one.row != id).collect();
        let missing = |setting: &Setting| {
            let union = union(Layer::NetworkPolicy, setting.file, &rest);
            let found = setting.evaluate(&role, vec![union]).findings;
            found
                .iter()
                .filter(|finding| {
                    rows_of(std::slice::from_ref(finding), Code::MissingOpening).contains(id.as_str())
                })
                .map(|finding| finding.certainty)
                .collect::<Vec<_>>()
        };
        assert_eq!(missing(&whole), [Certainty::Surely], "{id} with `{feature}` on");
        let off = Setting::new(&stacklight("24.1", &format!("without = [\"{feature}\"]")));
        assert_eq!(missing(&off), [], "{id} with `{feature}` off");
        let unset = Setting::new(&stacklight("24.1", ""));
        assert_eq!(missing(&unset), [Certainty::Possibly], "{id} with nothing said");
    }
}

#[test]
fn a_version_decides_which_port_of_the_exporter_is_required() {
    let ids = |version: &str| {
        let mut setting = Setting::new(&whole_stacklight(version));
        let found = setting.findings("stacklight.node", &dump(&[], &[]));
        let rows = rows_of(&found, Code::MissingOpening);
        let rows = rows.iter().filter(|row| row.contains("node-exporter"));
        rows.map(|row| (*row).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids("23.2.9"), ["stacklight/node-exporter-before-23-3"]);
    assert_eq!(ids("23.3"), ["stacklight/node-exporter"]);
    assert_eq!(ids("24.1"), ["stacklight/node-exporter"]);
}
