//! A run as it goes on, for progress bars and for whoever asks where the time went.
//!
//! INVARIANT: nothing of it reaches the outcome: times are not the same twice.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Files are read.
    Files,
    /// Configs become rulesets.
    Configs,
    /// Rows are held against hosts.
    Hosts,
}

impl Stage {
    /// What is done, and to what.
    #[must_use]
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Files => ("reading", "file"),
            Self::Configs => ("understanding", "config"),
            Self::Hosts => ("checking", "host"),
        }
    }
}

/// Whoever looks on. Steps come from several threads.
pub trait Watcher: Send + Sync {
    /// A stage of so many steps begins.
    fn begin(&self, stage: Stage, n_steps: usize);
    /// A step of it is done.
    fn done(&self, stage: Stage, what: &str, took: Duration);
    /// The stage is over.
    fn end(&self, stage: Stage, took: Duration);
}

/// Somebody who looks on, or nobody.
#[derive(Clone, Default)]
pub struct Watch(Option<Arc<dyn Watcher>>);

impl Watch {
    /// Somebody.
    #[must_use]
    pub fn new(watcher: Arc<dyn Watcher>) -> Self {
        Self(Some(watcher))
    }

    /// Does a stage.
    pub(super) fn stage<T>(&self, stage: Stage, n_steps: usize, work: impl FnOnce() -> T) -> T {
        let Some(watcher) = &self.0 else {
            return work();
        };
        watcher.begin(stage, n_steps);
        let start = Instant::now();
        let done = work();
        watcher.end(stage, start.elapsed());
        done
    }

    /// Does a step of a stage.
    pub(super) fn step<T>(&self, stage: Stage, what: &str, work: impl FnOnce() -> T) -> T {
        let Some(watcher) = &self.0 else {
            return work();
        };
        let start = Instant::now();
        let done = work();
        watcher.done(stage, what, start.elapsed());
        done
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "watched" } else { "unwatched" })
    }
}
