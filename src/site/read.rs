//! `portcullis.toml` to [`Site`].
//!
//! INVARIANT: a key is either read here or refused; [`KEYS`] lists all of them, and a test holds the published
//! JSON Schema against it.

use toml_edit::{Document, Item, TableLike};

use super::error::{SiteError, bytes};
use super::pattern::Pattern;
use super::suggest::nearest;
use super::table::Reader;
use super::{Binding, Settings, Site, SiteErrors, Value, Zone};
use crate::finding::Severity;
use crate::source::{Source, Span, Spanned};

/// Keys of the top level.
const TOP: &[&str] = &[
    "policies",
    "common",
    "closed_egress",
    "fail_on",
    "zones",
    "names",
    "policy",
    "lift",
    "bind",
];
/// Keys of a zone.
const ZONE: &[&str] = &["networks", "interfaces"];
/// Keys of `[policy.NAME]` that are not services or parameters of the policy.
#[cfg(test)]
const POLICY: &[&str] = &["version", "features", "without"];
/// Keys of a `[[bind]]`.
const BIND: &[&str] = &["roles", "zone", "files", "addresses", "seen_as", "router"];
/// Keys of a `[[bind]]` that come with dialects this release does not read.
const BIND_LATER: &[(&str, &str)] = &[
    (
        "resources",
        "this release reads firewall dumps: bind them with `files`",
    ),
    (
        "workloads",
        "this release reads firewall dumps: bind them with `files`",
    ),
];

/// Every table of the file with its keys, as the JSON Schema names them.
#[cfg(test)]
pub(super) const KEYS: &[(&str, &[&str])] = &[("", TOP), ("zone", ZONE), ("policy", POLICY), ("bind", BIND)];

/// Reads a site file. All that is wrong with it is said at once, except for TOML's own syntax, of which the
/// first error ends reading.
pub fn read(source: Source<'_>) -> Result<Site, SiteErrors> {
    let document = match Document::parse(source.text) {
        Ok(document) => document,
        Err(error) => {
            let at = error.span().unwrap_or(0..0).into();
            let message = error.message().replace('\n', ", ");
            return Err(SiteErrors::new(source, vec![SiteError::Syntax { message, at }]));
        }
    };
    let mut reader = Reader::new(source);
    let site = reader.site(document.as_table());
    if reader.errors.is_empty() {
        Ok(site)
    } else {
        Err(SiteErrors::new(source, reader.errors))
    }
}

impl Reader<'_> {
    fn site(&mut self, top: &dyn TableLike) -> Site {
        self.check_keys(top, "the site file", TOP);
        let mut site = Site::default();
        for (key, item) in top.iter() {
            match key {
                "policies" => site.policies = self.strings(key, item),
                "common" => site.common = self.boolean(key, item).is_none_or(|common| common.value),
                "closed_egress" => site.closed_egress = self.boolean(key, item),
                "fail_on" => site.fail_on = self.severity(key, item),
                "zones" => self.each(key, item, |reader, table, name, item| {
                    site.zones.extend(reader.zone(table, name, item));
                }),
                "names" => self.each(key, item, |reader, _, name, item| {
                    site.names.insert(name.to_owned(), reader.networks(name, item));
                }),
                "policy" => self.each(key, item, |reader, table, name, item| {
                    let settings = reader.settings(table, name, item);
                    site.settings
                        .extend(settings.map(|settings| (name.to_owned(), settings)));
                }),
                "lift" => self.each(key, item, |reader, table, name, item| {
                    let lifted = reader.lifted(table, name, item);
                    site.lifted.extend(lifted.map(|reason| (name.to_owned(), reason)));
                }),
                "bind" => site.bindings = self.bindings(item),
                _ => {}
            }
        }
        self.check_zones(&site);
        self.check_twice(&site);
        site
    }

    /// Calls `read` with every key and item of the table that `item` is.
    fn each(&mut self, key: &str, item: &Item, mut read: impl FnMut(&mut Self, &dyn TableLike, &str, &Item)) {
        if let Some(table) = self.table(key, item) {
            for (name, item) in table.iter() {
                read(self, table, name, item);
            }
        }
    }

    fn severity(&mut self, key: &str, item: &Item) -> Option<Spanned<Severity>> {
        let text = self.string(key, item)?;
        let all = [Severity::Note, Severity::Warning, Severity::Error];
        let severity = all.into_iter().find(|severity| severity.word() == text.value);
        if severity.is_none() {
            let message = format!("`{}` is not a severity", text.value);
            self.value_error(text.span, message, "write \"error\", \"warning\" or \"note\"");
        }
        Some(Spanned::new(severity?, text.span))
    }

    fn zone(&mut self, zones: &dyn TableLike, name: &str, item: &Item) -> Option<Zone> {
        let name = Spanned::new(name.to_owned(), self.key_span(zones, name));
        let table = self.table(&name.value, item)?;
        self.check_keys(table, &format!("zone `{}`", name.value), ZONE);
        let networks = table.get("networks").map(|item| self.networks("networks", item));
        let interfaces = table
            .get("interfaces")
            .map(|item| self.strings("interfaces", item));
        let span = name.span.to(self.item_span(item));
        Some(Zone {
            name,
            networks,
            interfaces: interfaces.unwrap_or_default(),
            span,
        })
    }

    fn settings(&mut self, policies: &dyn TableLike, name: &str, item: &Item) -> Option<Settings> {
        let mut settings = Settings::new(self.key_span(policies, name));
        let table = self.table(name, item)?;
        for (key, item) in table.iter() {
            match key {
                "version" => settings.version = self.string(key, item),
                "features" => settings.features = self.strings(key, item),
                "without" => settings.without = self.strings(key, item),
                _ => {
                    let at = self.key_span(table, key);
                    let value = self.string(key, item).map(|text| Value { key: at, text });
                    settings.values.extend(value.map(|value| (key.to_owned(), value)));
                }
            }
        }
        for off in &settings.without {
            if let Some(on) = settings.features.iter().find(|on| on.value == off.value) {
                self.twice(format!("feature `{}`", off.value), on.span, off.span);
            }
        }
        Some(settings)
    }

    fn lifted(&mut self, table: &dyn TableLike, row: &str, item: &Item) -> Option<Spanned<String>> {
        let reason = self.string(row, item)?;
        if !row.contains('/') {
            let at = self.key_span(table, row);
            let message = format!("`{row}` does not name a row");
            self.value_error(at, message, "rows are named `policy/id`, as findings cite them");
        }
        if reason.value.trim().is_empty() {
            let message = format!("`{row}` is lifted without a reason");
            self.value_error(reason.span, message, "say why, for whoever reads this next year");
        }
        Some(reason)
    }

    fn bindings(&mut self, item: &Item) -> Vec<Binding> {
        let mut bindings = Vec::new();
        if let Some(tables) = item.as_array_of_tables() {
            for table in tables {
                let span = self.span(table.span());
                bindings.push(self.binding(table, span));
            }
        } else if let Some(array) = item.as_array() {
            for value in array {
                let span = self.span(value.span());
                match value.as_inline_table() {
                    Some(table) => bindings.push(self.binding(table, span)),
                    None => self.wrong_type("bind", "a list of tables", &Item::Value(value.clone()), None),
                }
            }
        } else {
            self.wrong_type(
                "bind",
                "a list of tables",
                item,
                Some("write `[[bind]]`".to_owned()),
            );
        }
        bindings
    }

    fn binding(&mut self, table: &dyn TableLike, span: Span) -> Binding {
        for (key, help) in BIND_LATER {
            if table.contains_key(key) {
                let at = bytes(self.key_span(table, key));
                let (key, help) = ((*key).to_owned(), (*help).to_owned());
                self.errors.push(SiteError::NotSupported { key, help, at });
            }
        }
        let known: Vec<_> = BIND
            .iter()
            .copied()
            .chain(BIND_LATER.iter().map(|later| later.0))
            .collect();
        let before = self.errors.len();
        self.check_keys(table, "`[[bind]]`", &known);
        let strings = |reader: &mut Self, key| {
            table
                .get(key)
                .map(|item| reader.strings(key, item))
                .unwrap_or_default()
        };
        let networks = |reader: &mut Self, key| {
            table
                .get(key)
                .map(|item| reader.networks(key, item))
                .unwrap_or_default()
        };
        let binding = Binding {
            roles: strings(self, "roles"),
            zone: table.get("zone").and_then(|item| self.string("zone", item)),
            files: strings(self, "files"),
            addresses: networks(self, "addresses"),
            seen_as: networks(self, "seen_as"),
            router: table
                .get("router")
                .and_then(|item| self.boolean("router", item))
                .is_some_and(|it| it.value),
            everything: false,
            span,
        };
        self.check_binding(&binding, self.errors.len() > before);
        binding
    }

    /// What a binding must have. `troubled`: something of it could not be read, so what is absent may be there.
    fn check_binding(&mut self, binding: &Binding, troubled: bool) {
        if binding.roles.is_empty() && !troubled {
            self.errors.push(SiteError::MissingKey {
                place: "`[[bind]]`".to_owned(),
                key: "roles",
                help: "say which roles these hosts have: `roles = [\"policy.role\"]`".to_owned(),
                at: bytes(binding.span),
            });
        }
        for role in &binding.roles {
            check_role(self, role);
        }
        for pattern in &binding.files {
            if let Err(problem) = Pattern::parse(&pattern.value) {
                self.value_error(pattern.span, problem.message, problem.help);
            }
        }
    }

    fn check_zones(&mut self, site: &Site) {
        let defined = site.zones.iter().map(|zone| zone.name.value.as_str());
        let known: Vec<_> = defined.chain(super::zone::DEFAULTED).collect();
        for zone in site.bindings.iter().filter_map(|binding| binding.zone.as_ref()) {
            if !known.contains(&zone.value.as_str()) {
                let help = match nearest(&zone.value, known.iter().copied()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!(
                        "define it: `[zones]` with `{} = {{ networks = [...] }}`",
                        zone.value
                    ),
                };
                let (name, at) = (zone.value.clone(), bytes(zone.span));
                self.errors.push(SiteError::UnknownZone { name, help, at });
            }
        }
        for zone in &site.zones {
            let name = zone.name.value.as_str();
            if zone.networks.is_none() && !super::zone::DEFAULTED.contains(&name) {
                self.errors.push(SiteError::MissingKey {
                    place: format!("zone `{name}`"),
                    key: "networks",
                    help: "only `internal` and `external` have networks by default".to_owned(),
                    at: bytes(zone.name.span),
                });
            }
        }
    }

    fn check_twice(&mut self, site: &Site) {
        for (at, policy) in site.policies.iter().enumerate() {
            let earlier = site
                .policies
                .iter()
                .take(at)
                .find(|earlier| earlier.value == policy.value);
            if let Some(earlier) = earlier {
                self.twice(format!("policy `{}`", policy.value), earlier.span, policy.span);
            }
        }
    }

    fn twice(&mut self, what: String, first: Span, again: Span) {
        let (first, at) = (bytes(first), bytes(again));
        self.errors.push(SiteError::Twice { what, first, at });
    }
}

/// Roles are `policy.role`.
pub(super) fn check_role(reader: &mut Reader<'_>, role: &Spanned<String>) {
    let whole =
        matches!(role.value.split_once('.'), Some((policy, role)) if !policy.is_empty() && !role.is_empty());
    if !whole {
        let message = format!("`{}` does not say whose role it is", role.value);
        reader.value_error(role.span, message, format!("write `POLICY.{}`", role.value));
    }
}

#[cfg(test)]
mod tests {
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

[lift]
"common/telnet" = "terminal server, until it is replaced"

[[bind]]
roles = ["mke.manager", "stacklight.node"]
zone = "internal"
files = ["hosts/{host}/*.rules"]
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
                site.lifted["common/telnet"].value,
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
            assert_eq!(site.unwrap().bindings.len(), 1)
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
            "[[bind]]\nroles = ['a.b']\nresources = ['x']",
            "`resources` is not supported yet",
            "resources",
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
            serde_json::from_str(include_str!("../../docs/portcullis.schema.json")).unwrap();
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
}
