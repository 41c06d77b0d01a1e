//! Rulesets into the kernel. INVARIANT: a rule that the kernel's tool refuses is left out of the text that comes back, by
//! a comment in its line, so lines keep their numbers.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use portcullis::packet::Family;

/// A way into the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    /// iptables-restore, whichever of its two filters it fills.
    Iptables,
    /// iptables-restore into the older filter.
    IptablesLegacy,
    /// nft.
    Nft,
}

/// What was loaded, and what was not.
pub(crate) struct Loaded {
    /// The text without the lines that were refused.
    pub(crate) text: String,
    pub(crate) refused: Vec<String>,
}

/// Refused lines after which a ruleset is given up.
const MAX_REFUSALS: usize = 60;

impl Tool {
    pub(crate) fn program(self, family: Family) -> &'static str {
        match (self, family) {
            (Self::Iptables, Family::V4) => "iptables-restore",
            (Self::Iptables, Family::V6) => "ip6tables-restore",
            (Self::IptablesLegacy, Family::V4) => "iptables-legacy-restore",
            (Self::IptablesLegacy, Family::V6) => "ip6tables-legacy-restore",
            (Self::Nft, _) => "nft",
        }
    }

    /// Loads a ruleset into the namespace of this thread, or says what the tool says.
    pub(crate) fn load(self, text: &str, family: Family) -> Result<(), String> {
        let arguments: &[&str] = match self {
            Self::Nft if text.trim_start().starts_with('{') => &["-j", "-f", "-"],
            Self::Nft => &["-f", "-"],
            _ => &[],
        };
        run(self.program(family), arguments, text).map(|_| ())
    }

    /// The program that prints what is loaded, with counters; `None` if there is none that prints it as it was.
    pub(crate) fn lister(self, family: Family) -> Option<&'static str> {
        match (self, family) {
            (Self::Iptables, Family::V4) => Some("iptables-save"),
            (Self::Iptables, Family::V6) => Some("ip6tables-save"),
            (Self::IptablesLegacy, Family::V4) => Some("iptables-legacy-save"),
            (Self::IptablesLegacy, Family::V6) => Some("ip6tables-legacy-save"),
            (Self::Nft, _) => None,
        }
    }

    /// Loads what can be loaded of a ruleset. An error is what the tool says of more than single rules.
    pub(crate) fn load_without_refused(self, text: &str, family: Family) -> Result<Loaded, String> {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if self != Self::Nft {
            without_prose(&mut lines)?;
        }
        let mut refused = Vec::new();
        for _ in 0..MAX_REFUSALS {
            let text = lines.join("\n") + "\n";
            let Err(said) = self.load(&text, family) else {
                return Ok(Loaded { text, refused });
            };
            let mut left_out = if self == Self::Nft {
                left_out_of_nft(&said, &mut lines)
            } else {
                left_out(&said, &mut lines)
            };
            if left_out.is_empty() && self != Self::Nft {
                left_out = self.left_out_of_table(&said, &mut lines, family);
            }
            if left_out.is_empty() {
                return Err(said);
            }
            refused.extend(left_out);
        }
        Err(format!("more than {MAX_REFUSALS} kinds of rules are refused"))
    }
}

/// Makes the sets in the namespace of this thread. Gives the text without what the kernel does not take: types that it does not
/// have, and elements of them. The rules that ask for what is not there are refused in their turn.
pub(crate) fn load_sets(text: &str) -> Result<String, String> {
    let mut lines: Vec<&str> = text.lines().collect();
    for _ in 0..=lines.len() {
        let text = lines.join("\n") + "\n";
        // A list keeps its sets until it is empty.
        run("ipset", &["flush"], "")?;
        run("ipset", &["destroy"], "")?;
        let Err(said) = run("ipset", &["restore"], &text) else {
            return Ok(text);
        };
        let at = line_named(&said).and_then(|line| line.checked_sub(1));
        let refused = at.and_then(|at| lines.get_mut(at)).ok_or(said)?;
        *refused = "";
    }
    Err("no set can be made".to_owned())
}

impl Tool {
    /// Where a tool complains of a whole table at its `COMMIT`: makes comments of the rules that it does not take one by
    /// one either.
    fn left_out_of_table(self, said: &str, lines: &mut [String], family: Family) -> Vec<String> {
        let Some(end) = line_named(said).and_then(|line| line.checked_sub(1)) else {
            return Vec::new();
        };
        let is_header = |line: &String| line.trim().starts_with('*');
        let begin = lines
            .get(..end)
            .and_then(|before| before.iter().rposition(is_header));
        let Some(table) = begin.and_then(|begin| lines.get_mut(begin..end)) else {
            return Vec::new();
        };
        let frame: Vec<String> = table
            .iter()
            .filter(|line| shape(line).is_none())
            .cloned()
            .collect();
        let mut refused = Vec::new();
        for line in table
            .iter_mut()
            .filter(|line| shape(line).is_some())
            .take(MAX_REFUSALS)
        {
            let alone = format!("{}\n{line}\nCOMMIT\n", frame.join("\n"));
            if self.load(&alone, family).is_err() {
                refused.push(std::mem::replace(line, "#".to_owned()));
            }
        }
        refused
    }
}

/// Makes comments of what stands outside of tables: prompts and the like, which people paste with a dump.
fn without_prose(lines: &mut [String]) -> Result<(), String> {
    let (mut is_inside, mut has_table) = (false, false);
    for line in lines {
        let text = line.trim();
        if text.starts_with('*') {
            (is_inside, has_table) = (true, true);
        } else if !is_inside && !text.starts_with('#') {
            "#".clone_into(line);
        } else if text.starts_with("COMMIT") {
            is_inside = false;
        }
    }
    if has_table {
        Ok(())
    } else {
        Err("has no table".to_owned())
    }
}

/// Makes comments of the rules that a tool complains of; gives what they were. Rules that differ in numbers alone are
/// refused alike, and each try costs a load.
fn left_out(said: &str, lines: &mut [String]) -> Vec<String> {
    let missing = said
        .split("Chain '")
        .nth(1)
        .and_then(|rest| rest.split('\'').next());
    let is_refused: Box<dyn Fn(&str) -> bool> = if let Some(chain) = missing {
        let leads = [format!("-j {chain}"), format!("-g {chain}")];
        Box::new(move |line| shape(line).is_some() && leads.iter().any(|lead| line.contains(lead.as_str())))
    } else {
        let at = line_named(said).and_then(|line| line.checked_sub(1));
        let Some(refused) = at.and_then(|at| lines.get(at)).and_then(|line| shape(line)) else {
            return Vec::new();
        };
        Box::new(move |line| shape(line).as_ref() == Some(&refused))
    };
    let refused = lines.iter_mut().filter(|line| is_refused(line));
    refused
        .map(|line| std::mem::replace(line, "#".to_owned()))
        .collect()
}

/// Makes comments of the lines that nft complains of, if they are rules of their own.
fn left_out_of_nft(said: &str, lines: &mut [String]) -> Vec<String> {
    let named = said.lines().filter_map(|line| {
        line.strip_prefix("/dev/stdin:")
            .or_else(|| line.split("/dev/stdin:").nth(1))
    });
    let named = named.filter_map(|rest| rest.split(':').next()?.parse::<usize>().ok()?.checked_sub(1));
    let mut refused = Vec::new();
    for at in named.collect::<BTreeSet<_>>() {
        let is_rule = |line: &&mut String| {
            let count = |of: char| line.matches(of).count();
            let first = line.split_whitespace().next().unwrap_or("#");
            count('{') == count('}')
                && !matches!(first, "#" | "}" | "type" | "set" | "map" | "chain" | "table")
        };
        let line = lines.get_mut(at).filter(is_rule);
        refused.extend(line.map(|line| std::mem::replace(line, "#".to_owned())));
    }
    refused
}

/// The line of which the tool complains: "line 7", or "Error occurred at line: 7".
fn line_named(said: &str) -> Option<usize> {
    said.split("line").skip(1).find_map(|rest| {
        let rest = rest.trim_start_matches([':', ' ']);
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    })
}

/// A rule without its chain and its numbers; `None` for a line that is no rule.
fn shape(line: &str) -> Option<String> {
    let mut words = line.split_whitespace().skip_while(|word| word.starts_with('['));
    let command = words.next().filter(|word| matches!(*word, "-A" | "-I" | "-D"))?;
    let kept = words.skip(1).map(|word| {
        let is_number = |letter: char| letter.is_ascii_hexdigit() || ".:/,-".contains(letter);
        if word.starts_with(|first: char| first.is_ascii_digit()) && word.chars().all(is_number) {
            "0"
        } else {
            word
        }
    });
    Some(std::iter::once(command).chain(kept).collect::<Vec<_>>().join(" "))
}

/// Runs a program of the machine; its output, or what it says on failing.
pub(crate) fn run(program: &str, arguments: &[&str], input: &str) -> Result<String, String> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input.as_bytes()));
        child.wait_with_output()
    });
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        let said = text(&output.stderr);
        Err(format!("{program}: {}: {}", output.status, said.trim()))
    }
}
