//! The Collector and Jaeger with the shipped files, one behind the other, in a directory of their own.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::jaeger::{Jaeger, Span, records};
use crate::program::{Program, free, named};
use crate::support::services::SERVICES;

/// Where the files are that are shipped.
const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// How much of what a program said is shown when a test fails.
const LINES: usize = 20;

/// Removed with all that is in it when it is dropped. If a test fails, the programs' last words are
/// shown.
#[derive(Debug)]
pub(crate) struct Directory(PathBuf);

/// A Jaeger and a Collector that sends to it.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) jaeger: Jaeger,
    pub(crate) collector: Collector,
    pub(crate) directory: Directory,
}

/// A Collector, wherever it sends to.
#[derive(Debug)]
pub(crate) struct Collector {
    pub(crate) program: Program,
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
    /// What Prometheus scrapes of the services.
    pub(crate) metrics: SocketAddr,
    /// And of the Collector itself.
    pub(crate) own_metrics: SocketAddr,
}

// === impl Chain ===

impl Chain {
    /// With the shipped `otel-collector.yaml` as it is. `None`, and a word about it, where the
    /// programs are not.
    pub(crate) async fn start(storage: &str) -> Option<Self> {
        Self::start_with(storage, &["otel-collector.yaml"], &[]).await
    }

    /// With these files of the Collector's, and variables beside those for addresses.
    pub(crate) async fn start_with(
        storage: &str,
        files: &[&str],
        vars: &[(&'static str, &str)],
    ) -> Option<Self> {
        // Both are asked, so that both are told.
        let (otelcol, path) = (named("BARTIZAN_OTELCOL"), named("BARTIZAN_JAEGER"));
        let (_, path) = (otelcol?, path?);
        let directory = Directory::new();
        let mut jaeger = Jaeger::new(path, storage, &directory.0);
        jaeger.program.start().await;
        let vars = vars.iter().map(|&(name, value)| (name, value.to_owned()));
        let target = ("JAEGER_OTLP", jaeger.grpc.to_string());
        let vars = vars.chain([target]).collect();
        let mut collector = Collector::new("collector", files, &directory, vars);
        collector.program.start().await;
        Some(Self {
            jaeger,
            collector,
            directory,
        })
    }

    /// All spans of the services that Jaeger has.
    pub(crate) async fn spans(&self) -> Vec<Span> {
        let mut all = Vec::new();
        for name in SERVICES {
            let spans = self.jaeger.find(name).await.into_iter();
            all.extend(spans.filter(|span| span.service == name));
        }
        all
    }

    /// The log records that the Collector has written: each record's service and trace id.
    pub(crate) fn logs(&self) -> Vec<(String, String)> {
        let file = self.directory.0.join("collector/logs/logs.jsonl");
        let text = std::fs::read_to_string(file).unwrap_or_default();
        // A line that is being written has no end yet.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().flat_map(records).collect()
    }
}

// === impl Collector ===

impl Collector {
    /// One of this name in the directory, with free ports; not yet started.
    pub(crate) fn new(
        name: &str,
        files: &[&str],
        directory: &Directory,
        mut vars: Vec<(&'static str, String)>,
    ) -> Self {
        let [grpc, http, metrics, own_metrics, health] = [(); 5].map(|()| free());
        let own = directory.0.join(name);
        vars.extend([
            ("COLLECTOR_OTLP_GRPC", grpc.to_string()),
            ("COLLECTOR_OTLP_HTTP", http.to_string()),
            ("COLLECTOR_PROMETHEUS", metrics.to_string()),
            ("COLLECTOR_METRICS_HOST", own_metrics.ip().to_string()),
            ("COLLECTOR_METRICS_PORT", own_metrics.port().to_string()),
            ("COLLECTOR_HEALTH", health.to_string()),
            ("COLLECTOR_DIRECTORY", own.to_string_lossy().into_owned()),
            ("COLLECTOR_METRICS_INTERVAL", "500ms".to_owned()),
        ]);
        let log = directory.0.join(format!("{name}.log"));
        let program = Program::new(
            named("BARTIZAN_OTELCOL").unwrap(),
            configs(files),
            vars,
            &log,
            (health, "/"),
        );
        Self {
            program,
            grpc,
            http,
            metrics,
            own_metrics,
        }
    }
}

// === impl Directory ===

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("collector-{}-{number}", std::process::id());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for name in ["jaeger", "collector", "front"] {
                let log = std::fs::read_to_string(self.0.join(format!("{name}.log")));
                let log = log.unwrap_or_default();
                let last = log.lines().rev().take(LINES).collect::<Vec<_>>();
                let last = last.into_iter().rev().collect::<Vec<_>>().join("\n");
                // There is nobody to tell it to.
                let _told = writeln!(std::io::stderr(), "{name} said:\n{last}");
            }
        }
        // The programs may be writing still; what they leave is in the target folder.
        let _removed = std::fs::remove_dir_all(&self.0);
    }
}

/// The arguments that have a Collector, or a Jaeger, read these files.
pub(crate) fn configs(files: &[&str]) -> Vec<String> {
    let named = |file: &&str| format!("--config=file:{TOP}/{file}");
    files.iter().map(named).collect()
}
