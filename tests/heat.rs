//! The reader of Heat's templates: fixtures by eye, and the templates that Magnum makes clusters of.

#![cfg(test)]

#[path = "support/corpus/root.rs"]
mod corpus;
#[path = "support/file.rs"]
mod file;
#[path = "support/golden.rs"]
mod golden;
#[path = "support/listing.rs"]
mod listing;
#[path = "support/model_text.rs"]
mod model_text;
#[path = "support/notices.rs"]
mod notices;
#[path = "support/say.rs"]
mod say;

use portcullis::dialect::heat::Heat;
use portcullis::dialect::{Claim, Dialect, Given, GivenValue, Reading, detect};
use portcullis::source::SourceMap;

fn read(name: &str, text: &str) -> (SourceMap, Reading) {
    let mut map = SourceMap::new();
    let file = map.add_text(name, text);
    assert_eq!(Heat.claims(map.source(file)), Claim::Content, "{name}");
    assert_eq!(detect(map.source(file)).map(Dialect::name), Some("heat"));
    let reading = Heat.read(&[map.source(file)]);
    (map, reading)
}

#[test]
fn each_fixture_means_what_its_model_says() {
    for path in listing::below("fixtures/heat", "yaml") {
        let (map, reading) = read("template", &file::text(&path));
        let groups = model_text::groups_text(&reading.groups, &reading.members, &map);
        let said = notices::text(&map, &reading.notices);
        golden::assert_golden(
            &path.replace("template.yaml", "model.txt"),
            &format!("{groups}{said}"),
        );
    }
}

/// Magnum's templates: what they let into masters and workers, read off the templates by eye.
#[test]
fn clusters_of_magnum_are_as_open_as_their_templates_say() {
    let Some(root) = corpus::root() else { return };
    let folder = root.join("openstack+magnum");
    let coreos = folder.join("magnum/drivers/k8s_fedora_coreos_v1/templates/kubecluster.yaml");
    // A template for clusters and for groups of nodes: the parameter says for which.
    let text = std::fs::read_to_string(coreos).unwrap();
    let mut map = SourceMap::new();
    let file = map.add_text("coreos", text.as_str());
    let given = map.add_text("arguments", "true");
    let span = portcullis::source::Span::new(given, 0, 4);
    let value = |text: &str| portcullis::source::Spanned::new(text.to_owned(), span);
    let given = Given {
        parameters: vec![GivenValue {
            name: value("is_cluster_stack"),
            value: value("true"),
        }],
        ..Given::default()
    };
    let reading = Heat.read_given(&[map.source(file)], &given);
    assert!(Heat.read(&[map.source(file)]).groups.is_empty());
    let names: Vec<_> = reading.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["secgroup_kube_master", "secgroup_kube_minion"]);
    let shape = model_text::shape(&reading.groups, &reading.members);
    for line in &shape {
        println!("{line}");
    }
    for expected in [
        "secgroup_kube_master receives 0: protocol icmp; family IPv4 => Accept",
        "secgroup_kube_master receives 0: protocol tcp; service 22; family IPv4 => Accept",
        "secgroup_kube_master receives 0: protocol tcp; service 6443; family IPv4 => Accept",
        "secgroup_kube_minion receives 0: protocol tcp; service 30000-32767; family IPv4 => Accept",
        "secgroup_kube_minion receives 0: protocol udp; service 1-65535; family IPv4; source identity in secgroup_kube_master => Accept",
        "secgroup_kube_master sends 0:  => Accept",
    ] {
        assert!(shape.contains(expected), "{expected}");
    }
    println!("k8s_fedora_coreos_v1: {} rules", reading.n_rules);
    let suse = folder.join("contrib/drivers/k8s_opensuse_v1/templates/kubecluster.yaml");
    let (map, reading) = read("suse", &std::fs::read_to_string(suse).unwrap());
    assert_eq!(reading.groups.len(), 3);
    println!(
        "{}",
        model_text::groups_text(&reading.groups, &reading.members, &map)
    );
}
