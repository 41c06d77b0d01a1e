//! Where a value of YAML really begins and ends, and what to underline where there is none; the words of its errors.
//!
//! INVARIANT: what comes out lies in the text that was given.

/// What YAML takes for white space and line breaks.
pub(super) const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// How many bytes of tags, anchors, and what is between them and the value begin a text.
pub(super) fn properties(text: &str) -> usize {
    let mut rest = text;
    while rest.starts_with(['!', '&']) {
        let end = rest.find(|one: char| one.is_ascii_whitespace());
        // `!Sub[a]` is no tag's end: a flow collection may follow the tag directly behind a blank only.
        rest = rest.get(end.unwrap_or(rest.len())..).unwrap_or("");
        rest = rest.trim_start_matches(BLANKS);
        while rest.starts_with('#') {
            rest = rest
                .find('\n')
                .and_then(|end| rest.get(end..))
                .unwrap_or("")
                .trim_start_matches(BLANKS);
        }
    }
    text.len() - rest.len()
}

/// How many bytes the quoted text is that a text begins with.
pub(super) fn quoted(text: &str) -> usize {
    let bytes = text.as_bytes();
    let quote = bytes.first();
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        let is_doubled = quote == Some(&b'\'') && bytes.get(at + 1) == quote;
        match byte {
            b'\\' if quote == Some(&b'"') => at += 1,
            _ if Some(byte) == quote && is_doubled => at += 1,
            _ if Some(byte) == quote => return at + 1,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// How many bytes of a block scalar are its header and first indentation, if it begins with them.
pub(super) fn block_header(text: &str) -> usize {
    if !text.starts_with(['|', '>']) {
        return 0;
    }
    let lines = text.find('\n').and_then(|end| text.get(end..)).unwrap_or("");
    text.len() - lines.trim_start_matches(BLANKS).len()
}

/// Some bytes to underline: the word at a place, or the last before it.
pub(super) fn underline(text: &str, at: usize) -> (usize, usize) {
    let word = |start: usize| {
        let rest = text.get(start..).unwrap_or("");
        let end = rest.find(|one: char| one.is_whitespace()).unwrap_or(rest.len());
        (start, start + end)
    };
    let (start, end) = word(at);
    if end > start {
        return (start, end);
    }
    let rest = text.get(at..).unwrap_or("");
    let line_end = rest.find(['\r', '\n']).unwrap_or(rest.len());
    let blanks = rest
        .get(..line_end)
        .map_or(0, |line| line.len() - line.trim_start().len());
    if blanks < line_end {
        return word(at + blanks);
    }
    let before = text.get(..at).unwrap_or("").trim_end();
    let start = before.rfind(|one: char| one.is_whitespace());
    let after = start.map_or(0, |start| {
        start
            + before
                .get(start..)
                .and_then(|text| text.chars().next())
                .map_or(0, char::len_utf8)
    });
    (after, before.len())
}

/// The crate's words in ours, and what to do.
pub(super) fn words(info: &str) -> (String, Option<&'static str>) {
    let known: &[(&str, &str, Option<&'static str>)] = &[
        (
            "tab",
            "a tab stands where YAML takes blanks alone",
            Some("indent with blanks"),
        ),
        (
            "unknown anchor",
            "this alias names no anchor that stands before it",
            None,
        ),
        (
            "mapping values are not allowed",
            "`:` makes no key here",
            Some("quote text that contains a colon and a blank, and mind the indentation"),
        ),
        (
            "recursion limit",
            "too many brackets lie in each other here",
            None,
        ),
        (
            "unexpected end of stream",
            "the quote that begins here does not end",
            None,
        ),
        (
            "did not find expected key",
            "this line is indented as no other of its mapping",
            Some("indent the keys of a mapping alike"),
        ),
        (
            "did not find expected <document start>",
            "this line is indented less than what it should belong to",
            Some("indent what belongs together alike"),
        ),
    ];
    let found = known.iter().find(|(theirs, _, _)| info.contains(theirs));
    match found {
        Some((_, ours, help)) => ((*ours).to_owned(), *help),
        None => (format!("not YAML: {}", info.replace('\'', "`")), None),
    }
}
