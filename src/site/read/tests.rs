//! Site files, right and wrong.

use super::*;
use crate::source::SourceMap;

fn with<T>(text: &str, check: impl FnOnce(Result<Site, SiteErrors>, &SourceMap) -> T) -> T {
    let mut sources = SourceMap::new();
    let file = sources.add_text("portcullis.toml", text);
    check(read(sources.source(file)), &sources)
}

/// Every error as its message and the text that it underlines.
fn errors(text: &str) -> Vec<(String, String)> {
    with(text, |site, _| {
        let errors = site.unwrap_err();
        let underlined = |error: &SiteError| {
            let at = error.at();
            text[at.offset()..at.offset() + at.len()].to_owned()
        };
        errors
            .errors()
            .iter()
            .map(|error| (error.to_string(), underlined(error)))
            .collect()
    })
}

fn one_error(text: &str, message: &str, underlined: &str) {
    assert_eq!(
        errors(text),
        [(message.to_owned(), underlined.to_owned())],
        "{text}"
    );
}

const WHOLE: &str = r#"
policies = ["mke", "site.ports"]
common = false
closed_egress = true
redundant = true
fail_on = "warning"

[zones]
internal = { networks = ["10.20.0.0/16", "fd00::/8"], interfaces = ["eth1"] }
external = { interfaces = ["eth0"] }

[names]
"login.salesforce.com" = ["101.53.160.0/19"]

[policy.mke]
ui = "tcp/4443"
[policy.stacklight]
version = "24.1"
features = ["logging"]
without = ["ceph"]

[parameters]
SshCidr = "10.0.0.0/8"

[lift]
"common/telnet" = "terminal server, until it is replaced"

[[bind]]
roles = ["mke.manager", "stacklight.node"]
zone = "internal"
files = ["hosts/{host}/*.rules"]
workloads = { namespace = "shop", labels = { app = "web" } }
addresses = ["10.20.1.0/24"]
seen_as = "10.20.0.1"
router = true
"#;

#[test]
fn everything_is_read_with_its_bytes() {
    with(WHOLE, |site, sources| {
        let site = site.unwrap();
        let texts = |values: &[Spanned<String>]| -> Vec<(String, String)> {
            values
                .iter()
                .map(|it| (it.value.clone(), sources.text(it.span).to_owned()))
                .collect()
        };
        let same = |text: &str| (text.to_owned(), text.to_owned());
        assert_eq!(texts(&site.policies), [same("mke"), same("site.ports")]);
        assert!(!site.common);
        assert_eq!(
            site.closed_egress
                .as_ref()
                .map(|it| (it.value, sources.text(it.span))),
            Some((true, "true"))
        );
        assert_eq!(site.fail_on.unwrap().value, Severity::Warning);
        let internal = &site.zones[0];
        assert_eq!(sources.text(internal.name.span), "internal");
        let networks = internal.networks.as_ref().unwrap();
        assert_eq!(sources.text(networks[1].span), "fd00::/8");
        assert_eq!(networks[1].value.to_string(), "fd00::/8");
        assert_eq!(sources.text(internal.span).lines().count(), 1);
        assert_eq!(site.zones[1].networks, None);
        assert_eq!(texts(&site.zones[1].interfaces), [same("eth0")]);
        assert_eq!(
            site.names["login.salesforce.com"][0].value.to_string(),
            "101.53.160.0/19"
        );
        let ui = &site.settings["mke"].values["ui"];
        assert_eq!(
            (sources.text(ui.key), sources.text(ui.text.span)),
            ("ui", "tcp/4443")
        );
        let stacklight = &site.settings["stacklight"];
        assert_eq!(sources.text(stacklight.name), "stacklight");
        assert_eq!(stacklight.version.as_ref().unwrap().value, "24.1");
        assert_eq!(
            (texts(&stacklight.features), texts(&stacklight.without)),
            (vec![same("logging")], vec![same("ceph")])
        );
        assert_eq!(
            site.lifted["common/telnet"].text.value,
            "terminal server, until it is replaced"
        );
        let binding = &site.bindings[0];
        assert_eq!(
            texts(&binding.roles),
            [same("mke.manager"), same("stacklight.node")]
        );
        assert_eq!(texts(&binding.files), [same("hosts/{host}/*.rules")]);
        assert_eq!(binding.seen_as[0].value.to_string(), "10.20.0.1");
        assert!(binding.router && !binding.everything);
        assert!(sources.text(binding.span).starts_with("[[bind]]"));
    });
}

#[test]
fn the_same_may_be_written_in_any_of_tomls_ways() {
    for text in [
        "zones.internal.networks = ['10.0.0.0/8']",
        "zones = { internal = { networks = '10.0.0.0/8' } }",
        "[zones.internal]\nnetworks = [\"10.0.0.0/8\"]",
    ] {
        with(text, |site, sources| {
            let site = site.unwrap();
            let network = &site.zones[0].networks.as_ref().unwrap()[0];
            assert_eq!(sources.text(network.span), "10.0.0.0/8", "{text}");
        });
    }
    with("bind = [{ roles = ['a.b'], files = ['x'] }]", |site, _| {
        assert_eq!(site.unwrap().bindings.len(), 1);
    });
}

#[test]
fn mistakes_are_underlined_and_named() {
    one_error(
        "polices = []",
        "unknown key `polices` in the site file",
        "polices",
    );
    one_error(
        "zones.internal.network = []\nzones.internal.networks = []",
        "unknown key `network` in zone `internal`",
        "network",
    );
    one_error(
        "common = 'yes'",
        "`common` takes `true` or `false`, this is a string",
        "'yes'",
    );
    one_error(
        "[policy.x]\nversion = 24.1",
        "`version` takes a string, this is a number",
        "24.1",
    );
    one_error(
        "zones.internal.networks = ['10.0.0.0/33']",
        "the prefix length of `10.0.0.0/33` is too large",
        "10.0.0.0/33",
    );
    one_error(
        "zones.dmz.interfaces = ['eth0']",
        "zone `dmz` has no `networks`",
        "dmz",
    );
    one_error("fail_on = 'fatal'", "`fatal` is not a severity", "fatal");
    one_error(
        "[[bind]]\nroles = ['manager']",
        "`manager` does not say whose role it is",
        "manager",
    );
    one_error("[[bind]]\nfiles = ['x']", "`[[bind]]` has no `roles`", "[[bind]]");
    one_error(
        "[[bind]]\nroles = ['a.b']\nfiles = ['{h}']",
        "`{h}` has braces that are not `{host}`",
        "{h}",
    );
    one_error(
        "[[bind]]\nroles = ['a.b']\nzone = 'inernal'",
        "zone `inernal` is not defined",
        "inernal",
    );
    one_error(
        "[[bind]]\nroles = ['a.b']\nworkloads = 'x'",
        "`workloads` takes a table, this is a string",
        "'x'",
    );
    one_error(
        "[[bind]]\nroles = ['a.b']\nworkloads = {}",
        "`workloads` has no `namespace`",
        "{}",
    );
    one_error(
        "[[bind]]\nroles = ['a.b']\nworkloads = { label = { app = 'x' } }",
        "unknown key `label` in `workloads`",
        "label",
    );
    one_error("policies = ['a', 'a']", "policy `a` is given twice", "a");
    one_error(
        "policies = 1",
        "`policies` takes a list of strings, this is a number",
        "1",
    );
    one_error("lift.x = 'because'", "`x` does not name a row", "x");
    one_error("lift.'a/b' = ' '", "`a/b` is lifted without a reason", " ");
}

#[test]
fn all_mistakes_are_said_at_once_in_order() {
    let messages: Vec<_> = errors("x = 1\ncommon = 2\n[zones]\ninternal = 3\n")
        .into_iter()
        .map(|it| it.1)
        .collect();
    assert_eq!(messages, ["x", "2", "3"]);
}

#[test]
fn broken_toml_is_an_error_at_its_place() {
    let errors = errors("policies = [\n");
    assert_eq!(errors.len(), 1);
    assert!(errors[0].0.starts_with("not valid TOML: "), "{}", errors[0].0);
    let deep = format!("common = {}", "[".repeat(100_000));
    with(&deep, |site, _| assert!(site.is_err(), "depth is limited"));
}

#[test]
fn help_says_what_was_meant() {
    with("polices = []", |site, _| {
        let rendered = format!("{:?}", miette::Report::new(site.unwrap_err()));
        assert!(rendered.contains("did you mean `policies`?"), "{rendered}");
        assert!(rendered.contains("portcullis.toml:1:1"), "{rendered}");
    });
}

#[test]
fn the_published_schema_has_exactly_the_keys_that_are_read() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/portcullis.schema.json")).unwrap();
    for (place, keys) in KEYS {
        let table = if place.is_empty() {
            &schema
        } else {
            &schema["$defs"][place]
        };
        let mut published: Vec<_> = table["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut read = keys.to_vec();
        published.sort_unstable();
        read.sort_unstable();
        assert_eq!(published, read, "{place}");
        let open = *place == "policy";
        assert_eq!(
            table["additionalProperties"] == serde_json::Value::Bool(false),
            !open,
            "{place}"
        );
    }
}

#[test]
fn the_documentation_names_every_key_and_its_example_is_right() {
    let docs = include_str!("../../../docs/site.md");
    for (place, keys) in KEYS {
        for key in *keys {
            let named = docs.contains(&format!("`{key}`"))
                || docs.contains(&format!("[{key}"))
                || docs.contains(&format!("[[{key}]]"));
            assert!(named, "docs/site.md does not say what `{key}` of {place} is");
        }
    }
    let example = docs
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    with(example, |site, _| assert!(site.is_ok(), "{:?}", site.err()));
}
