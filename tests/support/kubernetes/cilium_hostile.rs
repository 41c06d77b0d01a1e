//! Policies of hostile size. INVARIANT: each is answered in seconds, with a finding that says which bound it hit.

use super::Folder;
use crate::file;
use crate::say::say;

/// Selectors and lists of hostile size are bounded, and the bound is said.
#[test]
fn hostile_policies_are_bounded_and_said_to_be() {
    let head = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: x, namespace: cilium-test}\nspec:\n";
    let labels: Vec<String> = (0..50_000).map(|at| format!("l{at}: a")).collect();
    let ports: Vec<String> = (1..5_000).map(|at| format!("{{port: \"{at}\"}}")).collect();
    let required: Vec<String> = (0..5_000)
        .map(|at| format!("{{matchLabels: {{l{at}: a}}}}"))
        .collect();
    let rules: Vec<&str> = vec!["{fromEndpoints: [{}]}"; 2_000];
    let blocks: Vec<String> = (0..5_000u32)
        .map(|at| format!("10.{}.{}.0/24", at / 256, at % 256))
        .collect();
    let groups: Vec<&str> = vec!["{fromCIDRSet: [{cidrGroupRef: g}]}"; 500];
    let texts = [
        (
            format!(
                "{head}  endpointSelector: {{matchLabels: {{{}}}}}\n  ingress: [{{}}]\n",
                labels.join(", ")
            ),
            "a selector of 50000 requirements",
        ),
        (
            format!(
                "{head}  endpointSelector: {{}}\n  ingress: [{{toPorts: [{{ports: [{}]}}]}}]\n",
                ports.join(", ")
            ),
            "4999 ports in one list, and Cilium takes 40",
        ),
        (
            format!(
                "{head}  endpointSelector: {{}}\n  ingress: [{{fromRequires: [{}]}}, {}]\n",
                required.join(", "),
                rules.join(", ")
            ),
            "more than 16 selectors of `fromRequires`",
        ),
        (
            format!(
                "{head}  endpointSelector: {{}}\n  ingress: [{}]\n---\napiVersion: cilium.io/v2\nkind: CiliumCIDRGroup\n\
                 metadata: {{name: g}}\nspec: {{externalCIDRs: [{}]}}\n",
                groups.join(", "),
                blocks.join(", ")
            ),
            "more than 200000 blocks of groups",
        ),
    ];
    for (text, expected) in texts {
        let begun = std::time::Instant::now();
        let mut folder = Folder::empty();
        let cluster = file::text("fixtures/kubernetes-connectivity/cluster.yaml");
        folder.add("cluster.yaml", cluster.into_bytes());
        folder.add("all.yaml", text.into_bytes());
        let reading = folder.reading();
        let is_said = reading.notices.iter().any(|one| one.message.contains(expected));
        assert!(is_said, "{expected}: {:?}", reading.notices.first());
        let taken = begun.elapsed();
        say(&format!("{expected}: {taken:.2?}"));
        assert!(taken.as_secs() < 30, "{expected} took {taken:?}");
    }
}
