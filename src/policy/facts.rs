//! What a policy states, row by row and name by name, as text that can be compared.
//!
//! INVARIANT: two rows with the same fields ask for the same: services are written out, names of zones and roles are not.

use super::ast::{self, Row, Service, Statement};
use super::print;
use super::resolve::row_ids;
use super::row::Choice;
use crate::source::Span;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stated<'a> {
    /// Its id, given or derived.
    pub(super) id: String,
    /// The heading that it stands under, and its row there.
    pub(super) place: (String, Option<u64>),
    /// What it says, by the name of the field. A field that says nothing is empty.
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) row: &'a Row,
    pub(super) span: Span,
}

impl Stated<'_> {
    pub(super) fn field(&self, name: &str) -> &str {
        let field = self.fields.iter().find(|field| field.0 == name);
        field.map_or("", |field| field.1.as_str())
    }

    /// "Metrics exporters, row 3"
    pub(super) fn place_text(&self) -> String {
        match (&self.place.0, self.place.1) {
            (section, Some(row)) if section.is_empty() => format!("row {row}"),
            (section, Some(row)) => format!("{section}, row {row}"),
            (section, None) => section.clone(),
        }
    }
}

/// The rows of a policy, in order.
pub(super) fn rows(policy: &ast::Policy) -> Vec<Stated<'_>> {
    let mut ids = row_ids(policy).into_iter();
    let mut section = String::new();
    let mut rows = Vec::new();
    for statement in &policy.statements {
        match &statement.value {
            Statement::Source(_) => section.clear(),
            Statement::Section(title) => section.clone_from(&title.value),
            Statement::Row(row) => rows.push(Stated {
                id: ids.next().unwrap_or_default(),
                place: (section.clone(), row.place.as_ref().map(|place| place.value)),
                fields: fields(policy, row),
                row,
                span: statement.span,
            }),
            _ => {}
        }
    }
    rows
}

fn fields(policy: &ast::Policy, row: &Row) -> Vec<(&'static str, String)> {
    let when = row.when.as_ref().map(print::condition);
    vec![
        ("kind", print::kind(row.kind.value).to_owned()),
        ("from", print::peers(&row.from)),
        ("to", print::peers(&row.to)),
        ("services", written_out(policy, &row.services)),
        ("condition", when.unwrap_or_default()),
        (
            "owner",
            row.owner
                .as_ref()
                .map(|owner| owner.value.clone())
                .unwrap_or_default(),
        ),
        (
            "expires",
            row.expires
                .as_ref()
                .map(|day| print::date(day.value))
                .unwrap_or_default(),
        ),
        (
            "severity",
            row.severity
                .as_ref()
                .map(|severity| print::severity(severity.value).to_owned())
                .unwrap_or_default(),
        ),
        ("tags", print::strings(&row.tags)),
        (
            "purpose",
            row.purpose
                .as_ref()
                .map(|purpose| purpose.value.clone())
                .unwrap_or_default(),
        ),
    ]
}

/// Services with those that have names written out.
fn written_out(policy: &ast::Policy, services: &Choice<Service>) -> String {
    let defined = |wanted: &str| {
        policy
            .statements
            .iter()
            .find_map(|statement| match &statement.value {
                Statement::Service {
                    name,
                    value,
                    configurable,
                    within,
                } if name.value == wanted => {
                    Some((value, print::configurable(*configurable, within.as_ref())))
                }
                _ => None,
            })
    };
    let text = |service: &Service| match service {
        Service::Name(name) => match defined(name) {
            Some((value, configurable)) => {
                let text = format!("{} {configurable}", print::services(value));
                text.trim_end().to_owned()
            }
            None => name.clone(),
        },
        service => print::service(service),
    };
    let texts: Vec<String> = services.items.iter().map(|item| text(&item.value)).collect();
    texts.join(if services.one_of { " | " } else { ", " })
}

/// What a policy defines and states beside its rows: what it is, its name, and what it says.
pub(super) fn definitions(policy: &ast::Policy) -> Vec<(&'static str, String, String)> {
    let mut found = Vec::new();
    let title = policy.title.as_ref().map(|title| title.value.clone());
    found.push(("title", String::new(), title.unwrap_or_default()));
    for statement in &policy.statements {
        match &statement.value {
            Statement::Source(title) => found.push(("source", String::new(), title.value.clone())),
            Statement::Role { names, home } => {
                let home = home
                    .as_ref()
                    .map_or(String::new(), |home| format!("in {}", home.value));
                found.extend(
                    names
                        .iter()
                        .map(|name| ("role", name.value.clone(), home.clone())),
                );
            }
            Statement::Zone(names) => {
                found.extend(
                    names
                        .iter()
                        .map(|name| ("zone", name.value.clone(), String::new())),
                );
            }
            Statement::ZoneAlias { name, of } => {
                found.push(("zone", name.value.clone(), format!("= {}", of.value)));
            }
            Statement::Feature { name, meaning } => {
                let meaning = meaning.as_ref().map(|meaning| meaning.value.clone());
                found.push(("feature", name.value.clone(), meaning.unwrap_or_default()));
            }
            Statement::Parameter {
                name,
                kind,
                default,
                meaning,
            } => {
                let kind = kind
                    .as_ref()
                    .map(|kind| print::parameter_kind(kind.value).to_owned());
                let default = Some(print::strings(default)).filter(|default| !default.is_empty());
                let meaning = meaning.as_ref().map(|meaning| meaning.value.clone());
                let says: Vec<String> = [kind, default, meaning].into_iter().flatten().collect();
                found.push(("parameter", name.value.clone(), says.join(" ")));
            }
            Statement::Service {
                name,
                value,
                configurable,
                within,
            } => {
                let configurable = print::configurable(*configurable, within.as_ref());
                let says = format!("{} {configurable}", print::services(value));
                found.push(("service", name.value.clone(), says.trim_end().to_owned()));
            }
            Statement::ClosedEgress => found.push(("closed egress", String::new(), String::new())),
            Statement::Lift { policy, row, reason } => {
                found.push((
                    "lift",
                    format!("{}/{}", policy.value, row.value),
                    reason.value.clone(),
                ));
            }
            Statement::Waive(waiver) => {
                found.push(("waive", print::waived(waiver), print::excuse(waiver)));
            }
            Statement::Use { policy, settings } => {
                let settings: Vec<String> = settings
                    .iter()
                    .map(|setting| print::setting(&setting.value))
                    .collect();
                found.push(("use", policy.value.clone(), settings.join(" ")));
            }
            Statement::Section(_) | Statement::Row(_) => {}
        }
    }
    found
}
