//! What a run did, in numbers and notes: what stands below its findings.

/// What a run did, apart from its findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files read.
    pub n_files: usize,
    /// Hosts evaluated.
    pub n_hosts: usize,
    /// Units read that are no hosts, but define what hosts are put behind, if anything.
    pub n_without_hosts: usize,
    /// Rules read.
    pub n_rules: usize,
    /// Rows of policies held against at least one host.
    pub n_rows: usize,
    /// Rows in force that no host was held against.
    pub n_rows_unchecked: usize,
    /// Constructs that are not modelled, of which both outcomes were followed.
    pub n_unknown: usize,
    /// Findings that comments took back.
    pub n_suppressed: usize,
    /// Findings that waivers of policies took back.
    pub n_waived: usize,
    /// Findings that a baseline, or the run before a change, had too.
    pub n_known: usize,
    /// Findings of codes that the run was not to report.
    pub n_ignored: usize,
    /// What was assumed: "zone `internal` is taken to be the private ranges".
    pub notes: Vec<String>,
    /// What was not checked, and why: "IPv6 of host `m1`: there is no dump of it".
    pub unchecked: Vec<String>,
    /// Names that lead nowhere, by their places, where no findings are shown: what is said of the hosts may be less than they do.
    pub dangling: Vec<String>,
    /// What is followed both ways, each thing at its first place, where no findings are shown.
    pub open: Vec<String>,
    /// What could not be done: an unreadable file. If there is one, the run has failed whatever it found.
    pub failures: Vec<String>,
}
