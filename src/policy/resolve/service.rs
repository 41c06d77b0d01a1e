//! Services of a row to protocols and values: names looked up, settings applied, numbers checked.

use super::Context;
use crate::packet::RangeSet;
use crate::packet::protocol::{has_ports, protocol_by_name, protocol_name};
use crate::policy::ast::{self, IcmpType, Ports};
use crate::policy::error::{ErrorKind, PolicyError};
use crate::policy::icmp;
use crate::policy::near::did_you_mean;
use crate::policy::print;
use crate::policy::resolve::names::ServiceDefinition;
use crate::policy::row::{Choice, Service};
use crate::source::{Span, Spanned};

const MAX_PORT: u128 = 0xffff;

/// The services of a row.
pub(super) fn resolve(context: &mut Context<'_>, written: &Choice<ast::Service>) -> Choice<Service> {
    let alone = written.items.len() == 1;
    let mut items = Vec::new();
    let mut one_of = written.one_of;
    for item in &written.items {
        let (services, is_choice) = expand(context, item);
        let several = services.len() > 1;
        if several && alone {
            one_of = is_choice;
        } else if several && is_choice != written.one_of {
            let service = print::service(&item.value);
            context.refuse(ErrorKind::NestedChoice { service }, item.span);
        }
        items.extend(
            services
                .into_iter()
                .map(|service| Spanned::new(service, item.span)),
        );
    }
    Choice { items, one_of }
}

/// One item: a protocol's, or all that a name stands for.
fn expand(context: &mut Context<'_>, item: &Spanned<ast::Service>) -> (Vec<Service>, bool) {
    let ast::Service::Name(name) = &item.value else {
        let service = plain(context, &item.value, item.span);
        return (service.into_iter().collect(), false);
    };
    let Some(definition) = context.names.services.get(name.as_str()) else {
        return (
            unnamed_protocol(context, name, item.span).into_iter().collect(),
            false,
        );
    };
    let (defined, set) = (definition.value, context.facts.services.get(name).cloned());
    let value = set.as_ref().unwrap_or(defined);
    let mut services = Vec::new();
    for part in &value.items {
        // Mistakes in the definition are reported once, where it stands, not at each use.
        let mut errors = Vec::new();
        let Some(mut service) = evaluate(&part.value, part.span, &mut errors) else {
            continue;
        };
        if is_open(&part.value) {
            let example = format!("\"{}\"", example(&part.value));
            let how = context.facts.how_to_set(context.policy, name, &example);
            service.unset = Some(format!(
                "`{}` does not know the ports of `{name}`: {how}",
                context.policy
            ));
        }
        service.name = Some(name.clone());
        services.push(service);
    }
    (services, value.one_of)
}

/// A protocol without ports, by its name: `esp`.
fn unnamed_protocol(context: &mut Context<'_>, name: &str, span: Span) -> Option<Service> {
    let protocol = protocol_by_name(name).filter(|&protocol| !has_ports(protocol));
    if protocol.is_none() {
        context.refuse(context.names.unknown_service(name), span);
    }
    protocol.map(|protocol| whole(Some(protocol)))
}

/// A service that is written out in a row.
fn plain(context: &mut Context<'_>, service: &ast::Service, span: Span) -> Option<Service> {
    let mut resolved = evaluate(service, span, context.errors)?;
    if is_open(service) {
        resolved.unset = Some(format!("the table of `{}` leaves the port open", context.policy));
    }
    Some(resolved)
}

/// Checks the definitions of a policy.
pub(super) fn check_definitions(context: &mut Context<'_>, policy: &ast::Policy) {
    for statement in &policy.statements {
        let ast::Statement::Service {
            name, value, within, ..
        } = &statement.value
        else {
            continue;
        };
        if let Some(kind) = within
            .as_ref()
            .and_then(|within| outside(&name.value, within, value))
        {
            context.refuse(kind, name.span);
        }
        for item in value
            .items
            .iter()
            .chain(within.iter().flat_map(|within| &within.items))
        {
            match &item.value {
                ast::Service::Name(name) if protocol_by_name(name).is_none_or(has_ports) => {
                    let name = name.clone();
                    context.refuse(ErrorKind::ServiceInService { name }, item.span);
                }
                service => {
                    let _ = evaluate(service, item.span, context.errors);
                }
            }
        }
    }
}

/// Why a setting does not fit the definition of its service.
pub(super) fn refuse_setting(
    name: &str,
    definition: &ServiceDefinition<'_>,
    set: &Choice<ast::Service>,
) -> Option<ErrorKind> {
    let service = name.to_owned();
    let defined = &definition.value.items;
    if !definition.configurable && !defined.iter().any(|item| is_open(&item.value)) {
        return Some(ErrorKind::NotConfigurable { service });
    }
    if set.items.iter().any(|item| is_open(&item.value)) {
        return Some(ErrorKind::StillOpen { service });
    }
    let mut errors = Vec::new();
    for item in &set.items {
        let Some(resolved) = evaluate(&item.value, item.span, &mut errors) else {
            let reason = errors
                .first()
                .map_or("it is not defined".to_owned(), ToString::to_string);
            let text = print::service(&item.value);
            return Some(ErrorKind::UnreadableService { text, reason });
        };
        let fits =
            |of: &ast::Service| protocol_of(of).is_none_or(|protocol| resolved.protocol == Some(protocol));
        if !defined.iter().any(|item| fits(&item.value)) {
            let table: Vec<_> = defined
                .iter()
                .filter_map(|item| protocol_of(&item.value))
                .map(protocol_text)
                .collect();
            let set = resolved.protocol.map_or("any protocol".to_owned(), protocol_text);
            let table = table.join(" or ");
            return Some(ErrorKind::WrongProtocol { service, set, table });
        }
    }
    outside(name, definition.within?, set)
}

/// Why services are not all within others.
fn outside(name: &str, within: &Choice<ast::Service>, services: &Choice<ast::Service>) -> Option<ErrorKind> {
    let values = |service: &Spanned<ast::Service>| evaluate(&service.value, service.span, &mut Vec::new());
    let range: Vec<Service> = within.items.iter().filter_map(values).collect();
    let is_outside = |service: &&Spanned<ast::Service>| {
        let is_open = is_open(&service.value);
        let fits = |service: Service| {
            let same = range.iter().filter(|range| range.protocol == service.protocol);
            let all = same.fold(RangeSet::empty(), |all, range| all.union(&range.values));
            service.values.is_subset(&all)
        };
        !is_open && values(service).is_some_and(|service| !fits(service))
    };
    let outside = services.items.iter().find(is_outside)?;
    Some(ErrorKind::OutsideRange {
        service: name.to_owned(),
        set: print::service(&outside.value),
        range: print::services(within),
    })
}

fn protocol_text(protocol: u8) -> String {
    protocol_name(protocol).map_or_else(|| format!("protocol {protocol}"), ToOwned::to_owned)
}

fn is_open(service: &ast::Service) -> bool {
    let open_ports = Some(Ports::Open);
    matches!(service, ast::Service::Open)
        || matches!(service, ast::Service::Ports { ports, .. } if *ports == open_ports)
}

fn example(service: &ast::Service) -> String {
    match service {
        ast::Service::Ports { protocol, .. } => format!("{}/8443", protocol_text(*protocol)),
        _ => "tcp/8443".to_owned(),
    }
}

fn protocol_of(service: &ast::Service) -> Option<u8> {
    match service {
        ast::Service::Any | ast::Service::Open => None,
        ast::Service::Ports { protocol, .. } | ast::Service::Icmp { protocol, .. } => Some(*protocol),
        ast::Service::Protocol(number) => u8::try_from(*number).ok(),
        ast::Service::Name(name) => protocol_by_name(name),
    }
}

fn whole(protocol: Option<u8>) -> Service {
    Service {
        name: None,
        protocol,
        values: RangeSet::range(0, MAX_PORT),
        unset: None,
    }
}

/// Protocol and values, without looking at names. Open ports are all ports.
fn evaluate(service: &ast::Service, span: Span, errors: &mut Vec<PolicyError>) -> Option<Service> {
    let mut resolved = whole(protocol_of(service));
    let kind = match service {
        ast::Service::Ports {
            ports: Some(ports), ..
        } => port_values(ports),
        ast::Service::Icmp {
            protocol,
            kind: Some(kind),
        } => icmp_values(*protocol, kind),
        ast::Service::Protocol(number) if *number > 255 => Err(ErrorKind::ProtocolTooLarge {
            number: number.to_string(),
        }),
        ast::Service::Name(_) if resolved.protocol.is_none_or(has_ports) => return None,
        _ => return Some(resolved),
    };
    match kind {
        Ok(values) => {
            resolved.values = values;
            Some(resolved)
        }
        Err(kind) => {
            errors.push(PolicyError::new(kind, span));
            None
        }
    }
}

fn port_values(ports: &Ports) -> Result<RangeSet, ErrorKind> {
    let (low, high) = match *ports {
        Ports::Open => return Ok(RangeSet::range(0, MAX_PORT)),
        Ports::One(port) => (port, port),
        Ports::Range(low, high) => (low, high),
    };
    let port = low.max(high);
    if u128::from(port) > MAX_PORT {
        Err(ErrorKind::PortTooLarge {
            port: port.to_string(),
        })
    } else if low > high {
        Err(ErrorKind::PortsReversed { low, high })
    } else {
        Ok(RangeSet::range(low.into(), high.into()))
    }
}

fn icmp_values(protocol: u8, kind: &IcmpType) -> Result<RangeSet, ErrorKind> {
    let byte = |number: u64| {
        u8::try_from(number).map_err(|_| ErrorKind::IcmpTooLarge {
            number: number.to_string(),
        })
    };
    match kind {
        IcmpType::Number { kind, code } => Ok(icmp::values(byte(*kind)?, code.map(byte).transpose()?)),
        IcmpType::Name(name) => icmp::by_name(protocol, name).ok_or_else(|| {
            let otherwise = "write its number, such as `icmp/8`";
            let hint = did_you_mean(name, icmp::names(protocol), otherwise);
            let protocol = protocol_text(protocol);
            let name = name.clone();
            ErrorKind::UnknownIcmpType { name, protocol, hint }
        }),
    }
}
