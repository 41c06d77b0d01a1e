//! Trees of small texts. Places are asserted by the text that they underline.

use std::fmt::Write as _;

use super::*;

const FILE: FileId = FileId(0);

fn source(text: &str) -> Source<'_> {
    Source {
        file: FILE,
        name: "a.yaml",
        text,
    }
}

fn yaml(text: &str) -> Tree<'_> {
    Tree::yaml(source(text), Schema::Core)
}

fn json(text: &str) -> Tree<'_> {
    Tree::json(source(text))
}

/// Every value with the text that it underlines: `path=text`.
fn underlined<'t>(tree: &'t Tree<'_>) -> Vec<(String, &'t str)> {
    let mut found = Vec::new();
    for (index, root) in tree.documents().enumerate() {
        walk(tree, root, &index.to_string(), &mut found);
    }
    found
}

fn walk<'t>(tree: &'t Tree<'_>, node: Node<'t>, path: &str, found: &mut Vec<(String, &'t str)>) {
    found.push((path.to_owned(), &tree.text[node.span().range()]));
    for entry in node.entries() {
        assert_eq!(
            tree.text[entry.key.span().range()].trim_matches(['"', '\'']),
            entry.name(),
            "key of {path}"
        );
        walk(tree, entry.value, &format!("{path}.{}", entry.name()), found);
    }
    for (index, item) in node.items().enumerate() {
        walk(tree, item, &format!("{path}.{index}"), found);
    }
}

#[track_caller]
fn at<'t>(tree: &'t Tree<'_>, path: &str) -> Node<'t> {
    let mut steps = path.split('.');
    let index: usize = steps.next().unwrap().parse().unwrap();
    let root = tree.documents().nth(index).unwrap();
    steps.fold(root, |node, step| {
        let item = step.parse().ok().and_then(|index| node.items().nth(index));
        item.or_else(|| node.get(step))
            .unwrap_or_else(|| panic!("no {step}"))
    })
}

#[track_caller]
fn assert_underlined(text: &str, tree: &Tree<'_>, expected: &[(&str, &str)]) {
    assert_eq!(tree.problems(), [], "{text}");
    let found = underlined(tree);
    for (path, part) in expected {
        let here: Vec<_> = found
            .iter()
            .filter(|(at, _)| at == path)
            .map(|(_, text)| *text)
            .collect();
        assert_eq!(here, [*part], "{path} of {text}");
    }
}

/// The problems as `underlined: message`.
fn problems(tree: &Tree<'_>) -> Vec<String> {
    let words = |problem: &Problem| format!("{}: {}", &tree.text[problem.span.range()], problem.message);
    tree.problems().iter().map(words).collect()
}

#[test]
fn values_know_their_bytes_in_yaml() {
    let text = "a: x # c\nlist:\n  - 80\n  - {p: \"q\", r: 'it''s'}\n-nodash: [1, two]\nempty:\nlast: two\n  lines\n";
    assert_underlined(
        text,
        &yaml(text),
        &[
            ("0.a", "x"),
            ("0.list", "80\n  - {p: \"q\", r: 'it''s'}"),
            ("0.list.0", "80"),
            ("0.list.1", "{p: \"q\", r: 'it''s'}"),
            ("0.list.1.p", "\"q\""),
            ("0.list.1.r", "'it''s'"),
            ("0.-nodash", "[1, two]"),
            ("0.-nodash.1", "two"),
            ("0.empty", "empty"),
            ("0.last", "two\n  lines"),
        ],
    );
    let tree = yaml(text);
    assert_eq!(at(&tree, "0.list.1.r").text(), Some("it's"));
    assert_eq!(at(&tree, "0.last").text(), Some("two lines"));
    assert!(at(&tree, "0.empty").is_null());
}

#[test]
fn places_hold_with_line_breaks_of_windows_marks_and_other_scripts() {
    // The crate's own offsets are wrong in each of these.
    for text in [
        "%FOO ä\n---\nä: ü\nb: \"ö\" # ß\nc: [ñ, é]\n",
        "%FOO ä\r\n---\r\nä: ü\r\nb: \"ö\" # ß\r\nc: [ñ, é]\r\n",
        "   # Ä\nä: ü\nb:   \"ö\"\nc: [ñ, é]\n",
    ] {
        assert_underlined(
            text,
            &yaml(text),
            &[("0.ä", "ü"), ("0.b", "\"ö\""), ("0.c", "[ñ, é]"), ("0.c.1", "é")],
        );
    }
}

#[test]
fn a_byte_order_mark_indents_nothing() {
    let text = "   ä: 1\nb: 2\n";
    assert_underlined(text, &yaml(text), &[("0.ä", "1"), ("0.b", "2")]);
    let indented = "   a: 1\n   b: 2\n";
    assert_underlined(indented, &yaml(indented), &[("0.a", "1"), ("0.b", "2")]);
}

#[test]
fn tags_are_kept_and_are_no_part_of_the_value() {
    let text = "a: !Ref Web\nb: !Sub\n  - \"${x}\"\n  - x: !GetAtt A.B\nc: !Join [\",\", [!Ref A]]\nd: !!str 80\ne: !Sub |\n  | x\n  y\nf: &n !If {c: d}\n";
    let tree = yaml(text);
    assert_underlined(
        text,
        &tree,
        &[
            ("0.a", "Web"),
            ("0.b.0", "\"${x}\""),
            ("0.b.1.x", "A.B"),
            ("0.c", "[\",\", [!Ref A]]"),
            ("0.c.1.0", "A"),
            ("0.d", "80"),
            ("0.e", "| x\n  y"),
            ("0.f", "{c: d}"),
        ],
    );
    let tag = |path| at(&tree, path).tag();
    assert_eq!(tag("0.a"), Some("!Ref"));
    assert_eq!(tag("0.b"), Some("!Sub"));
    assert_eq!(tag("0.b.1.x"), Some("!GetAtt"));
    assert_eq!(tag("0.c"), Some("!Join"));
    assert_eq!(tag("0.c.1.0"), Some("!Ref"));
    assert_eq!(tag("0.f"), Some("!If"));
    assert_eq!(at(&tree, "0.d").typed(), Typed::Text("80"));
    assert_eq!(at(&tree, "0.e").text(), Some("| x\ny\n"));
}

#[test]
fn blocks_are_their_lines() {
    let text = "a: |\n  | table |\n  row\nb: >-\n  x\n  y\n\nc: |\n  !no tag\n";
    let tree = yaml(text);
    assert_underlined(
        text,
        &tree,
        &[("0.a", "| table |\n  row"), ("0.b", "x\n  y"), ("0.c", "!no tag")],
    );
    assert_eq!(at(&tree, "0.b").text(), Some("x y"));
    assert_eq!(at(&tree, "0.b").style(), Some(Style::Block));
}

#[test]
fn documents_that_say_nothing_are_none() {
    let text = "# only words\n---\na: 1\n---\n# nothing\n---\nb: 2\n...\n---\n";
    assert_underlined(text, &yaml(text), &[("0.a", "1"), ("1.b", "2")]);
    assert_eq!(yaml(text).documents().count(), 2);
    assert_eq!(yaml("").documents().count(), 0);
}

#[test]
fn an_alias_is_what_it_stands_for() {
    let text = "a: &x\n  k: [1, 2]\nb: *x\nc: [*x]\n";
    let tree = yaml(text);
    let alias = at(&tree, "0.b");
    assert_eq!(alias.get("k").unwrap().items().count(), 2);
    assert!(alias.is_same(&at(&tree, "0.a")));
    assert_eq!(&text[alias.span().range()], "k: [1, 2]");
    assert_eq!(&text[alias.alias_span().unwrap().range()], "*x");
    assert_eq!(at(&tree, "0.a").alias_span(), None);
    let root = at(&tree, "0");
    assert_eq!(&text[root.entry("b").unwrap().span().range()], "b: *x");
}

#[test]
fn merged_entries_stand_behind_and_below_the_own() {
    let text = "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz:\n  <<: [*x, *y]\n  a: 5\n'<<': text\n";
    let tree = yaml(text);
    let z = at(&tree, "0.z");
    let entries: Vec<_> = z
        .entries()
        .map(|entry| (entry.name(), entry.value.as_int().unwrap()))
        .collect();
    assert_eq!(entries, [("a", 5), ("b", 2), ("c", 4)]);
    assert_eq!(at(&tree, "0.<<").text(), Some("text"));
    assert_eq!(
        problems(&yaml("a:\n  <<: 1\n")),
        ["1: a merge key (`<<`) takes a mapping, or a list of them"]
    );
    assert_eq!(at(&json("{\"<<\": {\"a\": 1}}"), "0").len(), 1);
}

#[test]
fn of_a_key_that_stands_there_twice_the_last_counts() {
    let expected = ["a: key `a` stands in this mapping already"];
    let tree = yaml("a: 1\nb: 2\na: 3\n");
    assert_eq!(problems(&tree), expected);
    assert_eq!(at(&tree, "0.a").as_int(), Some(3));
    assert_eq!(at(&tree, "0").len(), 2);
    let tree = json(r#"{"a": 1, "b": 2, "a": 3, "c": 4, "b": 5}"#);
    assert_eq!(
        problems(&tree),
        [
            "\"a\": key `a` stands in this mapping already",
            "\"b\": key `b` stands in this mapping already"
        ]
    );
    assert_eq!(at(&tree, "0.b").as_int(), Some(5));
    assert_eq!(at(&tree, "0").len(), 3);
}

#[test]
fn aliases_cannot_make_a_small_text_large() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    let tree = yaml(&bomb);
    assert_eq!(
        problems(&tree),
        ["*a4: aliases stand for more than 1000000 values"]
    );
    assert_eq!(tree.documents().count(), 0);
    assert_eq!(
        problems(&yaml("a: &a [*a]\n")),
        ["*a: an alias stands inside of what it names"]
    );
}

#[test]
fn depth_has_an_end() {
    let deep = "[".repeat(100_000);
    assert!(problems(&json(&deep))[0].ends_with("more than 200 values lie in each other here"));
    assert!(problems(&yaml(&deep))[0].ends_with("too many brackets lie in each other here"));
    let dashes = "- ".repeat(100_000);
    assert!(problems(&yaml(&dashes))[0].ends_with("more than 200 values lie in each other here"));
    let mut chain = String::from("a0: &a0 [x]\n");
    for level in 1..300 {
        writeln!(chain, "a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    assert_eq!(
        problems(&yaml(&chain)),
        ["*a197: more than 200 values lie in each other here"]
    );
}

#[test]
fn templates_are_said_to_be_templates() {
    for (text, action) in [
        ("{{- if .Values.on }}\na: 1\n{{- end }}\n", "{{- if .Values.on }}"),
        (
            "a:\n  {{- toYaml .Values.a | nindent 2 }}\n",
            "{{- toYaml .Values.a | nindent 2 }}",
        ),
        ("a: {{ .Values.a }}\nb: 1\n", "{{ .Values.a }}"),
        ("a: [{{ .Values.a }}]\n", "{{ .Values.a }}"),
        ("{% if x %}\na: 1\n{% endif %}\n", "{% if x %}"),
    ] {
        let expected = format!("{action}: a template, not YAML: `{action}`");
        assert_eq!(problems(&yaml(text)), [expected], "{text}");
        assert_eq!(yaml(text).documents().count(), 0);
    }
    let text = "a: \"{{ $labels.pod }}\" # {{ x }}\nb: |\n  {{ x }}\n";
    assert_underlined(text, &yaml(text), &[("0.a", "\"{{ $labels.pod }}\"")]);
}

#[test]
fn a_document_that_cannot_be_read_hides_no_other() {
    let text = "a: 1\n---\nb:\n\t- x\n---\nc: 3\n---\nd: e: f\n---\ng: 4\n";
    let tree = yaml(text);
    assert_eq!(
        problems(&tree),
        [
            "-: a tab stands where YAML takes blanks alone",
            ":: `:` makes no key here"
        ]
    );
    let found = underlined(&tree);
    let scalars: Vec<_> = found.iter().filter(|(path, _)| path.contains('.')).collect();
    assert_eq!(
        scalars,
        [
            &("0.a".to_owned(), "1"),
            &("1.c".to_owned(), "3"),
            &("2.g".to_owned(), "4")
        ]
    );
}

#[test]
fn values_know_their_bytes_in_json() {
    let text =
        "{\"a\": [1, -2.5e3, true, null, \"x\\u00e4\\n\"],\r\n \"ä\": {}}\n {\"b\": \"\\ud83d\\ude00\"}";
    let tree = json(text);
    assert_underlined(
        text,
        &tree,
        &[
            ("0.a", "[1, -2.5e3, true, null, \"x\\u00e4\\n\"]"),
            ("0.a.1", "-2.5e3"),
            ("0.a.3", "null"),
            ("0.ä", "{}"),
            ("1.b", "\"\\ud83d\\ude00\""),
        ],
    );
    assert_eq!(at(&tree, "0.a.4").text(), Some("xä\n"));
    assert_eq!(at(&tree, "1.b").text(), Some("😀"));
    assert_eq!(at(&tree, "0.a.0").as_int(), Some(1));
    assert_eq!(at(&tree, "0.a.1").typed(), Typed::Float("-2.5e3"));
    assert_eq!(at(&tree, "0.a.2").as_bool(), Some(true));
}

#[test]
fn json_is_json_and_nothing_more() {
    for (text, expected) in [
        ("{\"a\": 1,}", "}: expected a key in double quotes"),
        ("[1,]", "]: expected a value"),
        ("[1 2]", "2: expected `,` or `]`"),
        ("{a: 1}", "a: expected a key in double quotes"),
        ("{\"a\" 1}", "1: expected `:`"),
        ("[01]", "01: expected a value"),
        ("[1.]", "1.: expected a value"),
        ("[nul]", "nul: expected a value"),
        ("[\"a\nb\"]", "\"a: this string does not end on its line"),
        ("[\"\\x\"]", "\\x: no escape of JSON"),
        ("[1, // no\n2]", "/: expected a value"),
        ("{\"a\": [1", "[: expected `,` or `]`, but the text ends"),
        ("[", "[: expected a value, but the text ends"),
    ] {
        assert_eq!(problems(&json(text)), [expected], "{text}");
    }
}

#[test]
fn what_is_no_json_may_be_yaml() {
    let flow = "{a: 1, b: [x]}";
    assert_eq!(
        at(&Tree::read(source(flow), Schema::Core), "0.a").as_int(),
        Some(1)
    );
    let template = "{{ if .x }}\na: 1\n";
    assert!(problems(&Tree::read(source(template), Schema::Core))[0].contains("a template"));
    let named = Source {
        name: "a.json",
        ..source(flow)
    };
    assert_eq!(Tree::read(named, Schema::Core).documents().count(), 0);
}

#[test]
fn each_tool_has_its_own_numbers() {
    let typed = |schema: Schema, text| schema.typed(text, Style::Plain, None);
    for (text, core, kubernetes, yaml11) in [
        ("80", Typed::Int(80), Typed::Int(80), Typed::Int(80)),
        ("-1", Typed::Int(-1), Typed::Int(-1), Typed::Int(-1)),
        ("0777", Typed::Int(777), Typed::Int(511), Typed::Int(511)),
        ("0o777", Typed::Int(511), Typed::Int(511), Typed::Text("0o777")),
        ("0x1F", Typed::Int(31), Typed::Int(31), Typed::Int(31)),
        ("1_000", Typed::Text("1_000"), Typed::Int(1000), Typed::Int(1000)),
        ("1:30", Typed::Text("1:30"), Typed::Text("1:30"), Typed::Int(90)),
        ("yes", Typed::Text("yes"), Typed::Bool(true), Typed::Bool(true)),
        ("off", Typed::Text("off"), Typed::Bool(false), Typed::Bool(false)),
        ("y", Typed::Text("y"), Typed::Bool(true), Typed::Text("y")),
        ("True", Typed::Bool(true), Typed::Bool(true), Typed::Bool(true)),
        ("~", Typed::Null, Typed::Null, Typed::Null),
        (
            "1.5",
            Typed::Float("1.5"),
            Typed::Float("1.5"),
            Typed::Float("1.5"),
        ),
        (
            "1e3",
            Typed::Float("1e3"),
            Typed::Float("1e3"),
            Typed::Float("1e3"),
        ),
        (
            "10.0.0.0/8",
            Typed::Text("10.0.0.0/8"),
            Typed::Text("10.0.0.0/8"),
            Typed::Text("10.0.0.0/8"),
        ),
        (
            "10.0.0.1",
            Typed::Text("10.0.0.1"),
            Typed::Text("10.0.0.1"),
            Typed::Text("10.0.0.1"),
        ),
        ("-", Typed::Text("-"), Typed::Text("-"), Typed::Text("-")),
        ("tcp", Typed::Text("tcp"), Typed::Text("tcp"), Typed::Text("tcp")),
    ] {
        assert_eq!(typed(Schema::Core, text), core, "{text}");
        assert_eq!(typed(Schema::Kubernetes, text), kubernetes, "{text}");
        assert_eq!(typed(Schema::Yaml11, text), yaml11, "{text}");
    }
    let tree = yaml("a: \"80\"\nb: 80\n");
    assert_eq!(
        (at(&tree, "0.a").as_int(), at(&tree, "0.a").number()),
        (None, Some(80))
    );
    assert_eq!(
        (at(&tree, "0.b").as_str(), at(&tree, "0.b").text()),
        (None, Some("80"))
    );
}

#[test]
fn tabs_between_brackets_are_taken_where_kubernetes_takes_them() {
    let text = "a:\n  b: [ # ä [\n\t  \"ö\",\n\t\t y ]\n---\nc: 1\n";
    let tree = Tree::yaml(source(text), Schema::Kubernetes);
    assert_underlined(
        text,
        &tree,
        &[("0.a.b.0", "\"ö\""), ("0.a.b.1", "y"), ("1.c", "1")],
    );
    assert_eq!(problems(&yaml(text)).len(), 1);
    let block = "a: '['\nb:\n\t- x\n";
    let tree = Tree::yaml(source(block), Schema::Kubernetes);
    assert_eq!(problems(&tree), ["-: a tab stands where YAML takes blanks alone"]);
}
