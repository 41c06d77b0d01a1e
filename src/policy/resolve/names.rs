//! The names that a policy defines. INVARIANT: of a name defined twice, the first definition counts.

use std::collections::{BTreeMap, BTreeSet};

use super::peer;
use crate::policy::ast::{self, ParameterKind, Statement};
use crate::policy::error::{ErrorKind, PolicyError};
use crate::policy::near::did_you_mean;
use crate::policy::row::Choice;
use crate::source::{Span, Spanned};

/// A service as it is defined.
pub(super) struct ServiceDefinition<'a> {
    pub(super) value: &'a Choice<ast::Service>,
    pub(super) configurable: bool,
    pub(super) within: Option<&'a Choice<ast::Service>>,
}

/// A parameter as it is defined.
#[derive(Clone, Copy)]
pub(super) struct ParameterDefinition<'a> {
    pub(super) kind: Option<ParameterKind>,
    /// Perhaps none.
    pub(super) default: &'a [Spanned<String>],
}

impl ParameterDefinition<'_> {
    /// Why a value is none of its kind.
    pub(super) fn refuse(&self, name: &str, value: &Spanned<String>) -> Option<PolicyError> {
        let text = value.value.trim();
        let (fits, kind) = match self.kind? {
            ParameterKind::Host => (peer::is_host(text), "a host name or an address"),
            ParameterKind::Label => (
                peer::is_host(text) && !text.contains(['.', ':', '*']),
                "one part of a host name",
            ),
        };
        let (name, text, kind) = (name.to_owned(), text.to_owned(), kind.to_owned());
        let error = PolicyError::new(ErrorKind::WrongParameter { name, text, kind }, value.span);
        (!fits).then_some(error)
    }
}

/// All names of one policy.
#[derive(Default)]
pub(super) struct Names<'a> {
    pub(super) roles: BTreeMap<&'a str, Option<&'a Spanned<String>>>,
    pub(super) zones: BTreeMap<&'a str, Option<&'a Spanned<String>>>,
    pub(super) features: BTreeSet<&'a str>,
    pub(super) parameters: BTreeMap<&'a str, ParameterDefinition<'a>>,
    pub(super) services: BTreeMap<&'a str, ServiceDefinition<'a>>,
}

/// Names that must differ from each other, and where each is defined.
#[derive(Default)]
struct Taken<'a>(BTreeMap<&'a str, Span>);

impl<'a> Taken<'a> {
    /// Whether the name was free.
    fn take(&mut self, name: &'a Spanned<String>, errors: &mut Vec<PolicyError>) -> bool {
        let earlier = *self.0.entry(&name.value).or_insert(name.span);
        if earlier == name.span {
            return true;
        }
        let kind = ErrorKind::DuplicateDefinition {
            name: name.value.clone(),
        };
        errors.push(PolicyError::clash(kind, name.span, earlier));
        false
    }
}

impl<'a> Names<'a> {
    /// Collects the definitions of a policy, wherever in it they stand.
    pub(super) fn of(policy: &'a ast::Policy, errors: &mut Vec<PolicyError>) -> Self {
        let mut names = Self::default();
        let mut peers = Taken::default();
        let mut settings = Taken::default();
        let mut features = Taken::default();
        for statement in &policy.statements {
            match &statement.value {
                Statement::Role { names: roles, home } => {
                    let free = roles.iter().filter(|role| peers.take(role, errors));
                    names
                        .roles
                        .extend(free.map(|role| (role.value.as_str(), home.as_ref())));
                }
                Statement::Zone(zones) => {
                    let free = zones.iter().filter(|zone| peers.take(zone, errors));
                    names.zones.extend(free.map(|zone| (zone.value.as_str(), None)));
                }
                Statement::ZoneAlias { name, of } if peers.take(name, errors) => {
                    names.zones.insert(&name.value, Some(of));
                }
                Statement::Feature { name, .. } if features.take(name, errors) => {
                    names.features.insert(&name.value);
                }
                Statement::Parameter {
                    name, kind, default, ..
                } if settings.take(name, errors) => {
                    let kind = kind.as_ref().map(|kind| kind.value);
                    let definition = ParameterDefinition { kind, default };
                    errors.extend(
                        default
                            .iter()
                            .filter_map(|value| definition.refuse(&name.value, value)),
                    );
                    names.parameters.insert(&name.value, definition);
                }
                Statement::Service {
                    name,
                    value,
                    configurable,
                    within,
                } if settings.take(name, errors) => {
                    let definition = ServiceDefinition {
                        value,
                        configurable: *configurable,
                        within: within.as_ref(),
                    };
                    names.services.insert(&name.value, definition);
                }
                _ => {}
            }
        }
        names.check_zones(errors);
        names
    }

    /// Zones that are named by roles and by other zones must be there, and no zone may lead back to itself.
    fn check_zones(&self, errors: &mut Vec<PolicyError>) {
        let mut named: Vec<&Spanned<String>> = self
            .roles
            .values()
            .chain(self.zones.values())
            .copied()
            .flatten()
            .collect();
        named.sort_by_key(|zone| zone.span);
        named.dedup();
        for zone in named {
            if !self.zones.contains_key(zone.value.as_str()) {
                errors.push(PolicyError::new(self.unknown_zone(&zone.value), zone.span));
            }
        }
        for (name, of) in &self.zones {
            let mut next = *of;
            // A chain longer than there are zones has a circle.
            for _ in 0..self.zones.len() {
                match next {
                    Some(zone) if zone.value == *name => {
                        let name = (*name).to_owned();
                        errors.push(PolicyError::new(ErrorKind::CyclicZone { name }, zone.span));
                        break;
                    }
                    Some(zone) => next = self.zones.get(zone.value.as_str()).copied().flatten(),
                    None => break,
                }
            }
        }
    }

    fn unknown_zone(&self, name: &str) -> ErrorKind {
        let otherwise = format!("define it: `zone {name}`");
        let hint = did_you_mean(name, self.zones.keys().copied(), otherwise);
        let name = name.to_owned();
        ErrorKind::UnknownZone { name, hint }
    }

    /// What is wrong with a peer of this name.
    pub(super) fn unknown_peer(&self, name: &str) -> ErrorKind {
        let known = self
            .roles
            .keys()
            .chain(self.zones.keys())
            .copied()
            .chain(["self", "any"]);
        let otherwise = format!("define it: `zone {name}` or `role {name}`; host names stand in quotes");
        let hint = did_you_mean(name, known, otherwise);
        let name = name.to_owned();
        ErrorKind::UnknownPeer { name, hint }
    }

    /// What is wrong with a feature of this name.
    pub(super) fn unknown_feature(&self, name: &str) -> ErrorKind {
        let otherwise = format!("define it: `feature {name} \"it is enabled\"`");
        let hint = did_you_mean(name, self.features.iter().copied(), otherwise);
        let name = name.to_owned();
        ErrorKind::UnknownFeature { name, hint }
    }

    /// What is wrong with a setting that switches a feature of this name.
    pub(super) fn unknown_switch(&self, policy: &str, name: &str) -> ErrorKind {
        let listed: Vec<String> = self.features.iter().map(|known| format!("`{known}`")).collect();
        let otherwise = if listed.is_empty() {
            format!("policy `{policy}` has no features")
        } else {
            format!("policy `{policy}` has {}", listed.join(", "))
        };
        let hint = did_you_mean(name, self.features.iter().copied(), otherwise);
        let name = name.to_owned();
        ErrorKind::UnknownFeature { name, hint }
    }

    /// What is wrong with a parameter of this name.
    pub(super) fn unknown_parameter(&self, name: &str) -> ErrorKind {
        let otherwise = format!("define it: `parameter {name} \"what it is\"`");
        let hint = did_you_mean(name, self.parameters.keys().copied(), otherwise);
        let name = name.to_owned();
        ErrorKind::UnknownParameter { name, hint }
    }

    /// What is wrong with a service of this name.
    pub(super) fn unknown_service(&self, name: &str) -> ErrorKind {
        let known = self
            .services
            .keys()
            .copied()
            .chain(["tcp", "udp", "icmp", "icmpv6", "esp", "gre", "any"]);
        let otherwise = format!("define it: `service {name} = tcp/443`, or write protocol and port");
        let hint = did_you_mean(name, known, otherwise);
        let name = name.to_owned();
        ErrorKind::UnknownService { name, hint }
    }

    /// What is wrong with a setting of this name.
    pub(super) fn unknown_setting(&self, policy: &str, name: &str) -> ErrorKind {
        let known = self.services.keys().chain(self.parameters.keys()).copied();
        let listed: Vec<String> = known.clone().map(|name| format!("`{name}`")).collect();
        let otherwise = if listed.is_empty() {
            "it has none".to_owned()
        } else {
            format!("it has {}", listed.join(", "))
        };
        let hint = did_you_mean(name, known.chain(["version", "features"]), otherwise);
        let (policy, name) = (policy.to_owned(), name.to_owned());
        ErrorKind::UnknownSetting { policy, name, hint }
    }
}
