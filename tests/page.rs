//! The page for auditors in a real browser: it loads without a complaint, and on paper what is folded on screen is there. Skips where
//! Chromium is not installed, unless this is the gate.
#![cfg(test)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn installed(names: &[&str]) -> Option<PathBuf> {
    let folders = ["/usr/bin", "/usr/local/bin", "/snap/bin"];
    let places = names
        .iter()
        .flat_map(|name| folders.map(|folder| Path::new(folder).join(name)));
    let found = places.into_iter().find(|place| place.is_file());
    assert!(
        found.is_some() || std::env::var_os("PORTCULLIS_CI").is_none(),
        "{names:?} must be installed here"
    );
    found
}

/// Runs Chromium without a window, without a network, in a profile of its own.
fn chromium(program: &Path, folder: &Path, arguments: &[String]) -> Output {
    Command::new(program)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-extensions",
            "--enable-logging=stderr",
        ])
        .arg("--host-resolver-rules=MAP * ~NOTFOUND")
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn the_page_loads_and_prints_in_a_browser() {
    let (Some(program), Some(pdftotext)) = (
        installed(&["chromium", "chromium-browser", "google-chrome"]),
        installed(&["pdftotext"]),
    ) else {
        println!("skipped: no Chromium or no pdftotext");
        return;
    };
    let folder = std::env::temp_dir().join(format!("portcullis-page-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let page = folder.join("audit.html");
    let status = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["check", "fixtures/demo", "--format"])
        .arg(format!("html={}", page.display()))
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(1));
    let text = std::fs::read_to_string(&page).unwrap();
    let address = format!("file://{}", page.display());

    let loaded = chromium(&program, &folder, &["--dump-dom".to_owned(), address.clone()]);
    let dom = String::from_utf8(loaded.stdout).unwrap();
    let said = String::from_utf8_lossy(&loaded.stderr).into_owned();
    assert!(!said.contains("CONSOLE"), "the browser complains:\n{said}");
    for element in [
        "<details",
        "<summary",
        "<table",
        "<tr",
        "<td",
        "<section",
        "<a href=\"#",
    ] {
        assert_eq!(
            dom.matches(element).count(),
            text.matches(element).count(),
            "{element}"
        );
    }

    let paper = folder.join("audit.pdf");
    chromium(
        &program,
        &folder,
        &[format!("--print-to-pdf={}", paper.display()), address],
    );
    let output = Command::new(pdftotext)
        .args(["-layout"])
        .arg(&paper)
        .arg("-")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    for shown in [
        "Roles and peers",
        "mke.manager",
        "required, open",
        "excess",
        "Not checked",
    ] {
        assert!(printed.contains(shown), "{shown}\n{printed}");
    }
    // What a finding holds is folded on the screen, and printed all the same.
    assert!(printed.contains("tcp 10.20.1.11:40000"), "{printed}");
    std::fs::remove_dir_all(&folder).unwrap();
}
