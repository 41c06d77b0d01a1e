//! Conditions of a rule: as products of tests where they are that simple, as sets of packets where they are not.
//!
//! INVARIANT: both ways give the same packets; the first is only faster.

use super::compile::Compiler;
use super::{Condition, Match};
use crate::packet::{Bounds, Doubt, Field, OverBudget, PacketSet, RangeSet};
use crate::source::Span;

/// Products that one rule may be written as before it goes the general way.
const MAX_PRODUCTS: usize = 16;

/// How deep conditions may be nested before they count as unknown.
const MAX_DEPTH: usize = 64;

/// Tests of distinct fields.
pub(super) type Product = Vec<(Field, RangeSet)>;

/// A union of products.
#[derive(Debug, Clone)]
pub(super) struct Cubes {
    pub(super) products: Vec<Product>,
    /// What must hold besides, and may or may not.
    pub(super) doubts: Vec<Doubt>,
}

impl Cubes {
    /// The matches as products, if they are few.
    pub(super) fn of(compiler: &mut Compiler<'_>, matches: &[Match]) -> Option<Self> {
        let mut cubes = Self {
            products: vec![Vec::new()],
            doubts: Vec::new(),
        };
        for one in matches {
            cubes.restrict(compiler, &one.condition, one.span, 0)?;
        }
        Some(cubes)
    }

    fn restrict(
        &mut self,
        compiler: &mut Compiler<'_>,
        condition: &Condition,
        span: Span,
        depth: usize,
    ) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match condition {
            Condition::Test(field, values) => self.test(*field, values),
            Condition::Not(inner) => match &**inner {
                Condition::Test(field, values) => self.test(*field, &values.complement(field.maximum())),
                Condition::Unknown(unknown) => match compiler.property(unknown, span) {
                    Some(field) => self.test(field, &RangeSet::point(0)),
                    None => self.doubts.push(compiler.doubt(Some(span), &unknown.why)),
                },
                Condition::Member(member) => {
                    let resolved = Condition::Not(Box::new(member.resolve(&compiler.facts.members)));
                    self.restrict(compiler, &resolved, span, depth + 1)?;
                }
                _ => return None,
            },
            Condition::Unknown(unknown) => match compiler.property(unknown, span) {
                Some(field) => self.test(field, &RangeSet::point(1)),
                None => self.doubts.push(compiler.doubt(Some(span), &unknown.why)),
            },
            Condition::Member(member) => {
                let resolved = member.resolve(&compiler.facts.members);
                self.restrict(compiler, &resolved, span, depth + 1)?;
            }
            Condition::All(all) => {
                for condition in all {
                    self.restrict(compiler, condition, span, depth + 1)?;
                }
            }
            Condition::Any(any) => {
                let mut products = Vec::new();
                for condition in any {
                    let mut branch = Self {
                        products: self.products.clone(),
                        doubts: Vec::new(),
                    };
                    branch.restrict(compiler, condition, span, depth + 1)?;
                    if !branch.doubts.is_empty() {
                        return None;
                    }
                    products.extend(branch.products);
                    if products.len() > MAX_PRODUCTS {
                        return None;
                    }
                }
                self.products = products;
            }
        }
        Some(())
    }

    fn test(&mut self, field: Field, values: &RangeSet) {
        for product in &mut self.products {
            match product.iter_mut().find(|test| test.0 == field) {
                Some(test) => test.1 = test.1.intersection(values),
                None => product.push((field, values.clone())),
            }
        }
        let is_possible = |product: &Product| product.iter().all(|test| !test.1.is_empty());
        self.products.retain(is_possible);
    }
}

/// Packets that surely and possibly meet conditions, and what is in doubt.
#[derive(Debug, Clone)]
pub(super) struct Matched {
    pub(super) bounds: Bounds,
    pub(super) doubts: Vec<Doubt>,
}

/// Conditions to sets of packets.
pub(super) struct Lowering<'c, 'm> {
    compiler: &'c mut Compiler<'m>,
    doubts: Vec<Doubt>,
}

impl<'c, 'm> Lowering<'c, 'm> {
    pub(super) fn new(compiler: &'c mut Compiler<'m>) -> Self {
        Self {
            compiler,
            doubts: Vec::new(),
        }
    }

    /// The packets that pass all matches.
    pub(super) fn matches(mut self, matches: &[Match]) -> Result<Matched, OverBudget> {
        let mut bounds = Bounds::exactly(PacketSet::all());
        for one in matches {
            let meets = self.condition(&one.condition, one.span, 0)?;
            bounds = self.both(bounds, meets)?;
        }
        Ok(Matched {
            bounds,
            doubts: self.doubts,
        })
    }

    fn both(&mut self, left: Bounds, right: Bounds) -> Result<Bounds, OverBudget> {
        let space = &mut self.compiler.space;
        Ok(Bounds {
            surely: space.intersection(left.surely, right.surely)?,
            possibly: space.intersection(left.possibly, right.possibly)?,
        })
    }

    fn condition(&mut self, condition: &Condition, span: Span, depth: usize) -> Result<Bounds, OverBudget> {
        if depth > MAX_DEPTH {
            let why = "the condition is nested too deep".into();
            self.doubts.push(self.compiler.doubt(Some(span), &why));
            return Ok(Bounds {
                surely: PacketSet::empty(),
                possibly: PacketSet::all(),
            });
        }
        match condition {
            Condition::Test(field, values) => self.compiler.space.test(*field, values).map(Bounds::exactly),
            Condition::All(all) => {
                let mut bounds = Bounds::exactly(PacketSet::all());
                for condition in all {
                    let meets = self.condition(condition, span, depth + 1)?;
                    bounds = self.both(bounds, meets)?;
                }
                Ok(bounds)
            }
            Condition::Any(any) => {
                let mut bounds = Bounds::empty();
                for condition in any {
                    let meets = self.condition(condition, span, depth + 1)?;
                    let space = &mut self.compiler.space;
                    bounds = Bounds {
                        surely: space.union(bounds.surely, meets.surely)?,
                        possibly: space.union(bounds.possibly, meets.possibly)?,
                    };
                }
                Ok(bounds)
            }
            Condition::Not(inner) => {
                let inner = self.condition(inner, span, depth + 1)?;
                let space = &mut self.compiler.space;
                let (surely, possibly) = (space.complement(inner.possibly)?, space.complement(inner.surely)?);
                Ok(Bounds { surely, possibly })
            }
            Condition::Member(member) => {
                let resolved = member.resolve(&self.compiler.facts.members);
                self.condition(&resolved, span, depth + 1)
            }
            Condition::Unknown(unknown) => {
                if let Some(field) = self.compiler.property(unknown, span) {
                    let holds = self.compiler.space.test(field, &RangeSet::point(1))?;
                    return Ok(Bounds::exactly(holds));
                }
                self.doubts.push(self.compiler.doubt(Some(span), &unknown.why));
                Ok(Bounds {
                    surely: PacketSet::empty(),
                    possibly: PacketSet::all(),
                })
            }
        }
    }
}
