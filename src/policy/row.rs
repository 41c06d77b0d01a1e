//! Rows in force: what a policy says once a site's settings are applied to it. The evaluator reads these and
//! nothing else of a policy.

use crate::packet::RangeSet;
use crate::source::{Span, Spanned};

/// What a row asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Must be open, and may be.
    Require,
    /// May be open.
    Allow,
    /// Must not be open, whoever else allows it.
    Forbid,
}

/// Whether something is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// The site does not say: the reason names what to set ("`stacklight` does not know its version").
    Unknown(String),
}

/// Several items, of which all count or any one will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice<T> {
    /// The items as written.
    pub items: Vec<Spanned<T>>,
    /// `a | b`: one of them must be open, each may be. Otherwise `a, b`: each must.
    pub one_of: bool,
}

/// One end of a connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// The same host, over loopback.
    This,
    /// Anywhere: `any`. Never the bound side.
    Any,
    /// The hosts of every role: `*`. Binds each of them; as the far end, anywhere.
    Every,
    /// A zone, by the name under which the site defines it.
    Zone(String),
    /// Hosts of a role, `policy.role`. If no config is bound to it, its home zone stands for it.
    Role {
        /// `policy.role`
        name: String,
        /// The zone its hosts are in if the site does not say.
        home: Option<String>,
    },
    /// A host name with all parameters filled in. Its addresses are the site's `[names]`, else unknown.
    Name(String),
    /// A peer that the site has to choose and did not: the reason names the parameter to set.
    Unset(String),
}

impl std::fmt::Display for Peer {
    /// As policies write it; one that nobody has chosen as `?`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::This => f.write_str("self"),
            Self::Any => f.write_str("any"),
            Self::Every => f.write_str("*"),
            Self::Zone(name) | Self::Role { name, .. } | Self::Name(name) => f.write_str(name),
            Self::Unset(_) => f.write_str("?"),
        }
    }
}

/// A protocol and the values of [`crate::packet::Field::Service`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// `ui` of `service ui = tcp/443`, if the row names a service.
    pub name: Option<String>,
    /// IP protocol number; `None` for any protocol (then `values` is everything).
    pub protocol: Option<u8>,
    /// Destination ports, or ICMP type times 256 plus code; everything for protocols without.
    pub values: RangeSet,
    /// The table leaves it open and the site did not choose: the reason names the setting. Then `values`
    /// are the most that it can be, and none of it is required for sure.
    pub unset: Option<String>,
}

/// One row of a table, in force or perhaps in force; of rows that are not, see [`super::Inactive`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// `policy/id`, unique and stable.
    pub id: String,
    /// Name of the policy.
    pub policy: String,
    /// What it asks.
    pub kind: Kind,
    /// Who opens the connection.
    pub from: Choice<Peer>,
    /// Who accepts it.
    pub to: Choice<Peer>,
    /// On what.
    pub services: Choice<Service>,
    /// [`Truth::Yes`] or [`Truth::Unknown`] of rows in force.
    pub active: Truth,
    /// What it is for, in the policy's words.
    pub purpose: String,
    /// Title of the published document.
    pub document: String,
    /// Where in the document: "row 1", "Metrics exporters, row 3".
    pub place: String,
    /// Who answers for it, if the policy says.
    pub owner: Option<String>,
    /// What it is a part of for others: controls of a compliance framework.
    pub tags: Vec<String>,
    /// The whole statement in the policy's text.
    pub span: Span,
}
