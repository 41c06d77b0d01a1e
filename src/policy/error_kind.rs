//! The table of what can be wrong with a policy: code, message, label and help of each kind, in one place.

macro_rules! kinds {
    ($(
        #[doc = $doc:literal]
        $name:ident { $($field:ident: $type:ty),* }
        $code:literal $message:literal $label:literal $help:literal;
    )+) => {
        /// What is wrong. The fields are texts of the policy, or a hint that was worked out where the error was found.
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        pub enum ErrorKind {
            $(
                #[doc = $doc]
                #[error($message)]
                $name {
                    $(
                        #[doc = concat!("The ", stringify!($field), ".")]
                        $field: $type,
                    )*
                },
            )+
        }

        impl ErrorKind {
            /// The codes of all kinds, in the order of the table.
            pub const CODES: &'static [&'static str] = &[$($code),+];

            /// The kebab-case code.
            #[must_use]
            pub fn code(&self) -> &'static str {
                match self { $(Self::$name { .. } => $code),+ }
            }

            /// What the underlined bytes are.
            #[must_use]
            pub fn label(&self) -> &'static str {
                match self { $(Self::$name { .. } => $label),+ }
            }

            /// What to do about it.
            #[must_use]
            #[expect(unused_variables, reason = "not every help line quotes every field")]
            pub fn help(&self) -> String {
                match self { $(Self::$name { $($field),* } => format!($help),)+ }
            }
        }
    };
}

// Syntax: these come from the parser.
kinds! {
    /// Something else stands where the grammar wants something.
    Unexpected { expected: String, found: String, hint: String }
    "unexpected-token" "expected {expected}, found {found}" "not expected here" "{hint}";
    /// Bytes that are no text.
    NotText {}
    "not-utf-8" "these bytes are not UTF-8 text" "not UTF-8" "convert the file, or take the bytes out";
    /// The line ends where the grammar wants more, and the next one begins something else.
    CutShort { expected: String }
    "cut-short" "expected {expected} at the end of the line" "something is missing behind this"
    "a statement may go on in the next line, but there something else begins";
    /// A word stands where a statement would.
    UnknownStatement { word: String, hint: String }
    "unknown-statement" "`{word}` does not begin a statement" "not a statement" "{hint}";
    /// A quote without its other half on the line.
    UnclosedString {}
    "unclosed-string" "the string is not closed" "opened here" "end it with `\"` on the same line";
    /// A policy's brace without its other half.
    UnclosedPolicy { policy: String }
    "unclosed-brace" "policy `{policy}` is not closed" "opened here" "end it with `}}` after its last statement";
    /// Text outside of every policy.
    OutsidePolicy { found: String }
    "outside-policy" "{found} stands outside of a policy" "belongs to no policy"
    "put it between the braces of `policy NAME {{ … }}`";
    /// `a b : tcp/1`
    MissingArrow {}
    "missing-arrow" "the row has no arrow" "expected `->` before this"
    "write who opens the connection, `->`, and who accepts it: `require internal -> manager : tcp/443`";
    /// `a <- b`
    ReversedArrow { arrow: String }
    "reversed-arrow" "`{arrow}` is not an arrow" "points the wrong way"
    "the arrow is always `->`: put who opens the connection on its left";
    /// `a, b | c`
    MixedChoice {}
    "mixed-choice" "`,` and `|` stand in one list" "the other separator"
    "`a, b` is all of them, `a | b` is one of them: write two rows, or name the services";
    /// `443/tcp`
    PortFirst { port: String, protocol: String }
    "port-before-protocol" "the port stands before its protocol" "the wrong way round" "write `{protocol}/{port}`";
    /// `443`
    BarePort { port: String }
    "port-without-protocol" "port {port} has no protocol" "a port belongs to a protocol"
    "write `tcp/{port}` or `udp/{port}`";
    /// `tcp/https`
    NamedPort { name: String, hint: String }
    "named-port" "`{name}` is not a port number" "not a number" "{hint}";
    /// `tpc/22`
    UnknownProtocol { name: String, hint: String }
    "unknown-protocol" "unknown protocol `{name}`" "not a protocol" "{hint}";
    /// `login.salesforce.com`
    UnquotedHost { host: String }
    "unquoted-host" "the host name `{host}` is not quoted" "reads as names with dots" "write `\"{host}\"`";
    /// `10.0.0.0/8`
    AddressPeer { address: String }
    "address-in-policy" "`{address}` stands where a zone, a role or a host name would" "not a peer"
    "name a zone here, and give its networks in `portcullis.toml`: a policy holds for every site";
    /// `expires tomorrow`
    UnreadableDate { text: String }
    "unreadable-date" "`{text}` is not a date" "not a date" "write year, month and day, such as `2027-01-31`";
    /// `severity bad`
    UnknownSeverity { word: String, hint: String }
    "unknown-severity" "unknown severity `{word}`" "not a severity" "{hint}";
    /// `parameter tenant: name`
    UnknownParameterType { word: String, hint: String }
    "unknown-parameter-type" "`{word}` is not a type of parameters" "not a type" "{hint}";
    /// `version == 23.3`
    UnknownComparison { text: String }
    "unknown-comparison" "`{text}` does not compare versions" "not a comparison"
    "the comparisons are `>=`, `<=`, `>`, `<` and `=`";
    /// `"purpose" when x`
    OptionOrder { option: String }
    "option-order" "{option} stands too late, or twice, in its row" "too late here"
    "after the services come, each at most once: `when`, `owner`, `expires`, `severity`, `tags`, the purpose, `row`";
    /// `row 99999999999999999999`
    NumberTooLarge { number: String }
    "number-too-large" "the number {number} is too large" "too large" "no number has more than 19 digits";
    /// A file that no person wrote.
    TooLarge { size: usize, most: usize }
    "policy-too-large" "the policy file has {size} bytes" "the limit is before this"
    "no more than {most} bytes are read: split the policy";
    /// More rows than any table has.
    TooManyRows { policy: String, most: usize }
    "too-many-rows" "policy `{policy}` has more than {most} rows" "the first row past the limit" "split the policy";

    // Meaning: these come from resolving.
    /// A port over 65535.
    PortTooLarge { port: String }
    "port-too-large" "port {port} does not exist" "too large" "ports go from 0 to 65535";
    /// `tcp/443-80`
    PortsReversed { low: u64, high: u64 }
    "reversed-range" "the port range {low}-{high} is empty" "ends before it begins" "write `{high}-{low}`";
    /// A protocol number over 255.
    ProtocolTooLarge { number: String }
    "protocol-too-large" "protocol {number} does not exist" "too large" "protocol numbers go from 0 to 255";
    /// An ICMP type or code over 255.
    IcmpTooLarge { number: String }
    "icmp-too-large" "the type or code {number} does not exist" "too large" "types and codes go from 0 to 255";
    /// An ICMP type by a name that is none.
    UnknownIcmpType { name: String, protocol: String, hint: String }
    "unknown-icmp-type" "{protocol} has no type `{name}`" "not a type" "{hint}";
    /// A name that is neither zone nor role.
    UnknownPeer { name: String, hint: String }
    "unknown-peer" "`{name}` is neither a zone nor a role" "not defined" "{hint}";
    /// A role of a policy that has none of that name.
    UnknownRole { policy: String, role: String, hint: String }
    "unknown-role" "policy `{policy}` has no role `{role}`" "not a role" "{hint}";
    /// A name after `in` or `=` that is no zone.
    UnknownZone { name: String, hint: String }
    "unknown-zone" "unknown zone `{name}`" "not defined" "{hint}";
    /// A service that is not defined.
    UnknownService { name: String, hint: String }
    "unknown-service" "unknown service `{name}`" "not defined" "{hint}";
    /// A feature that is not defined.
    UnknownFeature { name: String, hint: String }
    "unknown-feature" "unknown feature `{name}`" "not defined" "{hint}";
    /// A parameter that is not defined.
    UnknownParameter { name: String, hint: String }
    "unknown-parameter" "unknown parameter `{name}`" "not defined" "{hint}";
    /// A policy that is neither built in nor given.
    UnknownPolicy { name: String, hint: String }
    "unknown-policy" "unknown policy `{name}`" "not defined" "{hint}";
    /// A setting that the policy does not have.
    UnknownSetting { policy: String, name: String, hint: String }
    "unknown-setting" "policy `{policy}` has no setting `{name}`" "not a service or parameter of it" "{hint}";
    /// One name, two meanings.
    DuplicateDefinition { name: String }
    "duplicate-definition" "`{name}` is defined twice" "defined again" "rename one, or remove it";
    /// Two policies of one name.
    DuplicatePolicy { name: String }
    "duplicate-policy" "policy `{name}` is defined twice" "defined again" "rename one, or put their rows together";
    /// Two rows of one id.
    DuplicateId { id: String }
    "duplicate-id" "the id `{id}` is given twice" "given again" "give each row an id of its own, so that a finding names one row";
    /// A zone that stands for itself, perhaps by way of others.
    CyclicZone { name: String }
    "cyclic-zone" "zone `{name}` stands for itself" "leads back to it" "give one of the zones no `=`";
    /// `lift` of a row that is not there, or forbids nothing.
    NothingToLift { policy: String, row: String, hint: String }
    "nothing-to-lift" "policy `{policy}` has no `forbid` of the id `{row}`" "nothing to lift" "{hint}";
    /// `waive` of a row that is not there, or asks for nothing.
    NothingToWaive { policy: String, row: String, hint: String }
    "nothing-to-waive" "policy `{policy}` requires and forbids nothing of the id `{row}`" "nothing to waive" "{hint}";
    /// `lift` or `waive` with nothing in the quotes.
    NoReason { row: String }
    "no-reason" "`{row}` is taken back without a reason" "empty" "say why in the quotes: whoever reads the policy later will ask";
    /// A policy that uses itself, perhaps by way of others.
    CyclicUse { policy: String }
    "cyclic-use" "policy `{policy}` uses itself" "leads back to it" "remove one `use`";
    /// A policy that is used twice, perhaps by way of another.
    DuplicateUse { policy: String }
    "duplicate-use" "policy `{policy}` is used twice" "used again" "keep one `use`: ids of rows must stay unique";
    /// A day that no calendar has.
    NoSuchDay { date: String }
    "no-such-day" "{date} is not a day of the calendar" "no such day" "write year, month and day, such as `2027-01-31`";
    /// `"<tenant.example"`
    UnclosedParameter { host: String }
    "unclosed-parameter" "a parameter in `{host}` is not closed" "`<` or `>` without the other"
    "write the parameter's name in angle brackets: `\"<tenant>.example.com\"`";
    /// A string that no host can have for a name.
    NotAHost { host: String }
    "not-a-host" "`{host}` is not a host name" "not a host name"
    "a host name has letters, digits, hyphens and dots: no scheme, path or port";
    /// `a -> self`
    SelfOnTheRight {}
    "self-on-the-right" "`self` accepts nothing" "a role belongs here"
    "write `self -> manager`: the same host is who connects, the role is who accepts";
    /// A row that binds no role and so is checked nowhere.
    NoRole {}
    "row-without-role" "neither side of the row is a role" "checked on no host"
    "name a role on the side that is checked, or write `*` for the hosts of every role";
    /// A service that is a choice, or a list, in a list of the other kind.
    NestedChoice { service: String }
    "nested-choice" "`{service}` is several services, and the list is of the other kind" "cannot stand here"
    "`a, b` is all of them, `a | b` is one of them: write two rows";
    /// A service defined by another.
    ServiceInService { name: String }
    "service-in-service" "a service is defined by another, `{name}`" "not a protocol" "write its protocol and port, such as `tcp/443`";
    /// A setting for a service that is fixed.
    NotConfigurable { service: String }
    "not-configurable" "service `{service}` is fixed" "set here" "mark it `configurable` where it is defined, if it is";
    /// A setting with a protocol that the table does not have.
    WrongProtocol { service: String, set: String, table: String }
    "wrong-protocol" "service `{service}` is set to {set}, but the table says {table}" "another protocol" "keep the protocol and change the port";
    /// A setting, or a definition, outside of the range that a site may choose from.
    OutsideRange { service: String, set: String, range: String }
    "outside-range" "service `{service}` is {set}, and the range for it is {range}" "outside of the range" "choose from {range}";
    /// A value that is none of its parameter's type.
    WrongParameter { name: String, text: String, kind: String }
    "wrong-parameter" "`{name}` is {kind}, and `{text}` is none" "of another type" "write {kind}";
    /// A setting that leaves open what it should settle.
    StillOpen { service: String }
    "still-open" "the setting of `{service}` leaves it open" "has no port" "choose a protocol and port, such as `tcp/8443`";
    /// A setting of the site that is no service.
    UnreadableService { text: String, reason: String }
    "unreadable-service" "`{text}` is not a service: {reason}" "not a service" "write protocol and port, such as `tcp/8443`";
    /// A version of the site that is none.
    UnreadableVersion { text: String }
    "unreadable-version" "`{text}` is not a version" "not a version" "write numbers with dots, such as `24.1`";
    /// A setting that is given twice.
    DuplicateSetting { name: String }
    "duplicate-setting" "`{name}` is set twice" "set again" "keep one of them";
}
