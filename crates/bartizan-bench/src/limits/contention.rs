//! What a request costs while another thread asks the same limiter: about the one client that both
//! have, or about clients of its own.

use bartizan_protect::rate_limit::{Answers, DEFAULT_CAPACITY};
use tokio::runtime::Runtime;

use super::addresses::Addresses;
use super::budget::AMPLE;
use super::rows::CLIENTS;
use super::undecided::{Undecided, bare};
use super::{ours, peers};
use crate::BoxError;
use crate::breakers::contention::{Contended, Effort, of};
use crate::breakers::row::{Path, Row};
use crate::breakers::through::Through;

pub(super) fn measure(runtime: &Runtime, effort: &Effort) -> Result<Vec<Contended>, BoxError> {
    let [one, own] = [Addresses::shared(1), Addresses::own(CLIENTS)];
    let told = |from| ours::raw(AMPLE, from, DEFAULT_CAPACITY);
    let layer = |from| ours::layered(AMPLE, from, Answers::All);
    let rows = [
        decision("undecided", Undecided(own)),
        decision("bartizan_raw, one", told(one)?),
        decision("bartizan_raw, own", told(own)?),
        decision("governor, one", peers::by_governor(AMPLE, one)?),
        decision("governor, own", peers::by_governor(AMPLE, own)?),
        call("bare", bare(own)),
        call("bartizan, one", layer(one)?),
        call("bartizan, own", layer(own)?),
        call(
            "tower_governor, one",
            peers::tower_governor_fields(AMPLE, one)?,
        ),
        call(
            "tower_governor, own",
            peers::tower_governor_fields(AMPLE, own)?,
        ),
        call("tower_resilience", peers::tower_resilience(AMPLE, own)?),
        decision("bulkhead_raw", ours::permits()?),
        call("bulkhead", ours::bulkhead(own)?),
        call("tower_concurrency_limit", peers::concurrency_limit(own)),
    ];
    of(&rows, runtime, effort)
}

fn decision(name: &'static str, through: impl Through) -> Row {
    Row::new(name, "", Path::Admitted, through)
}

fn call(name: &'static str, through: impl Through) -> Row {
    Row::new(name, "", Path::Closed, through)
}
