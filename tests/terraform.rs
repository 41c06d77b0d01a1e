//! The reader of Terraform: fixtures by eye, bounds, hostile input.
#![cfg(test)]

#[path = "support/file.rs"]
mod file;
#[path = "support/golden.rs"]
mod golden;
#[path = "support/model_text.rs"]
mod model_text;
#[path = "support/notices.rs"]
mod notices;
#[path = "support/terraform.rs"]
mod terraform;

use portcullis::dialect::terraform::Terraform;
use portcullis::dialect::{Claim, Dialect as _, Given, GivenValue, Reading};
use portcullis::finding::Code;
use portcullis::source::{SourceMap, Span, Spanned};
use terraform::Repository;

#[test]
fn each_fixture_means_what_its_model_says() {
    for entry in std::fs::read_dir(file::place("fixtures/terraform")).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let (map, reading) = if folder.join("plan.json").is_file() {
            with_plan(&folder)
        } else {
            let repository = Repository::below(&folder);
            let mut roots = repository.roots();
            assert_eq!(roots.len(), 1, "{name}");
            (repository.sources, roots.remove(0).reading)
        };
        let groups = model_text::groups_text(&reading.groups, &reading.members, &map);
        let said = notices::text(&map, &reading.notices);
        let text = format!("{groups}{said}");
        golden::assert_golden(&format!("fixtures/terraform/{name}/model.txt"), &text);
    }
}

/// A plan with the configuration beside it.
fn with_plan(folder: &std::path::Path) -> (SourceMap, Reading) {
    let mut map = SourceMap::new();
    let files = ["plan.json", "main.tf"].map(|name| {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        map.add_text(name, text)
    });
    assert_eq!(Terraform.claims(map.source(files[0])), Claim::Content);
    let reading = Terraform.read(&files.map(|file| map.source(file)));
    (map, reading)
}

fn read(text: &str) -> (SourceMap, Reading) {
    let repository = Repository::of("main.tf", text);
    let mut roots = repository.roots();
    (repository.sources, roots.remove(0).reading)
}

fn codes(reading: &Reading) -> Vec<Code> {
    reading.notices.iter().map(|notice| notice.code).collect()
}

#[test]
fn a_circle_is_said_once() {
    let group = "resource \"aws_security_group\" \"x\" {\n  ingress {\n    from_port = local.a\n    to_port = local.b\n    \
                 protocol = \"tcp\"\n    cidr_blocks = [local.a]\n  }\n}\n";
    let (_, reading) = read(&format!("locals {{\n  a = local.b\n  b = local.a\n}}\n{group}"));
    let circles = codes(&reading)
        .into_iter()
        .filter(|code| *code == Code::UnreadText);
    assert_eq!(circles.count(), 1, "{:?}", reading.notices);
}

#[test]
fn no_input_is_too_much() {
    let lines = |n: u32, line: &dyn Fn(u32) -> String| (0..n).map(line).collect::<Vec<_>>().concat();
    let deep = lines(5000, &|at| format!("  a{at} = local.a{}\n", at + 1));
    let wide = lines(64, &|at| format!("  a{at} = [local.a{0}, local.a{0}]\n", at + 1));
    let long = lines(64, &|at| {
        format!("  a{at} = \"${{local.a{0}}}${{local.a{0}}}\"\n", at + 1)
    });
    let uses = "resource \"aws_security_group\" \"x\" {\n  ingress {\n    from_port = 1\n    to_port = 1\n    protocol = \
                \"tcp\"\n    cidr_blocks = [USE]\n  }\n}\n";
    let of = |locals: &str, expression: &str| {
        format!("locals {{\n{locals}}}\n{}", uses.replace("USE", expression))
    };
    for text in [
        of(&deep, "local.a0"),
        of(&format!("{wide}  a64 = \"x\"\n"), "jsonencode(local.a0)"),
        of(
            &format!("{wide}  a64 = \"x\"\n"),
            "local.a0 == local.a1 ? \"a\" : \"b\"",
        ),
        of(&format!("{long}  a64 = \"xx\"\n"), "local.a0"),
        of("", "setproduct(range(1000), range(1000), range(1000))[0]"),
        of("", "format(\"%999999999s\", \"x\")"),
        of(
            "",
            "[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : c]]][0]",
        ),
        of("", "indent(999999999, \"a\\nb\")"),
        of("", "pow(10, 1000000)"),
        of(
            "",
            "join(\",\", [for a in range(1000) : join(\",\", range(1000))])",
        ),
        "resource \"aws_security_group\" \"x\" {\n  count = 1000000000\n}\n".to_owned(),
        "module \"x\" {\n  source = \"./\"\n}\n".to_owned(),
        "module \"x\" {\n  source = \"./\"\n  count = 2\n}\nmodule \"y\" {\n  source = \"./\"\n}\n"
            .to_owned(),
        "resource \"aws_security_group\" \"x\" {\n  name = aws_security_group.x.name\n}\n".to_owned(),
        "resource \"aws_security_group\" \"x\" {\n  count = length(aws_security_group.x)\n}\n".to_owned(),
        "\"".to_owned(),
        format!("a = {}1{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("a = {}1", "-".repeat(100_000)),
    ] {
        let begun = std::time::Instant::now();
        let (_, reading) = read(&text);
        assert!(begun.elapsed().as_secs() < 20, "{}", &text[..text.len().min(200)]);
        drop(reading);
    }
}

#[test]
fn values_that_are_given_take_precedence_over_files() {
    let mut map = SourceMap::new();
    let main = map.add_text(
        "live/main.tf",
        "variable \"nets\" {\n  type = list(string)\n}\nvariable \"port\" {\n  default = 1\n}\nresource \
         \"aws_security_group\" \"x\" {\n  ingress {\n    from_port = var.port\n    to_port = var.port\n    protocol = \
         terraform.workspace == \"prod\" ? \"tcp\" : \"udp\"\n    cidr_blocks = var.nets\n  }\n}\n",
    );
    let loaded = map.add_text("live/terraform.tfvars", "nets = [\"10.1.0.0/16\"]\nport = 2\n");
    let file = map.add_text("live/env/prod.tfvars", "nets = [\"10.2.0.0/16\"]\nport = 3\n");
    let arguments = map.add_text("arguments", "port 443 env/prod.tfvars prod");
    let spanned = |from: u32, to: u32| {
        let span = Span::new(arguments, from, to);
        Spanned::new(map.text(span).to_owned(), span)
    };
    let given = Given {
        variables: vec![GivenValue {
            name: spanned(0, 4),
            value: spanned(5, 8),
        }],
        variable_files: vec![spanned(9, 24)],
        workspace: Some(spanned(25, 29)),
        ..Given::default()
    };
    assert_eq!(Terraform.given_files("live", &given), ["live/env/prod.tfvars"]);
    let unit = [main, loaded, file].map(|id| map.source(id));
    let reading = Terraform.read_given(&unit, &given);
    let text = model_text::groups_text(&reading.groups, &reading.members, &map);
    assert!(text.contains("protocol tcp"), "{text}");
    assert!(text.contains("service 443 `443`"), "{text}");
    assert!(text.contains("from 10.2.0.0/16"), "{text}");
    assert!(reading.notices.is_empty(), "{:?}", reading.notices);
}

/// Through which places a value came is kept with the bytes that made it.
#[test]
fn a_value_knows_its_way() {
    let (map, reading) = read(
        "variable \"net\" {\n  default = \"0.0.0.0/0\"\n}\nlocals {\n  all = [var.net]\n}\nresource \"aws_security_group\" \
         \"x\" {\n  ingress {\n    from_port = 22\n    to_port = 22\n    protocol = \"tcp\"\n    cidr_blocks = \
         local.all\n  }\n}\n",
    );
    let (span, labels) = reading.ways.iter().next().unwrap();
    assert_eq!(map.text(*span), "\"0.0.0.0/0\"");
    let way: Vec<&str> = labels.iter().map(|label| map.text(label.span)).collect();
    assert_eq!(way, ["var.net", "local.all"]);
}
