//! How the program behaves in a shell, a pipe and a CI job: where reports go, colours, silence, exit codes, codes that are asked
//! for, pipes that break.
#![cfg(test)]

#[path = "support/program.rs"]
mod program;
#[path = "support/written.rs"]
mod written;

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use program::{Folder, Run};

const POLICY: &str = "policy web \"The site\" {\n  role server\n\n  require site: any -> server : tcp/443 \"for everybody\"\n}\n";

/// Misses 443, opens 8080 and, with a comment that knows of it, 9090.
const WRONG: &str = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 8080 -j ACCEPT\n# portcullis: ignore[excess-opening] metrics, until the move\n-A INPUT -p tcp --dport 9090 -j ACCEPT\nCOMMIT\n";

const AUDIT: &str = "--policy web.ports --role web.server --no-common";

fn folder() -> Folder {
    Folder::new(&[("web.ports", POLICY), ("wrong.rules", WRONG)])
}

fn check(folder: &Folder, arguments: &str) -> Run {
    folder.run(&format!("check {AUDIT} {arguments} wrong.rules"))
}

/// Holds that a run ends before it begins, and says why.
fn refuses(folder: &Folder, arguments: &str, said: &str) {
    let run = check(folder, arguments);
    assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{arguments}");
    assert!(run.stderr.contains(said), "{arguments}: {}", run.stderr);
}

fn codes(run: &Run) -> Vec<String> {
    let code = |line: &str| line.split_once('[')?.1.split_once(']').map(|it| it.0.to_owned());
    run.stdout.lines().filter_map(code).collect()
}

#[test]
fn several_formats_are_written_by_one_run() {
    let folder = folder();
    let run = check(
        &folder,
        "--format sarif=out.sarif --format junit=out.xml --format concise",
    );
    assert_eq!((run.status, run.stderr.as_str()), (1, ""));
    assert_eq!(codes(&run), ["missing-opening", "excess-opening"]);
    for (name, format) in [("out.sarif", "sarif"), ("out.xml", "junit")] {
        assert_eq!(
            written::text(&folder, name),
            check(&folder, &format!("--format {format}")).stdout,
            "{name}"
        );
    }
    let run = check(&folder, "--format sarif=out.sarif --format json -o out.json");
    assert_eq!((run.status, run.stdout.as_str()), (1, ""));
    assert_eq!(
        written::text(&folder, "out.json"),
        check(&folder, "--format json").stdout
    );
    let run = check(&folder, "-o human.txt");
    assert_eq!((run.status, run.stdout.as_str()), (1, ""));
    assert!(written::text(&folder, "human.txt").ends_with("1 finding taken back by comments\n"));
}

#[test]
fn reports_that_would_run_into_each_other_are_refused() {
    let folder = folder();
    for (arguments, said) in [
        (
            "--format json --format sarif",
            "name a file for one of them, `--format sarif=FILE`",
        ),
        (
            "--format json=a --format sarif -o a",
            "two formats would be written to a",
        ),
        ("--format json=a -o b", "leave `-o` out"),
        (
            "--format serif",
            "there is no format `serif`: did you mean `sarif`?",
        ),
        ("--format sarif=", "`sarif=` names no file"),
    ] {
        refuses(&folder, arguments, said);
    }
}

#[test]
fn a_file_that_cannot_be_written_fails_the_run_and_the_others_are_written() {
    let folder = folder();
    let run = check(
        &folder,
        "--format sarif=nowhere/out.sarif --format json=out.json --format concise",
    );
    assert_eq!(run.status, 2);
    assert!(
        run.stderr
            .contains("nowhere/out.sarif cannot be written: in the folder nowhere: ")
            && !run.stderr.contains(".portcullis-"),
        "{}",
        run.stderr
    );
    assert!(!run.stdout.is_empty() && written::text(&folder, "out.json").starts_with('{'));
    for command in ["openings", "connections", "policy show mke", "policy test"] {
        folder.write(
            "web.test.md",
            b"# A case\n\n```packets\naccepted 192.0.2.1 -> server : tcp/443\n```\n",
        );
        folder.write(
            "cluster.yaml",
            b"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n",
        );
        let run = folder.run(&format!("{command} -o nowhere/out"));
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{command}");
        assert!(
            run.stderr.contains("nowhere/out cannot be written: "),
            "{command}: {}",
            run.stderr
        );
    }
}

#[test]
fn a_file_is_replaced_whole_and_what_is_no_file_is_written_to() {
    let folder = folder();
    folder.write("old.json", "x".repeat(100_000).as_bytes());
    let before: Vec<_> = names(&folder);
    check(&folder, "--format json -o old.json");
    assert_eq!(names(&folder), before, "nothing is left beside it");
    assert_eq!(
        written::text(&folder, "old.json"),
        check(&folder, "--format json").stdout
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::os::unix::fs::symlink("old.json", folder.0.join("link.json")).unwrap();
        check(&folder, "--format sarif -o link.json");
        assert!(folder.0.join("link.json").is_symlink(), "a link stays one");
        assert_eq!(
            written::text(&folder, "old.json"),
            check(&folder, "--format sarif").stdout
        );
        let mode = std::fs::metadata(folder.0.join("old.json"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o400, 0o400);
        let run = check(&folder, "--format concise -o /dev/stdout");
        assert_eq!(run.stdout, check(&folder, "--format concise").stdout);
    }
}

fn names(folder: &Folder) -> Vec<String> {
    let entries = std::fs::read_dir(&folder.0).unwrap();
    let mut names: Vec<_> = entries
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn colours_are_for_whoever_asks() {
    let folder = folder();
    let colored = |arguments: &str, environment: &[(&str, &str)]| {
        let arguments = format!("check {AUDIT} {arguments} wrong.rules");
        folder
            .run_with(&arguments, "", environment)
            .stdout
            .contains("\u{1b}[")
    };
    assert!(!colored("", &[]), "a pipe is no terminal");
    assert!(colored("--color always", &[("NO_COLOR", "1")]));
    assert!(colored("", &[("FORCE_COLOR", "1")]));
    assert!(!colored("", &[("FORCE_COLOR", "1"), ("NO_COLOR", "1")]));
    assert!(!colored("--color never", &[("FORCE_COLOR", "1")]));
    assert!(!colored("--color always --format json", &[]));
    let run = folder.run_with("check --color always --policy nothing wrong.rules", "", &[]);
    assert!(run.stderr.contains("\u{1b}["), "errors too: {}", run.stderr);
    check(&folder, "--color always -o human.txt");
    assert!(
        !written::text(&folder, "human.txt").contains('\u{1b}'),
        "a file is for no terminal"
    );
}

#[test]
fn quiet_leaves_findings_alone_and_verbose_says_where_the_time_went() {
    let folder = folder();
    let run = check(&folder, "--quiet");
    assert!(run.stdout.contains("error[missing-opening]") && !run.stdout.contains("checked on"));
    assert!(!run.stdout.contains("assumed") && run.stderr.is_empty());
    let run = folder.run(&format!("check {AUDIT} -q --ignore missing,excess wrong.rules"));
    assert_eq!((run.status, run.stdout.as_str()), (0, ""));
    let run = folder.run(&format!("check {AUDIT} -q wrong.rules absent.rules"));
    assert_eq!(run.status, 2);
    assert!(
        run.stderr.contains("absent.rules"),
        "what fails is said: {}",
        run.stderr
    );
    let run = check(&folder, "-v");
    assert_eq!(run.stdout, check(&folder, "").stdout);
    for said in [
        "reading 1 file: ",
        "understanding 1 config: ",
        "checking 1 host: ",
        "; slowest: wrong.rules ",
        " in all",
    ] {
        assert!(run.stderr.contains(said), "{said}\n{}", run.stderr);
    }
}

#[test]
fn exit_zero_takes_findings_for_no_failure_but_what_was_not_read() {
    let folder = folder();
    assert_eq!(check(&folder, "--exit-zero").status, 0);
    assert_eq!(check(&folder, "--exit-zero absent.rules").status, 2);
    folder.write(
        "cut.rules",
        b"*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dpo\n",
    );
    assert_eq!(check(&folder, "--exit-zero cut.rules").status, 2);
    let run = check(&folder, "--exit-zero --fail-on note");
    assert_eq!(run.status, 2, "{run:?}");
}

#[test]
fn codes_are_selected_and_ignored_by_their_first_words() {
    let folder = folder();
    let found = |arguments: &str| codes(&check(&folder, &format!("--format concise {arguments}")));
    assert_eq!(found(""), ["missing-opening", "excess-opening"]);
    assert_eq!(found("--select missing-opening"), ["missing-opening"]);
    assert_eq!(found("--select missing"), ["missing-opening"]);
    assert_eq!(found("--ignore missing,excess"), [""; 0]);
    assert_eq!(
        found("--select missing,excess --ignore excess"),
        ["missing-opening"]
    );
    let run = check(&folder, "--ignore missing");
    assert!(
        run.stdout
            .ends_with("1 finding taken back by comments; 1 finding of codes that are not asked for\n")
    );
    let run = check(&folder, "--select missing");
    assert_eq!(run.status, 1);
    assert!(!run.stdout.contains("unused-suppression"), "{}", run.stdout);
    for (arguments, said) in [
        ("--ignore exces-opening", "did you mean `excess-opening`?"),
        ("--select openning", "there is no finding code `openning`"),
        ("--select miss", "did you mean `missing-opening`?"),
        ("--ignore unread-text", "`unread-text` cannot be ignored"),
    ] {
        refuses(&folder, arguments, said);
    }
}

#[test]
fn what_could_not_be_read_is_reported_whatever_is_selected() {
    let folder = folder();
    folder.write(
        "cut.rules",
        b"*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dpo\n",
    );
    let run = folder.run("check --format concise --select shadowed-rule cut.rules");
    assert_eq!(
        (run.status, codes(&run).len()),
        (2, 2),
        "a rule, and the end of its table"
    );
    assert!(codes(&run).iter().all(|code| code == "unread-text"));
}

#[test]
fn what_no_dialect_knows_is_passed_over_where_that_is_asked() {
    let folder = folder();
    folder.write("notes.json", b"{\"a\": 1}\n");
    folder.write("picture", &[0, 1, 2]);
    let refused = check(&folder, "notes.json");
    assert_eq!(refused.status, 2, "{}", refused.stdout);
    let run = check(&folder, "--format concise --skip-unknown notes.json picture");
    assert_eq!((run.status, run.stderr.as_str()), (1, ""));
    assert_eq!(codes(&run), ["missing-opening", "excess-opening"]);
    let alone = folder.run(&format!("check {AUDIT} --skip-unknown notes.json picture"));
    assert_eq!(alone.status, 0, "{}", alone.stderr);
    assert!(
        alone
            .stdout
            .contains("not checked: no input that a dialect knows"),
        "{}",
        alone.stdout
    );
    folder.write(
        "portcullis.toml",
        b"policies = [\"web.ports\"]\n[[bind]]\nroles = [\"web.server\"]\nfiles = [\"{host}/rules.json\"]\n",
    );
    folder.write("h1/rules.json", b"{}\n");
    let bound = folder.run("check --skip-unknown h1/rules.json wrong.rules");
    assert_eq!(bound.status, 2, "a binding names it: {}", bound.stdout);
}

#[test]
fn a_part_of_a_site_is_not_taken_for_the_whole() {
    let site = "policies = [\"web.ports\"]\ncommon = false\n[[bind]]\nroles = [\"web.server\"]\nfiles = [\"a/*.rules\"]\n[[bind]]\nroles = [\"web.other\"]\nfiles = [\"b/*.rules\"]\n[[bind]]\nroles = [\"web.third\"]\nresources = [\"aws_security_group.lab\"]\n";
    let policy = "policy web {\n  role server\n  role other\n  role third\n  require site: any -> server : tcp/443\n  require more: any -> other, third : tcp/80\n  waive web/site \"not here\"\n}\n";
    let open = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 443 -j ACCEPT\nCOMMIT\n";
    let folder = Folder::new(&[
        ("portcullis.toml", site),
        ("web.ports", policy),
        ("a/web.rules", open),
    ]);
    let said = |arguments: &str| {
        let run = folder.run(&format!("check --fail-on note {arguments}"));
        (run.status, run.stdout)
    };
    let (status, text) = said("a/web.rules");
    assert_eq!(status, 1, "nothing on disk is bound to the second: {text}");
    assert_eq!(text.matches("[unbound-role]").count(), 2, "{text}");
    folder.write("b/web.rules", open.replace("443", "80").as_bytes());
    for part in ["a/web.rules", "a"] {
        let (status, text) = said(part);
        assert_eq!(status, 0, "{text}");
        let unchecked = "not checked: configs of `web.other`, `web.third`: a part of the site was given, and they are in the rest";
        assert!(text.contains(unchecked), "{text}");
    }
    let (status, text) = said(".");
    assert_eq!(status, 1, "the whole site has no such group: {text}");
    assert!(
        text.contains("[unused-waiver]") && text.contains("[unbound-role]"),
        "{text}"
    );
}

#[test]
fn a_site_file_selects_and_ignores_too() {
    let site = |more: &str| {
        let text = format!(
            "policies = [\"web.ports\"]\ncommon = false\n{more}\n[[bind]]\nroles = [\"web.server\"]\nfiles = [\"*.rules\"]\n"
        );
        let folder = folder();
        folder.write("portcullis.toml", text.as_bytes());
        folder
    };
    let found = |folder: &Folder, arguments: &str| {
        codes(&folder.run(&format!("check --format concise {arguments} wrong.rules")))
    };
    assert_eq!(found(&site("ignore = [\"missing\"]"), ""), ["excess-opening"]);
    assert_eq!(
        found(&site("select = [\"missing-opening\"]"), ""),
        ["missing-opening"]
    );
    let both = site("select = [\"missing-opening\"]\nignore = [\"shadowed-rule\"]");
    assert_eq!(
        found(&both, "--select excess"),
        ["excess-opening"],
        "the command line replaces it"
    );
    let run = site("ignore = [\"mising-opening\"]").run("check wrong.rules");
    assert_eq!(run.status, 2);
    for said in [
        "portcullis.toml:3:12",
        "there is no finding code `mising-opening`",
        "did you mean `missing-opening`?",
    ] {
        assert!(run.stderr.contains(said), "{said}\n{}", run.stderr);
    }
    // Of two sites the one that asks for a code gets it.
    let two = Folder::new(&[]);
    for (name, more) in [("a", "ignore = [\"missing\"]"), ("b", "")] {
        let text = format!(
            "policies = [\"../web.ports\"]\ncommon = false\n{more}\n[[bind]]\nroles = [\"web.server\"]\nfiles = [\"*.rules\"]\n"
        );
        two.write(&format!("{name}/portcullis.toml"), text.as_bytes());
        two.write(&format!("{name}/wrong.rules"), WRONG.as_bytes());
    }
    two.write("web.ports", POLICY.as_bytes());
    assert!(found(&two, "a b").contains(&"missing-opening".to_owned()));
}

#[test]
fn what_is_taken_back_is_shown_to_sarif_if_asked_for() {
    let folder = folder();
    let results = |arguments: &str| {
        let log: serde_json::Value = serde_json::from_str(&check(&folder, arguments).stdout).unwrap();
        log["runs"][0]["results"].as_array().unwrap().clone()
    };
    assert_eq!(results("--format sarif").len(), 2);
    let all = results("--format sarif --show-suppressed");
    assert_eq!(all.len(), 3);
    assert_eq!(
        all[2]["suppressions"][0]["justification"],
        "metrics, until the move"
    );
    let json: serde_json::Value = serde_json::from_str(&check(&folder, "--format json").stdout).unwrap();
    assert_eq!(json["suppressed"][0]["reason"], "metrics, until the move");
    assert_eq!(json["suppressed"][0]["by"]["start"]["line"], 4);
}

#[test]
fn a_broken_pipe_is_no_error() {
    let folder = folder();
    let mut rules = String::from("*filter\n:INPUT DROP [0:0]\n");
    for port in 1..3000 {
        writeln!(
            rules,
            "-A INPUT -s 10.0.{}.0/24 -p tcp --dport {port} -j ACCEPT",
            port % 200
        )
        .unwrap();
    }
    rules.push_str("COMMIT\n");
    folder.write("wrong.rules", rules.as_bytes());
    for format in ["human", "concise", "json", "csv"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args([
                "check",
                "--policy",
                "web.ports",
                "--role",
                "web.server",
                "--format",
                format,
                "wrong.rules",
            ])
            .current_dir(&folder.0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{format}");
        assert_eq!(output.status.code(), Some(0), "{format}");
    }
}

#[cfg(target_os = "linux")]
#[path = "support/terminal.rs"]
mod terminal;

/// A site whose check takes a while: each of its hosts lets many peers in by rules that overlap.
#[cfg(target_os = "linux")]
fn long_work(n_hosts: u32) -> Folder {
    let folder = folder();
    for host in 0..n_hosts {
        let mut rules = String::from("*filter\n:INPUT DROP [0:0]\n");
        let mut seed = host + 1;
        for _ in 0..600 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (network, length) = (seed >> 8, 8 + (seed >> 4) % 17);
            let port = 1 + (seed >> 12) % 60_000;
            let [a, b, c, _] = network.to_be_bytes();
            writeln!(
                rules,
                "-A INPUT -s {b}.{c}.{a}.0/{length} -p tcp --dport {port}:{} -j ACCEPT",
                port + 900
            )
            .unwrap();
        }
        rules.push_str("COMMIT\n");
        folder.write(&format!("hosts/h{host}.rules"), rules.as_bytes());
    }
    folder
}

#[cfg(target_os = "linux")]
#[test]
fn a_bar_is_shown_on_terminals_while_it_takes_long_and_is_gone_at_the_end() {
    let folder = long_work(240);
    let arguments = format!("check {AUDIT} --threads 1 --format concise hosts");
    let shown = terminal::standard_error_of(&folder.0, &arguments);
    assert!(
        shown.contains("checking hosts") && shown.contains("/240"),
        "{shown:?}"
    );
    assert!(
        shown.trim_end_matches(' ').ends_with("\u{1b}[2K"),
        "it is cleared: {shown:?}"
    );
    let quiet = terminal::standard_error_of(&folder.0, &format!("{arguments} --quiet"));
    assert_eq!(quiet, "");
    let piped = folder.run(&arguments);
    assert_eq!(piped.stderr, "", "a pipe gets none");
    let short = terminal::standard_error_of(&folder.0, &format!("check {AUDIT} wrong.rules"));
    assert_eq!(short, "", "short work gets none");
}

#[cfg(target_os = "linux")]
#[test]
fn places_are_links_on_terminals_that_follow_them_in_colors_too() {
    let folder = folder();
    let arguments = format!("check {AUDIT} wrong.rules");
    let link = format!(
        "\u{1b}]8;;file://{}/wrong.rules\u{1b}\\wrong.rules\u{1b}]8;;\u{1b}\\:3:25",
        folder.0.display()
    );
    let forced = [("FORCE_HYPERLINK", "1")];
    let shown = terminal::all_of(&folder.0, &arguments, &forced);
    assert!(shown.contains("\u{1b}[") && shown.contains(&link), "{shown:?}");
    let none = [("FORCE_HYPERLINK", "0")];
    let shown = terminal::all_of(&folder.0, &arguments, &none);
    assert!(
        shown.contains("\u{1b}[") && !shown.contains("\u{1b}]8"),
        "{shown:?}"
    );
    // Into a pipe they come if they are asked for, and not into plain text.
    let piped = |arguments: &str| folder.run_with(arguments, "", &forced).stdout;
    assert!(
        piped(&arguments).contains(&link) && piped(&format!("{arguments} --color always")).contains(&link)
    );
    assert!(!piped(&format!("{arguments} --color never")).contains('\u{1b}'));
}

#[test]
fn what_was_read_is_not_written_over() {
    let folder = folder();
    folder.write(
        "portcullis.toml",
        b"policies = [\"web.ports\"]\ncommon = false\n[[bind]]\nroles = [\"web.server\"]\nfiles = [\"*.rules\"]\n",
    );
    folder.write(
        "cluster.yaml",
        b"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n",
    );
    folder.write(
        "web.test.md",
        b"# A case\n\n```packets\naccepted 192.0.2.1 -> server : tcp/443\n```\n",
    );
    folder.write("known.json", b"{\"version\": 1, \"findings\": []}\n");
    #[cfg(unix)]
    std::os::unix::fs::symlink("wrong.rules", folder.0.join("link.txt")).unwrap();
    for (arguments, file) in [
        ("check wrong.rules -o wrong.rules", "wrong.rules"),
        ("check wrong.rules --format json=./wrong.rules", "wrong.rules"),
        #[cfg(unix)]
        ("check wrong.rules --format json=link.txt", "wrong.rules"),
        (
            "check wrong.rules --format json=portcullis.toml",
            "portcullis.toml",
        ),
        ("check wrong.rules --format json=web.ports", "web.ports"),
        (
            "check wrong.rules --baseline known.json -o known.json",
            "known.json",
        ),
        ("openings wrong.rules -o wrong.rules", "wrong.rules"),
        ("baseline wrong.rules -o wrong.rules", "wrong.rules"),
        ("connections cluster.yaml -o cluster.yaml", "cluster.yaml"),
        ("policy show web.ports -o web.ports", "web.ports"),
        ("policy test web.test.md -o web.test.md", "web.test.md"),
    ] {
        let before = written::text(&folder, file);
        let run = folder.run(arguments);
        assert_eq!(run.status, 2, "{arguments}: {}{}", run.stdout, run.stderr);
        assert!(
            run.stderr
                .contains("was read by this run, so nothing is written to it"),
            "{arguments}: {}",
            run.stderr
        );
        assert_eq!(written::text(&folder, file), before, "{arguments}");
    }
    // What an earlier run wrote is no input of the next.
    for _ in 0..2 {
        let run = check(&folder, "-o report.txt");
        assert_eq!((run.status, run.stderr.as_str()), (1, ""));
    }
}

#[test]
fn names_of_files_reach_no_format_as_they_are() {
    let folder = folder();
    let name = "odd\u{1b}[31m\u{1}.rules";
    folder.write(name, WRONG.as_bytes());
    for format in [
        "github", "concise", "human", "markdown", "csv", "json", "gitlab", "junit", "html", "sarif",
    ] {
        let run = folder.run(&format!("check {AUDIT} --format {format} '{name}'"));
        assert_eq!(run.status, 1, "{format}: {}", run.stderr);
        let raw = run
            .stdout
            .chars()
            .find(|&letter| letter.is_control() && !"\n\r\t".contains(letter));
        assert_eq!(raw, None, "{format}");
    }
}

#[test]
fn a_dash_is_standard_output() {
    let folder = folder();
    let json = check(&folder, "--format json").stdout;
    for arguments in [
        "--format json=-",
        "--format json -o -",
        "--format json=- --format concise=c.txt",
    ] {
        let run = check(&folder, arguments);
        assert_eq!((run.status, &run.stdout), (1, &json), "{arguments}");
        assert!(!folder.0.join("-").exists(), "{arguments}");
    }
    refuses(
        &folder,
        "--format json=- --format sarif=-",
        "two formats would be written to standard output",
    );
    let run = folder.run("openings -o - wrong.rules");
    assert!(run.status == 0 && run.stdout.contains("tcp/8080"), "{run:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_stops_it_at_once() {
    use std::os::unix::process::ExitStatusExt as _;
    use std::time::{Duration, Instant};
    let folder = long_work(600);
    let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args([
            "check",
            "--policy",
            "web.ports",
            "--role",
            "web.server",
            "-o",
            "out.txt",
            "hosts",
        ])
        .current_dir(&folder.0)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none(), "it is at work");
    let asked = Instant::now();
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(kill.success());
    let status = child.wait().unwrap();
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    assert_eq!(status.signal(), Some(2));
    assert!(!folder.0.join("out.txt").exists(), "half a report is none");
}
