//! The same bytes whatever the number of threads and the order of the paths.
#![cfg(test)]

#[path = "support/program.rs"]
mod program;

use program::Folder;

const FORMATS: [&str; 11] = [
    "human",
    "concise",
    "json",
    "sarif",
    "json --coverage",
    "jsonl --coverage",
    "github",
    "gitlab",
    "junit",
    "csv",
    "markdown --coverage",
];

/// Many hosts of a few shapes, with findings of many codes: some alike on several hosts, some possible, one unread.
fn site() -> Folder {
    let folder = Folder::new(&[(
        "portcullis.toml",
        r#"
policies = ["mke", "stacklight"]
[zones]
internal = { networks = ["10.20.0.0/16"] }
[[bind]]
roles = ["mke.manager", "stacklight.node", "stacklight.master"]
files = ["managers/{host}.rules"]
[[bind]]
roles = ["mke.worker", "stacklight.node"]
files = ["workers/{host}.rules"]
"#,
    )]);
    for at in 0..24 {
        let kind = ["managers", "workers", "others"][at % 3];
        folder.write(&format!("{kind}/h{at}.rules"), dump(at).as_bytes());
    }
    folder.write(
        "others/cut.rules",
        b"*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dpo\n",
    );
    folder
}

fn dump(at: usize) -> String {
    let (net, port) = (at % 5, 7000 + at % 4);
    format!(
        "*filter\n:INPUT DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\n\
         -A INPUT -m set --match-set ban src -j DROP\n\
         -A INPUT -s 10.{net}.0.0/16 -p tcp --dport {port}:8000 -j ACCEPT\n\
         -A INPUT -s 10.20.0.0/16 -p tcp -j ACCEPT\n\
         -A INPUT -s 10.20.0.0/16 -p tcp --dport 22 -j ACCEPT\n\
         -A INPUT -p tcp --dport {} -j ACCEPT\nCOMMIT\n",
        20 + at % 6
    )
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let folder = site();
    for format in FORMATS {
        let one = folder.run(&format!("check --threads 1 --format {format} ."));
        assert_eq!(one.status, 2, "a file is cut off: {}", one.stderr);
        assert!(one.stdout.len() > 1000, "{format}: {}", one.stdout);
        for threads in [2, 8] {
            let many = folder.run(&format!("check --threads {threads} --format {format} ."));
            assert_eq!(one.stdout, many.stdout, "{format} with {threads} threads");
            assert_eq!((one.status, &one.stderr), (many.status, &many.stderr));
        }
    }
}

#[test]
fn any_order_of_paths_gives_the_same_bytes() {
    let folder = site();
    let mut paths: Vec<String> = (0..24)
        .map(|at| format!("{}/h{at}.rules", ["managers", "workers", "others"][at % 3]))
        .collect();
    let runs = |paths: &[String]| {
        FORMATS.map(|format| {
            folder
                .run(&format!("check --format {format} {}", paths.join(" ")))
                .stdout
        })
    };
    let sorted = runs(&paths);
    for step in [7, 11, 17] {
        let shuffled: Vec<_> = (0..24).map(|at| paths[at * step % 24].clone()).collect();
        assert_eq!(runs(&shuffled), sorted, "every {step}th path");
    }
    paths.reverse();
    assert_eq!(runs(&paths), sorted, "backwards");
}

#[test]
fn a_path_given_twice_is_read_once() {
    let folder = site();
    for format in FORMATS {
        let once = folder.run(&format!("check --format {format} managers"));
        let twice = folder.run(&format!(
            "check --format {format} managers managers/h0.rules managers"
        ));
        assert_eq!(once.stdout, twice.stdout, "{format}");
    }
}

#[test]
fn tables_do_not_depend_on_threads_or_order_either() {
    let folder = site();
    for format in ["text", "json"] {
        let one = folder.run(&format!(
            "openings --threads 1 --format {format} managers workers"
        ));
        let other = folder.run(&format!(
            "openings --threads 8 --format {format} workers managers"
        ));
        assert_eq!(one.stdout, other.stdout, "{format}");
        assert_eq!(one.status, 0, "{}", one.stderr);
    }
}
