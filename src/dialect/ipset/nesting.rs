//! Networks inside each other to ranges, each with what the innermost network around it says.
//!
//! INVARIANT: the ranges that come out are disjoint, ascending, and those of the networks together.

/// Cuts networks, wider ones first of those that begin alike, into ranges. `says` is what a network says, given what the
/// one around it says; of one network twice the later counts.
pub(super) fn innermost<B, S: Clone>(
    networks: impl Iterator<Item = ((u128, u128), B)>,
    says: impl Fn(B, Option<&S>) -> S,
) -> Vec<((u128, u128), S)> {
    let mut cut = Cut {
        open: Vec::new(),
        next: 0,
        ranges: Vec::new(),
    };
    for ((low, high), network) in networks {
        cut.close_before(low);
        let said = says(network, cut.open.last().map(|(_, said)| said));
        cut.open.push((high, said));
        cut.next = low;
    }
    while cut.close() {}
    cut.ranges
}

struct Cut<S> {
    /// The networks that the next address is in, widest first, with their last addresses.
    open: Vec<(u128, S)>,
    next: u128,
    ranges: Vec<((u128, u128), S)>,
}

impl<S: Clone> Cut<S> {
    /// Ends the networks in front of an address, and gives the innermost that goes on what is in front of it.
    fn close_before(&mut self, low: u128) {
        while self.open.last().is_some_and(|(high, _)| *high < low) {
            self.close();
        }
        if let (Some((_, said)), Some(before)) = (self.open.last().cloned(), low.checked_sub(1)) {
            self.emit(before, said);
        }
    }

    /// Ends the innermost network. Returns whether there was one.
    fn close(&mut self) -> bool {
        let Some((high, said)) = self.open.pop() else {
            return false;
        };
        self.emit(high, said);
        match high.checked_add(1) {
            Some(next) => self.next = self.next.max(next),
            None => self.open.clear(),
        }
        true
    }

    fn emit(&mut self, last: u128, said: S) {
        if self.next <= last {
            self.ranges.push(((self.next, last), said));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_network_speaks() {
        let last = u128::MAX;
        let networks = [
            ((0, 99), 'a'),
            ((10, 19), 'b'),
            ((12, 13), 'c'),
            ((50, 59), 'd'),
            ((50, 59), 'e'),
            ((200, 209), 'f'),
            ((last - 3, last), 'g'),
            ((last - 1, last), 'h'),
        ];
        let ranges = innermost(networks.into_iter(), |letter, around| {
            format!("{}{letter}", around.map_or("", String::as_str))
        });
        let ranges: Vec<_> = ranges
            .iter()
            .map(|(range, said)| (*range, said.as_str()))
            .collect();
        assert_eq!(
            ranges,
            [
                ((0, 9), "a"),
                ((10, 11), "ab"),
                ((12, 13), "abc"),
                ((14, 19), "ab"),
                ((20, 49), "a"),
                ((50, 59), "ade"),
                ((60, 99), "a"),
                ((200, 209), "f"),
                ((last - 3, last - 2), "g"),
                ((last - 1, last), "gh"),
            ]
        );
    }
}
