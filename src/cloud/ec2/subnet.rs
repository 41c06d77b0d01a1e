//! Subnets of AWS and the network ACLs before them, to what stands before things that lie in subnets.
//!
//! Amazon VPC, "Network ACLs": each subnet has exactly one, that of its VPC if no other is associated with it; as AWS makes that
//! one, it lets everything through. INVARIANT: where nothing that was read is a network ACL, nothing is said of any.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Acls, Member};
use crate::source::Span;

/// Where something lies, with the place that says so.
#[derive(Debug, Clone)]
pub enum Place {
    /// In the subnet of this name.
    Subnet(String, Span),
    /// In a subnet that is looked up by this name, which may be one that is called otherwise, and why it is not known.
    LookedUp(String, Arc<str>, Span),
    /// In a subnet that is not known, and why.
    Unknown(Arc<str>, Span),
}

/// A network ACL before a subnet.
#[derive(Debug, Clone)]
struct Association {
    /// By the key of its group.
    acl: Arc<str>,
    span: Span,
    /// Why it may not be there, if it may not.
    doubt: Option<Arc<str>>,
}

/// The subnets of a unit.
#[derive(Debug, Default)]
pub struct Subnets {
    /// Every network ACL of the unit.
    acls: Vec<(Arc<str>, Span)>,
    by_subnet: BTreeMap<String, Vec<Association>>,
    /// Associations with subnets that are not known.
    anywhere: Vec<Association>,
    vpc_of: BTreeMap<String, String>,
    /// The network ACLs of VPCs themselves.
    of_vpc: BTreeMap<String, (Arc<str>, Span)>,
}

impl Subnets {
    /// Takes note of a network ACL.
    pub fn acl(&mut self, acl: &Arc<str>, span: Span) {
        if self.acls.iter().all(|(known, _)| known != acl) {
            self.acls.push((acl.clone(), span));
        }
    }

    /// Puts a network ACL before a place; `doubt` is why it may not be there.
    pub fn associate(&mut self, acl: &Arc<str>, place: Place, doubt: Option<Arc<str>>) {
        match place {
            Place::Subnet(subnet, span) | Place::LookedUp(subnet, _, span) => {
                self.acl(acl, span);
                let acl = acl.clone();
                let of_subnet = self.by_subnet.entry(subnet).or_default();
                of_subnet.push(Association { acl, span, doubt });
            }
            Place::Unknown(why, span) => {
                self.acl(acl, span);
                self.anywhere.push(Association {
                    acl: acl.clone(),
                    span,
                    doubt: Some(why),
                });
            }
        }
    }

    /// Says in which VPC a subnet is.
    pub fn place(&mut self, subnet: String, vpc: String) {
        self.vpc_of.insert(subnet, vpc);
    }

    /// The VPC of a subnet, if it is known.
    #[must_use]
    pub fn vpc_of(&self, subnet: &str) -> Option<&str> {
        self.vpc_of.get(subnet).map(String::as_str)
    }

    /// Says which network ACL a VPC has itself.
    pub fn default_of(&mut self, vpc: String, acl: &Arc<str>, span: Span) {
        self.acl(acl, span);
        self.of_vpc.insert(vpc, (acl.clone(), span));
    }

    /// What stands before something that lies in these places: in one that is not known, if there are none.
    #[must_use]
    pub fn acls_of(&self, places: &[Place], otherwise: Span) -> Acls {
        if self.acls.is_empty() {
            return Acls::default();
        }
        let nowhere = [Place::Unknown("its subnet is not known".into(), otherwise)];
        let places = if places.is_empty() { &nowhere } else { places };
        let mut all = Acls::default();
        for place in places {
            let one = match place {
                Place::Subnet(subnet, span) => self.of_subnet(subnet, *span),
                Place::LookedUp(subnet, _, span) if self.is_sure(subnet) => self.of_subnet(subnet, *span),
                Place::LookedUp(_, why, span) | Place::Unknown(why, span) => Acls {
                    one_of: self.acls.clone(),
                    or_open: Some((why.clone(), *span)),
                },
            };
            add(&mut all, one);
        }
        if places.len() > 1
            && let Some((why, _)) = &mut all.or_open
            && why.is_empty()
        {
            *why = "it lies in several subnets".into();
        }
        if all.one_of.is_empty() {
            all.or_open = None;
        }
        all
    }

    /// Whether a subnet surely has some network ACL of the unit.
    fn is_sure(&self, subnet: &str) -> bool {
        let mut associations = self.by_subnet.get(subnet).into_iter().flatten();
        associations.any(|one| one.doubt.is_none())
    }

    fn of_subnet(&self, subnet: &str, span: Span) -> Acls {
        let associations = self.by_subnet.get(subnet).into_iter().flatten();
        let mut found: Vec<&Association> = associations.collect();
        if self.is_sure(subnet) {
            return Acls {
                one_of: found.iter().map(|one| (one.acl.clone(), one.span)).collect(),
                or_open: None,
            };
        }
        found.extend(&self.anywhere);
        let mut acls = Acls {
            one_of: found.iter().map(|one| (one.acl.clone(), one.span)).collect(),
            or_open: None,
        };
        let own = self.vpc_of(subnet).and_then(|vpc| self.of_vpc.get(vpc));
        match (own, found.iter().find_map(|one| one.doubt.clone())) {
            (Some(own), _) => acls.one_of.push(own.clone()),
            (None, why) => acls.or_open = Some((why.unwrap_or_default(), span)),
        }
        acls
    }

    /// The subnets that network ACLs stand before, as members: a site may name them.
    pub fn members(&self) -> impl Iterator<Item = Member> + '_ {
        self.by_subnet.iter().filter_map(|(subnet, associations)| {
            let span = associations.first()?.span;
            Some(Member {
                name: subnet.clone(),
                span,
                groups: Vec::new(),
                others: None,
                acls: self.acls_of(&[Place::Subnet(subnet.clone(), span)], span),
            })
        })
    }
}

fn add(all: &mut Acls, one: Acls) {
    for (acl, span) in one.one_of {
        if all.one_of.iter().all(|(known, _)| *known != acl) {
            all.one_of.push((acl, span));
        }
    }
    let says_more = all.or_open.as_ref().is_none_or(|(why, _)| why.is_empty());
    if says_more && one.or_open.is_some() {
        all.or_open = one.or_open;
    }
}
