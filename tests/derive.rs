//! Policies derived from documents: each fixture beside what comes of it, and what a broken document is told.
#![cfg(test)]

#[path = "support/file.rs"]
mod file;
#[path = "support/golden.rs"]
mod golden;
#[path = "support/listing.rs"]
mod listing;

use std::fmt::Write as _;

use portcullis::derive::{Derivation, Note, Options, derive};
use portcullis::policy;
use portcullis::source::SourceMap;

fn derived(name: &str, text: &str) -> (SourceMap, Derivation) {
    derived_with(name, text, &Options::default())
}

fn derived_with(name: &str, text: &str, options: &Options) -> (SourceMap, Derivation) {
    let mut sources = SourceMap::new();
    let file = sources.add_text(name, text);
    let derivation = derive(sources.source(file), options);
    (sources, derivation)
}

/// The policy, and below it as comments what is said of it.
fn shown(sources: &SourceMap, derivation: &Derivation) -> String {
    let mut text = derivation.text.clone();
    let mut say = |what: &str, notes: &[Note]| {
        for note in notes {
            let place = sources.place(note.span);
            let _infallible = writeln!(text, "# {what}: {place}: {}: {}", note.place, note.message);
        }
    };
    say("skipped", &derivation.skipped);
    say("left", &derivation.left);
    for problem in &derivation.problems {
        let place = sources.place(problem.span);
        let _infallible = writeln!(text, "{place}: {}\n  {}", problem.message, problem.help);
    }
    let _infallible = writeln!(
        text,
        "# {} of {} rows derived",
        derivation.n_derived, derivation.n_rows
    );
    text
}

fn fixtures(folder: &str) -> Vec<String> {
    let endings = ["md", "txt", "html", "rst", "csv", "tsv", "tf"];
    let mut all: Vec<String> = endings
        .iter()
        .flat_map(|ending| listing::below(folder, ending))
        .collect();
    all.sort();
    all
}

#[test]
fn documents_come_to_what_stands_beside_them() {
    for path in fixtures("fixtures/derive") {
        let (sources, derivation) = derived(&path, &file::text(&path));
        golden::assert_golden(&format!("{path}.expected"), &shown(&sources, &derivation));
        let is_broken = path.contains("/broken/");
        assert_eq!(derivation.text.is_empty(), is_broken, "{path}");
        assert_eq!(derivation.problems.is_empty(), !is_broken, "{path}");
    }
}

#[test]
fn what_is_derived_is_sound_and_in_canonical_form() {
    for path in fixtures("fixtures/derive")
        .into_iter()
        .filter(|path| !path.contains("/broken/"))
    {
        let (_, derivation) = derived(&path, &file::text(&path));
        let mut sources = SourceMap::new();
        let id = sources.add_text("derived.ports", derivation.text.as_str());
        let parsed = policy::parse(sources.source(id));
        assert!(
            parsed.errors.is_empty() && policy::check(&parsed.policies).is_empty(),
            "{path}"
        );
        assert_eq!(
            policy::format(sources.source(id)).unwrap(),
            derivation.text,
            "{path}"
        );
    }
}

/// The rows of a policy, each as one line without its purpose and place.
fn facts(text: &str) -> Vec<String> {
    let rows = text.lines().map(str::trim);
    let rows = rows.filter(|line| line.starts_with("require ") || line.starts_with("allow "));
    let squeezed = rows.map(|row| row.split_whitespace().collect::<Vec<_>>().join(" "));
    let bare = |row: String| {
        let without_place = row.rsplit_once(" row ").map_or(row.as_str(), |(row, _)| row);
        let purpose = without_place
            .strip_suffix('"')
            .and_then(|row| row.rsplit_once('"'));
        purpose.map_or(without_place, |(row, _)| row).trim().to_owned()
    };
    squeezed.map(bare).collect()
}

/// The paragraphs of our rendering of StackLight's tables, bulleted ones apart.
fn paragraphs(text: &str) -> Vec<&str> {
    text.split("\n\n")
        .filter(|paragraph| !paragraph.trim().is_empty())
        .collect()
}

/// The facts of a policy that are none of the whole one.
fn others(text: &str, whole: &[String]) -> Vec<String> {
    let of_text = facts(text).into_iter();
    of_text.filter(|fact| !whole.contains(fact)).collect()
}

#[test]
fn a_flattened_table_with_any_cell_missing_is_an_error_or_loses_no_truth() {
    let path = "fixtures/derive/stacklight.txt";
    let text = file::text(path);
    let whole = facts(&derived(path, &text).1.text);
    let all = paragraphs(&text);
    let mut unrefused = Vec::new();
    for left_out in 0..all.len() {
        let rest: Vec<&str> = all
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != left_out)
            .map(|entry| *entry.1)
            .collect();
        let (_, derivation) = derived(path, &rest.join("\n\n"));
        if derivation.problems.is_empty() {
            unrefused.push(all[left_out].trim());
        }
        let wrong = others(&derivation.text, &whole);
        // A list of two ports that lost one says the other, which is true.
        assert!(wrong.is_empty(), "without `{}`: {wrong:#?}", all[left_out]);
    }
    assert_eq!(
        unrefused,
        [
            "StackLight ports",
            "Who talks to StackLight from outside of the cluster network, and to whom it talks.",
            "User interfaces",
            "• 19100/TCP Since 23.3",
            "• 9100/TCP Before 23.3",
        ]
    );
}

#[test]
fn a_flattened_table_that_is_cut_off_is_an_error_or_gives_its_first_rows() {
    let path = "fixtures/derive/stacklight.txt";
    let text = file::text(path);
    let whole = facts(&derived(path, &text).1.text);
    let all = paragraphs(&text);
    for length in 0..all.len() {
        let (_, derivation) = derived(path, &all[..length].join("\n\n"));
        let cut = facts(&derivation.text);
        assert!(
            cut.iter().all(|fact| whole.contains(fact)),
            "cut behind {length}: {cut:#?}"
        );
        assert!(derivation.problems.is_empty() || derivation.text.is_empty());
    }
}

#[test]
fn a_flattened_table_whose_cells_changed_places_is_an_error() {
    let path = "fixtures/derive/stacklight.txt";
    let text = file::text(path);
    let whole = facts(&derived(path, &text).1.text);
    let all = paragraphs(&text);
    let mut undetected = Vec::new();
    for at in 1..all.len() {
        let mut swapped = all.clone();
        swapped.swap(at - 1, at);
        let (_, derivation) = derived(path, &swapped.join("\n\n"));
        let wrong = others(&derivation.text, &whole);
        if !wrong.is_empty() {
            undetected.push(format!("{} <-> {}: {wrong:?}", all[at - 1], all[at]));
        }
    }
    assert!(undetected.is_empty(), "{undetected:#?}");
}

/// Numbers that are the same in every run (a linear congruential generator with the constants of Numerical Recipes).
struct Numbers(u32);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as usize % n
    }
}

#[test]
fn a_flattened_table_that_is_mangled_gives_an_error_or_no_wrong_row() {
    let path = "fixtures/derive/stacklight.txt";
    let text = file::text(path);
    let whole = facts(&derived(path, &text).1.text);
    let all = paragraphs(&text);
    let mut numbers = Numbers(7);
    let (mut n_refused, mut n_placed) = (0, 0);
    for round in 0..1500 {
        let mut mangled = all.clone();
        match round % 3 {
            0 => {
                for _ in 0..=numbers.below(5) {
                    let at = numbers.below(mangled.len());
                    mangled.remove(at);
                }
            }
            1 => {
                let start = numbers.below(mangled.len() - 12);
                let length = 3 + numbers.below(9);
                for at in (1..length).rev() {
                    mangled.swap(start + at, start + numbers.below(at + 1));
                }
            }
            _ => {
                // The end of a section: what is left of it is out of step, or a shorter table.
                let start = 1 + numbers.below(mangled.len() - 1);
                let is_first_heading = |at: &usize| mangled[*at].trim() == "Component";
                let next = (start..mangled.len()).find(is_first_heading);
                mangled.drain(start..next.map_or(mangled.len(), |next| (next - 1).max(start)));
            }
        }
        let text = mangled.join("\n\n");
        let (sources, derivation) = derived(path, &text);
        n_refused += usize::from(!derivation.problems.is_empty());
        for problem in &derivation.problems {
            let at = sources.text(problem.span);
            n_placed += usize::from(!at.is_empty() && at.len() < text.len());
        }
        let wrong = others(&derivation.text, &whole);
        assert!(wrong.is_empty(), "round {round}: {wrong:#?}\n{text}");
    }
    assert!(
        n_refused > 1000 && n_placed > 1000,
        "{n_refused} refused, {n_placed} with a place"
    );
}

#[test]
fn a_section_can_be_chosen() {
    let path = "fixtures/derive/stacklight.txt";
    let choose = |heading: &str| {
        let options = Options {
            name: Some("My Policy".to_owned()),
            select: Some(heading.to_owned()),
        };
        derived_with(path, &file::text(path), &options).1
    };
    let exporters = choose("metrics exporters");
    assert_eq!((exporters.n_rows, exporters.n_derived), (10, 10));
    assert!(
        exporters.text.starts_with("policy my-policy "),
        "{}",
        exporters.text
    );
    let nothing = choose("no such heading");
    assert!(
        nothing.problems[0].help.contains("`Metrics exporters`"),
        "{:?}",
        nothing.problems
    );
}

/// A page without what stands between fences.
fn without_fences(text: &str) -> String {
    let mut is_example = false;
    let kept = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        is_example ^= is_fence;
        !is_example && !is_fence
    });
    kept.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_tables_of_the_corpus_are_read_or_refused_by_name() {
    let Some(corpus) = std::env::var_os("PORTCULLIS_CORPUS") else {
        eprintln!("skipped: PORTCULLIS_CORPUS is not set");
        return;
    };
    let corpus = std::path::Path::new(&corpus);
    let folders = [
        "antrea-io+antrea",
        "kubernetes-sigs+cluster-api-provider-openstack",
        "kubernetes-sigs+kubespray",
        "poseidon+typhoon",
    ];
    let mut n_refused = 0;
    for entry in folders
        .iter()
        .flat_map(|folder| walkdir::WalkDir::new(corpus.join(folder)).sort_by_file_name())
    {
        let entry = entry.unwrap();
        if entry.path().extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let (_, derivation) = derived("doc.md", &text);
        n_refused += usize::from(!derivation.problems.is_empty());
        let (_, without_examples) = derived("doc.md", &without_fences(&text));
        assert_eq!(
            facts(&derivation.text),
            facts(&without_examples.text),
            "{}",
            entry.path().display()
        );
        let is_whole = derivation.text.is_empty() != derivation.problems.is_empty();
        assert!(is_whole, "{}", entry.path().display());
        assert_eq!(
            derivation.n_rows,
            derivation.n_derived + derivation.left.len(),
            "{}",
            entry.path().display()
        );
    }
    assert!(n_refused > 0, "no document of the corpus is without ports");
    let rules = corpus.join("terraform-aws-modules+terraform-aws-security-group/rules.tf");
    let (_, derivation) = derived("rules.tf", &std::fs::read_to_string(rules).unwrap());
    assert!(derivation.text.is_empty());
    assert!(
        derivation.problems[0]
            .message
            .contains("no document that tables are read from")
    );
}

/// Lines of a file of edits, its reasons apart.
fn edits(path: &str) -> Vec<String> {
    let text = file::text(path);
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(ToOwned::to_owned).collect()
}

#[test]
fn the_shipped_policies_are_what_is_derived_and_the_reviewed_edits() {
    for (document, name) in [
        ("mke.md", "mke"),
        ("stacklight.txt", "stacklight"),
        ("stackstate.txt", "stackstate-agent"),
    ] {
        let path = format!("fixtures/derive/{document}");
        let options = Options {
            name: Some(name.to_owned()),
            select: None,
        };
        let (_, derivation) = derived_with(&path, &file::text(&path), &options);
        let mut sources = SourceMap::new();
        let mut tree = |text: &str| {
            let id = sources.add_text("policy.ports", text);
            policy::parse(sources.source(id)).policies.remove(0)
        };
        let (derived, shipped) = (tree(&derivation.text), tree(policy::builtin(name).unwrap()));
        let changes: Vec<String> = policy::diff(&derived, &shipped)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(changes, edits(&format!("fixtures/derive/{name}.edits")), "{name}");
    }
}
