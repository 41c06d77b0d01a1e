//! What each file of `/etc/ufw` is: by its name there, and by its content where the name says nothing.
//!
//! INVARIANT: a file is one kind of part, and whether it is claimed follows from which.

use crate::dialect::{Claim, Tree};
use crate::packet::Family;
use crate::source::Source;

/// How much of a file is looked at.
const MAX_LOOK: usize = 64 << 10;

/// The files of a configuration, from its folder, in the order in which they are read. Old releases kept the user's rules
/// elsewhere; `ufw reset` leaves copies behind whose names end in a time.
const PARTS: &[&str] = &[
    "user.rules",
    "user6.rules",
    "before.rules",
    "before6.rules",
    "after.rules",
    "after6.rules",
    "ufw.conf",
    "../default/ufw",
    "applications.d/*",
    "before.init",
    "after.init",
    "sysctl.conf",
    "../../lib/ufw/user.rules",
    "../../lib/ufw/user6.rules",
    "../../var/lib/ufw/user.rules",
    "../../var/lib/ufw/user6.rules",
    "*.rules.[0-9]*",
];

/// When a file of rules is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Before,
    After,
    User,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// `before.rules`, `user6.rules`
    Rules(Turn, Family),
    /// `ufw.conf` or `default/ufw`
    Settings,
    /// `applications.d/…`
    Profiles,
    /// `before.init` or `after.init`: run if they are executable.
    Script,
    /// What `ufw status` prints.
    Status,
    /// What `ufw show added` prints.
    Added,
    /// Nothing that filters: settings of the kernel.
    Other,
}

/// What a file is, if it is one of ufw's.
pub(super) fn part(source: Source<'_>) -> Option<Part> {
    by_name(source.name).or_else(|| by_content(beginning(source.text)))
}

/// The name of a file of rules without the time that `ufw reset` has put behind it; `None` if there is none.
fn without_time(file: &str) -> Option<&str> {
    let (name, time) = file.split_once(".rules.")?;
    let is_time = !time.is_empty() && time.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    file.get(..name.len() + ".rules".len()).filter(|_| is_time)
}

/// Whether a file is a copy that `ufw reset` made: it counts only where it is given without what took its place.
pub(super) fn is_copy(source: Source<'_>) -> bool {
    without_time(source.name.rsplit('/').next().unwrap_or(source.name)).is_some()
}

fn by_name(name: &str) -> Option<Part> {
    let mut parts = name.rsplit('/');
    let (file, folder) = (parts.next().unwrap_or(name), parts.next().unwrap_or(""));
    let file = without_time(file).unwrap_or(file);
    Some(match (folder, file) {
        (_, "user.rules") => Part::Rules(Turn::User, Family::V4),
        (_, "user6.rules") => Part::Rules(Turn::User, Family::V6),
        (_, "before.rules") => Part::Rules(Turn::Before, Family::V4),
        (_, "before6.rules") => Part::Rules(Turn::Before, Family::V6),
        (_, "after.rules") => Part::Rules(Turn::After, Family::V4),
        (_, "after6.rules") => Part::Rules(Turn::After, Family::V6),
        (_, "ufw.conf") | ("default", "ufw") => Part::Settings,
        (_, "before.init" | "after.init") => Part::Script,
        (_, "sysctl.conf") => Part::Other,
        ("applications.d", _) => Part::Profiles,
        _ => return None,
    })
}

fn by_content(text: &str) -> Option<Part> {
    if is_status(text) {
        return Some(Part::Status);
    }
    if lines(text).any(|line| line.starts_with("Added user rules")) {
        return Some(Part::Added);
    }
    let declares = |chain: &str| lines(text).any(|line| line.starts_with(chain));
    let family = if declares(":ufw6-") {
        Family::V6
    } else {
        Family::V4
    };
    let starts = |what: &str| declares(&format!(":ufw-{what}")) || declares(&format!(":ufw6-{what}"));
    if lines(text).any(|line| line.starts_with(TUPLE)) || starts("user-input") {
        Some(Part::Rules(Turn::User, family))
    } else if starts("before-input") {
        Some(Part::Rules(Turn::Before, family))
    } else if starts("after-input") {
        Some(Part::Rules(Turn::After, family))
    } else {
        None
    }
}

/// What begins a tuple.
pub(super) const TUPLE: &str = "### tuple ###";

/// ufw(8): `ufw status` begins with whether the firewall is on. Prompts may stand before it.
fn is_status(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !is_prompt(line));
    first.is_some_and(|line| matches!(line, "Status: active" | "Status: inactive"))
}

/// Whether a line is blank, or the command that printed what follows.
pub(super) fn is_prompt(line: &str) -> bool {
    line.is_empty()
        || line.ends_with("ufw status")
        || line.contains("ufw status ")
        || line.contains("ufw show added")
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim)
}

/// Whether a file is ufw's: by its content, or by its name if there is nothing in it.
pub(super) fn claim(source: Source<'_>) -> Claim {
    let text = beginning(source.text);
    let has_setting = |keys: &[&str]| lines(text).any(|line| keys.iter().any(|key| line.starts_with(key)));
    let is_content = match by_name(source.name) {
        Some(Part::Rules(..)) => is_rules(text),
        Some(Part::Settings) if source.name.ends_with("ufw.conf") => has_setting(&["ENABLED=", "LOGLEVEL="]),
        Some(Part::Settings) => has_setting(&["IPV6=", "DEFAULT_INPUT_POLICY="]),
        Some(Part::Profiles) => has_setting(&["["]) && has_setting(&["ports"]),
        Some(_) => false,
        None => match by_content(text) {
            Some(Part::Status) => true,
            Some(Part::Added) => !quotes(source.name),
            Some(Part::Rules(..)) => {
                let is_first = |line: &str| line == "*filter";
                let mut said = lines(text).filter(|line| !line.is_empty() && !line.starts_with('#'));
                said.next().is_some_and(is_first) && is_rules(text)
            }
            _ => false,
        },
    };
    if is_content { Claim::Content } else { Claim::No }
}

/// Whether these are rules that ufw adds to, not a dump of all that the kernel has.
fn is_rules(text: &str) -> bool {
    let is_dump =
        lines(text).any(|line| line.starts_with(":INPUT ") || line.contains("ufw-before-logging-input -"));
    let is_users = lines(text).any(|line| line.starts_with(TUPLE) || line == "### RULES ###");
    let is_ufws = lines(text).any(|line| line.starts_with(":ufw-") || line.starts_with(":ufw6-"));
    is_users || is_ufws && !is_dump
}

/// Whether a file talks about commands rather than being their output.
fn quotes(name: &str) -> bool {
    [".md", ".rst", ".html", ".py", ".sh"]
        .iter()
        .any(|extension| name.ends_with(extension))
}

/// The configuration that a file is a part of.
pub(super) fn tree(source: Source<'_>) -> Option<Tree> {
    by_name(source.name)?;
    Tree::around(source.name, "etc/ufw", PARTS)
}

fn beginning(text: &str) -> &str {
    let end = (0..=MAX_LOOK.min(text.len()))
        .rev()
        .find(|&end| text.is_char_boundary(end));
    text.get(..end.unwrap_or(0)).unwrap_or("")
}
