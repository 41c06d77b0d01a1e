//! What a reader said, as text: one line a finding.

use portcullis::finding::Finding;
use portcullis::source::SourceMap;

/// ``error at line 3 `10.0.0.0/33`: code: message | help``, after a headline; nothing if nothing was said.
pub(crate) fn text(map: &SourceMap, notices: &[Finding]) -> String {
    let mut lines: Vec<String> = notices.iter().map(|finding| line(map, finding)).collect();
    if !lines.is_empty() {
        lines.insert(0, "notices\n".to_owned());
    }
    lines.concat()
}

fn line(map: &SourceMap, finding: &Finding) -> String {
    let help = finding
        .help
        .as_ref()
        .map_or_else(String::new, |help| format!(" | {help}"));
    let place = finding.primary.as_ref().map_or_else(String::new, |label| {
        let at = map.file(label.span.file).line_column(label.span.start).line;
        format!("line {at} `{}` ", map.text(label.span))
    });
    format!("  {place}{}: {}{help}\n", finding.code.id(), finding.message)
}
