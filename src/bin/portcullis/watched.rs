//! A run as people see it: a bar while it goes on, if it takes long and standard error is a terminal, and with `--verbose` where
//! the time went.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use portcullis::check::{Stage, Watcher};

/// A run that is over by then shows no bar.
const SHORT: Duration = Duration::from_millis(400);
/// How many of the slowest steps of a stage are named.
const N_SLOWEST: usize = 3;

/// Looks on at a run.
pub(crate) struct Watched {
    start: Instant,
    bar: Option<ProgressBar>,
    stages: Mutex<Vec<Spent>>,
}

/// Where the time of a stage went.
struct Spent {
    stage: Stage,
    n_steps: usize,
    took: Duration,
    slowest: Vec<(Duration, String)>,
}

impl Watched {
    pub(crate) fn new(is_quiet: bool) -> Self {
        let has_bar = !is_quiet && io::stderr().is_terminal();
        Self {
            start: Instant::now(),
            bar: has_bar.then(bar),
            stages: Mutex::new(Vec::new()),
        }
    }

    /// Takes the bar away, before anything else is written.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Says on standard error where the time went.
    pub(crate) fn tell(&self) {
        let mut text = String::new();
        for spent in self.stages.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            text.push_str(&spent.sentence());
        }
        let all = shown(self.start.elapsed());
        // If standard error is gone, there is nobody to tell.
        let _told = writeln!(io::stderr(), "{text}{all} in all");
    }
}

/// A bar that shows itself after a while, whatever the run does then, unless it is over.
fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}");
    let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let shown = bar.clone();
    std::thread::spawn(move || {
        std::thread::sleep(SHORT);
        if !shown.is_finished() {
            shown.set_draw_target(ProgressDrawTarget::stderr());
            shown.tick();
        }
    });
    bar
}

impl Spent {
    /// "checking 7 hosts: 12 ms; slowest: m1 5 ms, m2 4 ms"
    fn sentence(&self) -> String {
        let (verb, what) = self.stage.words();
        let plural = if self.n_steps == 1 { "" } else { "s" };
        let slowest: Vec<String> = self
            .slowest
            .iter()
            .map(|(took, name)| format!("{name} {}", shown(*took)))
            .collect();
        let slowest = match slowest.as_slice() {
            [] => String::new(),
            some => format!("; slowest: {}", some.join(", ")),
        };
        format!(
            "{verb} {} {what}{plural}: {}{slowest}\n",
            self.n_steps,
            shown(self.took)
        )
    }
}

fn shown(took: Duration) -> String {
    match took.as_millis() {
        0 => format!("{} µs", took.as_micros()),
        millis @ 1..10_000 => format!("{millis} ms"),
        _ => format!("{} s", took.as_secs()),
    }
}

impl Watcher for Watched {
    fn begin(&self, stage: Stage, n_steps: usize) {
        let spent = Spent {
            stage,
            n_steps,
            took: Duration::ZERO,
            slowest: Vec::new(),
        };
        self.stages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(spent);
        if let Some(bar) = &self.bar {
            let (verb, what) = stage.words();
            bar.set_message(format!("{verb} {what}s"));
            bar.set_length(n_steps as u64);
            bar.set_position(0);
        }
    }

    fn done(&self, _stage: Stage, what: &str, took: Duration) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(spent) = stages.last_mut() else {
            return;
        };
        let is_slow = spent.slowest.last().is_none_or(|last| last.0 < took);
        if spent.slowest.len() < N_SLOWEST || is_slow {
            spent.slowest.push((took, what.to_owned()));
            spent.slowest.sort_by(|a, b| b.cmp(a));
            spent.slowest.truncate(N_SLOWEST);
        }
    }

    fn end(&self, _stage: Stage, took: Duration) {
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(spent) = stages.last_mut() {
            spent.took = took;
        }
    }
}
