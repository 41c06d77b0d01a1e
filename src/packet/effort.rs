//! How much work a sweep has done and how far it has come: one that will not end within its bound is better given up early.

/// Looks at how far the work has come, spread over its bound.
const N_LOOKS: usize = 16;
/// Bounds that the rest would take at the pace since the last look, past which there is no hope: results are remembered, so the
/// pace quickens, though not a hundred times.
const HOPELESS: f64 = 25.0;
/// Parts of the whole below which it is not counted how far their parts have come.
const SMALLEST: f64 = 1e-3;

/// The bound is reached, or will not be kept.
pub(super) struct TooMuch;

/// Work done, and how far it has come.
pub(super) struct Effort {
    work: usize,
    limit: usize,
    /// The part of the whole that is being done now.
    share: f64,
    /// The part of the whole that is done.
    done: f64,
    /// Work at which to look again, and what was done at the last look.
    next_look: usize,
    done_then: f64,
}

/// A part of the whole that is done in equal steps.
pub(super) struct Part {
    share: f64,
    step: f64,
    /// What was done before it.
    before: f64,
}

impl Effort {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            work: 0,
            limit,
            share: 1.0,
            done: 0.0,
            next_look: limit / N_LOOKS,
            done_then: 0.0,
        }
    }

    /// Counts work.
    pub(super) fn add(&mut self, work: usize) -> Result<(), TooMuch> {
        self.work += work;
        if self.work > self.limit {
            return Err(TooMuch);
        }
        if self.work < self.next_look {
            return Ok(());
        }
        let (is_first, come) = (self.done_then == 0.0, self.done - self.done_then);
        self.next_look = self.work + self.limit / N_LOOKS;
        self.done_then = self.done;
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let is_hopeless = 1.0 - self.done > HOPELESS * N_LOOKS as f64 * come;
        if is_hopeless && !is_first {
            Err(TooMuch)
        } else {
            Ok(())
        }
    }

    /// Begins what is being done in so many steps.
    pub(super) fn begin(&mut self, n_steps: impl FnOnce() -> usize) -> Part {
        let share = self.share;
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let step = if share < SMALLEST {
            0.0
        } else {
            share / n_steps().max(1) as f64
        };
        self.share = step;
        Part {
            share,
            step,
            before: self.done,
        }
    }

    /// A step of a part is done.
    pub(super) fn step(&mut self, part: &mut Part) {
        part.before += part.step;
        if part.step > 0.0 {
            self.done = part.before;
        }
        self.share = part.step;
    }

    /// All steps of a part are done.
    pub(super) fn end(&mut self, part: &Part) {
        self.share = part.share;
    }
}

#[cfg(test)]
mod tests {
    use super::Effort;

    const LIMIT: usize = 1_600;

    /// The work at which a whole of equal steps ends or is given up, and whether it ends.
    fn work_of(n_steps: usize, work_of: impl Fn(usize) -> usize) -> (usize, bool) {
        let mut effort = Effort::new(LIMIT);
        let mut part = effort.begin(|| n_steps);
        for step in 0..n_steps {
            if effort.add(work_of(step)).is_err() {
                return (effort.work, false);
            }
            effort.step(&mut part);
        }
        effort.end(&part);
        (effort.work, true)
    }

    #[test]
    fn what_keeps_its_bound_ends() {
        assert_eq!(work_of(LIMIT, |_| 1), (LIMIT, true));
    }

    #[test]
    fn what_goes_over_by_little_goes_on_to_the_bound() {
        assert_eq!(work_of(4 * LIMIT, |_| 1), (LIMIT + 1, false));
    }

    #[test]
    fn what_would_never_end_is_given_up_at_the_second_look() {
        assert_eq!(work_of(100 * LIMIT, |_| 1), (2 * LIMIT / super::N_LOOKS, false));
    }

    #[test]
    fn a_slow_beginning_alone_is_no_reason_to_give_up() {
        let slow_at_first = |step| if step == 0 { LIMIT / 2 } else { 1 };
        assert_eq!(
            work_of(LIMIT / 4, slow_at_first),
            (LIMIT / 2 + LIMIT / 4 - 1, true)
        );
    }
}
