//! `check --add-ignore`: what is written where. In the texts here, what a line that begins with `+` holds is to be added; for
//! JSON, what stands between `«` and `»`.
#![cfg(test)]

#[path = "support/program.rs"]
mod program;
#[path = "support/written.rs"]
mod written;

use program::Folder;

const POLICY: &str = "policy web \"The site\" {\n  role server\n\n  require site: any -> server : tcp/443 \"for everybody\"\n}\n";

const HOST: &str = "--policy web.ports --role web.server --no-common";

/// The text before, and after.
fn states(text: &str) -> (String, String) {
    let mut before = String::new();
    let mut after = String::new();
    for line in text.split_inclusive('\n') {
        let added = line.strip_prefix('+');
        after.push_str(added.unwrap_or(line));
        before.push_str(if added.is_some() { "" } else { line });
    }
    let mut kept = String::new();
    for (at, part) in before.split(['«', '»']).enumerate() {
        kept.push_str(if at % 2 == 0 { part } else { "" });
    }
    (kept, after.replace(['«', '»'], ""))
}

/// Adds to one file, and holds that nothing is left to say of it: a second run adds nothing.
fn adds(name: &str, arguments: &str, text: &str) {
    let (before, after) = states(text);
    let folder = Folder::new(&[("web.ports", POLICY), (name, &before)]);
    assert_eq!(
        folder.run(&format!("check {arguments} {name}")).status,
        1,
        "{name}: {before}"
    );
    let command = format!("check {arguments} --add-ignore 'OPS-12: \"known\"' {name}");
    let run = folder.run(&command);
    assert_eq!(written::text(&folder, name), after, "{name}: {}", run.stderr);
    assert_eq!(run.status, 0, "{}", run.stdout);
    let n = after.matches("OPS-12").count();
    let comments = if n == 1 { "comment" } else { "comments" };
    assert_eq!(run.stderr, format!("{n} {comments} added in 1 file\n"));
    let again = folder.run(&command);
    assert_eq!(again.stderr, "0 comments added in 0 files\n");
    assert_eq!((again.status, written::text(&folder, name)), (0, after));
}

#[test]
fn above_rules_of_iptables() {
    adds(
        "web.rules",
        HOST,
        "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 443 -j ACCEPT\n\
         +# portcullis: ignore[excess-opening] OPS-12: \"known\"\n\
         -A INPUT -p tcp --dport 8080 -j ACCEPT\nCOMMIT\n",
    );
}

#[test]
fn above_statements_of_nftables_never_within_a_continued_one() {
    adds(
        "web.nft",
        HOST,
        "table inet filter {\n  chain input {\n    type filter hook input priority 0; policy drop;\n    tcp dport 443 accept\n\
         +    # portcullis: ignore[excess-opening] OPS-12: \"known\"\n    \
         tcp dport 8080 \\\n      accept\n  \
         }\n}\n",
    );
    adds(
        "set.nft",
        HOST,
        "table inet filter {\n  chain input {\n    type filter hook input priority 0; policy drop;\n    tcp dport 443 accept\n\
         +    # portcullis: ignore[excess-opening] OPS-12: \"known\"\n    \
         tcp dport {\n      8080,\n      443 } accept\n  \
         }\n}\n",
    );
}

#[test]
fn above_tuples_of_ufw() {
    adds(
        "user.rules",
        "--policy web.ports --role web.server",
        "*filter\n:ufw-user-input - [0:0]\n### RULES ###\n\n### tuple ### allow tcp 443 0.0.0.0/0 any 0.0.0.0/0 in\n-A ufw-user-input -p tcp --dport 443 -j ACCEPT\n\n\
         +# portcullis: ignore[excess-opening] OPS-12: \"known\"\n\
         ### tuple ### allow tcp 8080 0.0.0.0/0 any 0.0.0.0/0 in\n-A ufw-user-input -p tcp --dport 8080 -j ACCEPT\n\n### END RULES ###\nCOMMIT\n",
    );
}

#[test]
fn above_elements_of_firewalld_never_within_a_tag() {
    adds(
        "public.xml",
        HOST,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<zone>\n  <port port=\"443\" protocol=\"tcp\"/>\n\
         +  <!-- portcullis: ignore[excess-opening] OPS-12: \"known\" -->\n  \
         <port\n    port=\"8080\"\n    protocol=\"tcp\"/>\n</zone>\n",
    );
}

#[test]
fn above_what_opens_a_group_of_terraform() {
    adds(
        "main.tf",
        "",
        "resource \"aws_security_group\" \"web\" {\n  ingress {\n\
         +    # portcullis: ignore[forbidden-opening] OPS-12: \"known\"\n    \
         from_port   = 22\n    to_port     = 22\n    protocol    = \"tcp\"\n    cidr_blocks = [\n      \"0.0.0.0/0\",\n    ]\n  }\n}\n",
    );
}

#[test]
fn above_keys_of_yaml_with_the_line_breaks_of_the_file() {
    let text = "AWSTemplateFormatVersion: \"2010-09-09\"\nResources:\n  Lab:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      GroupDescription: lab\n      SecurityGroupIngress:\n\
         +        # portcullis: ignore[forbidden-opening] OPS-12: \"known\"\n        \
         - {IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0}\n        - IpProtocol: tcp\n\
         +          # portcullis: ignore[forbidden-opening] OPS-12: \"known\"\n          \
         FromPort: 23\n          ToPort: 23\n          CidrIp: 0.0.0.0/0\n";
    adds("stack.yaml", "", text);
    adds("windows.yaml", "", &text.replace('\n', "\r\n"));
}

#[test]
fn into_the_metadata_of_resources_in_json() {
    let text = |metadata: &str| {
        format!(
            "{{\n  \"AWSTemplateFormatVersion\": \"2010-09-09\",\n  \"Resources\": {{\n    \"Lab\": {{\n      {metadata}\"Type\": \"AWS::EC2::SecurityGroup\",\n      \"Properties\": {{\n        \"GroupDescription\": \"lab\",\n        \"SecurityGroupIngress\": [\n          {{\"IpProtocol\": \"tcp\", \"FromPort\": 22, \"ToPort\": 22, \"CidrIp\": \"0.0.0.0/0\"}}\n        ]\n      }}\n    }}\n  }}\n}}\n"
        )
    };
    let added = "\"portcullis/ignore\": \"[forbidden-opening] OPS-12: \\\"known\\\"\"";
    adds(
        "new.json",
        "",
        &text(&format!("«\"Metadata\": {{{added}}},\n      »")),
    );
    adds(
        "empty.json",
        "",
        &text(&format!("\"Metadata\": {{«{added}»}},\n      ")),
    );
    adds(
        "known.json",
        "",
        &text(&format!("\"Metadata\": {{«{added}, »\"a\": 1}},\n      ")),
    );
}

#[test]
fn before_what_an_object_says_already() {
    let known = |added: &str| {
        format!(
            "{{\"AWSTemplateFormatVersion\": \"2010-09-09\", \"Resources\": {{\"Lab\": {{\"Type\": \"AWS::EC2::SecurityGroup\",\n  \"Metadata\": {{\"portcullis/ignore\": \"{added}[forbidden-opening] port=22 the bastion\"}},\n  \"Properties\": {{\"GroupDescription\": \"lab\", \"SecurityGroupIngress\": [\n  {{\"IpProtocol\": \"tcp\", \"FromPort\": 22, \"ToPort\": 22, \"CidrIp\": \"0.0.0.0/0\"}},\n  {{\"IpProtocol\": \"tcp\", \"FromPort\": 23, \"ToPort\": 23, \"CidrIp\": \"0.0.0.0/0\"}}]}}}}}}}}\n"
        )
    };
    adds(
        "known.json",
        "",
        &known("«[forbidden-opening] OPS-12: \\\"known\\\"\\n»"),
    );
}

#[test]
fn into_the_annotations_of_objects_in_json() {
    let text = |metadata: &str| {
        format!(
            "{{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [\n  {{\"apiVersion\": \"networking.k8s.io/v1\", \"kind\": \"NetworkPolicy\", \"metadata\": {{\"name\": \"b\"}}, \"spec\": {{\"podSelector\": {{\"matchLabels\": {{\"app\": \"b\"}}}}, \"policyTypes\": [\"Ingress\"]}}}},\n  {{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {{\"name\": \"b\", \"labels\": {{\"app\": \"b\"}}}}, \"spec\": {{\"containers\": []}}}},\n  {{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {{{metadata}\"name\": \"a\"}}, \"spec\": {{\"containers\": []}}}}\n]}}\n"
        )
    };
    let added = "\"portcullis/ignore\": \"[unprotected-workload] OPS-12: \\\"known\\\"\"";
    let arguments = "--fail-on warning";
    adds(
        "new.json",
        arguments,
        &text(&format!("«\"annotations\": {{{added}}}, »")),
    );
    adds(
        "known.json",
        arguments,
        &text(&format!("\"annotations\": {{«{added}, »\"a\": \"b\"}}, ")),
    );
}

#[test]
fn what_cannot_be_taken_back_is_left_and_said() {
    let rules = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 8080 -j ACCEPT\nCOMMIT\n";
    let folder = Folder::new(&[("web.ports", POLICY), ("web.rules", rules)]);
    let run = folder.run(&format!(
        "check {HOST} --format concise --add-ignore known web.rules"
    ));
    assert_eq!(run.status, 1);
    assert!(run.stdout.contains("error[missing-opening]"), "{}", run.stdout);
    assert!(!run.stdout.contains("excess-opening"), "{}", run.stdout);
    let input = folder.run_with(&format!("check {HOST} --add-ignore known -"), rules, &[]);
    assert_eq!((input.status, input.stdout.as_str()), (2, ""));
    assert!(
        input.stderr.contains("standard input cannot be written to"),
        "{}",
        input.stderr
    );
}

#[test]
fn all_hosts_get_theirs_and_only_what_fails_the_run() {
    let rules = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 443 -j ACCEPT\n-A INPUT -p tcp --dport 8080 -j ACCEPT\n-A INPUT -p tcp --dport 8080 -s 10.0.0.1 -j ACCEPT\nCOMMIT\n";
    let folder = Folder::new(&[("web.ports", POLICY), ("a.rules", rules), ("b.rules", rules)]);
    let run = folder.run(&format!(
        "check {HOST} --format concise --add-ignore known a.rules b.rules"
    ));
    assert_eq!(run.status, 0, "{}", run.stdout);
    assert_eq!(run.stderr, "2 comments added in 2 files\n");
    for name in ["a.rules", "b.rules"] {
        assert_eq!(
            written::text(&folder, name)
                .matches("ignore[excess-opening] known")
                .count(),
            1
        );
    }
    assert!(
        run.stdout.contains("shadowed-rule"),
        "a warning is left: {}",
        run.stdout
    );
}

#[test]
fn reasons_that_no_comment_could_hold_are_refused() {
    let folder = Folder::new(&[("web.ports", POLICY)]);
    for (reason, said) in [
        ("", "gives no reason"),
        ("until=2027-02-30 why", "is not a day"),
        ("why port=3306", "where it limits nothing"),
        ("a --> b", "has no `--`"),
    ] {
        let run = folder.run(&format!("check --add-ignore '{reason}' ."));
        assert_eq!(run.status, 2, "{reason}");
        assert!(run.stderr.contains(said), "{reason}: {}", run.stderr);
    }
}

#[cfg(unix)]
#[test]
fn files_keep_their_modes() {
    use std::os::unix::fs::PermissionsExt as _;
    let rules = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 443 -j ACCEPT\n-A INPUT -p tcp --dport 8080 -j ACCEPT\nCOMMIT\n";
    let folder = Folder::new(&[("web.ports", POLICY), ("web.rules", rules)]);
    let path = folder.0.join("web.rules");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(
        folder
            .run(&format!("check {HOST} --add-ignore known web.rules"))
            .status,
        0
    );
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o640
    );
}
