//! Profiles: what is asked when no tier decides, and labels that pods have of them.
//!
//! Semantics: docs.tigera.io, "Profile". Each namespace and each service account has one, called `kns.NAMESPACE` and
//! `ksa.NAMESPACE.NAME`; that of a namespace allows everything (libcalico-go, `NamespaceToProfile`), unless a dump shows another.
//! INVARIANT: a profile that allows everything becomes no policy, since what no tier decides is accepted.

use super::entity::Reader;
use crate::dialect::kubernetes::cluster::{Cluster, Foreign};
use crate::dialect::kubernetes::notes::Notes;
use crate::dialect::kubernetes::object::Object;
use crate::dialect::kubernetes::policy::{Action, Namespaces, PodSet, Policy, Rule, Rules, Ties};
use crate::dialect::kubernetes::reach::Direction;
use crate::dialect::kubernetes::selector::{Labels, Selector};
use crate::dialect::kubernetes::tier::{Order, Tier};

const OF_NAMESPACE: &str = "kns.";
const OF_SERVICE_ACCOUNT: &str = "ksa.";

/// Reads one. What is in no profile is dropped.
pub(super) fn read(object: Object<'_>, cluster: &mut Cluster, notes: &mut Notes) {
    let (name, span) = object.name();
    let Some(namespace) = name.strip_prefix(OF_NAMESPACE) else {
        read_other(object, cluster, notes);
        return;
    };
    let Some(spec) = object.spec() else { return };
    let is_read = notes.knows(
        spec,
        &["ingress", "egress", "labelsToApply"],
        "the specification of a Profile",
    );
    read_labels(object, (namespace.to_owned(), None), cluster, notes);
    let mut remarks = Vec::new();
    let reader = Reader {
        cluster,
        namespace: None,
    };
    let [ingress, egress] = [Direction::Ingress, Direction::Egress]
        .map(|direction| reader.rules(spec, direction, (&mut *notes, &mut remarks)));
    cluster.calico.remark(remarks);
    if allows_everything(&ingress) && allows_everything(&egress) && is_read {
        return;
    }
    cluster.policies.push(Policy {
        kind: "Profile",
        name: name.to_owned(),
        namespace: None,
        tier: Tier::profiles(),
        order: Order::of(0),
        ties: Ties::ByName,
        span,
        subject: PodSet {
            namespaces: Namespaces::Own(namespace.to_owned()),
            pods: Selector::everything(span),
        },
        is_subject_unread: !is_read,
        hosts: None,
        cilium: None,
        ingress: Some(ingress),
        egress: Some(egress),
    });
}

/// One of a service account gives labels, and has no rules; any other is for endpoints that name it.
fn read_other(object: Object<'_>, cluster: &mut Cluster, notes: &mut Notes) {
    let (name, span) = object.name();
    let Some(account) = name.strip_prefix(OF_SERVICE_ACCOUNT) else {
        let remark =
            format!("Profile `{name}` is for endpoints that name it, which no pod of Kubernetes does");
        cluster.calico.remark(vec![remark]);
        return;
    };
    let Some((namespace, account)) = account.split_once('.') else {
        return;
    };
    let key = (namespace.to_owned(), Some(account.to_owned()));
    read_labels(object, key, cluster, notes);
    let has_rules = |key| {
        object
            .spec()
            .and_then(|spec| spec.get(key))
            .is_some_and(|rules| !rules.is_empty())
    };
    if has_rules("ingress") || has_rules("egress") {
        let message =
            format!("Profile `{name}` has rules of its own, which no service account of Kubernetes has");
        notes.unsupported(span, message, None);
        let unread = Foreign::unread(Some(namespace.to_owned()), span);
        cluster.foreign.push(unread);
    }
}

fn read_labels(object: Object<'_>, key: (String, Option<String>), cluster: &mut Cluster, notes: &mut Notes) {
    let mut labels = Labels::new();
    if let Some(applied) = object.spec().and_then(|spec| spec.get("labelsToApply")) {
        notes.labels(applied, &mut labels);
    }
    cluster.calico.applied.insert(key, labels);
}

fn allows_everything(rules: &Rules) -> bool {
    let is_open = |rule: &Rule| rule.peers.is_none() && rule.ports.is_none() && rule.tests.is_empty();
    let first = rules.rules.iter().find(|rule| rule.action != Action::Log);
    first.is_some_and(|rule| is_open(rule) && rule.action == Action::Accept)
}
