//! The dumps in literate cases. INVARIANT: a dump's lines are those that the case's own reader would make of it, less what
//! the case expects of them.

use crate::{file, listing};

/// Each dump in `fixtures/cases` with a name that says where it is.
pub(crate) fn dumps() -> Vec<(String, String)> {
    let pages = listing::below("fixtures/cases", "md");
    pages
        .iter()
        .flat_map(|path| in_page(path, &file::text(path)))
        .collect()
}

fn in_page(path: &str, page: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Option<(String, String)> = None;
    for (at, line) in page.lines().enumerate() {
        let language = line.strip_prefix("```");
        match (&mut open, language) {
            (Some(_), Some("")) => found.extend(open.take()),
            (Some((_, text)), _) => {
                let marks = ["# expect:", "# related:"];
                let end = marks.iter().filter_map(|mark| line.find(mark)).min();
                text.push_str(end.map_or(line, |end| line[..end].trim_end()));
                text.push('\n');
            }
            // What a file is called says its family, if nothing else does.
            (None, Some("iptables")) => open = Some((format!("{path}:{}.rules", at + 1), String::new())),
            (None, Some("ip6tables")) => open = Some((format!("{path}:{}.rules6", at + 1), String::new())),
            (None, Some("nft")) => open = Some((format!("{path}:{}.nft", at + 1), String::new())),
            (None, _) => {}
        }
    }
    found
}
