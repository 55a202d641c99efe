//! Which ports each container listens on, from its settings or its configuration.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::settings::server;
use crate::yaml::{document, list, text, texts, with_defaults};
use crate::{Workload, compose};

/// The ports that `workload` listens on, as far as anything here says so.
pub(crate) fn ports(workload: &Workload) -> BTreeSet<u16> {
    if workload.service().is_some() {
        let server = server(workload).unwrap();
        return [server.bind(), server.admin().bind]
            .iter()
            .map(|it| it.port())
            .collect();
    }
    match workload.repository() {
        // Their programs' defaults, which nothing here changes.
        "redis" => [6379].into(),
        "prom/prometheus" => [9090].into(),
        "grafana/grafana" => [3000].into(),
        _ => configs(workload)
            .iter()
            .flat_map(|path| configured(path))
            .collect(),
    }
}

/// The files of the Collector or of Jaeger that `workload` is started with.
pub(crate) fn configs(workload: &Workload) -> Vec<String> {
    let named = workload.command.iter().filter_map(|argument| {
        let path = argument.strip_prefix("--config=")?;
        Some(path.strip_prefix("file:").unwrap_or(path))
    });
    named.map(|path| shipped(workload, path)).collect()
}

/// Which file of ours is at `path` in the container.
fn shipped(workload: &Workload, path: &str) -> String {
    let mounted = list(&workload.text["volumes"]).iter().map(compose::default);
    for volume in mounted {
        let mut parts = volume.split(':');
        let (from, to) = (parts.next().unwrap(), parts.next());
        if to == Some(path) {
            return from.strip_prefix("./").unwrap().to_owned();
        }
    }
    match path.rsplit_once('/').unwrap() {
        ("/etc/otelcol", name) => format!("deploy/collector/{name}"),
        ("/etc/jaeger", name) => format!("deploy/jaeger/{name}"),
        _ => panic!("{}: {path} is no file of ours", workload.name),
    }
}

/// What a file says to listen on: its addresses without a host, and the own metrics' port.
fn configured(path: &str) -> BTreeSet<u16> {
    let file = document(path);
    let mut ports: BTreeSet<u16> = texts(&file)
        .iter()
        .filter_map(|text| {
            with_defaults(text, "env:")
                .strip_prefix("0.0.0.0:")?
                .parse()
                .ok()
        })
        .collect();
    let readers = list(&file["service"]["telemetry"]["metrics"]["readers"]);
    ports.extend(readers.iter().filter_map(|reader| {
        let port: &Value = &reader["pull"]["exporter"]["prometheus"]["port"];
        with_defaults(&text(port), "env:").parse::<u16>().ok()
    }));
    ports
}
