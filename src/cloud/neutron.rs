//! Permissions of `OpenStack`'s network service: rules of security groups of Neutron.
//!
//! Sources: the API reference ("Security group rules"), neutron-lib's `IP_PROTOCOL_MAP`, and the checks of Neutron's
//! `SecurityGroupDbMixin`. INVARIANT: a rule is about one address family.

use super::peer::{of_family, or_address};
use super::service::{self, Ports, Protocol};
use super::{Direction, Doubt, Lowering, Peer, Permission, Value};
use crate::model::{Condition, Match, Rule};
use crate::packet::Family;
use crate::packet::protocol::{has_ports, number};
use crate::source::{Span, Spanned};

/// Names of protocols that Neutron knows by other numbers or names than everybody.
const NAMES: &[(&str, u8)] = &[
    ("ipv6-encap", 41),
    ("pgm", 113),
    ("hopopt", 0),
    ("ipv6-icmp", number::ICMPV6),
];

/// The rules of one permission: one for each peer. `ethertype` is `IPv4`, which is the default, or `IPv6`.
///
/// No protocol, `any` and 0 are all protocols. Ports are asked of TCP, UDP, SCTP, DCCP and UDP-Lite; without them, all are
/// meant. Of ICMP, `port_range_min` is the type and `port_range_max` the code, each of which may be absent. In a rule for IPv6,
/// `icmp` is ICMPv6.
#[must_use]
pub fn rules(
    lowering: &mut Lowering,
    direction: Direction,
    ethertype: Option<&Value<String>>,
    permission: &Permission,
) -> Vec<Rule> {
    let family = read_family(lowering, ethertype);
    let is_ipv6 = matches!(family, Ok(Family::V6));
    let ports = (permission.from_port.as_ref(), permission.to_port.as_ref());
    let protocol = permission.protocol.as_ref();
    let mut service = service::matches(
        lowering,
        protocol,
        ports,
        |lowering, text| read_protocol(lowering, text, is_ipv6),
        |lowering, of| {
            let place = ports.1.or(ports.0).map_or(permission.span, Value::span);
            read_ports(lowering, of, ports, place)
        },
    );
    let permission = within(lowering, family, ethertype, permission, &mut service);
    permission.rules(lowering, direction, &service, or_address)
}

/// The permission for one family: its peers are of that family, and so are members of groups.
fn within(
    lowering: &mut Lowering,
    family: Result<Family, Doubt>,
    ethertype: Option<&Value<String>>,
    permission: &Permission,
    service: &mut Vec<Match>,
) -> Permission {
    let mut permission = permission.clone();
    let span = ethertype.map_or(permission.span, Value::span);
    match family {
        Ok(family) => {
            for peer in &mut permission.peers {
                match peer {
                    Peer::Network { family: of, .. } | Peer::Everyone { family: of, .. } => {
                        *of = Some(family);
                    }
                    Peer::Group { .. } | Peer::PrefixList { .. } | Peer::Unknown(_) => {
                        let condition = of_family(family);
                        if !service.iter().any(|one| one.condition == condition) {
                            service.push(Match { span, condition });
                        }
                    }
                }
            }
        }
        Err(doubt) => {
            lowering.depends(&doubt);
            let condition = doubt.question("family of");
            service.push(Match { span, condition });
        }
    }
    permission
}

fn read_family(lowering: &mut Lowering, ethertype: Option<&Value<String>>) -> Result<Family, Doubt> {
    match ethertype {
        None => Ok(Family::V4),
        Some(Value::Unknown(doubt)) => Err(doubt.clone()),
        Some(Value::Known(known)) => match known.value.trim().to_ascii_lowercase().as_str() {
            "ipv4" => Ok(Family::V4),
            "ipv6" => Ok(Family::V6),
            _ => {
                let message = format!("`{}` is no ethertype", known.value);
                Err(lowering.refuse(known, message, "write IPv4 or IPv6"))
            }
        },
    }
}

fn read_protocol(lowering: &mut Lowering, text: &Spanned<String>, is_ipv6: bool) -> Result<Protocol, Doubt> {
    let word = text.value.trim().to_ascii_lowercase();
    if ["any", "ip", "0", ""].contains(&word.as_str()) {
        return Ok(Protocol::Any);
    }
    let named = || NAMES.iter().find(|(name, _)| *name == word).map(|entry| entry.1);
    let number = service::protocol_number(&word)
        .or_else(named)
        .or_else(|| service::protocol_by_name(&word));
    match number {
        Some(number::ICMP) if is_ipv6 => Ok(Protocol::One(number::ICMPV6)),
        Some(number) => Ok(Protocol::One(number)),
        None => {
            let message = format!("`{}` is no protocol", text.value);
            Err(lowering.refuse(text, message, "write a name such as tcp, a number, or `any`"))
        }
    }
}

fn read_ports(
    lowering: &mut Lowering,
    protocol: Protocol,
    ports: Ports<'_>,
    place: Span,
) -> Option<Condition> {
    if ports == (None, None) {
        return None;
    }
    let read = match protocol {
        Protocol::One(number) if has_ports(number) => port_range(lowering, ports, place),
        Protocol::One(number::ICMP | number::ICMPV6) => icmp(lowering, ports, place),
        _ => Err(lowering.refuse_at(
            place,
            "ports",
            "the protocol has no ports".to_owned(),
            "leave the ports out",
        )),
    };
    Some(read.unwrap_or_else(|doubt| {
        lowering.depends(&doubt);
        service::in_doubt(ports, &doubt)
    }))
}

/// Both ends, or none; port 0 is refused.
fn port_range(lowering: &mut Lowering, ports: Ports<'_>, place: Span) -> Result<Condition, Doubt> {
    let low = service::number(lowering, ports.0, (1, 65_535), "port")?;
    let high = service::number(lowering, ports.1, (1, 65_535), "port")?;
    if let Some(open) = service::open_ports(lowering, ports) {
        return Ok(open);
    }
    let ends = [low, high].map(|end| end.and_then(|end| u32::try_from(end).ok()));
    match ends {
        [Some(low), Some(high)] if low <= high => Ok(service::between(low, high)),
        [Some(_), Some(_)] => Err(lowering.refuse_at(
            place,
            "ports",
            "the ports end before they start".to_owned(),
            "write the lower port first",
        )),
        _ => Err(lowering.refuse_at(
            place,
            "ports",
            "one end of the ports is missing".to_owned(),
            "write both, or none for all ports",
        )),
    }
}

/// A type, and a code of it.
fn icmp(lowering: &mut Lowering, ports: Ports<'_>, place: Span) -> Result<Condition, Doubt> {
    let kind = service::number(lowering, ports.0, (0, 255), "ICMP type")?;
    let code = service::number(lowering, ports.1, (0, 255), "ICMP code")?;
    if let Some(open) = service::open_ports(lowering, ports) {
        return Ok(open);
    }
    let [kind, code] = [kind, code].map(|end| end.and_then(|end| u8::try_from(end).ok()));
    match kind {
        Some(kind) => Ok(service::icmp(kind, code)),
        None => Err(lowering.refuse_at(
            place,
            "ports",
            "a code of ICMP needs a type".to_owned(),
            "write the type too",
        )),
    }
}
