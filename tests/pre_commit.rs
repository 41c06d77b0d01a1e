//! The hooks in the real pre-commit, on repositories of their own. Skips where pre-commit or git is not installed, unless this is the
//! gate. INVARIANT: the hooks are those that are published, but for how they are installed: the program is the one that was built.
#![cfg(test)]

#[path = "support/program.rs"]
mod program;

use std::path::Path;
use std::process::Command;

use program::Folder;

const POLICY: &str = "policy web \"The site\" {\n  role server\n\n  require site: any -> server : tcp/443 \"for everybody\"\n}\n";
const SITE: &str =
    "policies = [\"web.ports\"]\n[[bind]]\nroles = [\"web.server\"]\nfiles = [\"hosts/*.rules\"]\n";
const OPEN: &str = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 443 -j ACCEPT\nCOMMIT\n";
const STACK: &str = "{\"Resources\": {\"Lab\": {\"Type\": \"AWS::EC2::SecurityGroup\", \"Properties\": {\"GroupDescription\": \"lab\", \"SecurityGroupIngress\": [{\"IpProtocol\": \"tcp\", \"FromPort\": 22, \"ToPort\": 22, \"CidrIp\": \"0.0.0.0/0\"}]}}}}\n";
const WRONG: &str = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 8080 -j ACCEPT\nCOMMIT\n";

fn program(variable: &str, name: &str) -> Option<String> {
    let program = std::env::var(variable).unwrap_or_else(|_| name.to_owned());
    let is_there = Command::new(&program)
        .arg("--version")
        .output()
        .is_ok_and(|it| it.status.success());
    assert!(
        is_there || std::env::var_os("PORTCULLIS_CI").is_none(),
        "{name} must be installed here"
    );
    is_there.then_some(program)
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.org",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_published_hooks_check_what_changed_and_the_whole_site() {
    let (Some(pre_commit), Some(_)) = (
        program("PORTCULLIS_PRE_COMMIT", "pre-commit"),
        program("PORTCULLIS_GIT", "git"),
    ) else {
        println!("skipped: no pre-commit or no git");
        return;
    };
    let published = concat!(env!("CARGO_MANIFEST_DIR"), "/.pre-commit-hooks.yaml");
    let hooks = Folder::new(&[(
        ".pre-commit-hooks.yaml",
        &std::fs::read_to_string(published).unwrap(),
    )]);
    std::fs::remove_dir(hooks.0.join(".git")).unwrap();
    git(&hooks.0, &["init", "-q"]);
    git(&hooks.0, &["add", "-A"]);
    git(&hooks.0, &["commit", "-q", "-m", "hooks"]);
    let revision = git(&hooks.0, &["rev-parse", "HEAD"]);

    let program = env!("CARGO_BIN_EXE_portcullis");
    let hook = |id: &str, command: &str| {
        format!("      - {{id: {id}, language: system, entry: {program} {command}}}\n")
    };
    let config = format!(
        "repos:\n  - repo: {}\n    rev: {revision}\n    hooks:\n{}{}{}",
        hooks.0.display(),
        hook("portcullis", "check --format concise --skip-unknown"),
        hook("portcullis-site", "check --format concise"),
        hook("portcullis-fmt", "fmt")
    );
    let site = Folder::new(&[
        (".pre-commit-config.yaml", &config),
        ("web.ports", POLICY),
        ("portcullis.toml", SITE),
        ("hosts/a.rules", OPEN),
        ("hosts/b.rules", WRONG),
        ("README.md", "no config\n"),
        ("package.json", "{\"name\": \"web\"}\n"),
        ("stack.json", STACK),
    ]);
    std::fs::remove_dir(site.0.join(".git")).unwrap();
    git(&site.0, &["init", "-q"]);
    git(&site.0, &["add", "-A"]);
    let run = |arguments: &[&str]| {
        let output = Command::new(&pre_commit)
            .arg("run")
            .args(arguments)
            .current_dir(&site.0)
            .env("PRE_COMMIT_HOME", site.0.join(".cache"))
            .env("PRE_COMMIT_COLOR", "never")
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    };
    // By hand the whole site is wrong.
    let whole = site.run("check --format concise");
    assert_eq!(whole.status, 1, "{}{}", whole.stdout, whole.stderr);
    // What changed is right: the other host is not looked at.
    let (status, said) = run(&["portcullis", "--files", "hosts/a.rules", "README.md"]);
    assert_eq!(status, Some(0), "{said}");
    let (status, said) = run(&["portcullis", "--files", "hosts/b.rules"]);
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("hosts/b.rules:3:25: error[excess-opening]"),
        "{said}"
    );
    assert!(!said.contains("hosts/a.rules"), "{said}");
    // No config changed: there is nothing to check.
    let (status, said) = run(&["portcullis", "--files", "README.md"]);
    assert!(status == Some(0) && said.contains("Skipped"), "{said}");
    // The pattern is wide: what no dialect knows is passed over, and what one does is checked wherever it lies.
    let files = ["portcullis", "--files", "package.json", "stack.json"];
    let (status, said) = run(&files);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("stack.json:1:"), "{said}");
    assert!(!said.contains("package.json"), "{said}");
    // All files come in one run: the hook is serial.
    let (status, said) = run(&["portcullis", "--all-files", "--verbose"]);
    assert_eq!(status, Some(1), "{said}");
    assert_eq!(said.matches("excess-opening").count(), 1, "{said}");
    // The policy changed: the whole site is checked.
    let (status, said) = run(&["portcullis-site", "--files", "web.ports"]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("hosts/b.rules:3:25"), "{said}");
    let (status, said) = run(&["portcullis-fmt", "--files", "web.ports"]);
    assert_eq!(status, Some(0), "{said}");
}
