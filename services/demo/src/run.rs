use std::io::{self, Write};
use std::time::Duration;

use bartizan::telemetry::Report;
use loadgen::{Counts, FaultPorts, Http, Limits, Load};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use crate::interrupts::Interrupts;
use crate::stage::Stage;
use crate::summary::{self, Summary};
use crate::{Error, Options, Role};

/// How often the live line is printed.
const LIVE_PERIOD: Duration = Duration::from_secs(1);

/// Runs the demo and prints what comes of it.
///
/// Ends after the given time, on Ctrl-C or on SIGTERM; without a summary if that comes before there
/// is anything to sum up. In every case, errors included, no child process is left when it returns.
///
/// # Errors
///
/// When a port is taken, a service does not start, crashes or does not stop, or nothing can be
/// printed.
pub async fn run(options: &Options) -> Result<(), Error> {
    let mut interrupts = Interrupts::listen().map_err(Error::Signals)?;
    if !options.json {
        print(format_args!("starting the services\n"))?;
    }
    let Some(mut stage) = Stage::set(options, &mut interrupts).await? else {
        if !options.json {
            print(format_args!("interrupted before all services served"))?;
        }
        return Ok(());
    };
    match play(options, &mut stage, &mut interrupts).await {
        Ok(ending) => close(options, stage, ending).await,
        Err(error) => {
            stage.kill_services().await;
            Err(error)
        }
    }
}

/// What is known once the services have ended.
struct Ending {
    traffic: Counts,
    reports: Vec<Report>,
}

/// Sends traffic until it is time, then stops the services.
async fn play(
    options: &Options,
    stage: &mut Stage,
    interrupts: &mut Interrupts,
) -> Result<Ending, Error> {
    if !options.json {
        introduce(options, stage)?;
    }
    let traffic = load(options, stage);
    watch(options, stage, interrupts, &traffic).await?;
    if !options.json {
        print(format_args!(
            "\nstopping: the services drain and flush (Ctrl-C kills them)"
        ))?;
    }
    // From here on a service may end by itself: a SIGTERM to the whole group reaches it as well.
    // One that crashes now has no report, which `stop_services` tells.
    let traffic = tokio::select! {
        counts = traffic.finish() => counts,
        () = interrupts.next() => return Err(Error::Impatient),
    };
    let reports = tokio::select! {
        reports = stage.stop_services() => reports?,
        () = interrupts.next() => return Err(Error::Impatient),
    };
    Ok(Ending { traffic, reports })
}

/// Sends the gateway what the scenario wants.
fn load(options: &Options, stage: &Stage) -> Load {
    let at = |role| stage.service(role).admin().map(Http::at);
    let ports = FaultPorts {
        payments: at(Role::Payments),
        inventory: at(Role::Inventory),
    };
    let plan = options.scenario.plan(options.rate, options.duration);
    let gateway = Http::at(stage.service(Role::Gateway).address());
    Load::start(gateway, plan, ports, Limits::default())
}

/// Says where everything is.
fn introduce(options: &Options, stage: &Stage) -> Result<(), Error> {
    let end = match options.duration {
        Some(duration) => format!("for {duration:?}"),
        None => "until Ctrl-C".to_owned(),
    };
    for service in &stage.services {
        let admin = service.admin();
        let admin = admin.map_or_else(String::new, |admin| format!(", admin http://{admin}"));
        print(format_args!(
            "{:<10} http://{}{admin}  (pid {})",
            service.role().name(),
            service.address(),
            service.pid(),
        ))?;
    }
    let gateway = stage.service(Role::Gateway).address();
    print(format_args!(
        "OTLP       grpc {} from gateway and payments, http {} from orders and inventory\n\
         panel      http://{}/  (the newest traces, in a browser)\n\
         traffic    {}: {} requests a second to the gateway, {end}\n\
         admin      each has /livez, /readyz, /metrics, /info, /log-level; \
                    inventory and payments /faults, too\n\
         try        curl -i http://{gateway}/products\n\
         API        http://{gateway}/openapi.json\n",
        stage.receiver.grpc_addr(),
        stage.receiver.http_addr(),
        stage.panel,
        options.scenario.name(),
        options.rate,
    ))
}

/// Prints the live line each second until the time is over or somebody interrupts.
async fn watch(
    options: &Options,
    stage: &mut Stage,
    interrupts: &mut Interrupts,
    traffic: &Load,
) -> Result<(), Error> {
    let mut ticks = interval_at(Instant::now() + LIVE_PERIOD, LIVE_PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let over = async {
        match options.duration {
            Some(duration) => sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(over);
    loop {
        tokio::select! {
            biased;
            // Before the crash, which is none if the same signal has ended the service.
            () = interrupts.next() => return Ok(()),
            () = &mut over => return Ok(()),
            error = stage.crashed() => return Err(error),
            _ = ticks.tick() => {
                if !options.json {
                    live(stage, traffic)?;
                }
            }
        }
    }
}

fn live(stage: &Stage, traffic: &Load) -> Result<(), Error> {
    let live = traffic.look();
    let stats = stage.store.stats();
    print(format_args!(
        "{live}  {:>7} traces  {:>8} spans received",
        stats.traces, stats.spans
    ))
}

/// The services have ended, so all they sent has arrived: counts it and shows a trace.
async fn close(options: &Options, stage: Stage, ending: Ending) -> Result<(), Error> {
    let store = stage.clear().await;
    let Ending { traffic, reports } = ending;
    let summary = Summary::of(options.scenario, &traffic, &reports, &store);
    if options.json {
        let line = serde_json::to_string(&summary).map_err(|error| Error::Output(error.into()))?;
        return print(format_args!("{line}"));
    }
    print(format_args!("\n{summary}"))?;
    match summary::showpiece(&store) {
        Some(trace) => print(format_args!(
            "\none of the complete traces:\n\n{}",
            bartizan_panel::waterfall(&trace).trim_end()
        )),
        None => print(format_args!("\nno complete trace to show")),
    }
}

fn print(line: std::fmt::Arguments<'_>) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(Error::Output)
}
