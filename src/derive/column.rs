//! What the columns of a table are about, by their headings.

use super::cell::{condition, peer, port};
use super::document::squeezed;

/// What a column says about its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// Machines, by their kind: the side whose port it is.
    Hosts,
    /// A program or service: the side whose port it is, if no column names hosts.
    Component,
    /// The network that the local side is reached in, or reaches others from.
    Network,
    /// Inbound or outbound.
    Direction,
    /// Ports, perhaps with protocols.
    Port,
    /// Protocols.
    Protocol,
    /// Who connects, as networks: a scope.
    Scope,
    /// Who connects.
    Source,
    /// Who is connected to.
    Destination,
    /// What it is for.
    Purpose,
    /// What else there is to say: conditions, among others.
    Comments,
    /// Something that does not matter here.
    Other,
}

/// Whether a text can be what a column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It reads as such.
    Yes,
    /// Nothing speaks against it.
    Maybe,
    /// It cannot be.
    No,
}

/// Headings, in lower case and without what stands in parentheses, with bars between them.
const HEADINGS: &[(Column, &[&str])] = &[
    (
        Column::Hosts,
        &[
            "host|hosts|host type|host types|node|nodes|node type|node types|node role|machine",
            "machines|server|servers|role|roles|system|open on|where|target node|target nodes",
            "device",
        ],
    ),
    (
        Column::Component,
        &[
            "component|components|service|services|application|applications|process|program|name",
            "daemon|product|service name|component name|module|software|function|openstack service",
        ],
    ),
    (
        Column::Network,
        &["network|networks|interface|network zone|vlan|net"],
    ),
    (
        Column::Direction,
        &["direction|traffic direction|inbound/outbound|in/out|flow|traffic|type of traffic"],
    ),
    (
        Column::Port,
        &[
            "port|ports|port number|port numbers|port range|port ranges|default port|default ports",
            "destination port|destination ports|dest port|dst port|dport|listening port",
            "listen port|port/protocol|ports/protocol|port/protocols|ports/protocols|protocol/port",
            "protocol/ports|protocols/ports|port and protocol|protocol and port",
            "ports and protocols|protocol port|port protocol|port & protocol|protocol & port",
            "protocol:port|port:protocol|tcp port|tcp ports|udp port|udp ports|tcp/udp port",
            "port number/protocol|default port number|port or range|port(s)|port #|network port",
            "port numbers/ranges|proto/port|port/proto|server port|default port(s)|required ports",
            "port numbers and protocols|port list|port no",
        ],
    ),
    (
        Column::Protocol,
        &[
            "protocol|protocols|proto|transport|transport protocol|ip protocol|protocol type",
            "l4 protocol|layer 4 protocol",
        ],
    ),
    (
        Column::Scope,
        &["scope|port scope|scopes|access|accessibility|exposure|visibility|reachable from"],
    ),
    (
        Column::Source,
        &[
            "source|sources|from|client|clients|consumer|consumers|used by|source node",
            "source nodes|source host|source hosts|source component|allowed from|accessed by",
            "initiator|originator|remote|peer|peers|source ip|source address|source network|caller",
            "source type|source role|accessible from|who connects|source service|from component",
        ],
    ),
    (
        Column::Destination,
        &[
            "destination|destinations|to|target|targets|dest|endpoint|endpoints|destination node",
            "destination nodes|destination host|destination hosts|destination component|url|urls",
            "destination address|destination type|destination role|destination service",
            "destination ip|remote host|to component|fqdn|domain|domains|host name|hostname",
            "hostnames",
        ],
    ),
    (
        Column::Purpose,
        &[
            "purpose|description|use|usage|used for|what it is for|reason|details|detail",
            "explanation|description/use|traffic type|why|meaning|purpose/use|use case|information",
            "content",
        ],
    ),
    (
        Column::Comments,
        &[
            "comment|comments|note|notes|remark|remarks|condition|conditions|when",
            "additional information|comments/notes|required|required?|optional|optional?",
        ],
    ),
    (
        Column::Other,
        &[
            "#|no|nr|id|configurable|encrypted|encryption|tls|source port|source ports|version",
            "status|default|parameter|setting|application protocol",
        ],
    ),
];

impl Column {
    /// The column of a heading that is known; of what `Other` is, nothing is read.
    #[must_use]
    pub fn of_heading(heading: &str) -> Option<Self> {
        let whole = normal(heading);
        let bare = normal(heading.split(['(', '[']).next().unwrap_or(""));
        let known = |text: &str| {
            let row = HEADINGS
                .iter()
                .find(|(_, lines)| lines.iter().any(|line| line.split('|').any(|name| name == text)));
            row.map(|row| row.0)
        };
        known(&whole).or_else(|| known(&bare))
    }

    /// Whether it says which ports.
    #[must_use]
    pub fn has_ports(self) -> bool {
        self == Self::Port
    }

    /// Whether what it says names the row.
    #[must_use]
    pub fn names_the_row(self) -> bool {
        self == Self::Component
    }

    /// What its cells are, for messages.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            Self::Hosts => "kind of host",
            Self::Component => "component",
            Self::Network => "network",
            Self::Direction => "direction",
            Self::Port => "port",
            Self::Protocol => "protocol",
            Self::Scope => "scope",
            Self::Source => "source or consumer",
            Self::Destination => "destination",
            Self::Purpose => "purpose",
            Self::Comments => "comment",
            Self::Other => "value",
        }
    }

    /// Whether a text can be a cell of it.
    #[must_use]
    pub fn fit(self, text: &str) -> Fit {
        let is_direction = direction(text).is_some();
        let is_port = || port::read(&lines_of(text), &[]).is_ok();
        let has_digits = text.bytes().any(|byte| byte.is_ascii_digit());
        let fits = |fits: bool| if fits { Fit::Yes } else { Fit::No };
        let no_other = |other: bool| if other { Fit::No } else { Fit::Maybe };
        let is_sentence = text.trim_end().ends_with('.');
        match self {
            Self::Direction => fits(is_direction),
            Self::Port => fits(!is_direction && is_port()),
            Self::Protocol => fits(port::protocols(text).is_some()),
            Self::Network => {
                no_other(is_direction || (has_digits && is_port()) || is_sentence || peer::is_open(text))
            }
            Self::Hosts | Self::Component | Self::Scope => {
                let is_port = (has_digits || port::protocols(text).is_some()) && is_port();
                let is_network = peer::is_network(text) || peer::is_open(text);
                no_other(is_direction || is_sentence || is_network || is_port || condition::begins(text))
            }
            Self::Source | Self::Destination => {
                let unnamed = is_sentence && !peer::is_open(text) && peer::hosts(text).is_empty();
                let says_something_else = unnamed || condition::begins(text);
                no_other(is_direction || says_something_else || (is_port() && !peer::is_open(text)))
            }
            Self::Purpose | Self::Comments => no_other(is_direction || (has_digits && is_port())),
            Self::Other => Fit::Maybe,
        }
    }
}

/// A direction: `true` for connections that the local side accepts.
#[must_use]
pub(super) fn direction(text: &str) -> Option<Vec<bool>> {
    let text = normal(text);
    let first = text
        .split(|c: char| !c.is_ascii_alphabetic())
        .next()
        .unwrap_or("");
    let both =
        text.contains("inbound and outbound") || text.contains("in/out") || text.contains("inbound/outbound");
    match first {
        _ if both => Some(vec![true, false]),
        "inbound" | "ingress" | "incoming" | "in" | "inwards" => Some(vec![true]),
        "outbound" | "egress" | "outgoing" | "out" | "outwards" => Some(vec![false]),
        "bidirectional" | "both" | "bi" => Some(vec![true, false]),
        _ => None,
    }
}

fn lines_of(text: &str) -> Vec<&str> {
    let item = |line: &'_ str| line.trim_start_matches(['•', '◦', '▪', '‣', ' ']).len();
    text.lines()
        .map(|line| line.get(line.len() - item(line)..).unwrap_or(line))
        .collect()
}

/// Lower case, single spaces, no marks at the ends, and nothing around slashes.
fn normal(text: &str) -> String {
    let text = squeezed(text).to_lowercase().replace(" / ", "/").replace('*', "");
    text.trim_matches([' ', ':', '.']).to_owned()
}
