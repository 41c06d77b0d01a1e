//! Permissions of AWS: security groups and network ACLs of EC2.
//!
//! Sources: the API reference of EC2, `IpPermission`, `IpRange` and `CreateNetworkAclEntry`. INVARIANT: where EC2 ignores the
//! ports, so does the rule.

mod acl;
mod subnet;

pub use acl::{AclEntry, network_acl_rules};
pub use subnet::{Place, Subnets};

use super::peer::with_prefix;
use super::service::{self, Ports, Protocol};
use super::{Direction, Doubt, Lowering, Permission, Value};
use crate::model::{Condition, Match, Rule};
use crate::packet::protocol::number;
use crate::source::{Span, Spanned};

/// The rules of one permission of a security group: one for each peer.
///
/// `IpPermission`: `-1` and protocols other than tcp, udp, icmp and icmpv6 are about all ports, whatever the ports say; tcp, udp
/// and icmp need them; icmpv6 without them is about all types. The first port is the type of ICMP, the last the code, and -1
/// all of them.
#[must_use]
pub fn security_group_rules(
    lowering: &mut Lowering,
    direction: Direction,
    permission: &Permission,
) -> Vec<Rule> {
    let ports = (permission.from_port.as_ref(), permission.to_port.as_ref());
    let service = match &permission.protocol {
        Some(protocol) => service::matches(lowering, Some(protocol), ports, read_protocol, |lowering, of| {
            group_ports(lowering, permission, of, ports)
        }),
        None => vec![missing_protocol(lowering, permission)],
    };
    permission.rules(lowering, direction, &service, with_prefix)
}

fn missing_protocol(lowering: &mut Lowering, permission: &Permission) -> Match {
    let message = "the permission names no protocol".to_owned();
    let help = "name one, or `-1` for all";
    let doubt = lowering.refuse_at(permission.span, "protocol", message, help);
    lowering.depends(&doubt);
    Match {
        span: permission.span,
        condition: doubt.question("service of"),
    }
}

/// Reads `tcp`, `udp`, `icmp`, `icmpv6` in any case, a number, and `-1` or `all`. Terraform takes the other names of protocols
/// for network ACLs, and gives EC2 their numbers.
fn read_protocol(lowering: &mut Lowering, text: &Spanned<String>) -> Result<Protocol, Doubt> {
    let word = text.value.trim();
    if word == "-1" || word.eq_ignore_ascii_case("all") {
        return Ok(Protocol::Any);
    }
    let number = service::protocol_number(word).or_else(|| service::protocol_by_name(word));
    number.map(Protocol::One).ok_or_else(|| {
        let message = format!("`{}` is no protocol", text.value);
        lowering.refuse(
            text,
            message,
            "write tcp, udp, icmp, icmpv6, a number, or `-1` for all",
        )
    })
}

fn group_ports(
    lowering: &mut Lowering,
    permission: &Permission,
    protocol: Protocol,
    ports: Ports<'_>,
) -> Option<Condition> {
    let Protocol::One(protocol) = protocol else {
        return None;
    };
    let read = match protocol {
        number::TCP | number::UDP => port_range(lowering, ports),
        number::ICMP | number::ICMPV6 => {
            if protocol == number::ICMPV6 && ports == (None, None) {
                return None;
            }
            icmp(lowering, ports)
        }
        _ => return None,
    };
    let place = permission.protocol.as_ref().map_or(permission.span, Value::span);
    asked(lowering, read, ports, place)
}

/// The condition of what was read; a permission without the ports that its protocol needs is refused at `place`.
fn asked(
    lowering: &mut Lowering,
    read: Result<Ask, Doubt>,
    ports: Ports<'_>,
    place: Span,
) -> Option<Condition> {
    let doubt = match read {
        Ok(Ask::Everything) => return None,
        Ok(Ask::Condition(condition)) => return Some(condition),
        Ok(Ask::Nothing) => {
            let message = "the protocol needs ports, and there are none".to_owned();
            let help = "name the first and the last port; of ICMP, type and code";
            lowering.refuse_at(place, "ports", message, help)
        }
        Err(doubt) => doubt,
    };
    lowering.depends(&doubt);
    Some(service::in_doubt(ports, &doubt))
}

/// What the fields for ports ask.
enum Ask {
    /// Nothing stands there, or not enough.
    Nothing,
    /// They name all there are.
    Everything,
    /// They ask this.
    Condition(Condition),
}

/// The ports of TCP and UDP.
fn port_range(lowering: &mut Lowering, ports: Ports<'_>) -> Result<Ask, Doubt> {
    let (Some(first), Some(last)) = ports else {
        return Ok(Ask::Nothing);
    };
    let low = service::number(lowering, Some(first), (0, 65_535), "port")?;
    let high = service::number(lowering, Some(last), (0, 65_535), "port")?;
    if let Some(open) = service::open_ports(lowering, ports) {
        return Ok(Ask::Condition(open));
    }
    let narrow = |port: Option<i64>| port.and_then(|port| u32::try_from(port).ok()).unwrap_or(0);
    let (low, high) = (narrow(low), narrow(high));
    if low <= high {
        return Ok(Ask::Condition(service::between(low, high)));
    }
    let message = format!("the ports end at {high}, before they start at {low}");
    Err(lowering.refuse_at(last.span(), "ports", message, "write the lower port first"))
}

/// Type and code of ICMP in the fields for ports.
fn icmp(lowering: &mut Lowering, ports: Ports<'_>) -> Result<Ask, Doubt> {
    let (Some(first), Some(last)) = ports else {
        return Ok(Ask::Nothing);
    };
    let kind = service::number(lowering, Some(first), (-1, 255), "ICMP type")?;
    let code = service::number(lowering, Some(last), (-1, 255), "ICMP code")?;
    if let Some(open) = service::open_ports(lowering, ports) {
        return Ok(Ask::Condition(open));
    }
    let code = code.and_then(|code| u8::try_from(code).ok());
    match (kind.and_then(|kind| u8::try_from(kind).ok()), code) {
        (Some(kind), code) => Ok(Ask::Condition(service::icmp(kind, code))),
        (None, None) => Ok(Ask::Everything),
        (None, Some(code)) => {
            let message = format!("all types of ICMP are meant, but only code {code}");
            Err(lowering.refuse_at(last.span(), "code", message, "write -1 for all codes too"))
        }
    }
}
