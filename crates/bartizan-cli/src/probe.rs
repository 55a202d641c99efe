//! Whether servers are well: each URL is asked, all at the same time.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::complain;
use crate::get::get;
use crate::options::Probe;
use crate::text::answered;
use crate::url::Url;

/// The pause between two rounds: what waits goes on soon, and a server that starts is not kept busy.
const PAUSE: Duration = Duration::from_millis(200);

/// Asks until all are well or the time is up, and says whether they are.
pub(crate) async fn run(options: &Probe) -> bool {
    let began = Instant::now();
    // Without `--wait` the first round is the last.
    let end = began + options.wait.unwrap_or_default();
    loop {
        let failures = round(options).await;
        if failures.is_empty() {
            return true;
        }
        let next = Instant::now() + PAUSE;
        if next >= end {
            for (url, failure) in failures {
                complain(&format_args!("{url}: {failure}"));
            }
            return false;
        }
        sleep_until(next).await;
    }
}

/// Asks all once; those that are not well, in the order in which they were named.
async fn round(options: &Probe) -> Vec<(Url, String)> {
    let mut asked = JoinSet::new();
    for (index, url) in options.urls.iter().cloned().enumerate() {
        let timeout = options.timeout;
        asked.spawn(async move {
            let failure = ask(&url, timeout).await.err();
            (index, url, failure)
        });
    }
    let mut answers = asked.join_all().await;
    answers.sort_by_key(|(index, ..)| *index);
    let failed = |(_, url, failure): (_, _, Option<String>)| Some((url, failure?));
    answers.into_iter().filter_map(failed).collect()
}

async fn ask(url: &Url, timeout: Duration) -> Result<(), String> {
    let answer = get(url, timeout).await.map_err(|error| error.to_string())?;
    if answer.status.is_success() {
        return Ok(());
    }
    Err(answered(answer.status, &answer.body))
}
