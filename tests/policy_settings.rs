//! What a site's settings do to the rows of a policy, and what is said where they do not fit.
#![cfg(test)]

use portcullis::policy::{self, ErrorKind, Peer, PolicyError, Resolved, Row, Settings, Truth, Value};
use portcullis::source::{FileId, SourceMap, Span, Spanned};

/// A site file and the policies it speaks of.
struct Site {
    map: SourceMap,
    toml: FileId,
    policies: Vec<policy::ast::Policy>,
}

impl Site {
    fn new(policies: &str, toml: &str) -> Self {
        let mut map = SourceMap::new();
        let file = map.add_text("site.ports", policies);
        let toml = map.add_text("portcullis.toml", toml);
        let parsed = policy::parse(map.source(file));
        assert_eq!(parsed.errors, []);
        Self {
            map,
            toml,
            policies: parsed.policies,
        }
    }

    fn builtin(name: &str, toml: &str) -> Self {
        Self::new(policy::builtin(name).unwrap(), toml)
    }

    /// The bytes of the first `text` in the site file.
    fn word(&self, text: &str) -> Spanned<String> {
        let start = self.map.file(self.toml).text().find(text).unwrap();
        let span = Span::new(
            self.toml,
            start.try_into().unwrap(),
            (start + text.len()).try_into().unwrap(),
        );
        Spanned::new(text.to_owned(), span)
    }

    fn value(&self, name: &str, text: &str) -> Value {
        Value {
            name: self.word(name),
            texts: vec![self.word(text)],
        }
    }

    fn resolve(&self, settings: &Settings) -> Result<Resolved, Vec<PolicyError>> {
        policy::resolve(&self.policies[0], settings, &self.policies)
    }

    /// Code and underlined bytes of each error.
    fn refusals(&self, settings: &Settings) -> Vec<(&'static str, &str)> {
        let errors = self.resolve(settings).unwrap_err();
        errors
            .iter()
            .map(|error| (error.kind.code(), self.map.text(error.span)))
            .collect()
    }
}

fn row<'a>(resolved: &'a Resolved, id: &str) -> Option<&'a Row> {
    resolved.rows.iter().find(|row| row.id == id)
}

#[test]
fn a_version_picks_the_port_of_the_node_exporter() {
    for (version, now, before) in [
        ("24.1", true, false),
        ("23.3", true, false),
        ("23.2.9", false, true),
    ] {
        let site = Site::builtin("stacklight", version);
        let settings = Settings {
            version: Some(site.word(version)),
            ..Settings::default()
        };
        let resolved = site.resolve(&settings).unwrap();
        assert_eq!(
            row(&resolved, "stacklight/node-exporter").is_some(),
            now,
            "{version}"
        );
        assert_eq!(
            row(&resolved, "stacklight/node-exporter-before-23-3").is_some(),
            before,
            "{version}"
        );
    }
}

#[test]
fn what_is_not_set_is_unknown_and_says_what_to_set() {
    let site = Site::builtin("stacklight", "");
    let resolved = site.resolve(&Settings::default()).unwrap();
    let active = |id: &str| row(&resolved, id).unwrap().active.clone();
    assert_eq!(
        active("stacklight/node-exporter"),
        Truth::Unknown(
            "`stacklight` does not know its version: set `version = \"23.3\"` under `[policy.stacklight]` in \
             `portcullis.toml`"
                .to_owned()
        )
    );
    assert_eq!(
        active("stacklight/fluentd"),
        Truth::Unknown(
            "`stacklight` does not know whether `logging` is on: set `features = [\"logging\"]` or `without = \
             [\"logging\"]` under `[policy.stacklight]` in `portcullis.toml`"
                .to_owned()
        )
    );
    let syslog = row(&resolved, "stacklight/remote-syslog").unwrap();
    assert_eq!(
        syslog.to.items[0].value,
        Peer::Unset(
            "`stacklight` does not know `syslog-host`: set `syslog-host = \"…\"` under `[policy.stacklight]` in \
             `portcullis.toml`"
                .to_owned()
        )
    );
    let ports: Vec<_> = syslog
        .services
        .items
        .iter()
        .map(|service| service.value.unset.as_deref().unwrap())
        .collect();
    assert_eq!(
        ports,
        [
            "`stacklight` does not know the ports of `syslog`: set `syslog = \"tcp/8443\"` under \
             `[policy.stacklight]` in `portcullis.toml`",
            "`stacklight` does not know the ports of `syslog`: set `syslog = \"udp/8443\"` under \
             `[policy.stacklight]` in `portcullis.toml`"
        ]
    );
}

#[test]
fn features_that_are_on_or_off_settle_their_rows() {
    let site = Site::builtin("stacklight", "logging not tungsten-fabric");
    let settings = Settings {
        features: vec![site.word("logging"), site.word("not tungsten-fabric")],
        ..Settings::default()
    };
    let resolved = site.resolve(&settings).unwrap();
    assert_eq!(row(&resolved, "stacklight/fluentd").unwrap().active, Truth::Yes);
    assert_eq!(row(&resolved, "stacklight/tf-vrouter"), None);
}

#[test]
fn services_and_parameters_take_the_values_of_the_site() {
    let site = Site::builtin(
        "stacklight",
        r#"smtp = "tcp/587" syslog = "udp/514" hosts: smtp-host a.example, B.example"#,
    );
    let settings = Settings {
        values: vec![
            site.value("smtp", "tcp/587"),
            site.value("syslog", "udp/514"),
            site.value("smtp-host", "a.example, B.example"),
        ],
        ..Settings::default()
    };
    let resolved = site.resolve(&settings).unwrap();
    let email = row(&resolved, "stacklight/email").unwrap();
    assert_eq!(email.services.items[0].value.values.single(), Some(587));
    assert_eq!(email.services.items[0].value.name.as_deref(), Some("smtp"));
    let hosts: Vec<_> = email.to.items.iter().map(|peer| peer.value.clone()).collect();
    assert_eq!(
        hosts,
        [
            Peer::Name("a.example".to_owned()),
            Peer::Name("b.example".to_owned())
        ]
    );
    let syslog = &row(&resolved, "stacklight/remote-syslog").unwrap().services;
    assert_eq!(syslog.items.len(), 1);
    assert_eq!(
        (
            syslog.items[0].value.protocol,
            syslog.items[0].value.unset.clone()
        ),
        (Some(17), None)
    );
}

#[test]
fn a_default_gives_way_to_the_site() {
    let site = Site::builtin("stacklight", "salesforce-hosts own.example");
    let settings = Settings {
        values: vec![site.value("salesforce-hosts", "own.example")],
        ..Settings::default()
    };
    let resolved = site.resolve(&settings).unwrap();
    let to = &row(&resolved, "stacklight/salesforce").unwrap().to;
    assert_eq!(
        to.items.iter().map(|peer| &peer.value).collect::<Vec<_>>(),
        [&Peer::Name("own.example".to_owned())]
    );
}

#[test]
fn settings_that_do_not_fit_are_refused_at_their_bytes() {
    let site = Site::builtin(
        "mke",
        "ui tcp/70000 apii tcp/1 api udp/6443 swarm-manager no version x loging",
    );
    let settings = Settings {
        version: Some(site.word("x")),
        features: vec![site.word("loging")],
        values: vec![
            site.value("ui", "tcp/70000"),
            site.value("apii", "tcp/1"),
            site.value("api", "udp/6443"),
            site.value("swarm-manager", "no version"),
        ],
        ..Settings::default()
    };
    assert_eq!(
        site.refusals(&settings),
        [
            ("unreadable-service", "tcp/70000"),
            ("unknown-setting", "apii"),
            ("wrong-protocol", "udp/6443"),
            ("unreadable-service", "no version"),
            ("unreadable-version", "x"),
            ("unknown-feature", "loging"),
        ]
    );
}

#[test]
fn a_used_policy_has_its_rows_under_the_settings_of_the_use() {
    let text = format!(
        "policy site {{ use mke {{ ui = tcp/4443 }} }}\n{}",
        policy::builtin("mke").unwrap()
    );
    let site = Site::new(&text, "");
    let resolved = site.resolve(&Settings::default()).unwrap();
    assert_eq!(resolved.rows.len(), 25);
    let ui = row(&resolved, "mke/ui").unwrap();
    assert_eq!(
        (ui.policy.as_str(), ui.services.items[0].value.values.single()),
        ("mke", Some(4443))
    );
    assert_eq!(
        resolved
            .roles
            .iter()
            .map(|role| role.name.as_str())
            .collect::<Vec<_>>(),
        ["mke.manager", "mke.worker"]
    );
    let shown = policy::show(&site.policies[0], &Settings::default(), &site.policies).unwrap();
    assert_eq!(
        (shown.rows.len(), shown.rows[1].services[0].ports.as_str()),
        (25, "4443")
    );
}

#[test]
fn a_lifted_row_is_named_with_its_reason() {
    let text = format!(
        "policy site {{ lift common/ssh \"jump host\" }}\n{}",
        policy::builtin("common").unwrap()
    );
    let site = Site::new(&text, "");
    let lifted = site.resolve(&Settings::default()).unwrap().lifted;
    assert_eq!(
        (lifted[0].id.as_str(), lifted[0].reason.as_str()),
        ("common/ssh", "jump host")
    );
}

#[test]
fn a_row_ends_after_its_last_day() {
    let text = "policy a { role r allow x: any -> r : tcp/1 owner \"net\" expires 2027-01-31 severity note }";
    let site = Site::new(text, "");
    let on = |year, month, day| Settings {
        today: Some(policy::ast::Date { year, month, day }),
        ..Settings::default()
    };
    let before = site.resolve(&on(2027, 1, 31)).unwrap();
    assert_eq!(before.remarks["a/x"].owner.as_deref(), Some("net"));
    assert_eq!((before.rows.len(), before.expired.len()), (1, 0));
    let after = site.resolve(&on(2027, 2, 1)).unwrap();
    assert_eq!((after.rows.len(), after.expired[0].id.as_str()), (0, "a/x"));
    assert_eq!(site.map.text(after.expired[0].span), "2027-01-31");
}

#[test]
fn ids_come_from_services_and_stay_unique_whatever_is_in_force() {
    let text = "policy a {
        feature f
        role r
        service ui = tcp/80
        allow any -> r : tcp/1 when f
        allow any -> r : tcp/1
        allow tcp-1-3: any -> r : tcp/2
        allow any -> r : tcp/1
        allow any -> r : udp/5-9, tcp/3
        allow any -> r : ui
        allow any -> r : any
        allow any -> r : icmp/3/4
    }";
    let site = Site::new(text, "not f");
    let ids = |settings: &Settings| -> Vec<String> {
        site.resolve(settings)
            .unwrap()
            .rows
            .into_iter()
            .map(|row| row.id)
            .collect()
    };
    let all = [
        "a/tcp-1",
        "a/tcp-1-2",
        "a/tcp-1-3",
        "a/tcp-1-4",
        "a/udp-5-9",
        "a/ui",
        "a/any",
        "a/icmp-3-4",
    ];
    assert_eq!(ids(&Settings::default()), all);
    let without = Settings {
        features: vec![site.word("not f")],
        ..Settings::default()
    };
    assert_eq!(ids(&without), all[1..]);
}

#[test]
fn every_kind_of_mistake_has_a_code_of_its_own() {
    let mut codes = ErrorKind::CODES.to_vec();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), ErrorKind::CODES.len());
    let shown: Vec<String> = std::fs::read_dir("fixtures/policy/err")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    // These need a huge file, a site file or no text, and have tests of their own.
    let elsewhere = [
        "not-utf-8",
        "policy-too-large",
        "too-many-rows",
        "unreadable-service",
        "unreadable-version",
    ];
    for code in ErrorKind::CODES.iter().filter(|code| !elsewhere.contains(code)) {
        let is_code = |line: &str| line == *code;
        assert!(
            shown.iter().any(|text| text.lines().any(is_code)),
            "no fixture shows `{code}`"
        );
    }
}

#[test]
fn large_and_broken_files_are_refused_soon() {
    let codes = |text: &str| -> Vec<&'static str> {
        let mut map = SourceMap::new();
        let file = map.add_text("x.ports", text);
        let parsed = policy::parse(map.source(file));
        parsed.errors.iter().map(|error| error.kind.code()).collect()
    };
    let rows = "allow any->r:tcp/1\n".repeat(policy::MAX_ROWS + 1);
    assert_eq!(codes(&format!("policy a {{ role r\n{rows}}}")), ["too-many-rows"]);
    assert_eq!(codes(&"policy ".repeat(policy::MAX_BYTES)), ["policy-too-large"]);
    let broken = "policy a { allow }\n".repeat(1000);
    assert_eq!(codes(&broken).len(), 100);
    for hostile in [
        "{",
        "policy a { use b {",
        "\"",
        "#",
        "policy a {\nallow ",
        "\u{1a}",
        "policy a { allow \"",
        "é",
    ] {
        let _ = codes(&hostile.repeat(20_000));
    }
}
