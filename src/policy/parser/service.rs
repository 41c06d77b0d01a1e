//! Services: protocols with their ports and types.

use nom::Parser as _;
use nom::combinator::{cut, opt};
use nom::sequence::preceded;

use super::Reader;
use super::token::{Expected, Failure, Res, consumed, keyword, miss, name, refuse, symbol, trivia, word};
use crate::packet::protocol::{has_ports, number, protocol_by_name};
use crate::policy::ast;
use crate::policy::error::ErrorKind;
use crate::policy::near::did_you_mean;
use crate::source::Spanned;

/// Port names that people write for numbers.
const PORT_NAMES: &[(&str, u16)] = &[
    ("dns", 53),
    ("domain", 53),
    ("ftp", 21),
    ("http", 80),
    ("https", 443),
    ("imap", 143),
    ("imaps", 993),
    ("ldap", 389),
    ("ldaps", 636),
    ("mysql", 3306),
    ("ntp", 123),
    ("postgresql", 5432),
    ("rdp", 3389),
    ("smtp", 25),
    ("snmp", 161),
    ("ssh", 22),
    ("syslog", 514),
    ("telnet", 23),
];

impl<'a> Reader<'a> {
    /// `service ::= "any" | "?" | port-protocol ("/" ports)? | icmp-protocol ("/" icmp-type)? | "proto" "/" number | name`
    pub(super) fn service(&self, input: &'a str) -> Res<'a, Spanned<ast::Service>> {
        let start = trivia(input);
        let (rest, service) = match word(start) {
            Some((rest, "any")) => (rest, ast::Service::Any),
            Some((_, "tcp" | "udp" | "sctp" | "dccp" | "udplite")) => {
                let (rest, protocol) = port_protocol(start)?;
                let (rest, ports) = opt(preceded(symbol("/"), cut(|i| self.ports(i)))).parse(rest)?;
                (rest, ast::Service::Ports { protocol, ports })
            }
            Some((_, "icmp" | "icmpv6")) => {
                let (rest, protocol) = icmp_protocol(start)?;
                let (rest, kind) = opt(preceded(symbol("/"), cut(|i| self.icmp_type(i)))).parse(rest)?;
                (rest, ast::Service::Icmp { protocol, kind })
            }
            Some((rest, "proto")) => {
                let (rest, _) = symbol("/")(rest)?;
                let too_large = |number| ErrorKind::ProtocolTooLarge { number };
                let (rest, number) = self.number(too_large, rest)?;
                (rest, ast::Service::Protocol(number.value))
            }
            Some(_) => {
                let (rest, name) = name("a service")(start)?;
                if symbol("/")(rest).is_ok() && protocol_by_name(name).is_none_or(has_ports) {
                    return refuse(name, unknown_protocol(name));
                }
                (rest, ast::Service::Name(name.to_owned()))
            }
            None => open_or_misplaced(start)?,
        };
        Ok((rest, self.spanned(consumed(start, rest), service)))
    }

    /// `ports ::= "?" | number ("-" number)?`
    fn ports(&self, input: &'a str) -> Res<'a, ast::Ports> {
        if let Ok((rest, _)) = symbol("?")(input) {
            return Ok((rest, ast::Ports::Open));
        }
        if let Some((_, name)) = word(input) {
            return refuse(name, named_port(name));
        }
        let too_large = |port| ErrorKind::PortTooLarge { port };
        let (rest, low) = self
            .number(too_large, input)
            .or_else(|error| or_miss(error, input, "a port"))?;
        let (rest, high) = opt(preceded(symbol("-"), cut(|i| self.number(too_large, i)))).parse(rest)?;
        let ports = high.map_or(ast::Ports::One(low.value), |high| {
            ast::Ports::Range(low.value, high.value)
        });
        Ok((rest, ports))
    }

    /// `icmp-type ::= number ("/" number)? | name`
    fn icmp_type(&self, input: &'a str) -> Res<'a, ast::IcmpType> {
        if word(input).is_some() {
            let (rest, name) = name("a type")(input)?;
            return Ok((rest, ast::IcmpType::Name(name.to_owned())));
        }
        let too_large = |number| ErrorKind::IcmpTooLarge { number };
        let (rest, kind) = self
            .number(too_large, input)
            .or_else(|error| or_miss(error, input, "a type"))?;
        let (rest, code) = opt(preceded(symbol("/"), cut(|i| self.number(too_large, i)))).parse(rest)?;
        let code = code.map(|code| code.value);
        Ok((
            rest,
            ast::IcmpType::Number {
                kind: kind.value,
                code,
            },
        ))
    }
}

/// Keeps a refusal, and makes of a plain failure that `what` was expected.
fn or_miss<'a, T>(error: nom::Err<Failure<'a>>, input: &'a str, what: &'static str) -> Res<'a, T> {
    match error {
        nom::Err::Error(_) => miss(input, Expected::Something(what)),
        refusal => Err(refusal),
    }
}

/// `?`, or a port that stands without its protocol or before it.
fn open_or_misplaced(start: &str) -> Res<'_, ast::Service> {
    if let Ok((rest, _)) = symbol("?")(start) {
        return Ok((rest, ast::Service::Open));
    }
    let Ok((rest, port)) = super::token::number(start) else {
        return miss(start, Expected::Something("a service such as `tcp/443`"));
    };
    let (rest, high) = opt(preceded(symbol("-"), super::token::number)).parse(rest)?;
    let port = high.map_or(port, |_| consumed(start, rest)).to_owned();
    let behind = symbol("/")(rest).ok().and_then(|(rest, _)| word(rest));
    match behind {
        Some((rest, protocol)) if protocol_by_name(protocol).is_some() => {
            let protocol = protocol.to_ascii_lowercase();
            refuse(consumed(start, rest), ErrorKind::PortFirst { port, protocol })
        }
        _ => refuse(consumed(start, rest), ErrorKind::BarePort { port }),
    }
}

/// `port-protocol ::= "tcp" | "udp" | "sctp" | "dccp" | "udplite"`
fn port_protocol(input: &str) -> Res<'_, u8> {
    use nom::branch::alt;
    alt((
        keyword("tcp").map(|_| number::TCP),
        keyword("udp").map(|_| number::UDP),
        keyword("sctp").map(|_| number::SCTP),
        keyword("dccp").map(|_| number::DCCP),
        keyword("udplite").map(|_| number::UDPLITE),
    ))
    .parse(input)
}

/// `icmp-protocol ::= "icmp" | "icmpv6"`
fn icmp_protocol(input: &str) -> Res<'_, u8> {
    let icmp = keyword("icmp").map(|_| number::ICMP);
    icmp.or(keyword("icmpv6").map(|_| number::ICMPV6)).parse(input)
}

/// A name with ports or types behind it that is no protocol which has any.
fn unknown_protocol(name: &str) -> ErrorKind {
    let known = ["tcp", "udp", "sctp", "dccp", "udplite", "icmp", "icmpv6", "proto"];
    let otherwise = "before `/` stand `tcp`, `udp`, `sctp`, `dccp`, `udplite`, `icmp`, `icmpv6` or `proto`";
    let hint = did_you_mean(name, known, otherwise);
    let name = name.to_owned();
    ErrorKind::UnknownProtocol { name, hint }
}

fn named_port(name: &str) -> ErrorKind {
    let known = PORT_NAMES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    let hint = known.map_or_else(
        || "write the number, or define a `service` of that name and leave out the protocol".to_owned(),
        |(_, port)| format!("write {port}"),
    );
    let name = name.to_owned();
    ErrorKind::NamedPort { name, hint }
}
