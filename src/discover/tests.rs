//! Discovery on real folders, made and removed by each test.

use super::*;

/// A folder that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("portcullis-discover-{}-{name}", std::process::id()));
        let _absent = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        for (file, text) in files {
            let file = folder.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        Self(folder)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    /// The names found, less the folder's own path, and the errors likewise.
    fn found(&self, paths: &[&str]) -> (Vec<String>, Vec<String>) {
        let paths: Vec<_> = paths.iter().map(|path| self.at(path)).collect();
        let discovery = discover(&paths);
        let own = format!("{}/", shown(&self.0));
        let names = discovery
            .inputs
            .iter()
            .map(|input| input.name.replace(&own, ""))
            .collect();
        (
            names,
            discovery
                .errors
                .iter()
                .map(|error| error.to_string().replace(&own, ""))
                .collect(),
        )
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_walk_is_sorted_and_leaves_out_what_is_hidden() {
    let folder = Folder::new(
        "sorted",
        &[
            ("b/2", ""),
            ("b/1", ""),
            ("a.rules", ""),
            (".hidden", ""),
            (".git/config", ""),
        ],
    );
    assert_eq!(
        folder.found(&[""]),
        (vec!["a.rules".into(), "b/1".into(), "b/2".into()], vec![])
    );
}

#[test]
fn nested_ignore_files_are_respected() {
    let folder = Folder::new(
        "ignore",
        &[
            (".git/info/exclude", "excluded\n"),
            (".gitignore", "*.log\n/build/\nsecret\n"),
            ("sub/.gitignore", "!keep.log\nlocal\n"),
            ("sub/.ignore", "!secret\n"),
            ("build/x", ""),
            ("sub/build/x", ""),
            ("a.log", ""),
            ("excluded", ""),
            ("secret", ""),
            ("local", ""),
            ("sub/keep.log", ""),
            ("sub/drop.log", ""),
            ("sub/local", ""),
            ("sub/secret", ""),
            ("z", ""),
        ],
    );
    let all = ["local", "sub/build/x", "sub/keep.log", "sub/secret", "z"];
    assert_eq!(
        folder.found(&[""]).0,
        all,
        "nearer files win, `.ignore` before `.gitignore`"
    );
    assert_eq!(
        folder.found(&["sub"]).0,
        ["sub/build/x", "sub/keep.log", "sub/secret"],
        "patterns above the start count"
    );
    assert_eq!(
        folder.found(&["build", "a.log"]).0,
        ["a.log", "build/x"],
        "what is named is read"
    );
}

#[test]
fn a_file_counts_once_whatever_it_is_called() {
    let folder = Folder::new("once", &[("a/x", ""), ("a/y", "")]);
    let (forth, _) = folder.found(&["a", "a/x", "a/../a/x", "./a//y"]);
    let (back, _) = folder.found(&["./a//y", "a/../a/x", "a/x", "a"]);
    assert_eq!((&forth, forth.len()), (&back, 2));
    assert_eq!(forth, ["a/x", "a/y"]);
    let inputs = discover(&[folder.at("a"), folder.at("a/x")]).inputs;
    assert_eq!(
        inputs.iter().map(|input| input.explicit).collect::<Vec<_>>(),
        [true, false]
    );
}

#[test]
fn what_is_not_there_is_an_error() {
    let folder = Folder::new("absent", &[("x", "")]);
    assert_eq!(
        folder.found(&["x", "nowhere"]),
        (
            vec!["x".into()],
            vec!["cannot read `nowhere`: no such file or folder".into()]
        )
    );
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_loops_are_said() {
    let folder = Folder::new("links", &[("real/x", ""), ("sub/y", "")]);
    std::os::unix::fs::symlink(folder.at("real"), folder.at("sub/link")).unwrap();
    std::os::unix::fs::symlink(folder.at("sub"), folder.at("sub/loop")).unwrap();
    std::os::unix::fs::symlink(folder.at("gone"), folder.at("sub/dangling")).unwrap();
    let (names, errors) = folder.found(&["sub"]);
    assert_eq!(names, ["sub/link/x", "sub/y"]);
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert_eq!(errors[0], "cannot read `sub/dangling`: no such file or folder");
    assert!(
        errors[1].starts_with("`sub/loop` is a symbolic link to `"),
        "{}",
        errors[1]
    );
}

#[cfg(unix)]
#[test]
fn links_to_links_do_not_multiply_a_walk() {
    let files: Vec<_> = (0..40).map(|n| format!("d{n:02}/x")).collect();
    let files: Vec<_> = files.iter().map(|file| (file.as_str(), "")).collect();
    let folder = Folder::new("bomb", &files);
    for n in 0..39 {
        for link in ["a", "b"] {
            let next = folder.at(&format!("d{:02}", n + 1));
            std::os::unix::fs::symlink(next, folder.at(&format!("d{n:02}/{link}"))).unwrap();
        }
    }
    let (names, errors) = folder.found(&["d00"]);
    assert_eq!((names.len(), errors.len()), (40, 0));
    assert_eq!(
        &names[..2],
        [
            "d00/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/x",
            "d00/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/x"
        ]
    );
    let (names, _) = folder.found(&[""]);
    assert_eq!(names[39], "d39/x", "a folder's own name comes before a link's");
}

#[cfg(unix)]
#[test]
fn a_link_may_lead_to_what_is_hidden() {
    let folder = Folder::new("hidden", &[(".releases/5/x", "")]);
    std::os::unix::fs::symlink(folder.at(".releases/5"), folder.at("current")).unwrap();
    assert_eq!(folder.found(&[""]), (vec!["current/x".into()], vec![]));
}

#[test]
fn binary_files_are_skipped_unless_named() {
    let folder = Folder::new(
        "binary",
        &[
            ("image", "GIF\0\0"),
            ("late", &format!("{}\0", "x".repeat(PROBE_BYTES))),
        ],
    );
    let found = discover(std::slice::from_ref(&folder.0)).inputs;
    assert!(read(&found[0]).unwrap().is_none());
    assert!(
        read(&found[1]).unwrap().is_some(),
        "only the beginning is looked at"
    );
    let named = discover(&[folder.at("image")]).inputs;
    assert!(matches!(read(&named[0]), Err(ReadError::Binary { .. })));
}

#[test]
fn a_file_keeps_its_bytes() {
    let folder = Folder::new("bytes", &[("x", "a\r\nb")]);
    let inputs = discover(&[folder.at("x")]).inputs;
    let file = read(&inputs[0]).unwrap().unwrap();
    assert_eq!((file.text(), file.is_virtual()), ("a\r\nb", false));
    let gone = Input {
        path: folder.at("gone"),
        name: "gone".into(),
        explicit: true,
    };
    assert_eq!(
        read(&gone).unwrap_err().to_string(),
        "cannot read `gone`: no such file or folder"
    );
}

#[test]
fn paths_are_shown_as_given() {
    for (path, expected) in [
        ("./a//b/./c", "a/b/c"),
        ("/a/b", "/a/b"),
        ("../a", "../a"),
        (".", "."),
        ("a/../b", "a/../b"),
        ("/", "/"),
    ] {
        assert_eq!(shown(Path::new(path)), expected);
    }
}

#[test]
fn a_dash_is_standard_input() {
    let inputs = discover(&[PathBuf::from("-"), PathBuf::from("-")]).inputs;
    assert_eq!(inputs.len(), 1);
    assert!(inputs[0].is_standard_input());
    assert_eq!(inputs[0].name, STANDARD_INPUT_NAME);
}
