//! What one direction of a group lets the world do: compiled as the layer that it is.

use std::sync::Arc;

use portcullis::model::{
    Base, Chain, ChainId, Compiler, Default, Families, Hook, HostFacts, Layer, Path, Ruleset, Side,
};
use portcullis::packet::{Family, Field, OutcomeSet, RangeSet, Space};

/// How open a service is to everybody of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Open {
    /// Somebody surely does not get through.
    No,
    /// It depends on something that is not known.
    Possibly,
    /// Everybody gets through.
    Surely,
}

/// Whether everybody may open connections to a port of TCP.
pub(crate) fn tcp(side: Option<&Side>, port: u16, family: Family) -> Open {
    let Some(side) = side else { return Open::Surely };
    let ruleset = Ruleset {
        layer: Layer::SecurityGroup,
        families: Families::Both,
        chains: vec![Chain {
            calls: Arc::default(),
            path: "group".into(),
            span: side.default_span,
            rules: side.rules.clone(),
        }],
        bases: vec![Base {
            default: Default::Drop,
            ..Base::filter(Hook::Input, ChainId(0), side.default_span)
        }],
        sets: portcullis::model::NamedSets::default(),
    };
    let rulesets = [ruleset];
    let mut compiler = Compiler::new(&rulesets, HostFacts::default(), Space::default());
    let ruling = compiler.path(Path::Input).unwrap();
    let ruling = compiler.assume_properties(ruling).unwrap();
    let space = &mut compiler.space;
    let world = space
        .product(&[
            (Field::Family, RangeSet::point(family.value())),
            (Field::Protocol, RangeSet::point(6)),
            (Field::Service, RangeSet::point(port.into())),
            (Field::SourceIdentity, RangeSet::point(0)),
            (Field::DestinationIdentity, RangeSet::point(0)),
        ])
        .unwrap();
    let surely = space
        .packets_where(ruling, &mut OutcomeSet::surely_accepts)
        .unwrap();
    let possibly = space
        .packets_where(ruling, &mut OutcomeSet::possibly_accepts)
        .unwrap();
    if space.is_subset(world, surely) {
        Open::Surely
    } else if space.is_subset(world, possibly) {
        Open::Possibly
    } else {
        Open::No
    }
}
