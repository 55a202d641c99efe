use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::breaker::circuit::{Circuit, News, Refused, Settled, Ticket};
use crate::breaker::{Change, Command, Config, Outcome, Reason, State};

pub(crate) const FAILED: Outcome = Outcome::Failure;
pub(crate) const SUCCEEDED: Outcome = Outcome::Success;

/// A circuit, the time, and what was told since somebody asked.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) circuit: Circuit,
    pub(crate) now: Instant,
    news: Vec<News>,
}

// === impl Driver ===

impl Driver {
    #[expect(clippy::disallowed_methods, reason = "any instant will do")]
    pub(crate) fn new(config: Config) -> Self {
        let now = Instant::now();
        Self {
            circuit: Circuit::new(Arc::new(config), now, 0),
            now,
            news: Vec::new(),
        }
    }

    pub(crate) fn advance(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
    }

    pub(crate) fn try_admit(&mut self) -> Result<Ticket, Refused> {
        let admission = self.circuit.admit(self.now);
        self.news.extend(admission.news);
        admission.result
    }

    #[track_caller]
    pub(crate) fn admit(&mut self) -> Ticket {
        self.try_admit().expect("the circuit lets a call through")
    }

    pub(crate) fn wait(&mut self, ticket: &mut Ticket) {
        self.news.extend(self.circuit.wait(ticket, || self.now));
    }

    pub(crate) fn settle(&mut self, ticket: Ticket, end: Outcome) -> Settled {
        let settled = self.circuit.settle(ticket, end, self.now);
        self.news.extend(settled.news);
        settled
    }

    /// A call that ends at once.
    #[track_caller]
    pub(crate) fn call(&mut self, end: Outcome) {
        let ticket = self.admit();
        self.settle(ticket, end);
    }

    #[track_caller]
    pub(crate) fn calls(&mut self, calls: usize, end: Outcome) {
        for _ in 0..calls {
            self.call(end);
        }
    }

    pub(crate) fn obey(&mut self, command: Command) {
        self.news.extend(self.circuit.obey(command, self.now));
    }

    pub(crate) fn update(&self, config: Config) {
        self.circuit.update(Arc::new(config));
    }

    pub(crate) fn state(&self) -> State {
        self.circuit.standing(self.now).state
    }

    /// What was told since the last time.
    pub(crate) fn news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// The changes among it.
    pub(crate) fn changes(&mut self) -> Vec<Change> {
        let change = |news| match news {
            News::Changed(change) => Some(change),
            News::WouldOpen(_) => None,
        };
        self.news().into_iter().filter_map(change).collect()
    }

    /// That it would have opened, among it.
    pub(crate) fn would_open(&mut self) -> Vec<Reason> {
        let reason = |news| match news {
            News::WouldOpen(reason) => Some(reason),
            News::Changed(_) => None,
        };
        self.news().into_iter().filter_map(reason).collect()
    }
}
