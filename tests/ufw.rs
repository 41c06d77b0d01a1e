//! The reader of ufw: fixtures by eye, tuples that are refused, ufw's own tests if a corpus is named, and ufw itself if it is
//! installed. INVARIANT: rulesets that are compared are compiled into one space, so equal sets are equal numbers.

#![cfg(test)]

#[path = "support/file.rs"]
mod file;
#[path = "support/golden.rs"]
mod golden;
#[path = "support/hooked.rs"]
mod hooked;
#[path = "support/installed_ufw.rs"]
mod installed_ufw;
#[path = "support/model_text.rs"]
mod model_text;
#[path = "support/say.rs"]
mod say;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use portcullis::dialect::iptables::Iptables;
use portcullis::dialect::ufw::Ufw;
use portcullis::dialect::{Claim, Dialect, Reading, detect};
use portcullis::finding::{Code, Finding};
use portcullis::model::{Compiler, Families, HostFacts, Purpose, Ruleset};
use portcullis::packet::{Bounds, Space};
use portcullis::source::SourceMap;

use hooked::hooked;
use installed_ufw::{Installed, Loaded, commands};

/// Reads texts as if they lay in files of these names.
fn read(files: &[(String, String)]) -> (SourceMap, Reading) {
    let mut map = SourceMap::new();
    let ids: Vec<_> = files
        .iter()
        .map(|(name, text)| map.add_text(name, text.as_str()))
        .collect();
    let unit: Vec<_> = ids.iter().map(|id| map.source(*id)).collect();
    let reading = Ufw.read(&unit);
    (map, reading)
}

fn read_one(name: &str, text: &str) -> (SourceMap, Reading) {
    read(&[(name.to_owned(), text.to_owned())])
}

/// `file:line:col..col code: message | help`, and the bytes of related labels.
fn notice_text(map: &SourceMap, finding: &Finding) -> String {
    let span = finding.primary.as_ref().unwrap().span;
    let end = map.file(span.file).line_column(span.end);
    let place = map.place(span);
    let mut text = format!(
        "{place}..{} {}: {}",
        end.column,
        finding.code.id(),
        finding.message
    );
    for label in &finding.related {
        write!(text, " | {} `{}`", label.message, map.text(label.span)).unwrap();
    }
    if let Some(help) = &finding.help {
        write!(text, " | {help}").unwrap();
    }
    text + "\n"
}

/// The files below a folder with the names that they have from there.
fn files_below(root: &Path) -> Vec<(String, String)> {
    let entries = walkdir::WalkDir::new(root).sort_by_file_name().into_iter();
    let files = entries
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file());
    let named = files.map(|entry| {
        let name = entry
            .path()
            .strip_prefix(root)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        (name, std::fs::read_to_string(entry.path()).unwrap_or_default())
    });
    named.filter(|(name, _)| name != "model.txt").collect()
}

/// The chains that hooks call and those of the user: the others are the same in every fixture.
fn own_chains(text: &str) -> String {
    let mut blocks = text.split("\n\n");
    let first = blocks.next().unwrap_or_default().to_owned();
    let is_own = |block: &&str| {
        let head = block.lines().next().unwrap_or_default();
        head.contains("-user-") || head.contains(": ")
    };
    let own: Vec<&str> = blocks.filter(is_own).collect();
    format!("{first}\n\n{}\n", own.join("\n\n").trim_end())
}

#[test]
fn fixtures_lower_as_their_models_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/ufw");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    for folder in folders {
        let (map, reading) = read(&files_below(&folder));
        let mut text = String::new();
        for note in &reading.notes {
            writeln!(text, "note: {note}").unwrap();
        }
        text.extend(reading.notices.iter().map(|notice| notice_text(&map, notice)));
        for ruleset in &reading.rulesets {
            writeln!(
                text,
                "\n{}",
                own_chains(&model_text::model_text(ruleset, &map)).trim_end()
            )
            .unwrap();
        }
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        golden::assert_golden(&format!("fixtures/ufw/{name}/model.txt"), &text);
    }
}

#[test]
fn files_are_known_by_what_is_in_them() {
    for (name, text, expected) in [
        (
            "etc/ufw/user.rules",
            "*filter\n:ufw-user-input - [0:0]\nCOMMIT\n",
            Some("ufw"),
        ),
        (
            "saved",
            "*filter\n:ufw-user-input - [0:0]\n### RULES ###\nCOMMIT\n",
            Some("ufw"),
        ),
        (
            "etc/ufw/before6.rules",
            "*filter\n:ufw6-before-input - [0:0]\nCOMMIT\n",
            Some("ufw"),
        ),
        ("etc/ufw/ufw.conf", "ENABLED=yes\n", Some("ufw")),
        ("etc/default/ufw", "# ufw\nIPV6=yes\n", Some("ufw")),
        (
            "audit/ufw.txt",
            "root@a:~# ufw status\nStatus: active\n",
            Some("ufw"),
        ),
        // What the kernel has of ufw is a dump like any other.
        (
            "saved",
            "*filter\n:INPUT DROP [0:0]\n:ufw-user-input - [0:0]\nCOMMIT\n",
            Some("iptables"),
        ),
        (
            "user.rules",
            "*filter\n:INPUT DROP [0:0]\nCOMMIT\n",
            Some("iptables"),
        ),
        ("notes.md", "Status: active is what you want to see\n", None),
        ("status.txt", "Status: green\n", None),
        ("etc/default/cron", "IPV6=yes\n", None),
    ] {
        let mut map = SourceMap::new();
        let file = map.add_text(name, text);
        let found = detect(map.source(file)).map(Dialect::name);
        assert_eq!(found, expected, "{name}: {text}");
    }
    let mut map = SourceMap::new();
    let file = map.add_text("etc/ufw/sysctl.conf", "net/ipv4/ip_forward=1\n");
    assert_eq!(Ufw.claims(map.source(file)), Claim::No);
}

/// What `ufw reset` leaves behind is not what is loaded, but may be asked about by itself.
#[test]
fn a_copy_of_old_rules_counts_only_alone() {
    let rules = |port: u16| {
        format!(
            "*filter\n:ufw-user-input - [0:0]\n### RULES ###\n\n### tuple ### allow tcp {port} 0.0.0.0/0 any 0.0.0.0/0 in\n\
             -A ufw-user-input -p tcp --dport {port} -j ACCEPT\n\nCOMMIT\n"
        )
    };
    let new = ("etc/ufw/user.rules".to_owned(), rules(22));
    let old = ("etc/ufw/user.rules.20260101_101010".to_owned(), rules(23));
    for (files, n_rules, word) in [(vec![new, old.clone()], 1, "22"), (vec![old], 1, "23")] {
        let (map, reading) = read(&files);
        assert_eq!(reading.n_rules, n_rules);
        assert!(reading.notices.is_empty());
        let text = model_text::model_text(&reading.rulesets[0], &map);
        assert!(
            text.contains(&format!("service {word} `{word}`; => accept `allow`")),
            "{text}"
        );
    }
    let (_, reading) = read_one("applications.d/web", "[Site]\nports=80/tcp\n");
    assert!(
        reading
            .notices
            .iter()
            .any(|notice| notice.code == Code::UnreadText)
    );
}

/// Old releases kept the rules of the user elsewhere.
#[test]
fn rules_that_an_old_release_kept_are_found() {
    let mut map = SourceMap::new();
    let file = map.add_text(
        "h/lib/ufw/user.rules",
        "*filter\n:ufw-user-input - [0:0]\nCOMMIT\n",
    );
    let tree = Ufw.tree(map.source(file)).unwrap();
    assert_eq!(tree.root, "h/etc/ufw");
    let patterns: Vec<_> = tree.patterns().collect();
    for path in [
        "h/etc/ufw/before.rules",
        "h/etc/default/ufw",
        "h/lib/ufw/user.rules",
    ] {
        assert!(
            patterns.iter().any(|pattern| pattern == path),
            "{path} {patterns:?}"
        );
    }
}

/// Tuples that ufw does not take, with the slice that is wrong. Each stands above no line, which is another finding.
#[test]
fn tuples_are_refused_at_the_word_that_is_wrong() {
    for (tuple, at, says) in [
        ("allow tcp 22 0.0.0.0/0 any", "any", "too early"),
        ("", "", "empty"),
        ("permit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in", "permit", "verdict"),
        ("allow_all tcp 22 0.0.0.0/0 any 0.0.0.0/0 in", "all", "way to log"),
        ("allow icmp any 0.0.0.0/0 any 0.0.0.0/0 in", "icmp", "protocol"),
        ("allow esp 22 0.0.0.0/0 any 0.0.0.0/0 in", "22", "no ports"),
        (
            "allow any 80,443 0.0.0.0/0 any 0.0.0.0/0 in",
            "80,443",
            "without a protocol",
        ),
        (
            "allow tcp 70000 0.0.0.0/0 any 0.0.0.0/0 in",
            "70000",
            "not a port",
        ),
        ("allow tcp 22, 0.0.0.0/0 any 0.0.0.0/0 in", "", "not a port"),
        (
            "allow tcp 90:80 0.0.0.0/0 any 0.0.0.0/0 in",
            "90:80",
            "ends before",
        ),
        (
            "allow tcp 22 10.0.0.256 any 0.0.0.0/0 in",
            "10.0.0.256",
            "not an address",
        ),
        ("allow tcp 22 10.0.0.0/33 any 0.0.0.0/0 in", "33", "neither"),
        (
            "allow tcp 22 2001:db8::1 any 0.0.0.0/0 in",
            "2001:db8::1",
            "no IPv4 address",
        ),
        (
            "allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 inward",
            "inward",
            "direction",
        ),
        (
            "allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in_eth0:1",
            "eth0:1",
            "interface",
        ),
        (
            "allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in_eth0!out_eth1",
            "eth0!out_eth1",
            "interface",
        ),
        (
            "route:allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 out_a!in_b",
            "out_a!in_b",
            "pair",
        ),
        (
            "allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 We%2b - in",
            "We%2b",
            "application",
        ),
        ("allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 a b in d", "d", "nine words"),
        (
            "allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=xyz",
            "comment=xyz",
            "hexadecimal",
        ),
        (
            "allow tcp 1,2,3,4,5,6,7,8,9,10,11,12,13,14:15,16 0.0.0.0/0 any 0.0.0.0/0 in",
            "1,2,3,4,5,6,7,8,9,10,11,12,13,14:15,16",
            "more than 15",
        ),
    ] {
        let text = format!("*filter\n### tuple ### {tuple}\nCOMMIT\n");
        let (map, reading) = read_one("user.rules", &text);
        let unread: Vec<_> = reading
            .notices
            .iter()
            .filter(|notice| notice.code == Code::UnreadText)
            .map(|notice| {
                (
                    map.text(notice.primary.as_ref().unwrap().span),
                    notice.message.as_str(),
                )
            })
            .collect();
        let is_right =
            matches!(unread.as_slice(), [(found, message)] if *found == at && message.contains(says));
        assert!(is_right, "{tuple}: {unread:?}");
    }
}

/// Wherever a file ends, and whichever of its bytes is another, it is read without a panic.
#[test]
fn files_that_are_cut_or_garbled_are_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/ufw");
    let mut n_read = 0;
    for (name, text) in files_below(&root) {
        if name.ends_with("model.txt") {
            continue;
        }
        let file = name.split_once('/').unwrap().1;
        for at in (0..text.len()).step_by(7) {
            let cut = text.get(..at).unwrap_or_default();
            let mut bytes = text.clone().into_bytes();
            bytes[at] = b" ,:/!()#=\n"[at / 7 % 10];
            for text in [cut.to_owned(), String::from_utf8_lossy(&bytes).into_owned()] {
                let (_, reading) = read_one(file, &text);
                assert!(reading.rulesets.len() <= 2);
                n_read += 1;
            }
        }
    }
    assert!(n_read > 1000, "{n_read}");
}

/// Ten times what anyone has takes seconds: nothing grows with the square of the rules.
#[test]
fn many_tuples_and_long_lines_are_read_in_time() {
    const N_TUPLES: usize = 20_000;
    let start = std::time::Instant::now();
    let mut text = "*filter\n:ufw-user-input - [0:0]\n### RULES ###\n".to_owned();
    for at in 0..N_TUPLES {
        let (a, b, port) = (at / 250, at % 250, at % 60_000 + 1);
        write!(
            text,
            "\n### tuple ### allow any {port} 0.0.0.0/0 any 10.{a}.{b}.0/24 in\n\
             -A ufw-user-input -p tcp --dport {port} -s 10.{a}.{b}.0/24 -j ACCEPT\n\
             -A ufw-user-input -p udp --dport {port} -s 10.{a}.{b}.0/24 -j ACCEPT\n"
        )
        .unwrap();
    }
    let (_, reading) = read_one("user.rules", &(text + "COMMIT\n"));
    assert!(reading.notices.is_empty(), "{:?}", reading.notices.first());
    let ruleset = &reading.rulesets[0];
    let user = ruleset
        .chains
        .iter()
        .find(|chain| chain.path == "filter/ufw-user-input");
    assert_eq!(user.unwrap().rules.len(), N_TUPLES);
    let long = "1,".repeat(5 << 20);
    let lines = [
        format!("*filter\n### tuple ### allow tcp {long} any any any in\nCOMMIT\n"),
        format!("*filter\n### tuple ### {}\nCOMMIT\n", "allow ".repeat(1 << 20)),
    ];
    for text in lines {
        let (_, reading) = read_one("user.rules", &text);
        assert!(
            reading
                .notices
                .iter()
                .any(|notice| notice.code == Code::UnreadText)
        );
    }
    let rows = "Our App    ALLOW IN    Anywhere\n".repeat(20_000);
    let (_, reading) = read_one("status.txt", &format!("Status: active\n{rows}"));
    assert_eq!(reading.n_rules, 20_000);
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

/// What each chain accepts if the rest is dropped, and if it is accepted, by family and name.
type Meaning = BTreeMap<String, Vec<Bounds>>;

/// The meanings of the base chains of two readings.
fn meanings(one: Vec<Ruleset>, two: Vec<Ruleset>) -> [Meaning; 2] {
    let n_first = one.len();
    let rulesets: Vec<Ruleset> = one.into_iter().chain(two).collect();
    let mut compiler = Compiler::new(&rulesets, HostFacts::default(), Space::default());
    let mut meanings = [Meaning::new(), Meaning::new()];
    for (at, ruleset) in rulesets.iter().enumerate() {
        for (index, base) in ruleset.bases.iter().enumerate() {
            if base.purpose != Purpose::Filter {
                continue;
            }
            let path = &ruleset.chains[base.chain.0 as usize].path;
            let ruling = compiler.decided(at, index).unwrap();
            let ruling = compiler.assume_properties(ruling).unwrap();
            let accepted = compiler.space.accepted(ruling).unwrap();
            meanings[usize::from(at >= n_first)]
                .entry(format!("{:?} {path} {:?}", ruleset.families, base.default))
                .or_default()
                .push(accepted);
        }
    }
    meanings
}

/// The ruleset with the user's chains hooked, once for each default verdict.
fn of_user(ruleset: Ruleset) -> Ruleset {
    let ends = ["-user-input", "-user-output", "-user-forward"];
    hooked(ruleset, |chain| ends.iter().any(|end| chain.path.ends_with(end)))
}

/// The folder of ufw's own tests, if there is one.
fn corpus() -> Option<PathBuf> {
    let root = std::env::var_os("PORTCULLIS_CORPUS").map(|root| Path::new(&root).join("jdstrand+ufw"));
    let found = root.filter(|root| root.is_dir());
    if found.is_none() {
        say::say("skipped: ufw: PORTCULLIS_CORPUS names no folder with jdstrand+ufw");
    }
    found
}

/// How many lines ufw writes for a tuple: for TCP and for UDP where it names ports and no protocol; three for a limit;
/// three more to log.
fn n_lines(tuple: &str) -> usize {
    let words: Vec<&str> = tuple.split(' ').collect();
    let has_port = words[2] != "any" || words[4] != "any";
    let n_protocols = if words[1] == "any" && has_port { 2 } else { 1 };
    let n_limit = if words[0].contains("limit") { 3 } else { 1 };
    n_protocols * (n_limit + if words[0].contains("_log") { 3 } else { 0 })
}

/// A case of ufw's tests as the two files of rules that ufw wrote: tuples, each with the lines that follow it. `None` if the
/// lines do not come out even.
fn as_files(tuples: &[&str], lines: &[&str]) -> Option<[String; 2]> {
    const CHAINS: &[&str] = &[
        "user-input",
        "user-output",
        "user-forward",
        "user-logging-input",
        "user-logging-output",
        "user-logging-forward",
        "user-limit",
        "user-limit-accept",
    ];
    let is_of_rule = |line: &&&str| {
        let chain = line.split(' ').nth(1).unwrap_or_default();
        let is_end = line.ends_with("-logging-input -j RETURN") && line.split(' ').count() == 4;
        !is_end && !chain.ends_with("-limit") && !chain.ends_with("-accept")
    };
    let mut rest = lines.iter().filter(is_of_rule);
    let mut files = ["ufw", "ufw6"].map(|ufw| {
        let chains = CHAINS.iter().map(|chain| format!(":{ufw}-{chain} - [0:0]\n"));
        format!("*filter\n{}### RULES ###\n", chains.collect::<Vec<_>>().concat())
    });
    for tuple in tuples {
        let own: Vec<&str> = rest.by_ref().take(n_lines(tuple)).copied().collect();
        if own.len() < n_lines(tuple) {
            return None;
        }
        let is_v6 = own[0].starts_with("-A ufw6-");
        write!(
            files[usize::from(is_v6)],
            "\n### tuple ### {tuple}\n{}\n",
            own.join("\n")
        )
        .unwrap();
    }
    for (file, ufw) in files.iter_mut().zip(["ufw", "ufw6"]) {
        write!(
            file,
            "\n### END RULES ###\n-A {ufw}-user-limit -j REJECT\n-A {ufw}-user-limit-accept -j ACCEPT\nCOMMIT\n"
        )
        .unwrap();
    }
    rest.next().is_none().then_some(files)
}

fn strings(value: &serde_json::Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_str().unwrap())
        .collect()
}

fn cases(root: &Path) -> Vec<serde_json::Value> {
    let bytes = std::fs::read(root.join("expected/cases.json")).unwrap();
    let cases: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    cases.as_array().unwrap().clone()
}

/// The files of a case, read.
fn read_files(files: [String; 2]) -> (SourceMap, Reading) {
    let [four, six] = files;
    read(&[("user.rules".to_owned(), four), ("user6.rules".to_owned(), six)])
}

/// Whether the lines of a case are told apart: what failed is shown.
#[test]
fn what_tuples_say_is_what_the_lines_under_them_say() {
    let Some(root) = corpus() else { return };
    let (mut n_cases, mut n_tuples, mut n_uneven, mut wrong) = (0, 0, 0, Vec::new());
    for case in cases(&root) {
        let (tuples, lines) = (strings(&case["tuples"]), strings(&case["user_rules"]));
        if tuples.is_empty() {
            continue;
        }
        let Some(files) = as_files(&tuples, &lines) else {
            println!("uneven: {}: {}", case["file"], case["cmd"]);
            n_uneven += 1;
            continue;
        };
        n_cases += 1;
        n_tuples += tuples.len();
        let (map, reading) = read_files(files);
        let notices = reading.notices.iter();
        let told = notices.filter(|notice| notice.code != Code::UnsupportedMatch);
        wrong.extend(told.map(|notice| format!("{}: {}", case["cmd"], notice_text(&map, notice))));
    }
    say::say(&format!(
        "ufw: {n_cases} cases with {n_tuples} tuples, {} of which their lines contradict; of {n_uneven} cases the lines are not all there",
        wrong.len()
    ));
    assert!(wrong.is_empty(), "{}", wrong.join(""));
    assert!(n_cases >= 404 && n_uneven <= 7, "{n_cases} {n_uneven}");
}

/// What a command asks for is what the tuples say that ufw made of it.
#[test]
fn what_commands_say_is_what_ufw_writes() {
    let Some(root) = corpus() else { return };
    let (mut n_equal, mut n_unread, mut wrong) = (0, 0, Vec::new());
    for case in cases(&root) {
        let (tuples, lines) = (strings(&case["tuples"]), strings(&case["user_rules"]));
        let command = case["cmd"].as_str().unwrap().replace("ufw --dry-run", "ufw");
        if tuples.is_empty() || !case["cmd"].as_str().unwrap().contains("--dry-run") || !adds(&command) {
            continue;
        }
        let Some(files) = as_files(&tuples, &lines) else {
            continue;
        };
        let has_v6 = lines.iter().any(|line| line.starts_with("-A ufw6-user-"));
        let said = read_command(&command);
        if said
            .notices
            .iter()
            .any(|notice| notice.code == Code::UnreadText || notice.message.contains("the ports of"))
        {
            println!("not read: {command}");
            n_unread += 1;
            continue;
        }
        let of_families = |reading: Reading| {
            let rulesets = reading.rulesets.into_iter();
            rulesets
                .filter(|ruleset| has_v6 || ruleset.families == Families::V4)
                .map(of_user)
                .collect::<Vec<_>>()
        };
        let [one, two] = meanings(of_families(said), of_families(read_files(files).1));
        // A command for one family leaves the other as it was.
        let is_equal = one.iter().all(|(key, meaning)| two.get(key) == Some(meaning));
        if is_equal {
            n_equal += 1;
        } else {
            wrong.push(format!("{command}: {tuples:?}"));
        }
    }
    say::say(&format!(
        "ufw: {n_equal} commands mean what ufw makes of them, {} do not; {n_unread} are not read",
        wrong.len()
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(n_equal >= 308 && n_unread <= 13, "{n_equal} {n_unread}");
}

/// The profiles of ufw's tests that no package brings, and names with blanks, whose quotes the corpus has lost.
const PROFILES: &str = "[OpenNTPD]
ports=123/udp
[Multi TCP]
ports=1234,5678/tcp
[Multi UDP]
ports=1234,5678/udp
[Custom Web App2]
ports=8080:8089/tcp
[runtest]
ports=23/tcp
";
const WITH_BLANKS: &[&str] = &[
    "Apache Secure",
    "Apache Full",
    "Multi TCP",
    "Multi UDP",
    "Custom Web App2",
    "Dovecot POP3",
];

/// Reads a command as `ufw show added` prints it.
fn read_command(command: &str) -> Reading {
    let quoted = WITH_BLANKS.iter().fold(command.to_owned(), |command, name| {
        command.replace(name, &format!("'{name}'"))
    });
    let listing = format!("Added user rules (see 'ufw status' for running firewall):\n{quoted}\n");
    let files = [("added.txt", &*listing), ("applications.d/test", PROFILES)];
    read(&files.map(|(name, text)| (name.to_owned(), text.to_owned()))).1
}

/// Whether a command adds a rule.
fn adds(command: &str) -> bool {
    let mut words = command
        .split(' ')
        .skip(1)
        .filter(|word| *word != "route" && *word != "rule");
    matches!(words.next(), Some("allow" | "deny" | "reject" | "limit"))
}

/// The transcripts of ufw's tests show whole files: each tuple with the lines below it.
#[test]
fn what_transcripts_show_is_read() {
    let Some(root) = corpus() else { return };
    let (mut n_blocks, mut n_cut, mut wrong) = (0, 0, Vec::new());
    for entry in walkdir::WalkDir::new(root.join("tests.old")).sort_by_file_name() {
        let entry = entry.unwrap();
        if entry.file_name() != "result" {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        // grep, which showed some, puts `--` between what it leaves out.
        let text = text.replace(
            "
--
", "

",
        );
        for block in text
            .split(
                "

",
            )
            .filter(|block| block.starts_with("### tuple ###"))
        {
            let (tuple, lines) = block.split_once('\n').unwrap_or((block, ""));
            let lines: Vec<&str> = lines.lines().take_while(|line| line.starts_with("-A ")).collect();
            let tuple = tuple.trim_start_matches("### tuple ###").trim();
            let Some(files) = as_files(&[tuple], &lines) else {
                n_cut += 1;
                continue;
            };
            n_blocks += 1;
            let (map, reading) = read_files(files);
            let notices = reading.notices.iter();
            let told = notices.filter(|notice| notice.code != Code::UnsupportedMatch);
            wrong.extend(told.map(|notice| notice_text(&map, notice)));
        }
    }
    say::say(&format!(
        "ufw: {n_blocks} tuples in transcripts, {} not understood; of {n_cut} the lines are not all shown",
        wrong.len()
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(n_blocks >= 868 && n_cut <= 29, "{n_blocks} {n_cut}");
}

/// The files that ufw leaves behind mean what it has put into the kernel.
#[test]
fn what_the_files_say_is_what_ufw_loads() {
    let mut n_rules = 0;
    let mut n_runs = 0;
    for seed in 0..4 {
        let Some(installed) = Installed::new(&seed.to_string()) else {
            return;
        };
        let Loaded { dumps, status } = installed.run(&commands(seed));
        let mut files = files_below(&installed.0.join("etc/ufw"));
        for (name, _) in &mut files {
            *name = format!("etc/ufw/{name}");
        }
        let defaults = std::fs::read_to_string(installed.0.join("etc/default/ufw")).unwrap();
        files.push(("etc/default/ufw".to_owned(), defaults));
        let (map, reading) = read(&files);
        let told = reading
            .notices
            .iter()
            .filter(|notice| notice.code != Code::UnsupportedMatch);
        let told: Vec<_> = told.map(|notice| notice_text(&map, notice)).collect();
        assert!(told.is_empty(), "{}", told.concat());
        let mut loaded = Vec::new();
        for (name, dump) in ["dump.v4", "dump.v6"].iter().zip(&dumps) {
            let mut map = SourceMap::new();
            let file = map.add_text(*name, dump.as_str());
            loaded.extend(Iptables.read(&[map.source(file)]).rulesets);
        }
        n_rules += reading.n_rules;
        let [one, two] = meanings(reading.rulesets, loaded.clone());
        assert_eq!(one.len(), 6);
        for (key, meaning) in &one {
            assert_eq!(two.get(key), Some(meaning), "{key} of run {seed}");
        }
        // So does what `ufw status` says of it, with the files that ufw ships in the place of those that it does not show.
        let (map, shown) = read_one("status.txt", &status);
        let unread = shown
            .notices
            .iter()
            .filter(|notice| notice.code == Code::UnreadText);
        let unread: Vec<_> = unread.map(|notice| notice_text(&map, notice)).collect();
        assert!(unread.is_empty(), "{}\n{status}", unread.concat());
        let [one, two] = meanings(shown.rulesets, loaded);
        assert!(one.len() >= 3);
        for (key, meaning) in &one {
            assert_eq!(two.get(key), Some(meaning), "{key} of run {seed}:\n{status}");
        }
        n_runs += 1;
    }
    say::say(&format!(
        "ufw: {n_runs} configurations with {n_rules} rules mean what ufw loads of them"
    ));
}
