//! The text of a first site file. What is only a guess is said to be one, and what nobody can guess is a comment with the names that
//! are there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::found::{Found, Workload};
use super::pattern::{self, Pattern};

/// How many networks are proposed for the internal zone.
const MAX_NETWORKS: usize = 4;
/// How many groups or workloads without a role are listed.
const MAX_LISTED: usize = 30;

/// What hosts are bound by.
struct Binding {
    /// What they are called: of several, if all are called as one role is.
    names: Vec<String>,
    /// The key and its value.
    key: &'static str,
    value: String,
    /// What it is about, as a sentence.
    about: String,
}

pub(super) fn text(found: &Found) -> String {
    let patterns = pattern::patterns(&found.hosts);
    let names = names(found, &patterns);
    let likely = found.roles.likely(names.iter().map(String::as_str));
    let mut text = String::new();
    write_policies(&mut text, found, &likely);
    write_zones(&mut text, found);
    for pattern in &patterns {
        write_pattern(&mut text, found, pattern, &likely);
    }
    let groups: Vec<Binding> = found.groups.iter().map(|name| of_group(name)).collect();
    let title = "Security groups and network ACLs before hosts of which nothing is known by their names. Say which role those behind them have.";
    write_all(&mut text, found, (&groups, title), &likely);
    let workloads: Vec<Binding> = found.workloads.iter().map(of_workload).collect();
    let title = "Workloads of which nothing is known by their names. Say which role they have.";
    write_all(&mut text, found, (&workloads, title), &likely);
    text
}

/// What there is has these names: folders, hosts, groups, workloads.
fn names(found: &Found, patterns: &[Pattern]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for pattern in patterns {
        names.push(pattern.folder().to_owned());
        names.extend(pattern.hosts.iter().cloned());
    }
    names.extend(found.groups.iter().map(|name| last_part(name)));
    names.extend(found.workloads.iter().map(|workload| workload.name.clone()));
    names
}

fn write_policies(text: &mut String, found: &Found, likely: &[String]) {
    text.push_str(
        "# Which tables the hosts are held against: names of shipped policies (`portcullis policy list`), or paths.\n",
    );
    let own = &found.roles.own_files;
    let mut policies: Vec<String> = own.iter().map(|path| quoted(path)).collect();
    if !own.is_empty() {
        text.push_str("# Policies that lie here are among them.\n");
    }
    for (path, why) in &found.roles.left_out {
        // Writing to a string does not fail.
        let _written = writeln!(text, "# {} is left out: {why}.", quoted(path));
    }
    let named = likely.iter().map(|policy| format!("`{policy}`"));
    let named = named.collect::<Vec<_>>().join(", ");
    let _written = match likely {
        [] => Ok(()),
        [policy] => {
            policies.push(quoted(policy));
            writeln!(text, "# {named} has roles that are called as things here are.")
        }
        _ => writeln!(
            text,
            "# {named} have roles that are called as things here are: choose."
        ),
    };
    let _written = writeln!(text, "policies = [{}]", policies.join(", "));
}

fn write_zones(text: &mut String, found: &Found) {
    let mut networks: Vec<(&String, &usize)> = found.networks.iter().collect();
    networks.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    let networks: Vec<String> = networks
        .into_iter()
        .take(MAX_NETWORKS)
        .map(|(network, _)| quoted(network))
        .collect();
    text.push_str("\n# Who is meant by the zones of the tables. `external` is everybody on the internet who is in no other zone.\n[zones]\n");
    let _written = if networks.is_empty() {
        writeln!(
            text,
            "# internal = {{ networks = [\"10.0.0.0/8\"] }}   # where the hosts themselves are"
        )
    } else {
        writeln!(
            text,
            "# The private networks that the configs speak of most: keep those where the hosts themselves are.\ninternal = {{ networks = [{}] }}",
            networks.join(", ")
        )
    };
    let interfaces: Vec<String> = found.interfaces.iter().map(|name| quoted(name)).collect();
    if !interfaces.is_empty() {
        let _written = writeln!(
            text,
            "# Rules name these interfaces together with private networks. If the zone is behind them, add to `internal`:\n#   interfaces = [{}]",
            interfaces.join(", ")
        );
    }
}

/// The files of hosts: one binding, or one for each role where names say several.
fn write_pattern(text: &mut String, found: &Found, pattern: &Pattern, likely: &[String]) {
    let lie = if pattern.n_files == 1 {
        "file lies"
    } else {
        "files lie"
    };
    let about = format!(
        "{} {lie} there; those with one {{host}} are one host.",
        pattern.n_files
    );
    let binding = |names: Vec<String>, files: String| Binding {
        names,
        key: "files",
        value: format!("[{}]", quoted(&files)),
        about: about.clone(),
    };
    if !found.roles.guess(pattern.folder(), likely).is_empty() || pattern.hosts.is_empty() {
        let names = vec![pattern.folder().to_owned()];
        return write_binding(text, found, &binding(names, pattern.text()), likely);
    }
    let parts = by_prefix(pattern);
    let is_known = |part: &Part| found.roles.guess(&part.prefix, likely).len() == 1;
    let roles: BTreeSet<Vec<String>> = parts
        .iter()
        .map(|part| found.roles.guess(&part.prefix, likely))
        .collect();
    if roles.len() < 2 || !parts.iter().any(is_known) {
        return write_binding(
            text,
            found,
            &binding(pattern.hosts.clone(), pattern.text()),
            likely,
        );
    }
    for part in parts {
        let hosts = part.hosts.clone();
        let of_part = Binding {
            about: format!(
                "By themselves, since names here say more than one role: {}.",
                listed(&hosts)
            ),
            ..binding(hosts, pattern.of_prefix(&part.prefix, part.is_exact))
        };
        write_binding(text, found, &of_part, likely);
    }
}

/// Hosts of one pattern whose names begin alike.
struct Part {
    prefix: String,
    hosts: Vec<String>,
    /// Whether the prefix is the whole name.
    is_exact: bool,
}

/// Hosts by what stands before the numbers at the ends of their names; all together, where a prefix would take others as well.
fn by_prefix(pattern: &Pattern) -> Vec<Part> {
    let mut prefixes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for host in &pattern.hosts {
        let prefix = host.trim_end_matches(|letter: char| letter.is_ascii_digit());
        prefixes.entry(prefix.to_owned()).or_default().push(host.clone());
    }
    let is_mixed = prefixes.iter().any(|(prefix, hosts)| {
        let is_exact = hosts.contains(prefix);
        let others = pattern.hosts.iter().filter(|host| !hosts.contains(host));
        prefix.is_empty()
            || (is_exact && (hosts.len() > 1 || !pattern.is_a_file_each()))
            || (!is_exact && others.into_iter().any(|other| other.starts_with(prefix.as_str())))
    });
    if is_mixed {
        return Vec::new();
    }
    let part = |(prefix, hosts): (String, Vec<String>)| Part {
        is_exact: hosts.contains(&prefix),
        prefix,
        hosts,
    };
    prefixes.into_iter().map(part).collect()
}

fn of_group(name: &str) -> Binding {
    Binding {
        names: vec![last_part(name)],
        key: "resources",
        value: format!("[{}]", quoted(name)),
        about: "What is attached to it, or who would be behind it.".to_owned(),
    }
}

fn of_workload(workload: &Workload) -> Binding {
    let labels = workload.labels.iter();
    let labels: Vec<String> = labels
        .map(|(key, value)| format!("{} = {}", quoted(key), quoted(value)))
        .collect();
    let namespace = quoted(&workload.namespace);
    let value = if labels.is_empty() {
        format!("{{ namespace = {namespace} }}")
    } else {
        format!(
            "{{ namespace = {namespace}, labels = {{ {} }} }}",
            labels.join(", ")
        )
    };
    Binding {
        names: vec![workload.name.clone()],
        key: "workloads",
        value,
        about: "The pods with these labels.".to_owned(),
    }
}

/// Bindings whose names say a role one by one, the others as one list of comments.
fn write_all(text: &mut String, found: &Found, (bindings, title): (&[Binding], &str), likely: &[String]) {
    let is_known = |binding: &&Binding| role_of(found, binding, likely).is_some_and(|role| role.1);
    let (known, others): (Vec<&Binding>, Vec<&Binding>) = bindings.iter().partition(is_known);
    for binding in known {
        write_binding(text, found, binding, likely);
    }
    let mut seen = Vec::new();
    for binding in others {
        if !seen.contains(&&binding.value) {
            seen.push(&binding.value);
        }
    }
    if seen.is_empty() {
        return;
    }
    let key = bindings.first().map_or("", |binding| binding.key);
    let _written = writeln!(text, "\n# {title}");
    for value in seen.iter().take(MAX_LISTED) {
        let _written = writeln!(
            text,
            "# [[bind]]\n# roles = [{}]\n# zone  = \"internal\"\n# {key} = {value}",
            quoted(&found.roles.example())
        );
    }
    if let Some(more) = seen.len().checked_sub(MAX_LISTED).filter(|&more| more > 0) {
        let _written = writeln!(text, "# And {more} more.");
    }
}

/// The role that all names of a binding say, and whether no other is said.
fn role_of(found: &Found, binding: &Binding, likely: &[String]) -> Option<(String, bool)> {
    let mut guesses = binding.names.iter().map(|name| found.roles.guess(name, likely));
    let first = guesses.next()?;
    let is_one = first.len() == 1 && guesses.all(|other| other == first);
    first.into_iter().next().map(|role| (role, is_one))
}

/// A binding. It is a comment unless its names say one role.
fn write_binding(text: &mut String, found: &Found, binding: &Binding, likely: &[String]) {
    let role = role_of(found, binding, likely);
    let (mark, role, why) = if let Some((role, true)) = role {
        let why = format!("{} called as the role `{role}` is.", who(&binding.names));
        ("", role, why)
    } else {
        let guesses = binding.names.iter().filter_map(|name| {
            let roles = found.roles.guess(name, likely);
            let roles: Vec<String> = roles.iter().map(|role| format!("`{role}`")).collect();
            (!roles.is_empty()).then(|| format!("`{name}` is called as {} is", roles.join(", and as ")))
        });
        let guesses: Vec<String> = guesses.collect();
        let why = if guesses.is_empty() {
            "Say which role they have, and take the marks of comments away.".to_owned()
        } else {
            format!("{}: choose.", listed(&guesses))
        };
        let example = role.map_or_else(|| found.roles.example(), |(role, _)| role);
        ("# ", example, why)
    };
    let key = binding.key;
    let _written = write!(
        text,
        "\n# {} {why}\n{mark}[[bind]]\n{mark}roles = [{}]\n{mark}zone  = \"internal\"\n{mark}{key} = {}\n",
        binding.about,
        quoted(&role),
        binding.value
    );
}

/// A few names, as the beginning of a sentence.
fn who(names: &[String]) -> String {
    match names {
        [one] => format!("`{one}` is"),
        names => format!("{} are", listed(names)),
    }
}

/// The first few of some names.
fn listed(names: &[String]) -> String {
    const MAX: usize = 6;
    let shown: Vec<&str> = names.iter().take(MAX).map(String::as_str).collect();
    match names.len().saturating_sub(MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// What a resource is called behind its type: `web` of `module.net.aws_security_group.web`.
fn last_part(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).to_owned()
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut shown = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                shown.push('\\');
                shown.push(letter);
            }
            letter if letter.is_control() => {
                let _written = write!(shown, "\\u{:04X}", u32::from(letter));
            }
            letter => shown.push(letter),
        }
    }
    shown.push('"');
    shown
}
