//! What is recorded of Neutron: security groups with their rules, and ports that are in them.
//!
//! Rules come as the API gives them, and as lists of the command line show them: there, ports are `22:22` or `type=8:code=0`, and
//! older ones leave out direction and ethertype. INVARIANT: what a list leaves out is not known, unless the rule says it otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::columns::{column, place, text};
use super::record::Record;
use crate::cloud::{Direction, Doubt, GroupName, Guard, Lowering, Peer, Permission, Value, neutron};
use crate::dialect::Reading;
use crate::model::{Acls, Group, Layer, Member, Rule, Side};
use crate::source::{Span, Spanned};
use crate::tree::Node;

/// Reads what a recording has of Neutron.
pub(super) fn lower(record: &Record<'_>, lowering: &mut Lowering, reading: &mut Reading) {
    let mut neutron = Neutron {
        lowering,
        drafts: Vec::new(),
        by_key: BTreeMap::new(),
        names: names(record),
        seen: BTreeSet::new(),
        n_rules: 0,
    };
    for group in &record.neutron_groups {
        neutron.group(*group);
    }
    for (rule, file) in &record.neutron_rules {
        neutron.rule(*rule, None, file);
    }
    reading.n_rules += neutron.n_rules;
    reading
        .groups
        .extend(neutron.drafts.into_iter().map(Draft::finish));
    reading.members.extend(record.ports.iter().filter_map(port));
}

struct Neutron<'a> {
    lowering: &'a mut Lowering,
    drafts: Vec<Draft>,
    by_key: BTreeMap<Arc<str>, usize>,
    /// What groups are called, by id.
    names: BTreeMap<String, String>,
    /// Ids of rules that were read: an answer and a list may both have them.
    seen: BTreeSet<String>,
    n_rules: usize,
}

struct Draft {
    key: Arc<str>,
    name: String,
    span: Span,
    ingress: Vec<Rule>,
    egress: Vec<Rule>,
}

impl Draft {
    fn finish(self) -> Group {
        let side = |rules| {
            Some(Side {
                rules,
                default_span: self.span,
            })
        };
        Group {
            calls: Arc::default(),
            ingress: side(self.ingress),
            egress: side(self.egress),
            key: self.key,
            name: self.name,
            layer: Layer::SecurityGroup,
            span: self.span,
            rest: None,
        }
    }
}

/// The names of groups, by id.
fn names(record: &Record<'_>) -> BTreeMap<String, String> {
    let pair = |group: &Node<'_>| {
        let of = |names: &[&str]| column(group, names)?.text().map(str::to_owned);
        Some((of(&["id"])?, of(&["name"])?))
    };
    record.neutron_groups.iter().filter_map(pair).collect()
}

impl Neutron<'_> {
    fn group(&mut self, group: Node<'_>) {
        let Some(Value::Known(id)) = text(column(&group, &["id"])) else {
            return;
        };
        self.draft(&id);
        let Some(rules) = column(&group, &["security group rules", "rules"]) else {
            return;
        };
        for rule in rules.items() {
            self.rule(rule, Some(&id), "");
        }
        if let Some(lines) = rules.text().filter(|lines| !lines.is_empty()) {
            self.lines(lines, place(&rules), &id);
        }
    }

    fn draft(&mut self, id: &Spanned<String>) -> usize {
        let key: Arc<str> = id.value.as_str().into();
        let next = self.drafts.len();
        let at = *self.by_key.entry(key.clone()).or_insert(next);
        if at == next {
            let name = self.names.get(&id.value).filter(|name| **name != id.value);
            self.drafts.push(Draft {
                key,
                name: name.map_or_else(|| id.value.clone(), |name| format!("{} ({name})", id.value)),
                span: id.span,
                ingress: Vec::new(),
                egress: Vec::new(),
            });
        }
        at
    }

    fn rule(&mut self, rule: Node<'_>, group: Option<&Spanned<String>>, file: &str) {
        let field = |names: &[&str]| text(column(&rule, names));
        let of_rule = match field(&["security group id", "security group", "parent group id"]) {
            Some(Value::Known(id)) => Some(id),
            _ => group.cloned(),
        };
        // A list of the rules of one group does not say of which.
        let of_file = || Spanned::new(format!("group of {file}"), rule.span());
        let ports = match field(&["port range"]) {
            Some(Value::Known(range)) => cut(&range),
            _ => (field(&["port range min"]), field(&["port range max"])),
        };
        let read = Written {
            span: rule.span(),
            id: field(&["id", "rule id"]).and_then(|id| id.known().cloned()),
            direction: field(&["direction"]),
            ethertype: field(&["ethertype", "ether type"]),
            protocol: field(&["ip protocol", "protocol"]),
            ports,
            network: field(&["remote ip prefix", "ip range"]),
            group: field(&["remote group id", "remote security group"]),
            addresses: field(&["remote address group id", "remote address group"]),
        };
        self.written(&read, &of_rule.unwrap_or_else(of_file));
    }

    /// Rules as older command lines show them within a group: one a line, `direction='egress', ethertype='IPv4', …`.
    fn lines(&mut self, lines: &str, span: Span, group: &Spanned<String>) {
        for line in lines.split(['\n', ';']).filter(|line| line.contains('=')) {
            let field = |name: &str| {
                let parts = line.split(',').filter_map(|part| part.trim().split_once('='));
                let value = parts
                    .into_iter()
                    .find(|(key, _)| *key == name)?
                    .1
                    .trim_matches('\'');
                (!value.is_empty()).then(|| Value::new(value.to_owned(), span))
            };
            let read = Written {
                span,
                id: field("id").and_then(|id| id.known().cloned()),
                direction: field("direction"),
                ethertype: field("ethertype"),
                protocol: field("protocol"),
                ports: (field("port_range_min"), field("port_range_max")),
                network: field("remote_ip_prefix"),
                group: field("remote_group_id"),
                addresses: field("remote_address_group_id"),
            };
            self.written(&read, group);
        }
    }

    fn written(&mut self, rule: &Written, group: &Spanned<String>) {
        if rule.id.as_ref().is_some_and(|id| !self.seen.insert(id.clone())) {
            return;
        }
        self.n_rules += 1;
        let at = self.draft(group);
        for (direction, guards) in rule.directions() {
            let permission = rule.permission(guards, &self.names);
            let ethertype = rule.ethertype();
            let rules = neutron::rules(self.lowering, direction, Some(&ethertype), &permission);
            let Some(draft) = self.drafts.get_mut(at) else {
                continue;
            };
            match direction {
                Direction::Ingress => draft.ingress.extend(rules),
                Direction::Egress => draft.egress.extend(rules),
            }
        }
    }
}

/// A rule as it was recorded.
struct Written {
    span: Span,
    id: Option<String>,
    direction: Option<Value<String>>,
    ethertype: Option<Value<String>>,
    protocol: Option<Value<String>>,
    ports: (Option<Value<String>>, Option<Value<String>>),
    network: Option<Value<String>>,
    group: Option<Value<String>>,
    addresses: Option<Value<String>>,
}

impl Written {
    /// The directions that it may have; both, on opposite conditions, if it does not say.
    fn directions(&self) -> Vec<(Direction, Vec<Guard>)> {
        match self.direction.as_ref().and_then(Value::known).map(String::as_str) {
            Some("ingress") => vec![(Direction::Ingress, Vec::new())],
            Some("egress") => vec![(Direction::Egress, Vec::new())],
            _ => {
                let doubt = self.doubt("direction", "the list does not show the direction of its rules");
                let guard = |holds| Guard {
                    doubt: doubt.clone(),
                    holds,
                };
                vec![
                    (Direction::Ingress, vec![guard(true)]),
                    (Direction::Egress, vec![guard(false)]),
                ]
            }
        }
    }

    fn doubt(&self, what: &str, why: &str) -> Doubt {
        let id = self
            .id
            .clone()
            .unwrap_or_else(|| format!("at {}", self.span.start));
        Doubt {
            key: format!("{what} of rule {id}").into(),
            why: why.into(),
            span: self.span,
        }
    }

    /// Its ethertype; if it does not say, that of its network.
    fn ethertype(&self) -> Value<String> {
        match (&self.ethertype, &self.network) {
            (Some(ethertype), _) => ethertype.clone(),
            (None, Some(network)) => {
                let is_ipv6 = network.known().is_some_and(|network| network.contains(':'));
                Value::new(if is_ipv6 { "IPv6" } else { "IPv4" }.to_owned(), network.span())
            }
            (None, None) => {
                Value::Unknown(self.doubt("ethertype", "the list does not show the ethertype of its rules"))
            }
        }
    }

    fn permission(&self, guards: Vec<Guard>, names: &BTreeMap<String, String>) -> Permission {
        let peer = match (&self.group, &self.network, &self.addresses) {
            (Some(group), _, _) => group_peer(group, names),
            (None, Some(network), _) => Peer::Network {
                cidr: network.clone(),
                family: None,
            },
            (None, None, Some(addresses)) => {
                let id = addresses.known().cloned().unwrap_or_default();
                Peer::Unknown(Doubt {
                    key: format!("address group {id}").into(),
                    why: format!("what address group `{id}` holds was not recorded").into(),
                    span: addresses.span(),
                })
            }
            (None, None, None) => Peer::Everyone {
                span: self.span,
                family: None,
            },
        };
        Permission {
            span: self.span,
            protocol: self.protocol.clone(),
            from_port: self.ports.0.clone(),
            to_port: self.ports.1.clone(),
            peers: vec![peer],
            guards,
        }
    }
}

fn group_peer(group: &Value<String>, names: &BTreeMap<String, String>) -> Peer {
    let id = group.known().cloned().unwrap_or_default();
    let name = names
        .get(&id)
        .map_or_else(|| id.clone(), |name| format!("{id} ({name})"));
    Peer::Group {
        group: GroupName {
            key: id.into(),
            name: name.into(),
        },
        span: group.span(),
    }
}

/// `22:22`, `type=8`, `type=8:code=0` as the two fields of the API.
fn cut(range: &Spanned<String>) -> (Option<Value<String>>, Option<Value<String>>) {
    let (first, last) = range.value.split_once(':').unwrap_or((&range.value, ""));
    let value = |part: &str| {
        let part = part.trim_start_matches("type=").trim_start_matches("code=");
        (!part.is_empty()).then(|| Value::new(part.to_owned(), range.span))
    };
    (value(first), value(last))
}

/// A port, and the groups that it is in.
fn port(port: &Node<'_>) -> Option<Member> {
    let id = column(port, &["id"])?;
    let groups = column(port, &["security groups", "security group ids"])?;
    let name = column(port, &["name"])
        .and_then(|name| name.text())
        .filter(|name| !name.is_empty());
    let name = match name {
        Some(name) => format!("{} ({name})", id.text()?),
        None => id.text()?.to_owned(),
    };
    Some(Member {
        name,
        span: place(&id),
        groups: groups
            .items()
            .filter_map(|group| Some((group.text()?.into(), place(&group))))
            .collect(),
        others: None,
        acls: Acls::default(),
    })
}
