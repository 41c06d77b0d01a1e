//! Groups while they are filled: by their own resource, and by others that name them.
//!
//! INVARIANT: whoever names a group, before or behind the group itself, means the same draft.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::attached::Attached;
use super::property::Kept;
use crate::cloud::ec2::{self, AclEntry, Subnets};
use crate::cloud::{self, Direction, GroupName, Guard, Lowering, Permission};
use crate::dialect::terraform::value::{Kind, Reason, Reference, Value, Why};
use crate::finding::{Code, Finding, Label};
use crate::model::{Group, Layer, Member, Rule, Side, Unknown};
use crate::source::{Source, Span};

/// Related labels that one place may have.
const MAX_LABELS: usize = 8;

/// The groups of one unit.
pub(in super::super) struct Drafts<'u> {
    /// What the unit is called: keys begin with it.
    pub(super) unit: &'u str,
    files: &'u [Source<'u>],
    pub(super) lowering: Lowering,
    groups: BTreeMap<Arc<str>, Draft>,
    /// Keys in the order in which the groups were met.
    order: Vec<Arc<str>>,
    /// Entries of prefix lists, by address.
    pub(super) lists: BTreeMap<Arc<str>, List>,
    /// Groups by the names that they have in the cloud.
    pub(super) names: BTreeMap<Arc<str>, Arc<str>>,
    /// Default groups and network ACLs, by what stands for them: `aws_vpc.x.default_security_group_id`.
    pub(super) defaults: BTreeMap<Arc<str>, Arc<str>>,
    pub(super) attached: Vec<Attached>,
    /// Why there may be more of anything.
    pub(in super::super) incomplete: Option<Arc<Why>>,
    /// Why anything may be in more groups than are named for it.
    pub(super) anywhere: Option<Arc<str>>,
    pub(super) subnets: Subnets,
    /// The way that values took, by their innermost literals.
    ways: BTreeMap<Span, Vec<Label>>,
    /// Why something is not known, by the place of it.
    pub(super) reasons: BTreeMap<Span, Arc<Why>>,
    pub(super) identities: BTreeMap<usize, (usize, Kept)>,
    pub(super) n_identities: usize,
    /// Where the modules are called that what is read now lies in.
    pub(in super::super) calls: Arc<[Span]>,
    pub(super) n_rules: usize,
}

/// The entries of a prefix list.
#[derive(Default)]
pub(super) struct List {
    pub(super) entries: Vec<cloud::Value<String>>,
    pub(super) more: Option<cloud::Doubt>,
}

/// One group.
pub(super) struct Draft {
    name: Arc<str>,
    /// Whether the unit makes it, and does not only add rules to it.
    is_made: bool,
    layer: Layer,
    span: Span,
    /// Where the modules are called that it lies in.
    calls: Arc<[Span]>,
    rules: [Vec<Rule>; 2],
    entries: [Vec<AclEntry>; 2],
    /// The bytes to point at where nothing is let through, by direction.
    pub(super) empty: [Option<Span>; 2],
    /// What it depends on whether the group is there.
    pub(super) guards: Vec<Guard>,
}

/// What a unit comes to.
pub(in super::super) struct Drafted {
    pub(in super::super) groups: Vec<Group>,
    pub(in super::super) members: Vec<Member>,
    pub(in super::super) notices: Vec<Finding>,
    pub(in super::super) ways: BTreeMap<Span, Vec<Label>>,
    pub(in super::super) n_rules: usize,
}

/// The place of a direction in pairs.
fn side(direction: Direction) -> usize {
    match direction {
        Direction::Ingress => 0,
        Direction::Egress => 1,
    }
}

impl Draft {
    /// The entries of a network ACL in one direction.
    pub(super) fn entries(&mut self, direction: Direction) -> Option<&mut Vec<AclEntry>> {
        self.entries.get_mut(side(direction))
    }

    /// Says where it is said that nothing is let through.
    pub(super) fn set_empty(&mut self, direction: Direction, span: Span) {
        if let Some(place) = self.empty.get_mut(side(direction)) {
            *place = Some(span);
        }
    }
}

impl<'u> Drafts<'u> {
    pub(in super::super) fn new(unit: &'u str, files: &'u [Source<'u>]) -> Self {
        Self {
            unit,
            files,
            lowering: Lowering::new(),
            groups: BTreeMap::new(),
            order: Vec::new(),
            lists: BTreeMap::new(),
            names: BTreeMap::new(),
            defaults: BTreeMap::new(),
            attached: Vec::new(),
            incomplete: None,
            anywhere: None,
            subnets: Subnets::default(),
            ways: BTreeMap::new(),
            reasons: BTreeMap::new(),
            identities: BTreeMap::new(),
            n_identities: 0,
            calls: Arc::default(),
            n_rules: 0,
        }
    }

    /// The key of something in this unit.
    pub(super) fn key(&self, address: &str) -> Arc<str> {
        format!("{}:{address}", self.unit).into()
    }

    /// The group of a key, made if it is not there.
    pub(super) fn draft(&mut self, key: &Arc<str>, name: &Arc<str>, layer: Layer, span: Span) -> &mut Draft {
        let order = &mut self.order;
        self.groups.entry(key.clone()).or_insert_with(|| {
            order.push(key.clone());
            Draft {
                name: name.clone(),
                is_made: false,
                layer,
                span,
                calls: Arc::default(),
                rules: [Vec::new(), Vec::new()],
                entries: [Vec::new(), Vec::new()],
                empty: [None, None],
                guards: Vec::new(),
            }
        })
    }

    /// The draft of a group that the unit makes.
    pub(super) fn made(&mut self, key: &Arc<str>, name: &Arc<str>, layer: Layer, span: Span) -> &mut Draft {
        let calls = self.calls.clone();
        let draft = self.draft(key, name, layer, span);
        draft.is_made = true;
        draft.calls = calls;
        draft
    }

    /// Adds rules to a group.
    pub(super) fn add(&mut self, key: &Arc<str>, direction: Direction, rules: Vec<Rule>) {
        let draft = self.groups.get_mut(key);
        if let Some(place) = draft.and_then(|draft| draft.rules.get_mut(side(direction))) {
            place.extend(rules);
        }
    }

    /// What it depends on whether a group is there.
    pub(super) fn guards_of(&self, key: &Arc<str>) -> Vec<Guard> {
        self.groups
            .get(key)
            .map_or_else(Vec::new, |draft| draft.guards.clone())
    }

    /// The text at a place.
    fn text(&self, span: Span) -> &'u str {
        let file = self.files.iter().find(|source| source.file == span.file);
        file.and_then(|source| source.text.get(span.range()))
            .unwrap_or("")
    }

    /// The security group, or the network ACL, that a value names.
    pub(super) fn named(&mut self, value: &Value) -> Result<GroupName, cloud::Doubt> {
        self.keep_way(value);
        let name = |key: Arc<str>, name: &str| GroupName {
            key,
            name: name.into(),
        };
        match &value.kind {
            Kind::Reference(reference) => match self.referred(reference) {
                Some((key, address)) => Ok(name(key, &address)),
                None => Err(self.doubt_about(value)),
            },
            Kind::Instance(instance) => Ok(name(self.key(&instance.address), &instance.address)),
            Kind::String(text) => {
                // `account/sg-id` names a group of another account.
                let id = text.rsplit('/').next().unwrap_or(text);
                match self.names.get(id) {
                    Some(key) => Ok(name(key.clone(), id)),
                    None => Ok(name(id.into(), id)),
                }
            }
            _ => Err(self.doubt_about(value)),
        }
    }

    /// The key and the name of what a reference names.
    fn referred(&self, reference: &Reference) -> Option<(Arc<str>, String)> {
        let address = &reference.instance.address;
        let names_default = matches!(
            &*reference.attribute,
            "default_security_group_id" | "default_network_acl_id"
        );
        if names_default {
            let what = format!("{address}.{}", reference.attribute);
            let known = self.defaults.get(what.as_str()).cloned();
            return Some((known.unwrap_or_else(|| self.key(&what)), what));
        }
        let kind = &reference.instance.kind;
        let is_group = ["security_group", "secgroup", "network_acl"]
            .iter()
            .any(|word| kind.contains(word));
        is_group.then(|| (self.key(address), address.to_string()))
    }

    /// The group that rules are put into which name it by a value: one of its own, if it is not in this unit.
    pub(super) fn target(&mut self, value: &Value, layer: Layer) -> Arc<str> {
        let span = value.origin.span;
        match self.named(value) {
            Ok(group) => {
                self.draft(&group.key, &group.name, layer, span);
                group.key
            }
            Err(doubt) => {
                let written = self.text(span);
                let is_short = !written.is_empty() && written.len() < 80 && !written.contains('\n');
                let name: Arc<str> = if is_short {
                    format!("the group of `{written}`").into()
                } else {
                    doubt.why.clone()
                };
                self.draft(&doubt.key, &name, layer, span);
                doubt.key
            }
        }
    }

    /// Says of a rule that it is in no group, or no network ACL: `attribute` would name it.
    pub(super) fn in_nothing(&mut self, declared: &super::Declared, what: &str, attribute: &str) {
        let message = format!("`{}` is in no {what}", declared.address);
        let help = format!("name the {what} in `{attribute}`");
        let _said = self.lowering.refuse_at(declared.span, "rule", message, &help);
    }

    /// Notes which references a value has passed.
    pub(super) fn keep_way(&mut self, value: &Value) {
        let labels = self.ways.entry(value.origin.span).or_default();
        for span in value.origin.way().into_iter().rev() {
            let is_new = labels.iter().all(|label| label.span != span);
            if is_new && labels.len() < MAX_LABELS {
                labels.push(Label::new(span, "comes this way"));
            }
        }
    }

    /// Gives every group a rule, and everything else groups, of which nothing is known.
    fn leave_open(&mut self, why: &Arc<Why>) {
        let doubt = self.named_doubt(why, "left out");
        self.lowering.depends(&doubt);
        for draft in self.groups.values_mut() {
            for direction in [Direction::Ingress, Direction::Egress] {
                let at = side(direction);
                if draft.layer == Layer::NetworkAcl {
                    if let Some(entries) = draft.entries.get_mut(at) {
                        entries.push(AclEntry::open(&doubt));
                    }
                } else if let Some(rules) = draft.rules.get_mut(at) {
                    let permission = Permission::open(&doubt);
                    rules.extend(ec2::security_group_rules(
                        &mut self.lowering,
                        direction,
                        &permission,
                    ));
                }
            }
        }
        self.anywhere.get_or_insert_with(|| why.text.as_str().into());
    }

    /// All groups, with their rules in order.
    pub(in super::super) fn finish(mut self) -> Drafted {
        if let Some(why) = self.incomplete.clone() {
            self.leave_open(&why);
        }
        let members = super::attached::members(&mut self);
        let mut groups = Vec::new();
        for key in std::mem::take(&mut self.order) {
            if let Some(draft) = self.groups.remove(&key) {
                groups.push(self.group(key, draft));
            }
        }
        let mut notices: Vec<Finding> = self.lowering.notices().cloned().collect();
        let mut reasons: Vec<Arc<Why>> = Vec::new();
        for doubt in self.lowering.doubts() {
            if let Some(why) = self.reasons.get(&doubt.span) {
                reasons.push(why.clone());
            }
        }
        reasons.sort();
        reasons.dedup();
        notices.extend(reasons.iter().map(|why| unknown_value(why)));
        self.ways.retain(|_, labels| !labels.is_empty());
        Drafted {
            groups,
            members,
            notices,
            ways: self.ways,
            n_rules: self.n_rules,
        }
    }

    fn group(&mut self, key: Arc<str>, draft: Draft) -> Group {
        let Draft {
            name,
            is_made,
            layer,
            span,
            calls,
            rules: [ingress, egress],
            entries: [allowed_in, allowed_out],
            empty: [no_ingress, no_egress],
            ..
        } = draft;
        let mut side = |direction, mut rules: Vec<Rule>, entries: &[AclEntry], empty: Option<Span>| {
            rules.extend(ec2::network_acl_rules(&mut self.lowering, direction, entries));
            Some(Side {
                rules,
                default_span: empty.unwrap_or(span),
            })
        };
        Group {
            key,
            name: name.to_string(),
            layer,
            span,
            calls,
            ingress: side(Direction::Ingress, ingress, &allowed_in, no_ingress),
            egress: side(Direction::Egress, egress, &allowed_out, no_egress),
            rest: (!is_made).then(|| Unknown {
                property: None,
                why: "what else is in it is not in this module".into(),
            }),
        }
    }
}

/// A value that decides an opening is not known.
fn unknown_value(why: &Why) -> Finding {
    let label = Label::new(why.span, "not known");
    let code = if why.reason == Reason::Limit {
        Code::AnalysisBudget
    } else {
        Code::UnknownValue
    };
    Finding::new(code, why.text.as_str(), Some(label))
        .help("what depends on it may be open or closed: give it a value, or check a plan")
}
