//! What the containers are told is what the programs in them understand.

use std::collections::BTreeMap;
use std::fs;

use bartizan::config::ServerConfig;
use loadgen::options::Command;

use crate::yaml::{self, files};
use crate::{SERVICES, Workload, all, assert_none};

/// Of tokio and of the C library.
const OF_THE_RUNTIME: [&str; 2] = ["MALLOC_ARENA_MAX", "TOKIO_WORKER_THREADS"];

/// The service's own settings.
fn settings(workload: &Workload) -> Vec<(String, String)> {
    let prefix = format!("{}__", workload.service().unwrap().to_uppercase());
    let own = workload
        .env
        .iter()
        .filter(|(name, _)| name.starts_with(&prefix));
    own.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// What the service makes of its settings.
pub(crate) fn server(workload: &Workload) -> Result<ServerConfig, String> {
    let vars = settings(workload);
    let server = match workload.service().unwrap() {
        "gateway" => {
            let loaded = gateway::loader().with_vars(vars).load::<gateway::Config>();
            loaded.map(|it| it.config.server)
        }
        "orders" => {
            let loaded = orders::loader().with_vars(vars).load::<orders::Config>();
            loaded.map(|it| it.config.server)
        }
        "inventory" => {
            let loaded = inventory::loader()
                .with_vars(vars)
                .load::<inventory::Config>();
            loaded.map(|it| it.config.server)
        }
        _ => {
            let loaded = payments::loader()
                .with_vars(vars)
                .load::<payments::Config>();
            loaded.map(|it| it.config.server)
        }
    };
    server.map_err(|error| format!("{}: {error}", workload.name))
}

#[test]
fn services_accept_what_they_are_told() {
    let all = all();
    let services: Vec<_> = all.iter().filter(|it| it.service().is_some()).collect();
    // The gateway is there twice in compose.
    assert_eq!(services.len(), 2 * SERVICES.len() + 1);
    let refused = services.iter().filter_map(|it| server(it).err());
    assert_none(&refused.collect::<Vec<_>>());
}

#[test]
fn every_other_variable_of_theirs_is_read_by_somebody() {
    let telemetry = "crates/bartizan-observe/src/telemetry";
    let mut paths = files(&format!("{telemetry}/from_env"), ".rs");
    paths.extend(files(&format!("{telemetry}/from_env/tests"), ".rs"));
    paths.push(format!("{telemetry}/detect.rs"));
    let code = paths
        .iter()
        .map(|path| fs::read_to_string(yaml::root().join(path)).unwrap());
    let code: String = code.collect();

    let mut unread = Vec::new();
    for workload in all().iter().filter(|it| it.program().is_some()) {
        let own: BTreeMap<_, _> = match workload.service() {
            Some(_) => settings(workload).into_iter().collect(),
            None => BTreeMap::new(),
        };
        // A variable that others are made of.
        let is_part = |name: &str| {
            let part = format!("$({name})");
            yaml::texts(&workload.text)
                .iter()
                .any(|text| text.contains(&part))
        };
        for name in workload.env.keys() {
            let is_read = own.contains_key(name)
                || OF_THE_RUNTIME.contains(&name.as_str())
                || code.contains(&format!("\"{name}\""))
                || is_part(name);
            if !is_read {
                unread.push(format!("{}: {name}", workload.name));
            }
        }
    }
    assert_none(&unread);
}

#[test]
fn the_traffic_understands_its_options() {
    let all = all();
    let loadgen = all
        .iter()
        .find(|it| it.program() == Some("loadgen"))
        .unwrap();
    let options = Command::parse(loadgen.command[1..].iter().map(Into::into));
    assert!(matches!(options, Ok(Command::Run(_))), "{options:?}");
}

#[test]
fn there_is_time_to_drain_and_to_flush() {
    let mut short = Vec::new();
    for workload in all().iter().filter(|it| it.service().is_some()) {
        let server = server(workload).unwrap();
        let mut needed = server.grace() + server.drain_deadline() + server.shutdown_deadline();
        if workload.service() == Some("orders") {
            needed += orders::STOP_DEADLINE;
        }
        // To start ending, and to be gone.
        let needed = needed.as_secs() + 2;
        if workload.grace.is_none_or(|grace| grace < needed) {
            short.push(format!(
                "{}: {:?}, expected {needed} s",
                workload.name, workload.grace
            ));
        }
    }
    assert_none(&short);
}
