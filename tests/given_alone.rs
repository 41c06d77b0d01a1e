//! Files that are given by themselves, as a hook does before a commit: what belongs to them is found, and nothing else is judged.
#![cfg(test)]

use std::path::{Path, PathBuf};

use portcullis::check::{Outcome, Past, Request, Watch, check};
use portcullis::finding::{Certainty, Code, Finding, Severity};
use portcullis::packet::DEFAULT_BUDGET;
use portcullis::site::Arguments;

/// A repository that is gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn of(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("portcullis-alone-{name}-{}", std::process::id()));
        for (name, text) in files.iter().chain(&[(".git/HEAD", "")]) {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    fn check(&self, file: &str) -> Outcome {
        let request = Request {
            paths: vec![self.0.join(file)],
            dialect: None,
            arguments: Arguments::default(),
            site: None,
            coverage: false,
            is_merged: true,
            skips_unknown: false,
            known: Past::default(),
            budget: DEFAULT_BUDGET,
            watch: Watch::default(),
        };
        check(&request).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const SITE: &str = "policies = [\"shop.ports\"]\ncommon = false\n[[bind]]\nroles = [\"shop.web\"]\nfiles = [\"hosts/{host}.rules\"]\nresources = [\"aws_security_group.web\"]\n";
const POLICY: &str = "policy shop { role web require site: any -> web : tcp/443 }\n";
const DUMP: &str = "*filter\n:INPUT DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -p tcp -m multiport --dports 443,8080 -j ACCEPT\nCOMMIT\n";
const GROUP: &str = "resource \"aws_security_group\" \"web\" {\n  ingress {\n    from_port   = 443\n    to_port     = 443\n    protocol    = \"tcp\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n    ipv6_cidr_blocks = [\"::/0\"]\n  }\n  egress {\n    from_port   = 0\n    to_port     = 0\n    protocol    = \"-1\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\nresource \"aws_security_group\" \"other\" {\n  ingress {\n    from_port   = 22\n    to_port     = 22\n    protocol    = \"tcp\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n";

fn of(outcome: &Outcome, code: Code) -> Vec<&Finding> {
    outcome
        .findings
        .iter()
        .filter(|finding| finding.code == code)
        .collect()
}

fn lies_in(outcome: &Outcome, finding: &Finding, file: &str) -> bool {
    let label = finding.primary.as_ref().unwrap();
    Path::new(outcome.sources.file(label.span.file).name()).ends_with(file)
}

#[test]
fn a_dump_is_judged_behind_the_groups_that_its_binding_names() {
    let files = [
        ("portcullis.toml", SITE),
        ("shop.ports", POLICY),
        ("hosts/a.rules", DUMP),
        ("infra/main.tf", GROUP),
    ];
    let folder = Folder::of("group", &files);
    let outcome = folder.check("hosts/a.rules");
    assert!(
        outcome.summary.failures.is_empty(),
        "{:?}",
        outcome.summary.failures
    );
    // The group lets no 8080 in, and the one that nobody bound is not judged.
    let is_error = |finding: &&Finding| finding.severity == Severity::Error;
    let errors: Vec<_> = outcome.findings.iter().filter(is_error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_eq!(outcome.summary.n_hosts, 1);
    // The whole repository says the same of the host.
    let whole = folder.check("");
    let excess = |outcome: &Outcome| of(outcome, Code::ExcessOpening).len();
    assert_eq!(excess(&outcome), excess(&whole));
}

#[test]
fn a_group_that_is_nowhere_leaves_everything_possible() {
    let files = [
        ("portcullis.toml", SITE),
        ("shop.ports", POLICY),
        ("hosts/a.rules", DUMP),
    ];
    let outcome = Folder::of("nowhere", &files).check("hosts/a.rules");
    let excess = of(&outcome, Code::ExcessOpening);
    assert!(!excess.is_empty());
    for finding in excess.iter().chain(&of(&outcome, Code::MissingOpening)) {
        assert_eq!(finding.certainty, Certainty::Possibly, "{finding:#?}");
    }
    assert_eq!(of(&outcome, Code::UnboundRole).len(), 1);
}

#[test]
fn a_file_that_only_a_root_reads_is_checked_with_the_root() {
    let root = "locals {\n  rules = yamldecode(file(\"${path.module}/rules.yaml\"))\n}\nresource \"aws_security_group\" \"web\" {\n  ingress {\n    from_port   = local.rules.port\n    to_port     = local.rules.port\n    protocol    = \"tcp\"\n    cidr_blocks = local.rules.networks\n  }\n}\n";
    let files = [
        ("portcullis.toml", ""),
        ("live/main.tf", root),
        ("live/rules.yaml", "port: 22\nnetworks: [\"0.0.0.0/0\"]\n"),
    ];
    let outcome = Folder::of("yaml", &files).check("live/rules.yaml");
    assert!(
        outcome.summary.failures.is_empty(),
        "{:?}",
        outcome.summary.failures
    );
    let forbidden = of(&outcome, Code::ForbiddenOpening);
    assert_eq!(forbidden.len(), 1);
    assert!(lies_in(&outcome, forbidden[0], "live/rules.yaml"));
}
