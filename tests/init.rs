//! `init`: what is proposed for folders of configs, and that it can be used as it is.
#![cfg(test)]

#[path = "support/program.rs"]
mod program;
#[path = "support/written.rs"]
mod written;

use program::Folder;

const DUMP: &str = "*filter\n:INPUT DROP [0:0]\n-A INPUT -s 10.20.0.0/16 -p tcp --dport 22 -j ACCEPT\n-A INPUT -s 10.20.7.9/32 -j ACCEPT\n-A INPUT -s 8.8.8.0/24 -j ACCEPT\nCOMMIT\n";

#[test]
fn folders_called_as_roles_are_bound_to_them_and_private_networks_are_the_zone() {
    let folder = Folder::new(&[
        ("control-plane/m1/rules.v4", DUMP),
        ("control-plane/m2/rules.v4", DUMP),
        ("workers/w1.rules", DUMP),
        ("workers/w2.rules", DUMP),
        ("README.md", "no config\n"),
    ]);
    let shown = folder.run("init --print");
    assert_eq!((shown.status, shown.stderr.as_str()), (0, ""));
    let lines: Vec<&str> = shown
        .stdout
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .collect();
    assert_eq!(
        lines,
        [
            "policies = [\"kubernetes\"]",
            "[zones]",
            "internal = { networks = [\"10.20.0.0/16\"] }",
            "[[bind]]",
            "roles = [\"kubernetes.control-plane\"]",
            "zone  = \"internal\"",
            "files = [\"control-plane/{host}/*\"]",
            "[[bind]]",
            "roles = [\"kubernetes.worker\"]",
            "zone  = \"internal\"",
            "files = [\"workers/{host}.rules\"]",
        ]
    );
    let written = folder.run("init");
    assert_eq!(written.status, 0, "{written:?}");
    assert!(written.stdout.contains("for 4 configs"), "{}", written.stdout);
    assert_eq!(written::text(&folder, "portcullis.toml"), shown.stdout);
    // It is a site: each host is known, with its role.
    let checked = folder.run("check --format json --coverage");
    let report: serde_json::Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!(
        (checked.status, report["summary"]["hosts"].as_u64()),
        (1, Some(4)),
        "{}",
        checked.stderr
    );
    let again = folder.run("init");
    assert_eq!(again.status, 2);
    assert!(
        again.stderr.contains("portcullis.toml is there already"),
        "{}",
        again.stderr
    );
}

/// A policy of the repository itself, whose roles hosts, groups and workloads are called as.
const OWN: &str = "policy own {\n  role web, db\n  zone internal\n  require sql: web -> db : tcp/5432\n  allow ssh: internal -> web, db : tcp/22\n}\n";

const TERRAFORM: &str = r#"
resource "aws_security_group" "web" {
  egress {
    from_port   = 5432
    to_port     = 5432
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
}
module "data" {
  source = "./data"
}
"#;

const TERRAFORM_DATA: &str = r#"
resource "aws_security_group" "db" {
  count = 2
  ingress {
    from_port   = 5432
    to_port     = 5432
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
}
"#;

const TEMPLATE: &str = "\
AWSTemplateFormatVersion: '2010-09-09'
Resources:
  Web:
    Type: AWS::EC2::SecurityGroup
    Properties: {GroupDescription: web}
  Db:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: db
      SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 5432, ToPort: 5432, CidrIp: 10.0.0.0/8}]
";

const CLUSTER: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web, tier: a}}, spec: {containers: [{name: c, image: x}]}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec: {selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: x}]}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}]}
";

const ZONE: &str = "<?xml version=\"1.0\"?>\n<zone><service name=\"ssh\"/></zone>\n";
const UFW: &str = "*filter\n:ufw-user-input - [0:0]\n:ufw-user-output - [0:0]\n:ufw-user-forward - [0:0]\n### RULES ###\n\n### tuple ### allow tcp 22 0.0.0.0/0 any 10.0.0.0/8 in\n-A ufw-user-input -p tcp --dport 22 -s 10.0.0.0/8 -j ACCEPT\n### END RULES ###\nCOMMIT\n";

/// A kind of repository: what it is, its files, and the lines that are to be proposed.
type Kind<'k> = (&'k str, Vec<(&'k str, &'k str)>, &'k [&'k str]);

#[test]
fn what_it_writes_works_at_once_for_every_kind_of_repository() {
    let groups = |name: &str, id: &str| {
        format!(
            "{{\"SecurityGroups\": [{{\"GroupId\": \"{id}\", \"GroupName\": \"{name}\", \"IpPermissions\": [], \"IpPermissionsEgress\": [], \"OwnerId\": \"1\", \"VpcId\": \"vpc-1\"}}]}}\n"
        )
    };
    let (web, db) = (groups("web", "sg-web"), groups("db", "sg-db"));
    let kinds: [Kind<'_>; 9] = [
        (
            "dumps in folders of hosts",
            vec![
                ("hosts/web1/rules.v4", DUMP),
                ("hosts/web1/rules.v6", "*filter\n:INPUT DROP [0:0]\nCOMMIT\n"),
                ("hosts/web2/rules.v4", DUMP),
                (
                    "hosts/db1/nft.conf",
                    "table inet f {\n  chain i {\n    type filter hook input priority 0; policy drop;\n  }\n}\n",
                ),
            ],
            &[
                "files = [\"hosts/db{host}/*\"]",
                "files = [\"hosts/web{host}/*\"]",
            ],
        ),
        (
            "dumps in one folder",
            vec![
                ("dumps/web-1.rules", DUMP),
                ("dumps/web-2.rules", DUMP),
                ("dumps/db-1.rules", DUMP),
            ],
            &[
                "files = [\"dumps/db-*.rules\"]",
                "files = [\"dumps/web-*.rules\"]",
            ],
        ),
        (
            "dumps of one role",
            vec![
                ("web/a.rules", DUMP),
                ("web/b.rules", DUMP),
                ("db/etc/iptables/rules.v4", DUMP),
            ],
            &[
                "files = [\"web/{host}.rules\"]",
                "files = [\"{host}/etc/iptables/*\"]",
            ],
        ),
        (
            "firewalld",
            vec![
                ("web1/etc/firewalld/zones/public.xml", ZONE),
                ("web1/etc/firewalld/firewalld.conf", "DefaultZone=public\n"),
                ("db1/etc/firewalld/zones/public.xml", ZONE),
            ],
            &[
                "files = [\"db*/etc/firewalld/**\"]",
                "files = [\"web*/etc/firewalld/**\"]",
            ],
        ),
        (
            "ufw",
            vec![
                ("web1/etc/ufw/user.rules", UFW),
                (
                    "web1/etc/default/ufw",
                    "IPV6=no\nDEFAULT_INPUT_POLICY=\"DROP\"\nDEFAULT_OUTPUT_POLICY=\"ACCEPT\"\nDEFAULT_FORWARD_POLICY=\"DROP\"\n",
                ),
                ("db1/etc/ufw/user.rules", UFW),
            ],
            &["files = [\"db*/etc/ufw/**\"]", "files = [\"web*/etc/ufw/**\"]"],
        ),
        (
            "Terraform",
            vec![("main.tf", TERRAFORM), ("data/main.tf", TERRAFORM_DATA)],
            &[
                "resources = [\"aws_security_group.web\"]",
                "resources = [\"module.data.aws_security_group.db\"]",
            ],
        ),
        (
            "CloudFormation",
            vec![("stack.yaml", TEMPLATE)],
            &["resources = [\"Web\"]", "resources = [\"Db\"]"],
        ),
        (
            "recorded answers",
            vec![("a/groups.json", &web), ("b/groups.json", &db)],
            &["resources = [\"sg-web\"]", "resources = [\"sg-db\"]"],
        ),
        (
            "Kubernetes",
            vec![("cluster.yaml", CLUSTER)],
            &[
                "workloads = { namespace = \"shop\", labels = { \"app\" = \"web\" } }",
                "workloads = { namespace = \"shop\", labels = { \"app\" = \"db\" } }",
            ],
        ),
    ];
    for (kind, mut files, lines) in kinds {
        files.push(("tables/own.ports", OWN));
        let folder = Folder::new(&files);
        let written = folder.run("init");
        assert_eq!((written.status, written.stderr.as_str()), (0, ""), "{kind}");
        let site = written::text(&folder, "portcullis.toml");
        assert!(
            site.contains("policies = [\"tables/own.ports\"]\n"),
            "{kind}: {site}"
        );
        for line in lines {
            assert!(site.lines().any(|it| it == *line), "{kind}: {line}\n{site}");
        }
        let checked = folder.run("check --format json --coverage");
        assert!(checked.status < 2, "{kind}: {}\n{site}", checked.stderr);
        let report: serde_json::Value = serde_json::from_str(&checked.stdout).unwrap();
        let codes = report["findings"].as_array().unwrap().iter();
        let codes: Vec<&str> = codes.map(|finding| finding["code"].as_str().unwrap()).collect();
        assert!(
            !codes.iter().any(|code| code.starts_with("unbound")),
            "{kind}: {codes:?}\n{site}"
        );
        let roles = report["coverage"]["roles"].as_array().unwrap().iter();
        let roles: Vec<&str> = roles.map(|role| role["role"].as_str().unwrap()).collect();
        assert_eq!(roles, ["own.db", "own.web"], "{kind}: {site}");
    }
}

#[test]
fn policies_that_cannot_stand_together_are_left_out_and_interfaces_are_shown() {
    let folder = Folder::new(&[
        ("own.ports", OWN),
        ("old/own.ports", OWN),
        ("broken.ports", "policy broken {"),
        (
            "web1.rules",
            "*filter\n:INPUT DROP [0:0]\n-A INPUT -i eth1 -s 10.1.0.0/16 -j ACCEPT\n-A INPUT -i eth0 -j ACCEPT\nCOMMIT\n",
        ),
    ]);
    let shown = folder.run("init --print").stdout;
    for line in [
        "policies = [\"old/own.ports\"]",
        "# \"broken.ports\" is left out: it has errors: `portcullis policy check` says which.",
        "# \"own.ports\" is left out: another policy has the same name.",
        "#   interfaces = [\"eth1\"]",
    ] {
        assert!(shown.lines().any(|it| it == line), "{line}\n{shown}");
    }
}

#[test]
fn the_schema_of_site_files_takes_what_is_proposed_and_refuses_what_the_program_does() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../docs/portcullis.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let folder = Folder::new(&[("own.ports", OWN), ("web1.rules", DUMP)]);
    for (roles, is_right) in [("\"own.web\"", true), ("", false)] {
        let text =
            format!("policies = [\"own.ports\"]\n[[bind]]\nroles = [{roles}]\nfiles = [\"*.rules\"]\n");
        folder.write("portcullis.toml", text.as_bytes());
        let roles: Vec<&str> = if is_right { vec!["own.web"] } else { Vec::new() };
        let site =
            serde_json::json!({"policies": ["own.ports"], "bind": [{"roles": roles, "files": ["*.rules"]}]});
        assert_eq!(validator.is_valid(&site), is_right);
        assert_eq!(folder.run("check").status != 2, is_right, "{roles:?}");
    }
}

#[test]
fn what_is_not_known_is_left_to_the_reader_and_the_file_is_still_one() {
    let folder = Folder::new(&[
        ("dumps/alpha.rules", DUMP),
        (
            "main.tf",
            "resource \"aws_security_group\" \"a\" {\n  ingress {\n    from_port = 22\n    to_port = 22\n    protocol = \"tcp\"\n    cidr_blocks = [\"10.0.0.0/8\"]\n  }\n}\n",
        ),
    ]);
    let shown = folder.run("init --print").stdout;
    assert!(shown.contains("policies = []\n"), "{shown}");
    assert!(shown.contains("# [[bind]]\n# roles = [\"POLICY.ROLE\"]\n# zone  = \"internal\"\n# files = [\"dumps/{host}.rules\"]\n"), "{shown}");
    assert!(
        shown.contains("# resources = [\"aws_security_group.a\"]"),
        "{shown}"
    );
    assert_eq!(folder.run("init").status, 0);
    let run = folder.run("check --exit-zero");
    assert_eq!(run.status, 0, "{}", run.stderr);
    let empty = Folder::new(&[("README.md", "no config\n")]);
    let run = empty.run("init");
    assert_eq!(run.status, 2);
    assert!(
        run.stderr.contains("no config that a dialect knows"),
        "{}",
        run.stderr
    );
    assert!(!empty.0.join("portcullis.toml").exists());
}

#[test]
fn of_several_policies_that_may_be_meant_none_is_chosen() {
    let folder = Folder::new(&[("managers/m1.rules", DUMP), ("workers/w1.rules", DUMP)]);
    let shown = folder.run("init --print").stdout;
    assert!(
        shown.contains(
            "# `docker-swarm`, `mke` have roles that are called as things here are: choose.\npolicies = []\n"
        ),
        "{shown}"
    );
    assert!(
        shown.contains(
            "`managers` is called as `docker-swarm.manager`, and as `mke.manager` is: choose.\n# [[bind]]\n"
        ),
        "{shown}"
    );
}
