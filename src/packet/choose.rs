//! One ruling for the packets of a set, another for the rest.

use rustc_hash::FxHashMap;

use super::cursor::Cursor;
use super::ruling::Ruling;
use super::set::PacketSet;
use super::space::{Node, OverBudget, Space};

/// Results so far, by set and both rulings.
type Known = FxHashMap<[Node; 3], Node>;

impl Space {
    /// `inside` for the packets of the set, `outside` for the others.
    pub fn choose(&mut self, set: PacketSet, inside: Ruling, outside: Ruling) -> Result<Ruling, OverBudget> {
        let mut known = Known::default();
        self.if_then_else([set.0, inside.0, outside.0], &mut known)
            .map(Ruling)
    }

    fn if_then_else(&mut self, parts: [Node; 3], known: &mut Known) -> Result<Node, OverBudget> {
        let [set, inside, outside] = parts;
        if PacketSet(set).is_all() || inside == outside {
            return Ok(inside);
        }
        if PacketSet(set).is_empty() {
            return Ok(outside);
        }
        if let Some(&done) = known.get(&parts) {
            return Ok(done);
        }
        let levels = parts.map(|node| self.level(node));
        let level = levels.into_iter().min().unwrap_or(u16::MAX);
        let max = self.maximum(level);
        let mut cursors = parts.map(|node| Cursor::new(self, node, level, max));
        let begun = self.begin();
        loop {
            let [of_set, of_inside, of_outside] = cursors;
            // What the set leaves to one ruling leaps over the edges of the other.
            let high = if PacketSet(of_set.kid).is_empty() {
                of_set.high.min(of_outside.high)
            } else if PacketSet(of_set.kid).is_all() {
                of_set.high.min(of_inside.high)
            } else {
                of_set.high.min(of_inside.high).min(of_outside.high)
            };
            let kid = self.if_then_else(cursors.map(|cursor| cursor.kid), known)?;
            self.push(begun, high, kid);
            if high >= max {
                break;
            }
            for cursor in &mut cursors {
                cursor.go_behind(self, high);
            }
        }
        let result = self.finish(begun, level)?;
        known.insert(parts, result);
        Ok(result)
    }
}
