//! What a service says of itself on its admin port.

use std::collections::BTreeMap;

use super::client::Client;
use super::exposition::Page;
use super::report::Step;
use crate::text::answered;
use crate::url::Url;

/// What every service has from its start, with or without traffic.
const FAMILIES: [&str; 3] = [ITEMS, "bartizan_telemetry_pending", "target_info"];

/// Telemetry by what became of it.
const ITEMS: &str = "bartizan_telemetry_items_total";

/// What every service has that was asked something.
const REQUESTS: &str = "http_server_request_duration_seconds";

/// Items that were lost, by signal and reason, since the service started.
pub(super) type Losses = BTreeMap<(String, String), f64>;

/// Whether the service is ready.
pub(super) async fn ready(client: &Client, admin: &Url) -> Step {
    let name = format!("ready {}", admin.authority());
    match client.get(&admin.under("/readyz"), None).await {
        Ok(answer) if answer.status.is_success() => Step::ok(name, answer.status.to_string()),
        Ok(answer) => Step::failed(
            name,
            answered(answer.status, &answer.body),
            "see the checks that are down, and the service's log",
        ),
        Err(why) => Step::failed(
            name,
            format!("{}: {why}", admin.under("/readyz")),
            "start the service, or give the address of its admin port, which is the service's \
             <NAME>__SERVER__ADMIN__BIND",
        ),
    }
}

/// Whether there are metrics, and what of the telemetry was lost so far.
pub(super) async fn metrics(client: &Client, admin: &Url) -> (Step, Option<Losses>) {
    let name = format!("metrics {}", admin.authority());
    let page = match scrape(client, admin).await {
        Ok(page) => page,
        Err(why) => {
            let fix =
                "install the telemetry with an exposition: OTEL_METRICS_EXPORTER=otlp,prometheus";
            return (Step::failed(name, why, fix), None);
        }
    };
    let missing: Vec<_> = FAMILIES
        .into_iter()
        .filter(|family| !page.families.contains(*family))
        .collect();
    if !missing.is_empty() {
        let fix = "set the telemetry up from the environment, and see OTEL_SDK_DISABLED and the \
                   OTEL_*_EXPORTER variables";
        let why = format!("there is no {}", missing.join(" and no "));
        return (Step::failed(name, why, fix), None);
    }
    let asked = match page.families.contains(REQUESTS) {
        true => "",
        false => "; nothing has asked the service yet",
    };
    let detail = format!("{} families{asked}", page.families.len());
    (Step::ok(name, detail), Some(losses(&page)))
}

/// Whether telemetry was lost between two looks, and before.
pub(super) async fn lost(client: &Client, admin: &Url, before: &Losses) -> Step {
    let name = format!("losses {}", admin.authority());
    let now = match scrape(client, admin).await {
        Ok(page) => losses(&page),
        Err(why) => return Step::failed(name, why, "see whether the service still runs"),
    };
    let growing = now.iter().filter(|(key, count)| {
        // A service that has started anew counts from 0.
        **count > before.get(*key).copied().unwrap_or_default()
    });
    let growing: Vec<_> = growing
        .map(|((signal, reason), _)| (signal, reason))
        .collect();
    let figures: Vec<_> = now
        .iter()
        .map(|((signal, reason), count)| format!("{count} {signal} {}", meaning(reason).0))
        .collect();
    match (growing.first(), figures.is_empty()) {
        (Some((_, reason)), _) => Step::failed(
            name,
            format!(
                "telemetry is being lost; since its start {}",
                figures.join(", ")
            ),
            meaning(reason).1,
        ),
        (None, false) => Step::ok(
            name,
            format!(
                "since its start {}; nothing during this check",
                figures.join(", ")
            ),
        ),
        (None, true) => Step::ok(name, "nothing since its start"),
    }
}

async fn scrape(client: &Client, admin: &Url) -> Result<Page, String> {
    let url = admin.under("/metrics");
    let answer = client
        .get(&url, None)
        .await
        .map_err(|why| format!("{url}: {why}"))?;
    if !answer.status.is_success() {
        return Err(answered(answer.status, &answer.body));
    }
    let text = String::from_utf8_lossy(&answer.body);
    Page::parse(&text).map_err(|line| format!("{url}: line {line} is not Prometheus' text format"))
}

fn losses(page: &Page) -> Losses {
    let items = page.samples.iter().filter(|sample| sample.name == ITEMS);
    items
        .filter_map(|sample| {
            let label = |name: &str| sample.labels.get(name).cloned();
            let signal = label("bartizan_telemetry_signal")?;
            let result = label("bartizan_telemetry_result")?;
            (result != "exported" && sample.value > 0.0).then_some(((signal, result), sample.value))
        })
        .collect()
}

/// What a reason means, and what can be done about it.
fn meaning(reason: &str) -> (&str, &'static str) {
    match reason {
        "queue_full" => (
            "found no room in the queue",
            "give the collector more room, or raise OTEL_BSP_MAX_QUEUE_SIZE, \
             OTEL_BLRP_MAX_QUEUE_SIZE and BARTIZAN_TELEMETRY_QUEUE_MAX_BYTES, or sample less",
        ),
        "rejected" => (
            "were refused by the collector",
            "see the collector's log: credentials, the pipelines of the signal, its memory limit",
        ),
        "unreachable" => (
            "had no connection to the collector",
            "see whether the collector runs and OTEL_EXPORTER_OTLP_ENDPOINT names it; \
             BARTIZAN_TELEMETRY_SPOOL_DIR keeps telemetry meanwhile",
        ),
        "unconfirmed" => (
            "were sent and never acknowledged",
            "see the collector's log and load; raise OTEL_EXPORTER_OTLP_TIMEOUT if it is far away",
        ),
        "deadline" => (
            "still waited when a shutdown's time was up",
            "see why the collector is slow, or give the shutdown more time",
        ),
        "spool" => (
            "had to leave the spool",
            "raise BARTIZAN_TELEMETRY_SPOOL_MAX_BYTES, and see the disk",
        ),
        "after_shutdown" => (
            "ended after the shutdown",
            "let what records telemetry end before the telemetry does",
        ),
        "encoding" => (
            "could not be encoded",
            "report it: it is Bartizan's mistake",
        ),
        other => (other, "see the service's log"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_exported_is_lost() {
        let page = Page::parse(
            "bartizan_telemetry_items_total{bartizan_telemetry_result=\"exported\",\
             bartizan_telemetry_signal=\"traces\"} 9\n\
             bartizan_telemetry_items_total{bartizan_telemetry_result=\"rejected\",\
             bartizan_telemetry_signal=\"traces\"} 2\n\
             bartizan_telemetry_items_total{bartizan_telemetry_result=\"spool\",\
             bartizan_telemetry_signal=\"traces\"} 0\n\
             other_total{bartizan_telemetry_result=\"rejected\",bartizan_telemetry_signal=\"logs\"} 1\n",
        );
        let expected = [(("traces".to_owned(), "rejected".to_owned()), 2.0)];
        assert_eq!(losses(&page.unwrap()), Losses::from(expected));
    }
}
