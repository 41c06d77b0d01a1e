//! The command line to [`Site`]: what a site file says, for an audit that has none.
//!
//! INVARIANT: every value points into the text of [`Arguments::source_file`], so that errors about arguments
//! look like errors about a file.

use super::error::{SiteError, SiteErrors, bytes};
use super::read::check_role;
use super::table::Reader;
use super::{Binding, Settings, Site, Value, Zone};
use crate::source::{Source, SourceFile, Span, Spanned};

/// What the command line says about the site, as the words were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arguments {
    /// `--policy NAME`: replaces the site file's list.
    pub policies: Vec<String>,
    /// `--role POLICY.ROLE`, or `--role ROLE` if there is one policy: every file is a host with these roles;
    /// replaces the site file's bindings.
    pub roles: Vec<String>,
    /// `--zone NAME=NETWORK,…`, `--zone NAME@INTERFACE,…`, or both as `NAME=NETWORK,…@INTERFACE,…`: replaces
    /// that zone of the site file.
    pub zones: Vec<String>,
    /// `--name HOST=NETWORK,…`: the addresses of a host name.
    pub names: Vec<String>,
    /// `--set POLICY.KEY=VALUE`: a service or parameter.
    pub set: Vec<String>,
    /// `--feature POLICY.FEATURE`: it is on.
    pub features: Vec<String>,
    /// `--without POLICY.FEATURE`: it is off.
    pub without: Vec<String>,
    /// `--product-version POLICY=VERSION`.
    pub versions: Vec<String>,
    /// `--no-common`.
    pub no_common: bool,
}

/// One argument in the virtual text.
#[derive(Clone, Copy)]
struct Word<'a> {
    text: &'a str,
    span: Span,
}

impl Word<'_> {
    fn spanned(self) -> Spanned<String> {
        Spanned::new(self.text.to_owned(), self.span)
    }
}

impl Arguments {
    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The options with their values, in a fixed order.
    fn options(&self) -> [(&'static str, &[String]); 8] {
        [
            ("--policy", &self.policies),
            ("--role", &self.roles),
            ("--zone", &self.zones),
            ("--name", &self.names),
            ("--set", &self.set),
            ("--feature", &self.features),
            ("--without", &self.without),
            ("--product-version", &self.versions),
        ]
    }

    /// The text that errors show and spans count in: the options in a fixed order. It lies in no file.
    #[must_use]
    pub fn source_file(&self) -> SourceFile {
        let mut text = String::new();
        for (option, values) in self.options() {
            for value in values {
                if !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(option);
                text.push(' ');
                text.push_str(value);
            }
        }
        SourceFile::virtual_text("command line", text)
    }

    /// Puts the arguments over what a site file says. `source` is [`Arguments::source_file`], added to the map.
    pub fn overlay(&self, mut site: Site, source: Source<'_>) -> Result<Site, SiteErrors> {
        let mut reader = Reader::new(source);
        let mut offset = 0;
        let mut words = |option: &'static str| -> Vec<Word<'_>> {
            let values = self
                .options()
                .into_iter()
                .find(|known| known.0 == option)
                .map_or(&[][..], |known| known.1);
            let place = |value: &String| {
                let start = offset + option.len() + 1;
                offset = start + value.len() + 1;
                let span = reader.span(Some(start..start + value.len()));
                Word {
                    text: source.text.get(span.range()).unwrap_or(""),
                    span,
                }
            };
            values.iter().map(place).collect()
        };
        let [policies, roles, zones, names, set, features, without, versions] =
            self.options().map(|(option, _)| words(option));
        if !policies.is_empty() {
            site.policies = policies.iter().map(|word| word.spanned()).collect();
        }
        if !roles.is_empty() {
            site.bindings = vec![reader.roles(&roles, &site)];
        }
        zones
            .iter()
            .for_each(|word| reader.zone_argument(*word, &mut site));
        for word in names {
            if let Some((name, networks)) = reader.pair(word, '=', "NAME=NETWORK") {
                let networks = reader.network_list(networks);
                site.names.insert(name.text.to_owned(), networks);
            }
        }
        for word in set {
            if let Some((key, value)) = reader.pair(word, '=', "POLICY.KEY=VALUE")
                && let Some((policy, key)) = reader.pair(key, '.', "POLICY.KEY=VALUE")
            {
                let value = Value {
                    key: key.span,
                    text: value.spanned(),
                };
                settings(&mut site, policy)
                    .values
                    .insert(key.text.to_owned(), value);
            }
        }
        for (words, on) in [(features, true), (without, false)] {
            for word in words {
                if let Some((policy, feature)) = reader.pair(word, '.', "POLICY.FEATURE") {
                    switch(settings(&mut site, policy), feature, on);
                }
            }
        }
        for word in versions {
            if let Some((policy, version)) = reader.pair(word, '=', "POLICY=VERSION") {
                settings(&mut site, policy).version = Some(version.spanned());
            }
        }
        site.common &= !self.no_common;
        if reader.errors.is_empty() {
            Ok(site)
        } else {
            Err(SiteErrors::new(source, reader.errors))
        }
    }
}

/// The settings of a policy, made if there are none.
fn settings<'s>(site: &'s mut Site, policy: Word<'_>) -> &'s mut Settings {
    site.settings
        .entry(policy.text.to_owned())
        .or_insert_with(|| Settings::new(policy.span))
}

/// Switches a feature on or off, whatever was said of it before.
fn switch(settings: &mut Settings, feature: Word<'_>, on: bool) {
    settings.features.retain(|known| known.value != feature.text);
    settings.without.retain(|known| known.value != feature.text);
    let list = if on {
        &mut settings.features
    } else {
        &mut settings.without
    };
    list.push(feature.spanned());
}

impl<'a> Reader<'a> {
    /// Cuts a word in two at the first `at`; neither may be empty.
    fn pair(&mut self, word: Word<'a>, at: char, form: &str) -> Option<(Word<'a>, Word<'a>)> {
        if let Some((left, right)) = word.text.split_once(at)
            && !left.is_empty()
            && !right.is_empty()
        {
            return Some((self.part(word, left), self.part(word, right)));
        }
        self.value_error(
            word.span,
            format!("`{}` is not of the form {form}", word.text),
            format!("write {form}"),
        );
        None
    }

    /// A part of a word, which must be a slice of its text.
    fn part(&self, word: Word<'a>, part: &'a str) -> Word<'a> {
        let span = crate::source::Locator::new(self.source).span(part);
        debug_assert!(word.span.contains(span), "a part lies in its word");
        Word { text: part, span }
    }

    fn network_list(&mut self, word: Word<'a>) -> Vec<Spanned<crate::packet::Network>> {
        let parts: Vec<_> = word
            .text
            .split(',')
            .map(|part| self.part(word, part).spanned())
            .collect();
        parts.iter().filter_map(|part| self.network(part)).collect()
    }

    /// `NAME=NETWORK,…@INTERFACE,…`, of which either half may be absent.
    fn zone_argument(&mut self, word: Word<'a>, site: &mut Site) {
        let (front, interfaces) = match word.text.split_once('@') {
            Some((front, interfaces)) => (front, Some(interfaces)),
            None => (word.text, None),
        };
        let (name, networks) = match front.split_once('=') {
            Some((name, networks)) => (name, Some(networks)),
            None => (front, None),
        };
        let empty = [Some(name), networks, interfaces]
            .into_iter()
            .flatten()
            .any(str::is_empty);
        if empty || (networks.is_none() && interfaces.is_none()) {
            let message = format!("`{}` does not say what is in the zone", word.text);
            self.value_error(
                word.span,
                message,
                "write NAME=NETWORK,… or NAME@INTERFACE,… or NAME=NETWORK@INTERFACE",
            );
            return;
        }
        let networks = networks.map(|networks| self.network_list(self.part(word, networks)));
        if networks.is_none() && !super::zone::DEFAULTED.contains(&name) {
            self.errors.push(SiteError::MissingKey {
                place: format!("zone `{name}`"),
                key: "networks",
                help: format!(
                    "write {name}=NETWORK@INTERFACE: only `internal` and `external` have a default"
                ),
                at: bytes(word.span),
            });
        }
        let interfaces = interfaces.into_iter().flat_map(|list| list.split(','));
        let zone = Zone {
            name: self.part(word, name).spanned(),
            networks,
            interfaces: interfaces.map(|name| self.part(word, name).spanned()).collect(),
            span: word.span,
        };
        site.zones.retain(|known| known.name.value != zone.name.value);
        site.zones.push(zone);
    }

    /// One binding of all files to the roles. A role without a policy belongs to the only policy there is.
    fn roles(&mut self, words: &[Word<'a>], site: &Site) -> Binding {
        let only = match site.policies.as_slice() {
            [only] if !is_path(&only.value) => Some(only.value.as_str()),
            _ => None,
        };
        let mut roles = Vec::with_capacity(words.len());
        for word in words {
            let mut role = word.spanned();
            if let (false, Some(policy)) = (role.value.contains('.'), only) {
                role.value = format!("{policy}.{}", role.value);
            }
            check_role(self, &role);
            roles.push(role);
        }
        let span = words
            .iter()
            .map(|word| word.span)
            .reduce(Span::to)
            .unwrap_or_else(|| self.span(None));
        Binding {
            roles,
            zone: None,
            files: Vec::new(),
            addresses: Vec::new(),
            seen_as: Vec::new(),
            router: false,
            everything: true,
            span,
        }
    }
}

/// Whether a policy is named by a path rather than by a built-in name.
fn is_path(policy: &str) -> bool {
    policy.contains('/') || policy.ends_with(".ports")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;

    fn overlay(arguments: &Arguments, site: Site) -> (Result<Site, SiteErrors>, SourceMap) {
        let mut sources = SourceMap::new();
        let file = sources.add(arguments.source_file());
        (arguments.overlay(site, sources.source(file)), sources)
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn an_audit_needs_no_site_file() {
        let arguments = Arguments {
            policies: words(&["mke"]),
            roles: words(&["manager", "stacklight.node"]),
            zones: words(&["internal=10.0.0.0/16,fd00::/8@eth1,bond0", "external@eth0"]),
            names: words(&["quay.io=192.0.2.1"]),
            set: words(&["mke.ui=tcp/4443"]),
            features: words(&["stacklight.logging"]),
            without: words(&["stacklight.ceph"]),
            versions: words(&["stacklight=24.1"]),
            no_common: true,
        };
        let (site, sources) = overlay(&arguments, Site::default());
        let site = site.unwrap();
        let roles: Vec<_> = site.bindings[0]
            .roles
            .iter()
            .map(|it| (it.value.as_str(), sources.text(it.span)))
            .collect();
        assert_eq!(
            roles,
            [("mke.manager", "manager"), ("stacklight.node", "stacklight.node")]
        );
        assert!(site.bindings[0].everything && !site.common);
        let internal = &site.zones[0];
        let networks: Vec<_> = internal
            .networks
            .as_ref()
            .unwrap()
            .iter()
            .map(|it| sources.text(it.span))
            .collect();
        assert_eq!(networks, ["10.0.0.0/16", "fd00::/8"]);
        let interfaces: Vec<_> = internal
            .interfaces
            .iter()
            .map(|it| sources.text(it.span))
            .collect();
        assert_eq!(
            (sources.text(internal.name.span), interfaces),
            ("internal", vec!["eth1", "bond0"])
        );
        assert_eq!(
            (site.zones[1].networks.as_ref(), site.zones[1].interfaces.len()),
            (None, 1)
        );
        assert_eq!(sources.text(site.names["quay.io"][0].span), "192.0.2.1");
        let ui = &site.settings["mke"].values["ui"];
        assert_eq!(
            (sources.text(ui.key), sources.text(ui.text.span)),
            ("ui", "tcp/4443")
        );
        let stacklight = &site.settings["stacklight"];
        assert_eq!(sources.text(stacklight.features[0].span), "logging");
        assert_eq!(sources.text(stacklight.without[0].span), "ceph");
        assert_eq!(sources.text(stacklight.version.as_ref().unwrap().span), "24.1");
    }

    #[test]
    fn arguments_win_over_the_site_file() {
        let mut sources = SourceMap::new();
        let text = "policies = ['a']\nzones.internal.networks = '10.0.0.0/8'\npolicy.a.features = ['f', 'g']\npolicy.a.p = 'old'\n";
        let file = sources.add_text("portcullis.toml", text);
        let site = crate::site::read(sources.source(file)).unwrap();
        let arguments = Arguments {
            zones: words(&["internal=10.1.0.0/16"]),
            without: words(&["a.f"]),
            set: words(&["a.p=new"]),
            ..Arguments::default()
        };
        let file = sources.add(arguments.source_file());
        let site = arguments.overlay(site, sources.source(file)).unwrap();
        assert_eq!(site.policies[0].value, "a");
        assert_eq!(site.zones.len(), 1);
        assert_eq!(
            sources.text(site.zones[0].networks.as_ref().unwrap()[0].span),
            "10.1.0.0/16"
        );
        let settings = &site.settings["a"];
        assert_eq!(
            (settings.features.len(), settings.without[0].value.as_str()),
            (1, "f")
        );
        assert_eq!(settings.values["p"].text.value, "new");
    }

    #[test]
    fn wrong_arguments_are_underlined() {
        let arguments = Arguments {
            policies: words(&["mke", "x"]),
            roles: words(&["manager"]),
            zones: words(&["internal=10.0.0.0/40", "internal", "dmz@eth0", "=x"]),
            set: words(&["ui=tcp/1", "mke.ui"]),
            features: words(&["logging"]),
            versions: words(&["24.1"]),
            ..Arguments::default()
        };
        let (site, sources) = overlay(&arguments, Site::default());
        let errors = site.unwrap_err();
        let file = sources.ids().next().unwrap();
        let text = sources.file(file).text();
        let underlined: Vec<_> = errors
            .errors()
            .iter()
            .map(|error| &text[error.at().offset()..][..error.at().len()])
            .collect();
        assert_eq!(
            underlined,
            [
                "manager",
                "10.0.0.0/40",
                "internal",
                "dmz@eth0",
                "=x",
                "ui",
                "mke.ui",
                "logging",
                "24.1"
            ]
        );
        assert_eq!(errors.to_string(), "command line cannot be used: 9 errors");
    }
}
