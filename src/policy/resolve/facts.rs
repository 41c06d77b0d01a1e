//! Settings held against the names of their policy: what is known about the site.
//!
//! INVARIANT: every key is a name of the policy; what is not here is not known, which is not the same as absent.

use std::collections::BTreeMap;

use super::names::Names;
use super::service;
use crate::policy::ast::{self, Setting};
use crate::policy::error::{ErrorKind, PolicyError};
use crate::policy::parser::parse_services;
use crate::policy::row::Choice;
use crate::policy::settings::{Settings, Value};
use crate::source::{Source, Span, Spanned};

/// What is known about the site.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) version: Option<ast::Version>,
    pub(super) features: BTreeMap<String, bool>,
    pub(super) services: BTreeMap<String, Choice<ast::Service>>,
    pub(super) parameters: BTreeMap<String, Vec<Spanned<String>>>,
    pub(super) today: Option<ast::Date>,
    /// Whether the policy is used by another, where its settings then stand.
    pub(super) used: bool,
}

/// Gathers facts about one policy, and what is wrong with them.
struct Gatherer<'a, 'e> {
    policy: &'a str,
    names: &'a Names<'a>,
    set: BTreeMap<String, Span>,
    facts: Facts,
    errors: &'e mut Vec<PolicyError>,
}

impl Facts {
    /// The facts that a site file gives.
    pub(super) fn of_site(
        policy: &str,
        settings: &Settings,
        names: &Names<'_>,
        errors: &mut Vec<PolicyError>,
    ) -> Self {
        let mut gather = Gatherer::new(policy, names, errors);
        gather.facts.today = settings.today;
        if let Some(version) = &settings.version {
            gather.version_text(version);
        }
        for feature in &settings.features {
            let text = feature.value.trim();
            let (name, on) = match text.strip_prefix("not ") {
                Some(name) => (name.trim(), false),
                None => (text, true),
            };
            gather.feature(name, on, feature.span);
        }
        for value in &settings.values {
            gather.value(value);
        }
        gather.facts
    }

    /// The facts that a `use` gives.
    pub(super) fn of_use(
        policy: &str,
        settings: &[Spanned<Setting>],
        names: &Names<'_>,
        errors: &mut Vec<PolicyError>,
    ) -> Self {
        let mut gather = Gatherer::new(policy, names, errors);
        gather.facts.used = true;
        for setting in settings {
            match &setting.value {
                Setting::Version(version) => {
                    if gather.is_new("version", setting.span) {
                        gather.facts.version = Some(version.value.clone());
                    }
                }
                Setting::Features(switches) => {
                    for switch in switches {
                        gather.feature(&switch.value.name, switch.value.on, switch.span);
                    }
                }
                Setting::Parameter(name, texts) => gather.value(&Value {
                    name: name.clone(),
                    texts: texts.clone(),
                }),
                Setting::Service(name, services) => {
                    if gather.is_new(&name.value, name.span) {
                        gather.service(name, services.clone(), setting.span);
                    }
                }
            }
        }
        gather.facts
    }

    /// Where a fact about `policy` is set: what the reason for an unknown tells the reader to write.
    pub(super) fn how_to_set(&self, policy: &str, key: &str, example: &str) -> String {
        if self.used {
            return format!("set `{key}` in `use {policy} {{ … }}`");
        }
        format!("set `{key} = {example}` under `[policy.{policy}]` in `portcullis.toml`")
    }
}

impl<'a, 'e> Gatherer<'a, 'e> {
    fn new(policy: &'a str, names: &'a Names<'a>, errors: &'e mut Vec<PolicyError>) -> Self {
        Self {
            policy,
            names,
            set: BTreeMap::new(),
            facts: Facts::default(),
            errors,
        }
    }

    fn refuse(&mut self, kind: ErrorKind, span: Span) {
        self.errors.push(PolicyError::new(kind, span));
    }

    /// Whether the key was not set before.
    fn is_new(&mut self, key: &str, span: Span) -> bool {
        if let Some(&earlier) = self.set.get(key) {
            let name = key.to_owned();
            let kind = ErrorKind::DuplicateSetting { name };
            self.errors.push(PolicyError::clash(kind, span, earlier));
            return false;
        }
        self.set.insert(key.to_owned(), span);
        true
    }

    fn version_text(&mut self, version: &Spanned<String>) {
        let text = version.value.trim();
        let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if text.split('.').all(number) {
            self.facts.version = Some(ast::Version::of_text(text));
        } else {
            let text = text.to_owned();
            self.refuse(ErrorKind::UnreadableVersion { text }, version.span);
        }
    }

    fn feature(&mut self, name: &str, on: bool, span: Span) {
        if !self.names.features.contains(name) {
            self.refuse(self.names.unknown_switch(self.policy, name), span);
        } else if self.is_new(&format!("feature {name}"), span) {
            self.facts.features.insert(name.to_owned(), on);
        }
    }

    fn value(&mut self, value: &Value) {
        let name = value.name.value.as_str();
        if !self.is_new(name, value.name.span) {
            return;
        }
        if let Some(definition) = self.names.parameters.get(name) {
            let hosts = value.texts.iter().flat_map(|text| {
                let parts = text.value.split(',').map(|part| part.trim().to_owned());
                parts.map(|part| Spanned::new(part, text.span))
            });
            let hosts: Vec<_> = hosts.collect();
            let wrong = hosts.iter().filter_map(|host| definition.refuse(name, host));
            self.errors.extend(wrong);
            self.facts.parameters.insert(name.to_owned(), hosts);
        } else if self.names.services.contains_key(name) {
            self.service_texts(value);
        } else {
            self.refuse(self.names.unknown_setting(self.policy, name), value.name.span);
        }
    }

    /// A service given as text: several texts are as good as one with commas.
    fn service_texts(&mut self, value: &Value) {
        let mut all = Choice {
            items: Vec::new(),
            one_of: false,
        };
        for text in &value.texts {
            let source = Source {
                file: text.span.file,
                name: "",
                text: &text.value,
            };
            match parse_services(source) {
                Ok(services) => {
                    all.one_of |= services.one_of;
                    all.items.extend(services.items);
                }
                Err(error) => {
                    let at = text.span;
                    let (text, reason) = (text.value.clone(), error.kind.to_string());
                    self.refuse(ErrorKind::UnreadableService { text, reason }, at);
                    return;
                }
            }
        }
        let span = value.texts.first().map_or(value.name.span, |first| first.span);
        for item in &mut all.items {
            item.span = span;
        }
        if !all.items.is_empty() {
            self.service(&value.name, all, span);
        }
    }

    fn service(&mut self, name: &Spanned<String>, services: Choice<ast::Service>, span: Span) {
        let Some(definition) = self.names.services.get(name.value.as_str()) else {
            let is_parameter = self.names.parameters.contains_key(name.value.as_str());
            let mut kind = self.names.unknown_setting(self.policy, &name.value);
            if let (true, ErrorKind::UnknownSetting { hint, .. }) = (is_parameter, &mut kind) {
                "it is a parameter: write its value in quotes".clone_into(hint);
            }
            self.refuse(kind, name.span);
            return;
        };
        match service::refuse_setting(&name.value, definition, &services) {
            Some(kind) => self.refuse(kind, span),
            None => {
                self.facts.services.insert(name.value.clone(), services);
            }
        }
    }
}
