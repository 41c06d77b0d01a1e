//! When policies are asked: tiers in their order, policies in theirs within a tier.
//!
//! INVARIANT: two policies of one tier have equal [`Tier`]s, so that sorting by tier and order puts policies in the order in
//! which they are asked.

use std::cmp::Ordering;
use std::sync::Arc;

/// Policies that are asked one after the other; what a rule passes goes on with the next tier.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tier {
    pub(super) order: Order,
    pub(super) name: Arc<str>,
    pub(super) end: EndOfTier,
}

/// What becomes of a packet that no policy of a tier decides, if one of them is about the pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EndOfTier {
    /// The next tier is asked.
    Pass,
    /// It is dropped.
    Deny,
}

/// A place: the lowest first. Orders are numbers with fractions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order(f64);

impl Order {
    /// Behind all that have an order.
    pub(super) const LAST: Self = Self(f64::INFINITY);

    /// `None` for what is no number.
    pub(super) fn new(order: f64) -> Option<Self> {
        // Zero has two signs, and one place.
        (!order.is_nan()).then_some(Self(order + 0.0))
    }

    /// A priority.
    pub(super) fn of(priority: i32) -> Self {
        Self(f64::from(priority))
    }
}

impl Ord for Order {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Order {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Order {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Order {}

impl Tier {
    /// That of NetworkPolicies.
    pub(super) const DEFAULT: &str = "default";
    const ADMIN: &str = "kube-admin";
    const BASELINE: &str = "kube-baseline";
    /// Behind every name that a tier can have.
    const PROFILES: &str = "\u{10ffff}";

    /// The tier of `AdminNetworkPolicy`, before that of NetworkPolicies.
    pub(super) fn admin() -> Self {
        Self::of_kubernetes(Self::ADMIN, 1_000, EndOfTier::Pass)
    }

    /// The tier of NetworkPolicies: once one of them is about pods, what none lets through is dropped.
    pub(super) fn default_tier() -> Self {
        Self::of_kubernetes(Self::DEFAULT, 1_000_000, EndOfTier::Deny)
    }

    /// The tier that is asked where no NetworkPolicy is about the pods.
    pub(super) fn baseline() -> Self {
        Self::of_kubernetes(Self::BASELINE, 10_000_000, EndOfTier::Pass)
    }

    /// What Calico asks behind all tiers.
    pub(super) fn profiles() -> Self {
        Self {
            order: Order::LAST,
            name: Self::PROFILES.into(),
            end: EndOfTier::Deny,
        }
    }

    /// The numbers are those under which Calico keeps these tiers (api/pkg/apis/projectcalico/v3, tier.go).
    fn of_kubernetes(name: &str, order: i32, end: EndOfTier) -> Self {
        Self {
            order: Order::of(order),
            name: name.into(),
            end,
        }
    }

    /// How chains are called that it becomes.
    pub(super) fn words(&self) -> String {
        match &*self.name {
            Self::ADMIN => "admin tier".to_owned(),
            Self::DEFAULT => "network policies".to_owned(),
            Self::BASELINE => "baseline tier".to_owned(),
            Self::PROFILES => "profiles".to_owned(),
            other => format!("tier {other}"),
        }
    }
}
