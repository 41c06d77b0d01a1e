//! `portcullis.toml` to [`Site`].
//!
//! INVARIANT: a key is either read here or refused; [`KEYS`] lists all of them, and a test holds the published
//! JSON Schema against it.

use toml_edit::{Document, Item, TableLike};

use super::error::{SiteError, bytes};
use super::pattern::Pattern;
use super::table::Reader;
use super::{Binding, Settings, Site, SiteErrors, Value, Zone};
use crate::finding::Severity;
use crate::policy::nearest;
use crate::source::{Source, Span, Spanned};

/// Keys of the top level.
const TOP: &[&str] = &[
    "policies",
    "common",
    "closed_egress",
    "redundant",
    "fail_on",
    "baseline",
    "select",
    "ignore",
    "zones",
    "names",
    "policy",
    "lift",
    "parameters",
    "terraform",
    "calico",
    "bind",
];
/// Keys of a zone.
const ZONE: &[&str] = &["networks", "interfaces"];
/// Keys of `[policy.NAME]` that are not services or parameters of the policy.
#[cfg(test)]
const POLICY: &[&str] = &["version", "features", "without"];
/// Keys of a `[[bind]]`.
const BIND: &[&str] = &[
    "roles",
    "zone",
    "files",
    "resources",
    "workloads",
    "nodes",
    "addresses",
    "seen_as",
    "router",
];
/// Every table of the file with its keys, as the JSON Schema names them.
#[cfg(test)]
pub(super) const KEYS: &[(&str, &[&str])] = &[
    ("", TOP),
    ("zone", ZONE),
    ("policy", POLICY),
    ("terraform", super::terraform::KEYS),
    ("calico", super::calico::KEYS),
    ("bind", BIND),
    ("workloads", super::workload::KEYS),
];

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
                "redundant" => site.redundant = self.boolean(key, item).is_some_and(|wanted| wanted.value),
                "fail_on" => site.fail_on = self.severity(key, item),
                "baseline" => site.baseline = self.string(key, item),
                "select" => {
                    let texts = self.strings(key, item);
                    self.select(&texts, &mut site);
                }
                "ignore" => {
                    let texts = self.strings(key, item);
                    self.ignore(&texts, &mut site);
                }
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
                "parameters" => self.each(key, item, |reader, table, name, item| {
                    let key = reader.key_span(table, name);
                    let value = reader.string(name, item).map(|text| Value { key, text });
                    site.parameters
                        .extend(value.map(|value| (name.to_owned(), value)));
                }),
                "terraform" => self.terraform(key, item, &mut site),
                "calico" => self.calico(key, item, &mut site),
                "bind" => site.bindings = self.bindings(item),
                _ => {}
            }
        }
        self.check_zones(&site);
        self.check_twice(&site);
        site
    }

    /// Calls `read` with every key and item of the table that `item` is.
    pub(super) fn each(
        &mut self,
        key: &str,
        item: &Item,
        mut read: impl FnMut(&mut Self, &dyn TableLike, &str, &Item),
    ) {
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
            self.value_error(
                text.span,
                message,
                "no severity",
                "write \"error\", \"warning\" or \"note\"",
            );
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

    fn lifted(&mut self, table: &dyn TableLike, row: &str, item: &Item) -> Option<Value> {
        let key = self.key_span(table, row);
        let reason = self.string(row, item)?;
        if !row.contains('/') {
            let message = format!("`{row}` does not name a row");
            self.value_error(
                key,
                message,
                "no row id",
                "rows are named `policy/id`, as findings cite them",
            );
        }
        if reason.value.trim().is_empty() {
            let message = format!("`{row}` is lifted without a reason");
            self.value_error(
                reason.span,
                message,
                "no reason",
                "say why, for whoever reads this next year",
            );
        }
        Some(Value { key, text: reason })
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
        let before = self.errors.len();
        self.check_keys(table, "`[[bind]]`", BIND);
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
            resources: strings(self, "resources"),
            workloads: table.get("workloads").and_then(|item| self.workloads(item)),
            nodes: strings(self, "nodes"),
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
                self.value_error(pattern.span, problem.message, "no pattern", problem.help);
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
                let reason = "only `internal` and `external` have networks by default";
                let help = match nearest(name, super::zone::DEFAULTED) {
                    Some(meant) => format!("did you mean `{meant}`? {reason}"),
                    None => reason.to_owned(),
                };
                self.errors.push(SiteError::MissingKey {
                    place: format!("zone `{name}`"),
                    key: "networks",
                    help,
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
fn check_role(reader: &mut Reader<'_>, role: &Spanned<String>) {
    let whole =
        matches!(role.value.split_once('.'), Some((policy, role)) if !policy.is_empty() && !role.is_empty());
    if !whole {
        let message = format!("`{}` does not say whose role it is", role.value);
        reader.value_error(
            role.span,
            message,
            "a role of which policy?",
            format!("write `POLICY.{}`", role.value),
        );
    }
}

#[cfg(test)]
mod tests;
