//! `diff` where rules are about groups and addresses at once: what a rule adds takes nothing away from another.
#![cfg(test)]

#[path = "support/program.rs"]
mod program;

use program::Folder;

/// The differences of two texts, a line each, without the places that decide; the first is the host.
fn differences(name: &str, old: &str, new: &str) -> Vec<String> {
    let folder = Folder::new(&[(&format!("old/{name}"), old), (&format!("new/{name}"), new)]);
    let run = folder.run("diff --no-common old new");
    assert!(run.status < 2 && run.stderr.is_empty(), "{run:?}");
    let lines = run.stdout.lines().filter(|line| line.starts_with("  "));
    lines
        .map(|line| line.split("  #").next().unwrap().trim().to_owned())
        .collect()
}

/// Adding peers to a text only opens, taking them out again only closes, and nobody is named by no name.
#[track_caller]
fn assert_only_opens(name: &str, without: &str, with: &str, opened: &[&str]) {
    assert_ne!(without, with, "there is something to add");
    assert_eq!(differences(name, without, with), opened);
    let closed: Vec<String> = opened.iter().map(|line| line.replacen('+', "-", 1)).collect();
    assert_eq!(differences(name, with, without), closed);
}

/// A group that lets in 10.0.0.0/8 on 5432, with more in that rule.
fn group(direction: &str, more: &str) -> String {
    format!(
        "resource \"aws_security_group\" \"app\" {{}}\nresource \"aws_security_group\" \"db\" {{\n  {direction} {{\n    from_port   = 5432\n    to_port     = 5432\n    protocol    = \"tcp\"\n    cidr_blocks = [\"10.0.0.0/8\"]\n{more}  }}\n}}\n"
    )
}

#[test]
fn a_group_beside_a_network_closes_nothing() {
    for (more, who) in [
        ("    self = true\n", "aws_security_group.db"),
        (
            "    security_groups = [aws_security_group.app.id]\n",
            "aws_security_group.app",
        ),
    ] {
        assert_only_opens(
            "main.tf",
            &group("ingress", ""),
            &group("ingress", more),
            // Members have other private addresses too, and addresses of the other family.
            &[
                &format!("+ tcp/5432 (postgresql) from members of `{who}`"),
                &format!("+ tcp/5432 (postgresql) from members of `{who}` at 172.16.0.0/12, 192.168.0.0/16"),
            ],
        );
    }
    let leaving = differences(
        "main.tf",
        &group("egress", ""),
        &group("egress", "    self = true\n"),
    );
    assert!(!leaving.is_empty());
    assert!(
        leaving.iter().all(|line| line.starts_with("+ calls tcp/5432")),
        "{leaving:?}"
    );
}

#[test]
fn a_rule_of_its_own_for_a_group_closes_nothing() {
    let rule = "resource \"aws_vpc_security_group_ingress_rule\" \"app\" {\n  security_group_id = aws_security_group.db.id\n  referenced_security_group_id = aws_security_group.app.id\n  from_port = 5432\n  to_port = 5432\n  ip_protocol = \"tcp\"\n}\n";
    let without = group("ingress", "");
    let found = differences("main.tf", &without, &(without.clone() + rule));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|line| line.starts_with("+ ")), "{found:?}");
}

#[test]
fn groups_of_templates_and_recordings_close_nothing_either() {
    let template = |more: &str| {
        format!(
            "Resources:\n  Db:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      GroupDescription: the database\n      SecurityGroupIngress:\n        - {{IpProtocol: tcp, FromPort: 5432, ToPort: 5432, CidrIp: 10.0.0.0/8}}\n{more}  App:\n    Type: AWS::EC2::SecurityGroup\n    Properties: {{GroupDescription: the site}}\n"
        )
    };
    let more = "        - {IpProtocol: tcp, FromPort: 5432, ToPort: 5432, SourceSecurityGroupId: !GetAtt App.GroupId}\n";
    let stack = |more: &str| {
        format!(
            "heat_template_version: 2018-08-31\nresources:\n  db:\n    type: OS::Neutron::SecurityGroup\n    properties:\n      rules:\n        - {{protocol: tcp, port_range_min: 5432, port_range_max: 5432, remote_ip_prefix: 10.0.0.0/8}}\n{more}"
        )
    };
    let own = "        - {protocol: tcp, port_range_min: 5432, port_range_max: 5432, remote_mode: remote_group_id}\n";
    let recording = |more: &str| {
        format!(
            "{{\"SecurityGroups\": [{{\"GroupId\": \"sg-1\", \"GroupName\": \"db\", \"VpcId\": \"vpc-1\", \"OwnerId\": \"1\", \"IpPermissions\": [{{\"IpProtocol\": \"tcp\", \"FromPort\": 5432, \"ToPort\": 5432, \"IpRanges\": [{{\"CidrIp\": \"10.0.0.0/8\"}}], \"UserIdGroupPairs\": [{more}]}}], \"IpPermissionsEgress\": []}}]}}"
        )
    };
    for (name, without, with) in [
        ("t.yaml", template(""), template(more)),
        ("stack.yaml", stack(""), stack(own)),
        (
            "describe-security-groups.json",
            recording(""),
            recording("{\"GroupId\": \"sg-1\"}"),
        ),
    ] {
        let found = differences(name, &without, &with);
        assert!(!found.is_empty(), "{name}");
        assert!(
            found.iter().all(|line| line.starts_with("+ tcp/5432")),
            "{name}: {found:?}"
        );
        let back = differences(name, &with, &without);
        assert!(
            back.iter().all(|line| line.starts_with("- tcp/5432")),
            "{name}: {back:?}"
        );
    }
}

const CLUSTER: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {template: {metadata: {labels: {app: web}}}}\n";

/// A policy for what the pods of `shop/web` may call by DNS.
fn calls(to: &str) -> String {
    format!(
        "{CLUSTER}---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: web, namespace: shop}}\nspec:\n  podSelector: {{}}\n  policyTypes: [Egress]\n  egress:\n  - to:\n{to}    ports: [{{port: 53, protocol: UDP}}]\n"
    )
}

#[test]
fn what_a_new_policy_leaves_open_is_not_closed() {
    let block = "    - ipBlock: {cidr: 10.0.0.0/8}\n";
    let closed = differences("all.yaml", CLUSTER, &calls(block));
    let dns = closed.iter().filter(|line| line.contains("udp/53 (domain)"));
    let dns: Vec<&String> = dns.collect();
    // Whether a block is about pods too is left open by the API; outside of it the policy closes what was open.
    assert_eq!(dns.len(), 2, "{closed:?}");
    assert!(
        dns[0].starts_with("- ") && !dns[0].contains("10.0.0.0"),
        "{dns:?}"
    );
    assert!(
        dns[1].starts_with("? ") && dns[1].contains("pods of `shop/web`"),
        "{dns:?}"
    );
}
