//! The command line to [`Site`]: what a site file says, for an audit that has none.
//!
//! INVARIANT: every value points into the text of [`Arguments::source_file`], so that errors about arguments
//! look like errors about a file.

use super::error::{SiteError, SiteErrors, bytes};
use super::table::Reader;
use super::{Binding, Settings, Site, Value, Zone};
use crate::policy::ast::Date;
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
    /// `--parameter NAME=VALUE`: what a template leaves open.
    pub parameters: Vec<String>,
    /// `--var NAME=VALUE`: a variable of root modules.
    pub variables: Vec<String>,
    /// `--var-file FILE`: a file of values, from the folder of each root module.
    pub variable_files: Vec<String>,
    /// `--workspace NAME`.
    pub workspace: Option<String>,
    /// `--select CODE`: replaces the site file's `select`.
    pub select: Vec<String>,
    /// `--ignore CODE`: besides what the site file ignores.
    pub ignore: Vec<String>,
    /// `--no-common`.
    pub no_common: bool,
    /// `check --redundant`.
    pub redundant: bool,
    /// `--today`, or what the clock says. Without it no row expires.
    pub today: Option<Date>,
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
    fn options(&self) -> [(&'static str, &[String]); 14] {
        [
            ("--policy", &self.policies),
            ("--role", &self.roles),
            ("--zone", &self.zones),
            ("--name", &self.names),
            ("--set", &self.set),
            ("--feature", &self.features),
            ("--without", &self.without),
            ("--product-version", &self.versions),
            ("--parameter", &self.parameters),
            ("--var", &self.variables),
            ("--var-file", &self.variable_files),
            ("--workspace", self.workspace.as_slice()),
            ("--select", &self.select),
            ("--ignore", &self.ignore),
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
        let words = self.words(&reader);
        let of = |option: &'static str| {
            words
                .iter()
                .filter(move |word| word.0 == option)
                .map(|word| word.1)
        };
        if !self.policies.is_empty() {
            site.policies = of("--policy").map(Word::spanned).collect();
        }
        if !self.roles.is_empty() {
            let roles: Vec<_> = of("--role").collect();
            site.bindings = vec![binding_of(&roles, reader.span(None))];
        }
        for (option, word) in &words {
            let _refused_or_done = reader.setting(option, *word, &mut site);
        }
        if !self.select.is_empty() {
            let texts: Vec<_> = of("--select").map(Word::spanned).collect();
            reader.select(&texts, &mut site);
        }
        let texts: Vec<_> = of("--ignore").map(Word::spanned).collect();
        reader.ignore(&texts, &mut site);
        site.common &= !self.no_common;
        site.redundant |= self.redundant;
        site.today = self.today.or(site.today);
        if reader.errors.is_empty() {
            Ok(site)
        } else {
            Err(SiteErrors::new(source, reader.errors))
        }
    }

    /// The values with their options, as they lie in the text of [`Arguments::source_file`].
    fn words<'a>(&self, reader: &Reader<'a>) -> Vec<(&'static str, Word<'a>)> {
        let mut words = Vec::new();
        let mut offset = 0;
        for (option, values) in self.options() {
            for value in values {
                let start = offset + option.len() + 1;
                offset = start + value.len() + 1;
                let span = reader.span(Some(start..start + value.len()));
                let text = reader.source.text.get(span.range()).unwrap_or("");
                words.push((option, Word { text, span }));
            }
        }
        words
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
    /// Reads one argument that adds to the site.
    fn setting(&mut self, option: &str, word: Word<'a>, site: &mut Site) -> Option<()> {
        match option {
            "--zone" => self.zone_argument(word, site),
            "--name" => {
                let (name, networks) = self.pair(word, '=', "NAME=NETWORK")?;
                let networks = self.network_list(networks);
                site.names.insert(name.text.to_owned(), networks);
            }
            "--set" => {
                let (key, value) = self.pair(word, '=', "POLICY.KEY=VALUE")?;
                let (policy, key) = self.pair(key, '.', "POLICY.KEY=VALUE")?;
                let text = value.spanned();
                let value = Value { key: key.span, text };
                settings(site, policy).values.insert(key.text.to_owned(), value);
            }
            "--feature" | "--without" => {
                let (policy, feature) = self.pair(word, '.', "POLICY.FEATURE")?;
                switch(settings(site, policy), feature, option == "--feature");
            }
            "--parameter" => {
                let (name, value) = self.pair(word, '=', "NAME=VALUE")?;
                let text = value.spanned();
                let value = Value { key: name.span, text };
                site.parameters.insert(name.text.to_owned(), value);
            }
            "--var" => {
                let (name, value) = self.pair(word, '=', "NAME=VALUE")?;
                let text = value.spanned();
                let value = Value { key: name.span, text };
                site.terraform.variables.insert(name.text.to_owned(), value);
            }
            "--var-file" => site.terraform.variable_files.push(word.spanned()),
            "--workspace" => site.terraform.workspace = Some(word.spanned()),
            "--product-version" => {
                let (policy, version) = self.pair(word, '=', "POLICY=VERSION")?;
                settings(site, policy).version = Some(version.spanned());
            }
            _ => {}
        }
        Some(())
    }

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
            "not of this form",
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
                "no networks and no interfaces",
                "write NAME=NETWORK,… or NAME@INTERFACE,… or NAME=NETWORK@INTERFACE",
            );
            return;
        }
        let networks = networks.map(|networks| self.network_list(self.part(word, networks)));
        if networks.is_none() && !super::zone::DEFAULTED.contains(&name) {
            let help = match crate::policy::nearest(name, super::zone::DEFAULTED) {
                Some(meant) => {
                    format!("did you mean `{meant}`? only `internal` and `external` have a default")
                }
                None => {
                    format!("write {name}=NETWORK@INTERFACE: only `internal` and `external` have a default")
                }
            };
            self.errors.push(SiteError::MissingKey {
                place: format!("zone `{name}`"),
                key: "networks",
                help,
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
}

/// One binding of all files to the roles; `everything` is the whole command line. Whose a role is may be left to the policies.
fn binding_of(roles: &[Word<'_>], everything: Span) -> Binding {
    let span = roles.iter().map(|word| word.span).reduce(Span::to);
    Binding {
        roles: roles.iter().map(|word| word.spanned()).collect(),
        zone: None,
        files: Vec::new(),
        resources: Vec::new(),
        workloads: None,
        nodes: Vec::new(),
        addresses: Vec::new(),
        seen_as: Vec::new(),
        router: false,
        everything: true,
        span: span.unwrap_or(everything),
    }
}

#[cfg(test)]
mod tests;
