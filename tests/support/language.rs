//! A grammar held against a parser: sentences, mutants, texts, names and words. INVARIANT: a check says all that it
//! found wrong, in words that name the production or show the text; nothing wrong is an empty list.

use std::collections::{BTreeMap, BTreeSet};

use super::ebnf::random::Random;
use super::ebnf::{Grammar, mutant, normalise};

/// More than so many differences are of no use to a reader.
const MAX_SHOWN: usize = 5;
/// Sentences that are made even if every alternative has been used sooner, and mutants of each.
const N_SENTENCES: usize = 1000;
const N_MUTANTS: usize = 6;

/// A parser that stands beside a grammar.
pub(crate) struct Language<'a> {
    /// For messages.
    pub(crate) name: &'a str,
    /// Its grammar.
    pub(crate) grammar: Grammar,
    /// The Rust text of its parser, whose functions' first doc lines are productions.
    pub(crate) source: String,
    /// Whether the parser takes all of a text without complaint.
    pub(crate) parses: &'a dyn Fn(&str) -> bool,
    /// Its reserved words, if it has any.
    pub(crate) reserved: Option<&'a [&'a str]>,
}

impl Language<'_> {
    /// Sentences that the parser refuses, and alternatives that no sentence uses.
    pub(crate) fn refused_sentences(&self, seed: u64) -> Vec<String> {
        let mut generator = self.grammar.generator(seed);
        let mut wrong = Vec::new();
        for made in 0..10 * N_SENTENCES {
            if made >= N_SENTENCES && generator.unused().is_empty() || wrong.len() > MAX_SHOWN {
                break;
            }
            match generator.sentence() {
                Ok(sentence) => match self.verdict(&sentence.text) {
                    "takes" => {}
                    verdict => wrong.push(format!(
                        "{} {verdict} the sentence {:?}",
                        self.name, sentence.text
                    )),
                },
                Err(error) => return vec![error],
            }
        }
        wrong.extend(
            generator
                .unused()
                .into_iter()
                .map(|alternative| format!("never used: {alternative}")),
        );
        wrong
    }

    /// What the parser does with a text.
    fn verdict(&self, text: &str) -> &'static str {
        let parses = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (self.parses)(text)));
        match parses {
            Ok(true) => "takes",
            Ok(false) => "refuses",
            Err(_) => "panics on",
        }
    }

    /// Texts one edit away from a sentence on which grammar and parser differ.
    pub(crate) fn disputed_mutants(&self, seed: u64) -> Vec<String> {
        let mut generator = self.grammar.generator(seed);
        let mut random = Random::new(seed);
        let mut wrong = Vec::new();
        for _ in 0..N_SENTENCES {
            let sentence = match generator.sentence() {
                Ok(sentence) => sentence,
                Err(error) => return vec![error],
            };
            for _ in 0..N_MUTANTS {
                let Some((edit, text)) = mutant(&sentence, &mut random) else {
                    continue;
                };
                let grammar = if self.grammar.accepts(&text) {
                    "takes"
                } else {
                    "refuses"
                };
                let parser = self.verdict(&text);
                if grammar != parser {
                    wrong.push(format!(
                        "{}: grammar {grammar}, parser {parser} {text:?} ({edit:?})",
                        self.name
                    ));
                }
            }
            if wrong.len() > MAX_SHOWN {
                break;
            }
        }
        wrong
    }

    /// Whether a fixture is derivable, if it should be, and not if it should not.
    pub(crate) fn misjudged(&self, name: &str, text: &str, is_legal: bool) -> Option<String> {
        match (self.grammar.refusal(text), is_legal) {
            (Some(at), true) => {
                let line = text.get(..at).map_or(0, |before| before.matches('\n').count()) + 1;
                let rest = text.get(at..).and_then(|rest| rest.lines().next()).unwrap_or("");
                Some(format!("{name}:{line}: not derivable, stopped at `{rest}`"))
            }
            (None, false) => Some(format!("{name}: is derivable, though it lies among the errors")),
            _ => None,
        }
    }

    /// Productions that the parser's doc lines lack, have besides, or write otherwise.
    pub(crate) fn strayed_names(&self) -> Vec<String> {
        let grammar = self.grammar.productions();
        let mut wrong = Vec::new();
        let mut seen = BTreeMap::new();
        for marked in marked_productions(&self.source) {
            let name = marked.rule.split_whitespace().next().unwrap_or("").to_owned();
            if snake(&name) != marked.item.to_lowercase() {
                wrong.push(format!(
                    "`{}` is marked with the production `{name}`",
                    marked.item
                ));
            }
            match (grammar.get(name.as_str()), normalise(&marked.rule)) {
                (None, _) => wrong.push(format!(
                    "`{name}` is marked in the parser, but is not in the grammar"
                )),
                (_, Err(error)) => wrong.push(format!("`{}`: {error}", marked.item)),
                (Some(rule), Ok(text)) if text != **rule => {
                    wrong.push(format!("parser says\n  {text}\ngrammar says\n  {rule}"));
                }
                _ => {}
            }
            if let Some(other) = seen.insert(name.clone(), marked.item.clone()) {
                wrong.push(format!(
                    "`{name}` is marked twice, on `{other}` and `{}`",
                    marked.item
                ));
            }
        }
        // The words of `reserved` are compared with the parser's list instead.
        let is_list = |name: &str| name == "reserved" && self.reserved.is_some();
        let unmarked = grammar
            .keys()
            .filter(|name| !seen.contains_key(**name) && !is_list(name));
        wrong.extend(
            unmarked.map(|name| format!("`{name}` is in the grammar, but no function is marked with it")),
        );
        wrong
    }

    /// Words that only one of the grammar's production `reserved` and the parser reserves, and keywords that neither does.
    pub(crate) fn strayed_words(&self) -> Vec<String> {
        let Some(reserved) = self.reserved else {
            return Vec::new();
        };
        let parser: BTreeSet<&str> = reserved.iter().copied().collect();
        let grammar = self.grammar.literals_of("reserved");
        let mut wrong: Vec<String> = parser
            .symmetric_difference(&grammar)
            .map(|word| format!("`{word}` is reserved by only one of parser and grammar"))
            .collect();
        let stray = grammar
            .iter()
            .filter(|word| !self.grammar.words().contains(**word));
        wrong.extend(stray.map(|word| format!("`{word}` is reserved, but is not a word")));
        wrong
    }
}

/// An item of a parser whose doc comment begins with a production.
#[derive(Debug, PartialEq, Eq)]
struct Marked {
    item: String,
    rule: String,
}

/// `port-range` as the name of a function.
fn snake(production: &str) -> String {
    production.replace('-', "_").to_lowercase()
}

/// The productions in the first doc paragraphs of `fn`, `const` and `static` items, with the items' names.
fn marked_productions(source: &str) -> Vec<Marked> {
    let mut found = Vec::new();
    let mut doc: Vec<&str> = Vec::new();
    for line in source.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            doc.push(text.trim());
        } else if !line.starts_with("#[") {
            if let (Some(rule), Some(item)) = (production_in(&doc), item_name(line)) {
                found.push(Marked { item, rule });
            }
            doc.clear();
        }
    }
    found
}

/// The production that the first paragraph of a doc comment is, without its backticks.
fn production_in(doc: &[&str]) -> Option<String> {
    let paragraph: Vec<&str> = doc.iter().copied().take_while(|line| !line.is_empty()).collect();
    let text = paragraph.join(" ");
    let text = match text.strip_prefix('`') {
        Some(inside) => inside.rsplit_once('`')?.0,
        None => &text,
    };
    let name = text.split_once("::=")?.0.trim();
    (!name.is_empty() && !name.contains(char::is_whitespace)).then(|| text.to_owned())
}

fn item_name(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words
        .iter()
        .position(|word| matches!(*word, "fn" | "const" | "static"))?;
    let at = if words.get(at + 1) == Some(&"fn") {
        at + 1
    } else {
        at
    };
    let name = words.get(at + 1)?.trim_start_matches("r#");
    let end = name
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(name.len());
    Some(name.get(..end)?.trim_end_matches('_').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAMMAR: &str = "/* start: list \n skip: /[ ]+/ \n word: /[a-z]+/ */
        list ::= number-range (',' number-range)*
        number-range ::= number ('-' number)? /* ws: explicit */ | 'all'
        number ::= /0|[1-9][0-9]?/ - reserved
        reserved ::= 'all'";

    const SOURCE: &str = r#"
        /// `list ::= number-range (',' number-range)*`
        ///
        /// More about it.
        pub(super) fn list(input: &str) -> bool {
        /// `number-range ::=
        ///    number ('-' number)? | 'all'`
        #[must_use]
        fn number_range<'a>(input: &'a str) -> bool {
        /// number ::= /0|[1-9][0-9]?/ - reserved
        const fn number() {}
        const RESERVED: &[&str] = &["all"];
    "#;

    fn number(text: &str) -> bool {
        (1..=2).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_digit())
            && (text == "0" || !text.starts_with('0'))
    }

    fn range(text: &str) -> bool {
        let text = text.trim_matches(' ');
        text == "all" || number(text) || text.split_once('-').is_some_and(|(a, b)| number(a) && number(b))
    }

    fn with<'a>(
        parses: &'a dyn Fn(&str) -> bool,
        check: impl Fn(&Language<'a>) -> Vec<String>,
    ) -> Vec<String> {
        let grammar = Grammar::read(GRAMMAR).unwrap();
        let source = SOURCE.to_owned();
        check(&Language {
            name: "toy",
            grammar,
            source,
            parses,
            reserved: Some(&["all"]),
        })
    }

    #[test]
    fn a_parser_that_agrees_passes_all_checks() {
        let parses = |text: &str| text.split(',').all(range);
        assert!(with(&parses, |toy| toy.refused_sentences(1)).is_empty());
        assert!(with(&parses, |toy| toy.disputed_mutants(1)).is_empty());
        assert!(with(&parses, Language::strayed_names).is_empty());
        assert!(with(&parses, Language::strayed_words).is_empty());
    }

    #[test]
    fn a_parser_that_takes_too_little_or_too_much_is_shown() {
        let no_blanks = |text: &str| !text.contains(' ') && text.split(',').all(range);
        assert!(
            with(&no_blanks, |toy| toy.refused_sentences(1))
                .concat()
                .contains("toy refuses the sentence")
        );
        let trailing_comma = |text: &str| text.strip_suffix(',').unwrap_or(text).split(',').all(range);
        assert!(
            with(&trailing_comma, |toy| toy.disputed_mutants(1))
                .concat()
                .contains("grammar refuses, parser takes")
        );
    }

    #[test]
    fn fixtures_are_judged_with_their_line() {
        let any = |_: &str| true;
        let judge = |text: &'static str, is_legal| {
            with(&any, |toy| {
                toy.misjudged("f", text, is_legal).into_iter().collect()
            })
            .concat()
        };
        assert_eq!(judge("1-2, all", true), "");
        assert_eq!(judge("1-2,,", true), "f:1: not derivable, stopped at `,`");
        assert_eq!(judge("1-2,,", false), "");
        assert_eq!(
            judge("1", false),
            "f: is derivable, though it lies among the errors"
        );
    }

    #[test]
    fn each_way_of_straying_is_named() {
        let grammar = || Grammar::read(GRAMMAR).unwrap();
        let strayed = |from: &str, to: &str| {
            assert!(SOURCE.contains(from), "{from}");
            let source = SOURCE.replacen(from, to, 1);
            let toy = Language {
                name: "toy",
                grammar: grammar(),
                source,
                parses: &|_| true,
                reserved: Some(&["any"]),
            };
            toy.strayed_names().join("\n")
        };
        assert!(strayed("fn list", "fn lists").contains("`lists` is marked with the production `list`"));
        assert!(
            strayed("list ::=", "lost ::=")
                .contains("`lost` is marked in the parser, but is not in the grammar")
        );
        assert!(strayed("/// `list ::=", "// `list ::=").contains("no function is marked with it"));
        assert!(strayed(")*`", ")+`").contains("parser says"));
        let toy = Language {
            name: "toy",
            grammar: grammar(),
            source: String::new(),
            parses: &|_| true,
            reserved: Some(&["any"]),
        };
        assert_eq!(toy.strayed_words().len(), 2);
    }
}
