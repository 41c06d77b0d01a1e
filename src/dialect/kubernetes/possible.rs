//! Pods that nobody has made yet, so that openings to them are found with the labels that would get in.
//!
//! INVARIANT: for each set of peers there is one in it for each value that it names, in each namespace that it looks into and in
//! one that is not there.

use super::calico::NAME;
use super::cluster::{Cluster, NAME_LABEL, Namespace, Pods};
use super::identity::Identities;
use super::policy::Namespaces;
use super::selector::{Labels, Seen, Selector};
use super::truth::Truth;

/// Pods that are not there that are thought of, at the most.
const MAX_POSSIBLE: usize = 4000;
/// Namespaces that a selector looks into, at the most, in which pods are thought of.
const MAX_NAMESPACES: usize = 16;

/// Pods that are not there.
pub(super) struct Possible {
    pub(super) pods: Vec<(Namespace, Pods)>,
    /// Whether a bound was hit: then openings to others are not found.
    pub(super) is_cut: bool,
}

impl Possible {
    /// What is said of a bound that was hit.
    pub(super) fn note(&self) -> Option<String> {
        self.is_cut.then(|| {
            format!(
                "of pods that may be made later, at most {MAX_POSSIBLE} were thought of, in {MAX_NAMESPACES} namespaces a selector \
                 and with a bounded number of its labels: openings to others are not found"
            )
        })
    }
}

impl Identities {
    /// Pods that may be made: for each set the fewest labels that it takes, in the namespaces that it looks into and in one
    /// that is not there.
    pub(super) fn possible(&self, cluster: &Cluster) -> Possible {
        let mut found: Vec<(Namespace, Pods)> = Vec::new();
        let mut is_cut = false;
        for namespace in cluster.namespaces.values() {
            found.push(imagined(cluster, namespace.clone(), &Labels::new(), true));
        }
        found.push(imagined(
            cluster,
            other_namespace(Labels::new()),
            &Labels::new(),
            false,
        ));
        for sets in self.sets.values() {
            let (namespaces, are_cut) = namespaces_of(&sets.namespaces, cluster);
            is_cut |= are_cut;
            for (selector, _) in &sets.pods {
                is_cut |= selector.has_more();
                for labels in selector.fewest() {
                    if found.len() > MAX_POSSIBLE {
                        let is_cut = true;
                        return Possible { pods: found, is_cut };
                    }
                    let there = namespaces.iter().cloned();
                    found.extend(
                        there.map(|(namespace, is_there)| imagined(cluster, namespace, &labels, is_there)),
                    );
                }
            }
        }
        Possible { pods: found, is_cut }
    }
}

/// The namespaces that a set looks into, and whether each is there; and whether there are more.
fn namespaces_of(namespaces: &Namespaces, cluster: &Cluster) -> (Vec<(Namespace, bool)>, bool) {
    let selected = |selector: &Selector| {
        let is_one =
            |namespace: &&Namespace| selector.selects(&namespace.labels, namespace.open()) != Truth::No;
        let is_cut = cluster.namespaces.values().filter(is_one).count() > MAX_NAMESPACES;
        let there = cluster.namespaces.values().filter(is_one).take(MAX_NAMESPACES);
        let there = there.map(|namespace| (namespace.clone(), true));
        let other = selector
            .least(&Labels::new())
            .map(|labels| (other_namespace(labels), false));
        let is_new = |namespace: &(Namespace, bool)| !cluster.namespaces.contains_key(&namespace.0.name);
        (there.chain(other.filter(is_new)).collect(), is_cut)
    };
    match namespaces {
        Namespaces::Own(name) => {
            let own = cluster.namespaces.get(name);
            (own.map(|own| (own.clone(), true)).into_iter().collect(), false)
        }
        Namespaces::Selected(selector) => selected(selector),
        Namespaces::Same(_) | Namespaces::NotSame(_) => {
            let there = cluster.namespaces.values().take(MAX_NAMESPACES);
            let there = there.map(|namespace| (namespace.clone(), true)).collect();
            (there, cluster.namespaces.len() > MAX_NAMESPACES)
        }
    }
}

/// A namespace that nobody has made: with these labels and no others.
fn other_namespace(labels: Labels) -> Namespace {
    let named = [NAME_LABEL, NAME].iter().find_map(|key| labels.get(*key));
    let name = named.cloned().unwrap_or_default();
    Namespace {
        name,
        labels,
        is_declared: true,
    }
}

/// A pod that nobody has made.
fn imagined(cluster: &Cluster, namespace: Namespace, labels: &Labels, is_there: bool) -> (Namespace, Pods) {
    let with = |labels: &Labels| {
        let labels: Vec<String> = labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        labels.join(",")
    };
    let pods = if labels.is_empty() {
        "any other pod".to_owned()
    } else {
        format!("any other pod with `{}`", with(labels))
    };
    let name = match (is_there, namespace.name.is_empty(), namespace.labels.is_empty()) {
        (true, _, _) | (false, false, _) => format!("{pods} of namespace `{}`", namespace.name),
        (false, true, true) => format!("{pods} of any other namespace"),
        (false, true, false) => format!("{pods} of any other namespace with `{}`", with(&namespace.labels)),
    };
    let of = namespace.name.clone();
    let mut pods = Pods {
        kind: "Pod",
        name,
        namespace: of,
        labels: labels.clone(),
        is_unread: false,
        seen: Seen::default(),
        ports: Vec::new(),
        has_unknown_ports: true,
        is_on_host_network: false,
        service_account: None,
        addresses: Vec::new(),
        owner: None,
        // Of what is written nowhere nobody asks where it is.
        span: crate::source::Span::new(crate::source::FileId(0), 0, 0),
    };
    pods.seen = cluster.seen(&pods, &namespace);
    (namespace, pods)
}
