//! Looks at the way of telemetry from end to end, as an operator would, and says what to do where it
//! is broken.

mod admin;
mod backend;
mod client;
mod environment;
mod export;
mod exposition;
mod gateway;
mod names;
mod report;
mod warnings;

use std::io;

use opentelemetry::trace::SpanContext;

use self::admin::Losses;
use self::backend::{Backend, Missing};
use self::client::Client;
use self::environment::Environment;
pub(crate) use self::report::Form;
use self::report::{Report, Step};
use self::warnings::Warnings;
use crate::options::Doctor;
use crate::url::Url;

/// Takes every step, and says whether none has failed.
pub(crate) async fn run(options: &Doctor) -> io::Result<bool> {
    let client = Client::new(options.timeout).map_err(io::Error::other)?;
    let mut report = Report::new(options.form);
    let warnings = Warnings::listen();
    let backends: Vec<_> = [
        options.jaeger.clone().map(Backend::Jaeger),
        options.panel.clone().map(Backend::Panel),
    ]
    .into_iter()
    .flatten()
    .collect();

    let (step, environment) = environment::check();
    report.add(step)?;
    let mut losses = Vec::new();
    for admin in &options.admin {
        look_at(admin, &client, &mut report, &mut losses).await?;
    }
    match &environment {
        Some(environment) => {
            let sent = hand_over(environment, &warnings, options, &mut report).await?;
            read_back(&backends, &client, sent.as_ref(), options, &mut report).await?;
            if let Some(url) = &options.gateway {
                ask(url, environment, &backends, &client, options, &mut report).await?;
            }
        }
        None => {
            for name in ["export", "read back", "gateway"] {
                report.add(Step::skipped(name, "the environment cannot be used"))?;
            }
        }
    }
    for (admin, before) in &losses {
        report.add(admin::lost(&client, admin, before).await)?;
    }
    report.close()
}

/// What a service says of itself; the last step compares with it what was lost by then.
async fn look_at<'a>(
    admin: &'a Url,
    client: &Client,
    report: &mut Report,
    losses: &mut Vec<(&'a Url, Losses)>,
) -> io::Result<()> {
    report.add(admin::ready(client, admin).await)?;
    let (step, lost) = admin::metrics(client, admin).await;
    report.add(step)?;
    losses.extend(lost.map(|lost| (admin, lost)));
    Ok(())
}

/// Sends one item of each signal whose endpoint can be reached; gives the span, if it was taken.
async fn hand_over(
    environment: &Environment,
    warnings: &Warnings,
    options: &Doctor,
    report: &mut Report,
) -> io::Result<Option<SpanContext>> {
    let Environment {
        telemetry,
        endpoints,
    } = environment;
    for signal in ["traces", "metrics", "logs"] {
        if !endpoints.iter().any(|endpoint| endpoint.signal == signal) {
            let why =
                "they are not exported: see OTEL_SDK_DISABLED and the OTEL_*_EXPORTER variables";
            report.add(Step::skipped(format!("export {signal}"), why))?;
        }
    }
    let mut reached = Vec::new();
    // What goes to one place is one step.
    for places in
        endpoints.chunk_by(|left, right| (&left.host, left.port) == (&right.host, right.port))
    {
        let signals: Vec<_> = places.iter().map(|endpoint| endpoint.signal).collect();
        let (host, port) = (&*places[0].host, places[0].port);
        let step = export::reach(host, port, &signals, options.timeout).await;
        if report.add(step)? {
            reached.extend(places);
        }
    }
    if reached.is_empty() {
        return Ok(None);
    }
    let sent = export::send(telemetry, options.timeout).await;
    let figures = telemetry.report();
    let mut traced = None;
    for endpoint in reached {
        let is_ok = report.add(export::judge(endpoint, &figures, warnings))?;
        if is_ok && endpoint.signal == "traces" {
            traced = Some(sent.clone());
        }
    }
    Ok(traced)
}

/// Whether the span that was sent can be found again.
async fn read_back(
    backends: &[Backend],
    client: &Client,
    sent: Option<&SpanContext>,
    options: &Doctor,
    report: &mut Report,
) -> io::Result<()> {
    if backends.is_empty() {
        report.add(Step::skipped(
            "read back",
            "neither --jaeger nor --panel is given",
        ))?;
    }
    for backend in backends {
        let name = format!("read back {backend}");
        let Some(sent) = sent else {
            report.add(Step::skipped(name, "no trace was taken"))?;
            continue;
        };
        let (id, span) = (sent.trace_id().to_string(), sent.span_id().to_string());
        let found = backend.wait_for(client, &id, options.timeout, |trace| trace.has(&span));
        let step = match found.await {
            Ok(trace) => Step::ok(name, format!("{trace}: trace {id}")),
            Err(Missing::Unwell(why)) => Step::failed(
                name,
                why,
                "start it, or give the address of its web page, for Jaeger with the base path",
            ),
            Err(Missing::Absent | Missing::Partial(_)) => Step::failed(
                name,
                format!("not within {:?}: trace {id}", options.timeout),
                "see whether the collector exports to it, and its log; whether the endpoint speaks \
                 OTEL_EXPORTER_OTLP_PROTOCOL; with tail sampling, wait longer by --timeout, and keep \
                 the doctor's traces",
            ),
        };
        report.add(step)?;
    }
    Ok(())
}

/// Whether a request leaves a whole trace.
async fn ask(
    url: &Url,
    environment: &Environment,
    backends: &[Backend],
    client: &Client,
    options: &Doctor,
    report: &mut Report,
) -> io::Result<()> {
    let (step, context) = gateway::ask(client, url, &environment.telemetry, options.timeout).await;
    let is_ok = report.add(step)?;
    let step = match backends.first() {
        Some(backend) if is_ok => gateway::trace(client, backend, &context, options.timeout).await,
        Some(_) => Step::skipped("gateway trace", "the gateway did not answer as it should"),
        None => Step::skipped("gateway trace", "neither --jaeger nor --panel is given"),
    };
    report.add(step)?;
    Ok(())
}
