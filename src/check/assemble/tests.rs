//! Which files become one unit, with a dialect whose only language is where its files lie.

use super::*;
use crate::dialect::{Claim, Construct, Reading};
use crate::source::{Source, SourceFile};

/// `wall/main`, `wall/apps.d/*`, `default/wall`; `with NAME` includes.
struct Wall;

impl Dialect for Wall {
    fn name(&self) -> &'static str {
        "wall"
    }

    fn summary(&self) -> &'static str {
        ""
    }

    fn claims(&self, _: Source<'_>) -> Claim {
        Claim::Name
    }

    fn includes(&self, source: Source<'_>) -> Vec<Vec<String>> {
        let names = source.text.lines().filter_map(|line| line.strip_prefix("with "));
        names.map(|name| include::candidates(source.name, name)).collect()
    }

    fn tree(&self, source: Source<'_>) -> Option<Tree> {
        Tree::around(source.name, "etc/wall", &["main", "apps.d/*", "../default/wall"])
    }

    fn read(&self, _: &[Source<'_>]) -> Reading {
        Reading::default()
    }

    fn constructs(&self) -> Vec<Construct> {
        Vec::new()
    }
}

/// A folder that is gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("portcullis-units-{}-{name}", std::process::id()));
        for (name, text) in files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    /// For each unit its name, its files, and the path that was given, all from the folder; then what is unread.
    fn assemble(&self, claimed: &[&str], unread: &[&str]) -> (Vec<(String, Vec<String>)>, Vec<String>) {
        let input = |name: &&str| Input {
            path: self.0.join(name),
            name: discover::shown(&self.0.join(name)),
            explicit: true,
        };
        let mut sources = SourceMap::new();
        let claimed = claimed.iter().map(|name| {
            let input = input(name);
            let file = SourceFile::from_bytes(&input.name, fs::read(&input.path).unwrap());
            let file = sources.add(file);
            (input, file, &Wall as &'static dyn Dialect)
        });
        let claimed = (claimed.collect(), Vec::new());
        let mut unread = unread
            .iter()
            .map(|name| Unread {
                input: input(name),
                is_binary: false,
            })
            .collect();
        let units = assemble(&mut sources, claimed, None, &mut unread, &mut Summary::default());
        let root = format!("{}/", discover::shown(&self.0));
        let inside = |name: &str| name.strip_prefix(&root).unwrap_or(name).to_owned();
        let units = units.iter().map(|unit| {
            assert_eq!(unit.files.len(), unit.paths.len());
            let files = unit.files.iter().map(|file| inside(sources.file(*file).name()));
            (inside(&unit.name), files.collect())
        });
        let unread = unread.iter().map(|one| inside(&one.input.name));
        (units.collect(), unread.collect())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const FILES: &[(&str, &str)] = &[
    ("a/etc/wall/main", "with more"),
    ("a/etc/wall/more", ""),
    ("a/etc/wall/apps.d/web", ""),
    ("a/etc/wall/other", ""),
    ("a/etc/default/wall", ""),
    ("b/etc/wall/main", ""),
];

fn of_a() -> (String, Vec<String>) {
    let files = [
        "etc/wall/main",
        "etc/wall/apps.d/web",
        "etc/default/wall",
        "etc/wall/more",
    ];
    let files = files.iter().map(|name| format!("a/{name}"));
    ("a/etc/wall".into(), files.collect())
}

#[test]
fn a_tree_is_one_unit_whichever_of_its_files_was_given() {
    let folder = Folder::new("one", FILES);
    for given in ["a/etc/wall/main", "a/etc/wall/apps.d/web", "a/etc/default/wall"] {
        assert_eq!(folder.assemble(&[given], &[]).0, [of_a()], "{given}");
    }
}

#[test]
fn files_of_a_tree_are_no_units_of_their_own() {
    let folder = Folder::new("all", FILES);
    let claimed = [
        "a/etc/default/wall",
        "a/etc/wall/apps.d/web",
        "a/etc/wall/main",
        "a/etc/wall/more",
        "b/etc/wall/main",
    ];
    let b = ("b/etc/wall".to_owned(), vec!["b/etc/wall/main".to_owned()]);
    assert_eq!(folder.assemble(&claimed, &[]).0, [of_a(), b]);
}

#[test]
fn what_no_dialect_claims_is_read_as_a_part() {
    let folder = Folder::new("rest", FILES);
    let unread = ["a/etc/wall/apps.d/web", "a/etc/wall/other"];
    let (units, unread) = folder.assemble(&["a/etc/wall/main"], &unread);
    assert_eq!(units, [of_a()]);
    assert_eq!(unread, ["a/etc/wall/other"]);
}
