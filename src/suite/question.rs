//! One packet, and what a policy has to say of it: a line of a block of `packets`.
//!
//! ```text
//! VERDICT PEER -> ROLE : SERVICE      # may PEER connect to the hosts of ROLE?
//! required ROLE -> PEER : SERVICE     # must the hosts of ROLE be able to connect to PEER?
//! ```
//!
//! INVARIANT: a question is put to the pipeline as a host whose firewall lets in the packet alone, or all but the packet: what the
//! policy says of the host is what it says of the packet.

use super::case::Difference;
use super::run::{Folder, NotRun, checked};
use crate::check::Request;
use crate::finding::{Certainty, Code, Finding};
use crate::packet::{Network, protocol};

/// A packet and what must come of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The line of the Markdown.
    pub line: usize,
    /// What must come of it.
    pub verdict: Wanted,
    /// The role whose hosts are asked.
    pub role: String,
    /// Whether those open the connection.
    pub is_egress: bool,
    /// The network of the peer; `None` for any.
    pub peer: Option<String>,
    /// `tcp`
    pub protocol: String,
    /// `443`, `30000:32767`; `None` for any, and for protocols without.
    pub ports: Option<String>,
}

/// What a policy may say of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A row requires it.
    Required,
    /// Rows allow it, requiring it or not.
    Allowed,
    /// No row allows it, or one forbids it.
    Refused,
    /// A row forbids it.
    Forbidden,
}

impl Wanted {
    const ALL: [Self; 4] = [Self::Required, Self::Allowed, Self::Refused, Self::Forbidden];

    fn word(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::Forbidden => "forbidden",
        }
    }
}

impl Question {
    /// Reads a line; `None` for one that asks nothing.
    pub(super) fn parse(number: usize, line: &str) -> Result<Option<Self>, String> {
        let text = line.split('#').next().unwrap_or_default().trim();
        if text.is_empty() {
            return Ok(None);
        }
        let form = "a question is `required|allowed|refused|forbidden PEER -> ROLE : SERVICE`";
        let (word, rest) = text.split_once(char::is_whitespace).ok_or(form)?;
        let verdict = Wanted::ALL.into_iter().find(|wanted| wanted.word() == word);
        let verdict = verdict.ok_or_else(|| format!("`{word}` is no verdict: {form}"))?;
        let (ends, service) = rest.rsplit_once(" : ").ok_or(form)?;
        let (from, to) = ends.split_once("->").ok_or(form)?;
        let (from, to, service) = (from.trim(), to.trim(), service.trim());
        let is_peer = |end: &str| end == "any" || end.parse::<Network>().is_ok();
        let (role, peer, is_egress) = match (is_peer(from), is_peer(to)) {
            (true, false) => (to, from, false),
            (false, true) => (from, to, true),
            _ => return Err("one end is a role, the other an address, a network or `any`".to_owned()),
        };
        if is_egress && verdict != Wanted::Required {
            return Err("of what hosts open themselves, only `required` can be asked".to_owned());
        }
        let (name, ports) = match service.split_once('/') {
            Some((name, ports)) => (name, Some(ports)),
            None => (service, None),
        };
        let number_of = protocol::protocol_by_name(name);
        let number_of = number_of.ok_or_else(|| format!("`{name}` is no protocol"))?;
        let ports = ports.map(ports_of).transpose()?;
        if ports.is_some() && !protocol::has_ports(number_of) {
            return Err(format!("`{name}` has no ports"));
        }
        Ok(Some(Self {
            line: number,
            verdict,
            role: role.to_owned(),
            is_egress,
            peer: (peer != "any").then(|| peer.to_owned()),
            protocol: name.to_owned(),
            ports,
        }))
    }

    /// Says in what the policies of a request answer otherwise.
    pub(super) fn ask(&self, request: &Request, folder: &Folder) -> Result<Option<Difference>, NotRun> {
        let found = self.answers(request, folder, self.verdict)?;
        let message = match (self.verdict, said(&found)) {
            (Wanted::Allowed, Some((_, message))) => message,
            (Wanted::Allowed, None) | (_, Some((Certainty::Surely, _))) => return Ok(None),
            (_, Some((Certainty::Possibly, message))) => format!("it depends: {message}"),
            (wanted, None) => match said(&self.answers(request, folder, Wanted::Refused)?) {
                Some((_, message)) => message,
                None if wanted == Wanted::Required => "no row requires it".to_owned(),
                None => "the rows allow it".to_owned(),
            },
        };
        Ok(Some(Difference {
            line: self.line,
            message: format!("not {}: {message}", self.verdict.word()),
        }))
    }

    /// What is found of a host that tells the answer.
    fn answers(&self, request: &Request, folder: &Folder, wanted: Wanted) -> Result<Vec<Finding>, NotRun> {
        const NAME: &str = "question.rules";
        folder.write(NAME, &self.ruleset(wanted == Wanted::Required))?;
        let mut request = request.clone();
        request.paths = vec![folder.path.join(NAME)];
        request.arguments.roles = vec![self.role.clone()];
        let tells = |finding: &Finding| match wanted {
            Wanted::Required => finding.code == Code::MissingOpening,
            Wanted::Forbidden => finding.code == Code::ForbiddenOpening,
            Wanted::Allowed | Wanted::Refused => matches!(
                finding.code,
                Code::ForbiddenOpening | Code::ExcessOpening | Code::ExposedSelfPort
            ),
        };
        let mut found = checked(&request)?.findings;
        found.retain(tells);
        Ok(found)
    }

    /// A firewall that blocks the packet alone, or accepts it alone.
    fn ruleset(&self, blocks: bool) -> String {
        let is_v6 = self.peer.as_ref().is_some_and(|peer| peer.contains(':'));
        let head = if is_v6 {
            "# Generated by ip6tables-save\n"
        } else {
            ""
        };
        let (default, verdict) = if blocks {
            ("ACCEPT", "DROP")
        } else {
            ("DROP", "ACCEPT")
        };
        let (chain, option) = if self.is_egress {
            ("OUTPUT", "-d")
        } else {
            ("INPUT", "-s")
        };
        let peer = self.peer.as_ref().map(|peer| format!(" {option} {peer}"));
        let ports = self.ports.as_ref();
        let ports = ports.map(|ports| format!(" -m {} --dport {ports}", self.protocol));
        let (peer, ports) = (peer.unwrap_or_default(), ports.unwrap_or_default());
        format!(
            "{head}*filter\n:INPUT {default} [0:0]\n:OUTPUT ACCEPT [0:0]\n-A {chain} ! -{side} lo{peer} -p {protocol}{ports} -j {verdict}\nCOMMIT\n",
            side = if self.is_egress { "o" } else { "i" },
            protocol = self.protocol,
        )
    }
}

/// The gravest of some findings: sure ones first.
fn said(found: &[Finding]) -> Option<(Certainty, String)> {
    let gravest = found.iter().min_by_key(|finding| finding.certainty)?;
    Some((gravest.certainty, gravest.message.clone()))
}

/// `443` or `30000-32767` as iptables has it.
fn ports_of(text: &str) -> Result<String, String> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let number = |text: &str| {
        let number = text.parse::<u16>();
        number.map_err(|_| format!("`{text}` is no port"))
    };
    let (low, high) = (number(low)?, number(high)?);
    if low > high {
        return Err(format!("`{text}` has no ports"));
    }
    Ok(format!("{low}:{high}"))
}
