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
    ///
    /// The row says which hosts must be able to open a connection to which, and on what. Somewhere on the way a
    /// rule or a default verdict drops or rejects the first packet of such a connection; that is the underlined
    /// place. The product will work in part or not at all, often only after a failover or an upgrade.
    ///
    /// Missing *wholly* (error): no member of the zone or role gets through. Missing *in part* (warning): some
    /// do, and the finding says who does not. *Possibly* missing: it depends on something that is not known, such
    /// as the members of a set; the finding underlines it.
    ///
    /// Accept the packets before the rule that drops them, or say in the site file that the row is not for this
    /// host: another role, another zone, a feature that is off.
    ///
    /// ```text
    /// :INPUT DROP [0:0]
    /// -A INPUT -s 10.20.0.0/16 -p tcp --dport 179 -j ACCEPT     # what was missing
    /// ```
    MissingOpening = "missing-opening", Error;
    /// The request that a row requires gets through, but the reply to it, or what follows it, is blocked.
    ///
    /// A connection needs both ways, and more than its first packet. Filters that track connections let both pass
    /// with one rule for `ESTABLISHED` in each direction; where that rule is absent, or packets are exempt from
    /// tracking (`NOTRACK`), replies need an opening of their own: from the service's port to every port above 1023.
    ///
    /// Seen from the client the port looks filtered although the rule for it is there, which is hard to find by
    /// looking at rules.
    ///
    /// Accept established packets in the direction that is blocked, early in the chain.
    ///
    /// ```text
    /// -A OUTPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
    /// ```
    BlockedReply = "blocked-reply", Error;
    /// A packet gets through that no row of any policy allows.
    ///
    /// All policies in force together say what may be open on a host of these roles; everything else is excess.
    /// Each is reported at the rule, or the default verdict, that lets it through, with the nearest row: most
    /// often a port was mistyped, a source is wider than the table's, or a service is gone and its rule stayed.
    ///
    /// Where a host has several layers (security groups, its own firewall, network policies), what all of them let
    /// through is an error, and what one opens and another stops a note. What only pods could use that nobody has
    /// made yet is a warning.
    ///
    /// What is open and not needed can be attacked and is not watched.
    ///
    /// Remove the rule or narrow its source. If the opening is wanted, write it down in a policy of the site,
    /// with its purpose: that is what an auditor asks for.
    ///
    /// ```text
    /// policy site "our own openings" {
    ///   allow backup: internal -> mke.manager : tcp/9102 "backup agent"
    /// }
    /// ```
    ExcessOpening = "excess-opening", Error;
    /// A port that a table scopes to the host itself accepts packets from elsewhere.
    ///
    /// The table has a row for this port whose peers are the same host only ("Self"): a health check, a metrics
    /// endpoint, a local proxy. Such services often have no authentication, since nobody else was meant to reach
    /// them; an opening to others is graver than other excess.
    ///
    /// Accept the port on the loopback interface only. If another policy in force lets some peers have it, they
    /// are not part of the finding.
    ///
    /// ```text
    /// -A INPUT -i lo -j ACCEPT
    /// -A INPUT -p tcp --dport 6444 -j DROP
    /// ```
    ExposedSelfPort = "exposed-self-port", Error;
    /// A packet gets through that a policy forbids.
    ///
    /// A row with `forbid` counts against every other row: what it names must not be open, whoever else allows
    /// it. The policy `common` forbids the administrative and database ports to the outside.
    ///
    /// These are the openings that are found and attacked within minutes of being reachable.
    ///
    /// Remove the opening or narrow its source. Where it is meant, lift the row in the site file, by name and
    /// with the reason.
    ///
    /// ```text
    /// [lift]
    /// "common/telnet" = "terminal server of the lab, reachable over the jump host only"
    /// ```
    ForbiddenOpening = "forbidden-opening", Error;
    /// No packet reaches this rule: earlier rules decide all that it matches, or it can match none.
    ///
    /// The rule has no effect, whatever its verdict. The rules that take its packets are underlined too, the one
    /// that takes most of them first; where no jump sends it any, the jumps; a rule whose matches exclude each
    /// other has none.
    ///
    /// If the verdicts differ, somebody means a packet to be treated in a way that it is not: a drop behind an
    /// accept protects nothing. If they agree, the rule is clutter, and the next reader will rely on it.
    ///
    /// Move the rule up, or remove it.
    ///
    /// ```text
    /// -A INPUT -p tcp -j ACCEPT
    /// -A INPUT -p tcp --dport 23 -j DROP      # never reached
    /// ```
    ShadowedRule = "shadowed-rule", Warning;
    /// What follows this rule decides all its packets the same way: without it nothing would change.
    ///
    /// The rule decides packets, unlike a shadowed one. But later rules of its chain, of the chain it returns to,
    /// or the default verdict would end the same way for each of them. Of the rules that are reported, any can go,
    /// one or all: none is redundant only because of another.
    ///
    /// Such rules are often meant as documentation. They are also what makes the next change go wrong: somebody
    /// takes out the later rule and believes that the port is closed.
    ///
    /// The rules of a security group have no order: there, a rule is redundant if others of the same group let all
    /// its packets through. The text of a module is reported if every group that is made of it can do without.
    ///
    /// Asked for by `check --redundant`, or `redundant = true` in the site file. Remove the rule, unless its
    /// counter or its log is wanted.
    ///
    /// ```text
    /// -A INPUT -s 10.0.0.7 -p tcp --dport 22 -j ACCEPT      # redundant
    /// -A INPUT -s 10.0.0.0/8 -p tcp --dport 22 -j ACCEPT
    /// ```
    RedundantRule = "redundant-rule", Note;
    /// No packet ever comes to this chain: no hook leads to it, or earlier rules decide whatever its jumps match.
    ///
    /// All its rules are without effect. Either the jump to it was lost, and what the chain was to do is not done,
    /// or the chain was left behind when the jump was taken out.
    ///
    /// A chain without rules is not reported, nor are those that programs such as kube-proxy, Docker, fail2ban
    /// and ufw keep for later, and those of `OpenWrt` and firewalld. Where some rule could not be read, it may be
    /// the missing jump, and nothing is said.
    ///
    /// Jump to the chain where it is to take effect, or remove it.
    ///
    /// ```text
    /// :services - [0:0]
    /// -A services -p tcp --dport 22 -j ACCEPT      # and nowhere `-j services`
    /// ```
    UnreachableChain = "unreachable-chain", Warning;
    /// A rule asks whether a packet is in a set that holds nothing.
    ///
    /// The answer is always no: the rule never matches, or, if it asks for the opposite, always. Sets that rules
    /// fill, that are `dynamic`, or whose elements are not in the dump are not meant: of those nothing is known.
    ///
    /// A ban list that is empty because nobody is banned is healthy. An allow list that is empty because its file
    /// was not loaded before the dump is not.
    ///
    /// Add the elements, or remove the set with the rules that ask it.
    ///
    /// ```text
    /// set banned { type ipv4_addr; }
    /// ip saddr @banned drop
    /// ```
    EmptySet = "empty-set", Note;
    /// Two rows in force disagree about a port of some host.
    ///
    /// One table keeps the port to the host itself, another gives it to others: then the peers that the second one
    /// names may have it, and nobody else. Or a row forbids what another requires: then it stays forbidden, until
    /// the site lifts the row, and whatever the host does, one of the two is not met.
    ///
    /// Nothing is wrong with the host. It is said once, at the policies, because the two documents cannot both be
    /// the whole truth, and because the choice was made for you.
    ///
    /// Read both rows. If one is out of date, leave its policy out of the site file, or ask its vendor.
    ConflictingRows = "conflicting-rows", Note;
    /// A policy is in force, but no config is bound to one of its roles: its rows are unchecked.
    ///
    /// The site file names the policy, and no `[[bind]]` gives a config to the role, or the patterns of the
    /// binding match no file and its `workloads` no workload, or one of its `resources` means nothing that was
    /// read. Nothing is known about those hosts: neither that they are right nor that they are wrong.
    ///
    /// A table that is checked in part looks like one that is checked.
    ///
    /// Bind the role to the configs of its hosts. If there are no such hosts, switch off the feature that needs
    /// them, or leave the policy out.
    ///
    /// ```text
    /// [[bind]]
    /// roles = ["stacklight.node"]
    /// files = ["hosts/{host}/*.rules"]
    /// ```
    UnboundRole = "unbound-role", Warning;
    /// A config was read, but no role is bound to it: only what holds for every host was checked.
    ///
    /// Without a role there is no table to hold the config against, so only rules of the policy `common` and the
    /// config's own mistakes (rules that nothing reaches, text that cannot be read) are reported.
    ///
    /// No finding does not mean here that the openings are right.
    ///
    /// Bind the file to a role in the site file, or give `--policy` and `--role`. If the file is none of the
    /// site's, exclude it with `.ignore`.
    UnboundConfig = "unbound-config", Note;
    /// A match or target is not modelled: it may hold or not, and both were followed.
    ///
    /// The rule asks something that the config alone does not answer (the members of a set that is kept
    /// elsewhere, a rate, the sender's user) or that this release does not know. Every packet that comes to it is
    /// followed both ways.
    ///
    /// What depends on it is reported as *possible*, one severity lower, with this place underlined. What does
    /// not depend on it is as sure as ever.
    ///
    /// Give the missing part if there is one, such as the output of `ipset save` beside the dump. Otherwise
    /// there is nothing to do; `portcullis dialects` lists what is modelled.
    UnsupportedMatch = "unsupported-match", Note;
    /// Text that could not be read: what it says is unknown, and both possibilities were followed.
    ///
    /// The line is not in the language of the file, or the bytes are not UTF-8, or the file ends too early. A
    /// rule that cannot be read stays in its chain as one that may match anything and do anything.
    ///
    /// The answer for the host is then a guess at best, so the run fails with exit code 2.
    ///
    /// Look at the underlined place: a dump that was cut off, a merge conflict, a line wrapped by a mail
    /// program. If the tool that made the file takes it, the reader here is wrong: please report it with the line.
    UnreadText = "unread-text", Error;
    /// A jump or reference names something that is not there.
    ///
    /// A rule jumps to a chain, or asks a set, that no file of the host defines. The tool that loads the file
    /// would refuse it, so this is not what the host runs: it is part of something, or it is broken.
    ///
    /// The jump may do anything with its packets, and what depends on it is only possible.
    ///
    /// Add the file that defines it to the same binding, correct the name, or make the dump again.
    DanglingReference = "dangling-reference", Error;
    /// A rule of ufw and the comment by which ufw knows it say different things.
    ///
    /// ufw keeps each rule twice in `user.rules`: as a comment (`### tuple ###`), which is what `ufw status`
    /// shows and what ufw writes the file from, and as the lines under it, which are what the kernel loads. Here
    /// the two differ, or one is there without the other: somebody edited one of them by hand.
    ///
    /// What `ufw status` shows is then not what the host filters, and the next `ufw` command writes the lines
    /// anew from the comments: an opening comes or goes with a command that was about another one. The lines
    /// were followed, since that is what the kernel loads now.
    ///
    /// Say the rule with `ufw allow` or its like, and delete the other one; rules that ufw has no words for
    /// belong into `before.rules` or `after.rules`.
    TupleMismatch = "tuple-mismatch", Warning;
    /// A value that decides an opening is not known.
    ///
    /// Code that describes infrastructure leaves values open until it is run: a variable that nobody has given
    /// a value, a data source that is read from the cloud, a module whose source is not here. Where such a
    /// value is the port, the network or the group of a rule, or decides whether there is a rule, the rule may
    /// open anything from nothing to everything that the value could say.
    ///
    /// Both are followed: what depends on the value is reported as possible. Findings that would need it to be
    /// sure are missing until it is known.
    ///
    /// Give the variable a value (a file of values, an argument, the site file), install the modules, or check
    /// a plan.
    UnknownValue = "unknown-value", Note;
    /// No policy says what may come to a workload: its pods accept everything.
    ///
    /// In Kubernetes a pod that no NetworkPolicy selects for ingress, and no policy of the cluster either,
    /// takes connections from every pod of every namespace and from whatever else has a way to it. Policies for
    /// other workloads, even of the same namespace, change nothing about that.
    ///
    /// Where the run has no policy at all, nobody meant to isolate anything, and this is a note.
    ///
    /// Isolate the workload with the policy in the help, then allow what it needs; or select the whole
    /// namespace with `podSelector: {}`. Pods in the network of their node are left out, since policies need
    /// not apply to them.
    UnprotectedWorkload = "unprotected-workload", Warning;
    /// The selector of a policy takes none of the workloads that it is asked about.
    ///
    /// A policy selects no workload, or one of its peers is none, although there are some where it looks. The
    /// labels were changed on one side, or mistyped, or the workload is gone. Of namespaces of which the run has
    /// no workload nothing is said.
    ///
    /// A policy that selects nothing isolates nothing: what it was made for is open. A peer that is nobody gives
    /// nobody a way, until somebody makes a pod with its labels.
    ///
    /// Correct the labels, or remove what is left over. For peers this is a note.
    SelectorMatchesNothing = "selector-matches-nothing", Warning;
    /// A policy changes nothing about what its workloads may do.
    ///
    /// A policy of the cluster has no rules, or it is of the baseline tier and NetworkPolicies decide for every
    /// workload that it is about, so that the baseline is never asked; or it is staged, which shows what it would
    /// do and does nothing.
    ///
    /// Whoever reads it counts on a protection, or on a way, that is not there.
    ///
    /// Remove it, say what it is to do, or move it to the tier that is asked.
    PolicyWithoutEffect = "policy-without-effect", Note;
    /// A comment takes back findings of a code, and there are none.
    ///
    /// The rule that it stands at was mended or removed, the port is asked for by now, or the comment stands on
    /// another line than it was meant for.
    ///
    /// A suppression that is left over hides the next finding at its place, which nobody has looked at.
    ///
    /// Remove the comment, or the code from its list.
    ///
    /// ```text
    /// # portcullis: ignore[excess-opening] port=9102 backups of the lab
    /// -A INPUT -p tcp --dport 9102 -j ACCEPT
    /// ```
    UnusedSuppression = "unused-suppression", Warning;
    /// A comment that takes back findings is past its day.
    ///
    /// `until=` names the last day on which it is good. From the next one on the findings that it was about are
    /// there again, and so is this one.
    ///
    /// Somebody promised to be done by then.
    ///
    /// Mend what it was for and remove the comment; or, if it is to stay, give it a new day and a reason.
    ExpiredSuppression = "expired-suppression", Warning;
    /// A comment that takes back findings cannot be followed.
    ///
    /// It names no codes, or one that there is not; its day or port is none; or it gives no reason. Nothing is
    /// taken back then. What is missing has no line that it could be taken back at: the site file says which
    /// rows a host has. What could not be read cannot be taken back at all.
    ///
    /// The next reader needs to know why an opening is left as it is, and until when.
    ///
    /// Write codes in brackets, then the options, then the reason.
    ///
    /// ```text
    /// # portcullis: ignore[excess-opening, shadowed-rule] until=2027-01-31 port=tcp/3306 the reporting tool
    /// ```
    InvalidSuppression = "invalid-suppression", Warning;
    /// An entry of a baseline meets no finding any more.
    ///
    /// A baseline lists findings that were there when it was written. This one is not there now: it was mended, its
    /// rule is in another file, or it is about other packets than it was. If it has become more than it was, the new
    /// finding stands beside this one.
    ///
    /// An entry that stays would hide the same finding when it comes back.
    ///
    /// Write the baseline again with `portcullis baseline`, or take the entry out. Entries for files that a run did
    /// not read are left alone.
    StaleBaseline = "stale-baseline", Warning;
    /// A waiver of a policy takes nothing back.
    ///
    /// `waive` names a row of which findings are taken back, at the hosts of some roles or at all. No finding of this
    /// run was about that row at such a host, though there were such hosts: what it was for has been mended, or it
    /// names the wrong row.
    ///
    /// A waiver that stays would hide the same finding when it comes back.
    ///
    /// Remove it.
    UnusedWaiver = "unused-waiver", Warning;
    /// A waiver of a policy is past its day.
    ///
    /// `until` names the last day on which it is good. From the next one on the findings that it was about are there
    /// again, and so is this one.
    ///
    /// Somebody promised to be done by then.
    ///
    /// Mend what it was for and remove it; or, if it is to stay, give it a new day and a reason.
    ///
    /// ```text
    /// waive mke/tcp-2376 on manager "no swarm here" until 2027-01-31
    /// ```
    ExpiredWaiver = "expired-waiver", Warning;
    /// The evaluation of a host outgrew its budget: its answer is not known.
    ///
    /// Exact packet sets can grow fast with rules that overlap in many fields at once. Past a fixed number of
    /// nodes the evaluation of a host stops, so that the run ends and memory stays bounded.
    ///
    /// Nothing is said about the host's openings: neither that they are right nor that they are wrong. The run
    /// fails.
    ///
    /// Please report the shape of the ruleset; splitting large host lists into sets often helps.
    AnalysisBudget = "analysis-budget", Error;
}

impl Code {
    /// Whether it means that something could not be judged at all: the run has failed (exit code 2).
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, Self::UnreadText | Self::AnalysisBudget)
    }

    /// The code of an id.
    #[must_use]
    pub fn by_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.id() == id)
    }
}
