//! What a site says about a policy: the values that its tables leave to the site.

use super::ast::Date;
use crate::source::Spanned;

/// The settings of one policy: a `[policy.NAME]` table of the site file, or a `use NAME { … }`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The product's version: `24.1`.
    pub version: Option<Spanned<String>>,
    /// Features that are on, `logging`, or off, `not telemetry`. Of the others it is not known.
    pub features: Vec<Spanned<String>>,
    /// Services and parameters, whichever the policy defines under the name.
    pub values: Vec<Value>,
    /// The day of the run, for rows that expire. Without it none does.
    pub today: Option<Date>,
}

/// One key of the settings and its values: a parameter may have several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// `ui`, `smtp-host`
    pub name: Spanned<String>,
    /// `tcp/4443`, `smtp.example.com`; one text may hold several, with commas between them.
    pub texts: Vec<Spanned<String>>,
}
