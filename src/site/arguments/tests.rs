//! Arguments, right and wrong.

use super::*;
use crate::source::SourceMap;

fn overlay(arguments: &Arguments, site: Site) -> (Result<Site, SiteErrors>, SourceMap) {
    let mut sources = SourceMap::new();
    let file = sources.add(arguments.source_file());
    (arguments.overlay(site, sources.source(file)), sources)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn an_audit_needs_no_site_file() {
    let arguments = Arguments {
        policies: words(&["mke"]),
        roles: words(&["manager", "stacklight.node"]),
        zones: words(&["internal=10.0.0.0/16,fd00::/8@eth1,bond0", "external@eth0"]),
        names: words(&["quay.io=192.0.2.1"]),
        set: words(&["mke.ui=tcp/4443"]),
        features: words(&["stacklight.logging"]),
        without: words(&["stacklight.ceph"]),
        versions: words(&["stacklight=24.1"]),
        parameters: words(&["SshCidr=10.0.0.0/8"]),
        variables: words(&["office=192.0.2.0/24"]),
        variable_files: words(&["env/prod.tfvars"]),
        workspace: Some("prod".to_owned()),
        select: words(&["excess-opening"]),
        ignore: words(&["shadowed"]),
        no_common: true,
        redundant: true,
        today: None,
    };
    let (site, sources) = overlay(&arguments, Site::default());
    let site = site.unwrap();
    let roles: Vec<_> = site.bindings[0]
        .roles
        .iter()
        .map(|it| (it.value.as_str(), sources.text(it.span)))
        .collect();
    assert_eq!(
        roles,
        [("manager", "manager"), ("stacklight.node", "stacklight.node")]
    );
    assert!(site.bindings[0].everything && !site.common && site.redundant);
    let internal = &site.zones[0];
    let networks: Vec<_> = internal
        .networks
        .as_ref()
        .unwrap()
        .iter()
        .map(|it| sources.text(it.span))
        .collect();
    assert_eq!(networks, ["10.0.0.0/16", "fd00::/8"]);
    let interfaces: Vec<_> = internal
        .interfaces
        .iter()
        .map(|it| sources.text(it.span))
        .collect();
    assert_eq!(
        (sources.text(internal.name.span), interfaces),
        ("internal", vec!["eth1", "bond0"])
    );
    assert_eq!(
        (site.zones[1].networks.as_ref(), site.zones[1].interfaces.len()),
        (None, 1)
    );
    assert_eq!(sources.text(site.names["quay.io"][0].span), "192.0.2.1");
    let ui = &site.settings["mke"].values["ui"];
    assert_eq!(
        (sources.text(ui.key), sources.text(ui.text.span)),
        ("ui", "tcp/4443")
    );
    assert_eq!(site.terraform.variables["office"].text.value, "192.0.2.0/24");
    assert_eq!(site.terraform.variable_files[0].value, "env/prod.tfvars");
    assert_eq!(site.terraform.workspace.as_ref().unwrap().value, "prod");
    let parameter = &site.parameters["SshCidr"];
    assert_eq!(
        (sources.text(parameter.key), sources.text(parameter.text.span)),
        ("SshCidr", "10.0.0.0/8")
    );
    let stacklight = &site.settings["stacklight"];
    assert_eq!(sources.text(stacklight.features[0].span), "logging");
    assert_eq!(sources.text(stacklight.without[0].span), "ceph");
    assert_eq!(sources.text(stacklight.version.as_ref().unwrap().span), "24.1");
}

#[test]
fn arguments_win_over_the_site_file() {
    let mut sources = SourceMap::new();
    let text = "policies = ['a']\nzones.internal.networks = '10.0.0.0/8'\npolicy.a.features = ['f', 'g']\npolicy.a.p = 'old'\n";
    let file = sources.add_text("portcullis.toml", text);
    let site = crate::site::read(sources.source(file)).unwrap();
    let arguments = Arguments {
        zones: words(&["internal=10.1.0.0/16"]),
        without: words(&["a.f"]),
        set: words(&["a.p=new"]),
        ..Arguments::default()
    };
    let file = sources.add(arguments.source_file());
    let site = arguments.overlay(site, sources.source(file)).unwrap();
    assert_eq!(site.policies[0].value, "a");
    assert_eq!(site.zones.len(), 1);
    assert_eq!(
        sources.text(site.zones[0].networks.as_ref().unwrap()[0].span),
        "10.1.0.0/16"
    );
    let settings = &site.settings["a"];
    assert_eq!(
        (settings.features.len(), settings.without[0].value.as_str()),
        (1, "f")
    );
    assert_eq!(settings.values["p"].text.value, "new");
}

#[test]
fn wrong_arguments_are_underlined() {
    let arguments = Arguments {
        policies: words(&["mke", "x"]),
        roles: words(&["manager"]),
        zones: words(&["internal=10.0.0.0/40", "internal", "dmz@eth0", "=x"]),
        set: words(&["ui=tcp/1", "mke.ui"]),
        features: words(&["logging"]),
        versions: words(&["24.1"]),
        ..Arguments::default()
    };
    let (site, sources) = overlay(&arguments, Site::default());
    let errors = site.unwrap_err();
    let file = sources.ids().next().unwrap();
    let text = sources.file(file).text();
    let underlined: Vec<_> = errors
        .errors()
        .iter()
        .map(|error| &text[error.at().offset()..][..error.at().len()])
        .collect();
    assert_eq!(
        underlined,
        [
            "10.0.0.0/40",
            "internal",
            "dmz@eth0",
            "=x",
            "ui",
            "mke.ui",
            "logging",
            "24.1"
        ]
    );
    assert_eq!(errors.to_string(), "command line cannot be used: 8 errors");
}
