//! A folder of firewalld's as users give it: whole, by one of its files, or by a binding of the site file.

#![cfg(test)]

#[path = "support/program.rs"]
mod program;

use program::Folder;

const POLICY: &str =
    "policy web { role server require any -> server : tcp/443 allow any -> server : icmpv6 }\n";

const FILES: &[(&str, &str)] = &[
    ("web.ports", POLICY),
    ("hosts/a/etc/firewalld/firewalld.conf", "DefaultZone=web\n"),
    (
        "hosts/a/etc/firewalld/zones/web.xml",
        "<zone target=\"DROP\">\n  <service name=\"https\"/>\n  <service name=\"odd\"/>\n</zone>\n",
    ),
    (
        "hosts/a/etc/firewalld/services/odd.xml",
        "<service><port port=\"8080\" protocol=\"tcp\"/></service>\n",
    ),
    (
        "hosts/a/etc/firewalld/zones/web.xml.old",
        "<zone target=\"ACCEPT\"/>\n",
    ),
    (
        "hosts/b/etc/firewalld/zones/public.xml",
        "<zone target=\"DROP\"><service name=\"https\"/></zone>\n",
    ),
];

const AUDIT: &str = "--policy web.ports --role web.server --no-common --format concise";

/// The only thing that is wrong with host `a`.
const FOUND: &str = "hosts/a/etc/firewalld/zones/web.xml:3:3: error[excess-opening]: no row allows tcp/8080";

#[test]
fn a_folder_is_one_host_whichever_of_its_files_is_given() {
    let folder = Folder::new(FILES);
    for given in [
        "hosts/a",
        "hosts/a/etc/firewalld",
        "hosts/a/etc/firewalld/firewalld.conf",
        "hosts/a/etc/firewalld/zones/web.xml",
        "hosts/a/etc/firewalld/services/odd.xml",
        "hosts/a/etc/firewalld/zones/web.xml hosts/a/etc/firewalld/services/odd.xml",
    ] {
        let run = folder.run(&format!("check {AUDIT} {given}"));
        assert_eq!(run.status, 1, "{given}: {run:?}");
        assert!(!run.stderr.contains("panicked"), "{given}: {}", run.stderr);
        assert!(run.stdout.starts_with(FOUND), "{given}: {}", run.stdout);
        assert_eq!(
            run.stdout.matches("[excess-opening]").count(),
            1,
            "{given}: {}",
            run.stdout
        );
    }
    let run = folder.run(&format!("check {AUDIT} hosts/b"));
    assert_eq!((run.status, run.stdout.as_str()), (0, ""), "{run:?}");
}

#[test]
fn a_binding_binds_the_files_of_each_folder_to_one_host() {
    let folder = Folder::new(FILES);
    let site = "policies = [\"web.ports\"]\ncommon = false\n[[bind]]\nroles = [\"web.server\"]\nfiles = [\"hosts/{host}/etc/firewalld/**\"]\n";
    folder.write("portcullis.toml", site.as_bytes());
    let run = folder.run("check --format concise hosts");
    assert_eq!(run.status, 1, "{run:?}");
    assert!(run.stdout.starts_with(FOUND), "{}", run.stdout);
    let run = folder.run("check hosts");
    assert!(run.stdout.contains("= host: a"), "{}", run.stdout);
    assert!(run.stdout.contains("on 2 hosts"), "{}", run.stdout);
}
