//! The kit tried on a toy language, with parsers for it that are right and that are wrong in one place.

use super::random::Random;
use super::{Grammar, mutant, normalise};

const TOY: &str = r#"
/* The toy.
   start: toy
   skip: /([ \n]|#[^\n]*)+/
   word: /[a-z0-9]+(-[a-z0-9]+){0,}/ */
toy      ::= row* "end"?
row      ::= verb name? ( "->" service ( "," service )* )? ";"
verb     ::= "allow" | "forbid" | 'allow-all'
service  ::= protocol "/" port          /* ws: explicit */
protocol ::= "tcp" | "udp"
port     ::= /0|[1-9][0-9]{0,2}/
name     ::= /[a-z][a-z0-9]*(-[a-z0-9]+)*/ - reserved
reserved ::= "allow" | "forbid" | "allow-all" | "end" | "tcp" | "udp"
"#;

fn toy() -> Grammar {
    Grammar::read(TOY).unwrap()
}

#[test]
fn a_text_is_a_sentence_or_not() {
    let toy = toy();
    for text in [
        "",
        " # nothing\n",
        "end",
        "allow;",
        "allow-all;",
        "allow allowed;",
        "allow x->tcp/0;",
        "forbid a-1 -> udp/10 , tcp/999 # why\n; end",
    ] {
        assert!(toy.accepts(text), "{text:?}");
    }
    for text in [
        "allow",
        "allowx;",
        "end end",
        "allow allow;",
        "allow x y;",
        "allow -> tcp/00;",
        "allow -> tcp / 1;",
        "allow -> tcp/1000;",
        "allow -> tcp/1,;",
        "é",
    ] {
        assert!(!toy.accepts(text), "{text:?}");
    }
    assert_eq!(
        toy.refusal("allow x; allow x y;"),
        Some("allow x; allow x ".len())
    );
}

/// A parser of the toy by hand: blanks and comments go first, then words and signs are told apart.
fn parse(text: &str, is_port: impl Fn(&str) -> bool, is_name: impl Fn(&str) -> bool) -> bool {
    let mut lines = String::new();
    for line in text.split('\n') {
        lines.push_str(line.split('#').next().unwrap());
        lines.push(' ');
    }
    let spaced = lines
        .replace("->", " \u{2192} ")
        .replace(';', " ; ")
        .replace(',', " , ");
    let words: Vec<&str> = spaced.split_ascii_whitespace().collect();
    let (last, rows) = match words.split_last() {
        Some((&"end", rows)) => (true, rows),
        _ => (false, words.as_slice()),
    };
    let mut rows: Vec<&[&str]> = rows.split(|word| *word == ";").collect();
    let is_service = |word: &&str| {
        let port = word.strip_prefix("tcp/").or(word.strip_prefix("udp/"));
        port.is_some_and(&is_port)
    };
    let is_row = |row: &[&str]| {
        let Some((&("allow" | "forbid" | "allow-all"), mut rest)) = row.split_first() else {
            return false;
        };
        if let Some((first, after)) = rest.split_first()
            && is_name(first)
        {
            rest = after;
        }
        match rest.split_first() {
            None => true,
            Some((&"\u{2192}", services)) => services
                .split(|word| *word == ",")
                .all(|one| matches!(one, [service] if is_service(service))),
            Some(_) => false,
        }
    };
    let closed = rows.pop().is_some_and(<[&str]>::is_empty);
    (closed || (last && rows.is_empty() && words.len() == 1)) && rows.iter().all(|row| is_row(row))
}

fn right_port(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 3
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'))
}

fn loose_port(text: &str) -> bool {
    text.len() <= 3 && text.parse::<u16>().is_ok()
}

fn right_name(text: &str) -> bool {
    is_word(text) && !["allow", "forbid", "allow-all", "end", "tcp", "udp"].contains(&text)
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.split('-').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}

/// The first text on which grammar and parser differ.
fn difference(parser: impl Fn(&str) -> bool) -> Option<String> {
    let toy = toy();
    let mut generator = toy.generator(1);
    let mut random = Random::new(2);
    for _ in 0..400 {
        let sentence = generator.sentence().unwrap();
        if !parser(&sentence.text) {
            return Some(sentence.text);
        }
        for _ in 0..5 {
            let Some((_, text)) = mutant(&sentence, &mut random) else {
                continue;
            };
            if parser(&text) != toy.accepts(&text) {
                return Some(text);
            }
        }
    }
    None
}

#[test]
fn a_right_parser_agrees() {
    assert_eq!(difference(|text| parse(text, right_port, right_name)), None);
}

#[test]
fn a_parser_that_takes_00_is_caught() {
    let text = difference(|text| parse(text, loose_port, right_name)).unwrap();
    assert!(text.contains("/00"), "{text}");
}

#[test]
fn a_parser_that_takes_a_keyword_for_a_name_is_caught() {
    assert!(difference(|text| parse(text, right_port, is_word)).is_some());
}

#[test]
fn every_alternative_is_used_soon_and_the_same_seed_says_the_same() {
    let toy = toy();
    let mut generator = toy.generator(3);
    let mut texts = Vec::new();
    while !generator.unused().is_empty() {
        texts.push(generator.sentence().unwrap().text);
        assert!(texts.len() < 20, "still unused: {:?}", generator.unused());
    }
    let mut again = toy.generator(3);
    let same: Vec<_> = texts.iter().map(|_| again.sentence().unwrap().text).collect();
    assert_eq!(texts, same);
}

#[test]
fn what_a_sentence_has_is_not_reported_as_unused() {
    let grammar = Grammar::read("/* start: a */ a ::= 'x' | 'y'").unwrap();
    let mut generator = grammar.generator(0);
    assert_eq!(generator.unused(), ["a: 'x'", "a: 'y'"]);
    let first = generator.sentence().unwrap().text;
    assert_eq!(
        generator.unused(),
        [if first == "x" { "a: 'y'" } else { "a: 'x'" }]
    );
}

#[test]
fn recursion_in_the_grammar_and_depth_in_the_text_cost_no_stack() {
    let grammar = Grammar::read("/* start: e */ e ::= '(' e ')' | e '+' e | 'x' | 'y'").unwrap();
    let deep = format!("{}x{}", "(".repeat(20_000), ")".repeat(20_000));
    assert!(grammar.accepts(&deep));
    assert!(!grammar.accepts(&deep[1..]));
    assert!(grammar.accepts("x+y+x+(y+x)"));
    let mut generator = grammar.generator(5);
    for _ in 0..50 {
        assert!(generator.sentence().unwrap().text.len() < 100_000);
    }
}

#[test]
fn parts_that_may_be_empty_are_seen_through() {
    let grammar = Grammar::read("/* start: s */ s ::= a b a c a ::= b? b ::= 'x'* c ::= ('y' a)? ").unwrap();
    for text in ["", "x", "xxxx", "y", "xy", "xyxx"] {
        assert!(grammar.accepts(text), "{text:?}");
    }
    assert!(!grammar.accepts("yy"));
}

#[test]
fn a_grammar_that_is_wrong_is_refused_by_name() {
    for (text, error) in [
        ("a ::= 'x'", "start: NAME"),
        ("/* start: b */ a ::= 'x'", "`b` is not defined"),
        ("/* start: a */ a ::= b", "`b` is not defined"),
        ("/* start: a */ a ::= 'x' b ::= 'y'", "`b` is not used"),
        ("/* start: a */ a ::= 'x' a", "`a` has no finite sentence"),
        ("/* start: a */ a ::= 'x' a ::= 'y'", "`a` is defined twice"),
        ("/* start: a */ a ::= ( 'x'", "is not closed"),
        ("/* start: a */ a ::= 'x' )", "too many"),
        ("/* start: a */ a ::= 'x", "line 1: a literal is not closed"),
        ("/* start: a */\na ::= /x(/", "`a`: /x(/"),
        ("/* start: a */ a ::= /x*/", "matches nothing at all"),
        ("/* start: a */ a ::= 'x' | ", "empty"),
        ("", "no production"),
    ] {
        let found = Grammar::read(text).map(|_| ()).unwrap_err();
        assert!(found.contains(error), "{text}: {found}");
    }
    assert!(Grammar::read(&format!("/* start: a */ a ::= {}", "(".repeat(10_000))).is_err());
}

#[test]
fn a_token_that_swallows_its_neighbour_is_said() {
    let grammar = Grammar::read("/* start: a */ a ::= /[a-z]+/ 'x'").unwrap();
    let error = grammar.generator(0).sentence().map(|_| ()).unwrap_err();
    assert!(error.contains("does not take it"), "{error}");
}

#[test]
fn rules_are_compared_without_their_blanks_and_comments() {
    let toy = toy();
    let row = r#"row ::= verb name? ("->" service ("," service)*)? ";" /* x */"#;
    assert_eq!(toy.productions()["row"], normalise(row).unwrap());
    assert_ne!(
        toy.productions()["row"],
        normalise(&row.replace('*', "+")).unwrap_or_default()
    );
    assert_eq!(
        toy.words().into_iter().collect::<Vec<_>>(),
        ["allow", "allow-all", "end", "forbid", "tcp", "udp"]
    );
}
