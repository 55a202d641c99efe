//! One circuit: the word that admits, and the parts that decide behind a lock.
//!
//! Pure in that time and chance are given. Admission reads the word and nothing else, as long as the
//! word alone can tell. Whoever records takes the lock, under which the parts are those of the
//! word's generation; a result of another one is stale and moves nothing. Every change is one
//! compare-and-swap of the word, and whoever wins it gets the [`Change`] to report, when the lock is
//! free again.

mod call;
mod operate;
mod parts;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::probation::Verdict;
use super::sync::{AtomicBool, AtomicU64, Mutex, MutexGuard, Ordering, PoisonError};
use super::word::{NEVER, Word};
use super::{Change, Config, Outcome, Reason, State};
use crate::window::Tick;

use call::Role;
pub(super) use call::{Admission, News, Refused, Settled, Ticket};
use parts::{Parts, ticks_up};

/// The state of one circuit.
#[derive(Debug)]
pub(super) struct Circuit {
    origin: Instant,
    word: AtomicU64,
    /// Whether calls that wait are looked at, so that nobody takes the lock to find out.
    watches: AtomicBool,
    rejected: AtomicU64,
    stale: AtomicU64,
    parts: Mutex<Parts>,
}

// === impl Circuit ===

impl Circuit {
    pub(super) fn new(config: Arc<Config>, now: Instant, seed: u64) -> Self {
        Self {
            origin: now,
            word: AtomicU64::new(Word::CLOSED.bits()),
            watches: AtomicBool::new(config.slow_rate.is_some()),
            rejected: AtomicU64::new(0),
            stale: AtomicU64::new(0),
            parts: Mutex::new(Parts::new(config, seed)),
        }
    }

    /// Whether a call may pass.
    #[inline]
    pub(super) fn admit(&self, now: Instant) -> Admission {
        let word = self.word();
        if word.serves_all() {
            return Admission {
                result: Ok(Ticket::new(word, now, Role::Counted(None))),
                news: None,
            };
        }
        self.admit_by_time(word, now)
    }

    /// The same where the word tells for a while.
    fn admit_by_time(&self, word: Word, now: Instant) -> Admission {
        let until = word.until();
        let result = match word.state() {
            State::Closed | State::MetricsOnly if self.tick(now) < until => {
                Ok(Ticket::new(word, now, Role::Counted(None)))
            }
            State::Disabled => Ok(Ticket::new(word, now, Role::Uncounted)),
            State::Open | State::HalfOpen if self.tick(now) < until => {
                Err(self.refuse(word, Some(until - self.tick(now))))
            }
            State::ForcedOpen => Err(self.refuse(word, None)),
            _ => return self.admit_by_parts(now),
        };
        Admission { result, news: None }
    }

    /// The same where the word cannot tell.
    #[cold]
    fn admit_by_parts(&self, now: Instant) -> Admission {
        let tick = self.tick(now);
        let mut parts = self.lock();
        parts.touch(tick);
        let mut news = None;
        // Goes round again after a change of its own, and when an operator was faster.
        let (word, result) = loop {
            let word = self.word();
            parts.enter(word, tick);
            match word.state() {
                State::Disabled => break (word, Ok(Role::Uncounted)),
                State::ForcedOpen => break (word, Err(None)),
                // One that this call has just opened rejects it in any case: it tells of one change.
                State::Open if tick < word.until() || news.is_some() => {
                    break (word, Err(Some(word.until().saturating_sub(tick))));
                }
                State::Open => {
                    let next = word.next(State::HalfOpen, 0);
                    news = self.change(word, next, Reason::OpenTimeOver, None).or(news);
                }
                State::Closed | State::MetricsOnly => {
                    parts.sweep(tick);
                    news = self.open_with_reason(&mut parts, word, tick).or(news);
                    if self.publish(word, &parts) {
                        break (word, Ok(Role::Counted(None)));
                    }
                }
                State::HalfOpen => {
                    parts.expire(tick);
                    if parts.verdict().is_some() {
                        news = self.conclude(&mut parts, word, tick).or(news);
                        continue;
                    }
                    let lease = parts.lease(tick);
                    self.publish(word, &parts);
                    break (
                        word,
                        lease.map(Role::Probe).map_err(|until| Some(until - tick)),
                    );
                }
            }
        };
        let result = match result {
            Ok(role) => Ok(Ticket::new(word, now, role)),
            Err(wait) => Err(self.refuse(word, wait)),
        };
        Admission { result, news }
    }

    /// The call goes on, so that it may become slow while it waits. Costs next to nothing where it
    /// waits already, or nobody looks at those that do.
    pub(super) fn wait(&self, ticket: &mut Ticket, now: impl FnOnce() -> Instant) -> Option<News> {
        let Role::Counted(None) = ticket.role else {
            return None;
        };
        let is_stale = |word: Word| word.generation() != ticket.generation;
        if !self.watches.load(Ordering::Relaxed) || is_stale(self.word()) {
            return None;
        }
        let tick = self.tick(now());
        let mut parts = self.lock();
        let word = self.word();
        if is_stale(word) {
            return None;
        }
        parts.enter(word, tick);
        parts.sweep(tick);
        ticket.role = Role::Counted(parts.wait(self.tick(ticket.started), tick));
        let news = self.open_with_reason(&mut parts, word, tick);
        self.publish(word, &parts);
        news
    }

    /// A call has ended.
    pub(super) fn settle(&self, ticket: Ticket, end: Outcome, now: Instant) -> Settled {
        let elapsed = now.saturating_duration_since(ticket.started);
        let tick = self.tick(now);
        let mut parts = self.lock();
        parts.touch(tick);
        let outcome = parts.outcome(end, elapsed);
        let word = self.word();
        parts.enter(word, tick);
        let mut news = None;
        let counted = match ticket.role {
            Role::Uncounted => true,
            _ if word.generation() != ticket.generation => false,
            Role::Counted(cell) => {
                parts.count(outcome, elapsed, cell, tick);
                news = self.open_with_reason(&mut parts, word, tick);
                self.publish(word, &parts);
                true
            }
            Role::Probe(probe) => {
                let counted = parts.probed(probe, outcome, tick);
                news = self.conclude(&mut parts, word, tick);
                self.publish(word, &parts);
                counted
            }
        };
        if !counted {
            self.stale.fetch_add(1, Ordering::Relaxed);
        }
        Settled {
            outcome,
            elapsed,
            stale: !counted,
            news,
        }
    }

    /// Opens it if there is a reason, or says that it would.
    fn open_with_reason(&self, parts: &mut Parts, word: Word, now: Tick) -> Option<News> {
        let reason = parts.reason(now);
        if word.state() == State::MetricsOnly {
            let is_news = parts.announces(reason.is_some());
            return reason.filter(|_| is_news).map(News::WouldOpen);
        }
        self.open(parts, word, reason?, now)
    }

    /// Opens it, or closes it, if its probes say so.
    fn conclude(&self, parts: &mut Parts, word: Word, now: Tick) -> Option<News> {
        let (verdict, reason) = parts.verdict()?;
        match verdict {
            Verdict::Reopen => self.open(parts, word, reason, now),
            Verdict::Close => {
                let next = word.next(State::Closed, NEVER);
                let news = self.change(word, next, reason, None)?;
                parts.enter(next, now);
                Some(news)
            }
        }
    }

    fn open(&self, parts: &mut Parts, word: Word, reason: Reason, now: Tick) -> Option<News> {
        let (open_for, open_time) = parts.next_open_time(now);
        let next = word.next(State::Open, now.saturating_add(ticks_up(open_for)));
        let news = self.change(word, next, reason, Some(open_for))?;
        parts.open_time = open_time;
        parts.enter(next, now);
        Some(news)
    }

    /// The one place where the state changes. `None` if an operator was faster.
    fn change(
        &self,
        word: Word,
        next: Word,
        reason: Reason,
        open_for: Option<Duration>,
    ) -> Option<News> {
        self.swap(word, next).ok()?;
        Some(News::Changed(Change {
            from: word.state(),
            to: next.state(),
            reason,
            open_for,
            generation: next.generation(),
        }))
    }

    /// Tells those who do not take the lock until when the word can tell. False where the state is
    /// another one by now, whose word is right already.
    fn publish(&self, word: Word, parts: &Parts) -> bool {
        let next = word.with_until(parts.until());
        // Writing what is there already would only take the word's cache line from its readers.
        if next == word {
            self.word() == word
        } else {
            self.swap(word, next).is_ok()
        }
    }

    fn swap(&self, word: Word, next: Word) -> Result<(), Word> {
        let (from, to) = (word.bits(), next.bits());
        self.word
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
            .map(drop)
            .map_err(Word::from_bits)
    }

    fn refuse(&self, word: Word, wait: Option<Tick>) -> Refused {
        self.rejected.fetch_add(1, Ordering::Relaxed);
        Refused {
            state: word.state(),
            retry_after: wait.map(Duration::from_millis),
        }
    }

    fn word(&self) -> Word {
        Word::from_bits(self.word.load(Ordering::Acquire))
    }

    fn lock(&self) -> MutexGuard<'_, Parts> {
        // Nothing is left half done where it could panic.
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick(&self, now: Instant) -> Tick {
        let age = now.saturating_duration_since(self.origin);
        age.as_secs() * 1_000 + Tick::from(age.subsec_millis())
    }
}
