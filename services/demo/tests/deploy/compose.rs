//! `docker-compose.yml`.

use serde_json::Value;

use crate::yaml::{bytes, document, list, text, with_defaults};
use crate::{Workload, assert_none, yaml};

pub(crate) const FILE: &str = "docker-compose.yml";

/// As they are when no variable is set.
pub(crate) fn workloads() -> Vec<Workload> {
    let file = document(FILE);
    let services = file["services"].as_object().unwrap();
    let workloads = services.iter().map(|(name, service)| {
        let env = service["environment"].as_object().into_iter().flatten();
        let grace = service["stop_grace_period"].as_str();
        Workload {
            name: format!("{FILE}: {name}"),
            image: default(&service["image"]),
            command: list(&service["command"]).iter().map(default).collect(),
            env: env
                .map(|(name, value)| (name.clone(), default(value)))
                .collect(),
            memory: service["mem_limit"].as_str().map(bytes),
            grace: grace.map(|grace| grace.strip_suffix('s').unwrap().parse().unwrap()),
            text: service.clone(),
        }
    });
    workloads.collect()
}

pub(crate) fn default(value: &Value) -> String {
    with_defaults(&text(value), "")
}

#[test]
fn every_file_that_is_mounted_is_there() {
    let workloads = workloads();
    let missing: Vec<String> = workloads
        .iter()
        .flat_map(|workload| list(&workload.text["volumes"]).iter().map(default))
        .filter_map(|volume| {
            let path = volume.strip_prefix("./")?.split(':').next()?.to_owned();
            (!yaml::root().join(&path).exists()).then_some(path)
        })
        .collect();
    assert_none(&missing);
}

#[test]
fn every_port_is_published_on_loopback_alone() {
    let workloads = workloads();
    let published = workloads.iter().flat_map(|it| list(&it.text["ports"]));
    let elsewhere: Vec<String> = published
        .map(text)
        .filter(|port| !port.starts_with("127.0.0.1:"))
        .collect();
    assert_none(&elsewhere);
}
