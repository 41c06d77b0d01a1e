//! The one table of finding codes: id, severity, and the text that `explain`, SARIF and the docs show.

use super::Severity;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $id:literal, $severity:ident;)+) => {
        /// What a finding is about. Ids are never renamed after a release, and never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The kebab-case id.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id),+ }
            }

            /// How bad a sure finding of this code is.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity),+ }
            }

            /// The explanation, Markdown: first paragraph what it says, then why it matters and what to do.
            #[must_use]
            pub fn explain(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc, "\n"),+)),+ }
            }
        }
    };
}

codes! {
    /// A packet that a row of a policy requires cannot get through.
    MissingOpening = "missing-opening", Error;
    /// The request that a row requires gets through, but the reply to it is blocked.
    BlockedReply = "blocked-reply", Error;
    /// A packet gets through that no row of any policy allows.
    ExcessOpening = "excess-opening", Error;
    /// A port that a table scopes to the host itself accepts packets from elsewhere.
    ExposedSelfPort = "exposed-self-port", Error;
    /// A packet gets through that a policy forbids.
    ForbiddenOpening = "forbidden-opening", Error;
    /// No packet reaches this rule: earlier rules decide all that it matches.
    ShadowedRule = "shadowed-rule", Warning;
    /// Two policies in force disagree about a port.
    ConflictingRows = "conflicting-rows", Note;
    /// A policy is in force, but no config is bound to one of its roles: its rows are unchecked.
    UnboundRole = "unbound-role", Warning;
    /// A config was read, but no role is bound to it: only what holds for every host was checked.
    UnboundConfig = "unbound-config", Note;
    /// A match or target is not modelled: it may hold or not, and both were followed.
    UnsupportedMatch = "unsupported-match", Note;
    /// Text that could not be read: what it says is unknown, and both possibilities were followed.
    UnreadText = "unread-text", Error;
    /// A jump or reference names something that is not there.
    DanglingReference = "dangling-reference", Error;
    /// The evaluation of a host outgrew its budget: its answer is not known.
    AnalysisBudget = "analysis-budget", Error;
}

impl Code {
    /// The code of an id.
    #[must_use]
    pub fn by_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.id() == id)
    }
}
