//! One host, and every question that is put to it.

use std::sync::Arc;

use super::address::Addresses;
use super::coverage::{self, Held, JudgedOpening};
use super::excess::Excess;
use super::filters::Filters;
use super::layers;
use super::peer::World;
use super::permitted::Permitted;
use super::redundant;
use super::required::Required;
use super::shadow;
use super::view::{Moment, Side, View};
use crate::finding::{Code, Finding, Label};
use crate::model::{HostFacts, Layer, Members, Ruleset};
use crate::packet::{Family, OverBudget, Space};
use crate::policy::{Kind, Peer, Row};

/// One machine or workload with its layers.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Its roles, `policy.role`.
    pub roles: Vec<String>,
    /// The zone it lies in.
    pub zone: Option<String>,
    /// Its addresses, as far as they are known.
    pub addresses: Addresses,
    /// Its filters, all layers and families.
    pub rulesets: Vec<Ruleset>,
    /// Whether every opening needs a row: it has a role of a policy that is not `common`.
    pub is_closed: bool,
    /// Whether the same holds for what it sends.
    pub is_closed_egress: bool,
    /// Whether it is there to pass packets on between others, and the same holds for those.
    pub is_router: bool,
    /// Its number among the identities of the run, if it is behind groups.
    pub identity: Option<u32>,
    /// Who is in which group.
    pub members: Arc<Members>,
}

impl Host {
    /// The families that some ruleset filters. The others are unchecked: of a host with a firewall of its own, those that it
    /// says nothing of, whatever stands before it.
    #[must_use]
    pub fn families(&self) -> Vec<Family> {
        let is_own = |ruleset: &&Ruleset| ruleset.layer == Layer::HostFirewall;
        let has_own = self.rulesets.iter().any(|ruleset| is_own(&ruleset));
        let filters = |family: &Family| {
            let mut telling = self.rulesets.iter().filter(|ruleset| !has_own || is_own(ruleset));
            telling.any(|ruleset| ruleset.families.include(*family))
        };
        Family::ALL.into_iter().filter(filters).collect()
    }

    /// Whether it is pods behind policies.
    #[must_use]
    pub fn is_workload(&self) -> bool {
        let mut layers = self.rulesets.iter().map(|ruleset| ruleset.layer);
        layers.any(|layer| layer == Layer::NetworkPolicy)
    }

    /// Whether the bound side of a row is this host.
    pub(super) fn is(&self, world: &World, peer: &Peer) -> bool {
        match peer {
            Peer::Every => true,
            Peer::Role { name, .. } => self.roles.contains(name),
            Peer::Zone(name) => {
                let zone = world.zone(name).map_or(name.as_str(), |zone| zone.name.as_str());
                self.zone.as_deref() == Some(zone)
            }
            Peer::Any | Peer::This | Peer::Name(_) | Peer::Unset(_) => false,
        }
    }

    /// What routing and translation need to know of it.
    #[must_use]
    pub fn facts(&self) -> HostFacts {
        let known = |family| Some(self.addresses.family(family).clone()).filter(|known| !known.is_empty());
        HostFacts {
            addresses4: known(Family::V4),
            addresses6: known(Family::V6),
            translates_to_others: false,
            members: self.members.clone(),
        }
    }

    /// The same, with what is assumed where nothing is known: that destinations are translated to containers and other
    /// hosts, not to addresses of this one.
    pub(super) fn facts_for_evaluation(&self) -> HostFacts {
        HostFacts {
            translates_to_others: true,
            ..self.facts()
        }
    }
}

/// What the evaluation of one host gave.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    /// The findings.
    pub findings: Vec<Finding>,
    /// The rows that were held against the host, with those that came out undecided.
    pub held: Vec<Held>,
    /// What it lets through, if that was asked for.
    pub openings: Vec<JudgedOpening>,
    /// Rows that depend on something the site does not say: id and what to set.
    pub undecided: Vec<(String, String)>,
    /// Rows of which nothing gets through in a family in which nothing need, since others come by the other one: ids.
    pub spared: Vec<(Family, String)>,
}

/// Holds the rows against a host.
#[must_use]
pub fn evaluate(host: &Host, rows: &[Row], world: &World, space: Space) -> Evaluation {
    let mut evaluation = Evaluation::default();
    if let Err(over) = evaluate_into(host, rows, world, space, &mut evaluation) {
        evaluation.findings.push(over_budget(host, over));
        evaluation.held = coverage::given_up(host, rows, world);
        evaluation.openings.clear();
    }
    evaluation
}

fn evaluate_into(
    host: &Host,
    rows: &[Row],
    world: &World,
    space: Space,
    evaluation: &mut Evaluation,
) -> Result<(), OverBudget> {
    let is_own = |row: &Row| row.from.items.iter().any(|from| from.value == Peer::This);
    let has_own = rows.iter().any(|row| row.kind == Kind::Require && is_own(row));
    let budget = space.budget();
    let mut filters = Filters::compile(host, world, space, has_own)?;
    let first = filters.view(Side::Ingress, Moment::First)?;
    excess(&mut filters, first, rows, evaluation)?;
    if host.is_closed_egress {
        let leaving = filters.view(Side::Egress, Moment::First)?;
        excess(&mut filters, leaving, rows, evaluation)?;
    }
    if host.is_router {
        let passing = filters.view(Side::Transit, Moment::First)?;
        excess(&mut filters, passing, rows, evaluation)?;
    }
    Required::new(&mut filters, first, rows)?.check(rows, evaluation)?;
    let shadowed = shadow::findings(&mut filters.compiler, &mut evaluation.findings)?;
    if world.redundant {
        redundant::findings(&mut filters.compiler, &shadowed, &mut evaluation.findings);
    }
    layers::stopped(host, rows, world, budget, &mut evaluation.findings)?;
    for finding in &mut evaluation.findings {
        finding.hosts = vec![host.name.clone()];
    }
    Ok(())
}

/// What is open on a side and should not be. Of a host that no table closes that is what rows forbid: where no service that they
/// speak of is open there is nothing, and most groups of a repository are such.
fn excess(
    filters: &mut Filters<'_>,
    view: View,
    rows: &[Row],
    evaluation: &mut Evaluation,
) -> Result<(), OverBudget> {
    let is_covered = filters.world.coverage;
    if !filters.host.is_closed && !is_covered && !Permitted::may_forbid(filters, rows, view)? {
        return Ok(());
    }
    let permitted = Permitted::of(filters, rows, view.side)?;
    let before = evaluation.findings.len();
    let mut excess = Excess::new(filters, view, &permitted, rows);
    let judged = excess.findings(&mut evaluation.findings)?;
    if is_covered {
        evaluation.openings.extend(excess.judged_openings(&judged)?);
        let found = evaluation.findings.get(before..).unwrap_or_default();
        evaluation.held.extend(coverage::prohibitions(
            filters,
            rows,
            view.side,
            (found, &judged),
        )?);
    }
    Ok(())
}

fn over_budget(host: &Host, over: OverBudget) -> Finding {
    let place = host.rulesets.iter().find_map(|ruleset| ruleset.bases.first());
    let label = place.map(|base| Label::new(base.default_span, "in the ruleset of this chain"));
    let mut finding = Finding::new(
        Code::AnalysisBudget,
        format!("{over}: what the host lets through is not known"),
        label,
    )
    .help("check the host alone with a larger --budget, or split its ruleset");
    finding.hosts = vec![host.name.clone()];
    finding
}
