//! What terminals get that files do not: colours and hyperlinks.
//!
//! Who decides about colours, the first that says something: `--color`, `NO_COLOR` (no-color.org), `FORCE_COLOR`
//! (force-color.org), whether the output is a terminal that can.

use std::io::{self, IsTerminal};
use std::sync::OnceLock;

use clap::ValueEnum;
use portcullis::report::{Links, Style};

/// `--color`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On terminals, unless `NO_COLOR` is set; everywhere if `FORCE_COLOR` is
    #[default]
    Auto,
    Always,
    Never,
}

/// What the command line says. Set once, when the arguments are read.
static ASKED: OnceLock<Color> = OnceLock::new();

/// Keeps what the command line says of colours.
pub(crate) fn ask(color: Color) {
    // Set by `main` alone.
    let _set = ASKED.set(color);
}

/// Whether standard error wants colours.
pub(crate) fn errors_want_color() -> bool {
    wants_color(asked(), io::stderr().is_terminal(), variable)
}

/// How a report on standard output is dressed.
pub(crate) fn style(is_quiet: bool) -> Style {
    let is_terminal = io::stdout().is_terminal();
    let color = wants_color(asked(), is_terminal, variable);
    let can_link =
        supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout) && wants_links(asked(), color, variable);
    let here = std::env::current_dir().ok();
    let root = here.and_then(|here| here.to_str().map(str::to_owned));
    Style {
        color,
        links: root.filter(|_| can_link).map(|root| Links {
            root,
            // Where the book of this version is published, once the package says so.
            explanations: option_env!("CARGO_PKG_HOMEPAGE").filter(|page| !page.is_empty()),
        }),
        is_quiet,
    }
}

fn asked() -> Color {
    ASKED.get().copied().unwrap_or_default()
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn wants_color(asked: Color, is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
    match asked {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if variable("NO_COLOR").is_some() => false,
        Color::Auto if variable("FORCE_COLOR").is_some_and(|value| value != "0") => true,
        Color::Auto => is_terminal && variable("TERM").is_none_or(|value| value != "dumb"),
    }
}

/// Whether links are wanted where a terminal can follow them: with colours, or by `FORCE_HYPERLINK`; `--color never` asks for plain
/// text.
fn wants_links(asked: Color, color: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
    asked != Color::Never && (color || variable("FORCE_HYPERLINK").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_come_with_colors_or_when_they_are_forced_and_never_in_plain_text() {
        let none = |_: &str| None;
        let forced = |name: &str| (name == "FORCE_HYPERLINK").then(|| "1".to_owned());
        assert!(wants_links(Color::Auto, true, none) && !wants_links(Color::Auto, false, none));
        assert!(wants_links(Color::Auto, false, forced) && !wants_links(Color::Never, false, forced));
    }

    #[test]
    fn color_needs_a_terminal_and_no_objection_or_somebody_who_asks() {
        let none = |_: &str| None;
        let set = |name: &'static str, value: &'static str| {
            move |asked: &str| (asked == name).then(|| value.to_owned())
        };
        assert!(wants_color(Color::Auto, true, none) && !wants_color(Color::Auto, false, none));
        assert!(!wants_color(Color::Auto, true, set("NO_COLOR", "1")));
        assert!(!wants_color(Color::Auto, true, set("TERM", "dumb")));
        assert!(wants_color(Color::Auto, false, set("FORCE_COLOR", "1")));
        assert!(!wants_color(Color::Auto, false, set("FORCE_COLOR", "0")));
        assert!(!wants_color(Color::Auto, false, |_: &str| Some("1".into())));
        assert!(wants_color(Color::Always, false, set("NO_COLOR", "1")));
        assert!(!wants_color(Color::Never, true, set("FORCE_COLOR", "1")));
    }
}
