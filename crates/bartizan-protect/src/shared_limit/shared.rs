//! How a limiter comes by a decision.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use http::Request;
use http::request::Parts;

use super::all::all;
use super::clock::nanos;
use super::counts::Counters;
use super::decision::Verdict;
use super::leases::{Key, Step};
use super::limit::{Limits, Question};
use super::refill::Refill;
use super::trip::{Down, Guarded, within};
use super::{
    Ask, By, Charged, Decision, Decisions, Observer, Refusal, Rejected, Reservation, Store,
    StoreDown, StoreKey, fields,
};
use crate::rate_limit::{Answers, Charges, Fields};

pub(super) struct Shared<St, O: Observer> {
    pub(super) limits: Arc<Limits>,
    pub(super) data: Box<[O::Policy]>,
    pub(super) store: Guarded<St, O::Breaker>,
    pub(super) down: StoreDown,
    pub(super) peer: Option<Arc<PeerFn>>,
    pub(super) observer: O,
    pub(super) counts: Counters,
}

pub(super) type PeerFn = dyn Fn(&Parts) -> Option<IpAddr> + Send + Sync;

/// A decision, or the way to one.
pub(super) enum Start {
    Decided(Result<Passed, Rejected>),
    Asking(Asking),
}

pub(super) type Asking = Pin<Box<dyn Future<Output = Result<Passed, Rejected>> + Send>>;

/// What becomes of a request that is let through.
pub(super) struct Passed {
    pub(super) reservation: Reservation,
    pub(super) fields: Option<Fields>,
}

/// What was asked, and what is said to it.
type Said = (Question, Verdict);

// === impl Shared ===

impl<St: Store, O: Observer> Shared<St, O> {
    /// Decides by what is known here, if that is enough.
    pub(super) fn start(self: &Arc<Self>, questions: Vec<Question>, answers: Answers) -> Start {
        let now = self.limits.clock.now();
        let (mut said, mut open) = (Vec::with_capacity(questions.len()), Vec::new());
        for question in questions {
            let verdict = match question.hash {
                None => Verdict::without(By::Policy, Some(Refusal::KeyMissing), None),
                Some(_) if question.cost > question.quota.burst() => {
                    Verdict::without(By::Policy, Some(Refusal::CostAboveBurst), None)
                }
                Some(hash) => {
                    let key = question.key(hash);
                    match self.step(&question, &key, now) {
                        Step::Known(known) => {
                            Verdict::known(By::Lease, known, Refusal::QuotaExceeded)
                        }
                        step => {
                            open.push((question, key, step));
                            continue;
                        }
                    }
                }
            };
            said.push((question, verdict));
        }
        if open.is_empty() || is_rejected(&said) {
            return Start::Decided(self.decide(said, answers));
        }
        let this = Arc::clone(self);
        Start::Asking(Box::pin(async move {
            let open = open.into_iter();
            let asks = open.map(|(question, key, step)| this.ask(question, key, step, now));
            said.extend(all(asks).await);
            said.sort_by_key(|(question, _)| question.at);
            this.decide(said, answers)
        }))
    }

    fn step(&self, question: &Question, key: &Key, now: u64) -> Step {
        let leases = &self.limits.all[question.at].leases;
        leases.step(key, question.cost, now)
    }

    /// Goes on until it is decided; at most for as long as one waits for somebody else's answer, and
    /// then for one's own.
    async fn ask(&self, question: Question, key: Key, mut step: Step, start: u64) -> Said {
        let clock = &self.limits.clock;
        let patience = start.saturating_add(nanos(self.store.deadline));
        let verdict = loop {
            step = match step {
                Step::Known(known) => {
                    break Verdict::known(By::Lease, known, Refusal::QuotaExceeded);
                }
                Step::Ask(refill) => break self.refill(&question, &key, refill).await,
                Step::Wait(waiting) => {
                    let Some(wanted) = within(clock, patience, waiting.answered()).await else {
                        break self.without_store(&question, &key, Down::default());
                    };
                    let leases = &self.limits.all[question.at].leases;
                    leases.again(wanted, clock.now())
                }
            };
        };
        (question, verdict)
    }

    async fn refill(&self, question: &Question, key: &Key, refill: Refill) -> Verdict {
        let Limits { all, clock, .. } = &*self.limits;
        let (asked, want) = (clock.now(), refill.want());
        let ask = Ask {
            key: StoreKey::new(&all[question.at].policy.name, key),
            quota: key.quota,
            least: want.least,
            most: want.most,
        };
        let store = &self.store;
        match store
            .ask(ask, asked, clock, &self.counts, &self.observer)
            .await
        {
            Ok(grant) => {
                let known = refill.fill(asked, &grant);
                Verdict::known(By::Store, known, Refusal::QuotaExceeded)
            }
            Err(down) => {
                drop(refill);
                self.without_store(question, key, down)
            }
        }
    }

    fn without_store(&self, question: &Question, key: &Key, down: Down) -> Verdict {
        let allowed = Verdict::without(By::StoreDown, None, None);
        match self.down {
            StoreDown::Allow => allowed,
            StoreDown::Deny => {
                let refusal = Some(Refusal::StoreDown);
                Verdict::without(By::StoreDown, refusal, down.retry_after)
            }
            StoreDown::LocalOnly => {
                let now = self.limits.clock.now();
                let leases = &self.limits.all[question.at].leases;
                match leases.local(key, question.cost, now) {
                    Some(known) => {
                        Verdict::known(By::StoreDown, known, Refusal::LocalQuotaExceeded)
                    }
                    None => allowed,
                }
            }
        }
    }

    /// Keeps what was taken, or gives all of it back.
    fn decide(&self, said: Vec<Said>, answers: Answers) -> Result<Passed, Rejected> {
        let rejected = is_rejected(&said);
        let each = said.iter().map(|(question, verdict)| {
            let decision = Decision::new(question, verdict, rejected);
            (question.at, decision)
        });
        let decisions = Decisions::new(each.collect());
        self.counts.decided(rejected, &decisions);
        for (at, decision) in decisions.iter() {
            self.observer.decided(&self.data[at], decision);
        }
        let says = match answers {
            Answers::All => true,
            Answers::Rejections => rejected,
            Answers::None => false,
        };
        let fields = says.then(|| fields::of(&self.limits, &decisions)).flatten();
        if rejected {
            return Err(Rejected::new(&self.limits, &decisions, fields));
        }
        let charges = said.into_iter().filter_map(|(question, verdict)| {
            let charge = verdict.held?.keep()?;
            Some((question.at, charge))
        });
        Ok(Passed {
            reservation: Reservation::new(&self.limits, charges.collect(), decisions),
            fields,
        })
    }
}

// === impl Passed ===

impl Passed {
    /// Tells the service what `request` was charged, if it is to know, and answers what the response
    /// has to say.
    pub(super) fn tell<B>(self, request: &mut Request<B>, charges: Charges) -> Option<Fields> {
        if charges == Charges::Told {
            request
                .extensions_mut()
                .insert(Charged::new(self.reservation));
        }
        self.fields
    }
}

fn is_rejected(said: &[Said]) -> bool {
    said.iter()
        .any(|(question, verdict)| verdict.rejects(question))
}
