//! Whoever is asked for at an address listens there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::listening::{configs, ports};
use crate::settings::server;
use crate::yaml::{document, list, text, texts, with_defaults};
use crate::{Workload, assert_none, compose, kubernetes};

/// Names and the ports that can be reached by them.
type Hosts = BTreeMap<String, BTreeSet<u16>>;

/// Every `host:port` in a text. An address to listen on is none.
fn addresses(text: &str) -> Vec<(String, u16)> {
    let is_name = |it: char| it.is_ascii_alphanumeric() || "-.".contains(it);
    let found = text.match_indices(':').filter_map(|(at, _)| {
        let host = text[..at].rsplit(|it| !is_name(it)).next()?;
        let port = text[at + 1..]
            .split(|it: char| !it.is_ascii_digit())
            .next()?;
        let is_host = host.starts_with(|it: char| it.is_ascii_lowercase()) || host == "127.0.0.1";
        (is_host).then_some((host.to_owned(), port.parse().ok()?))
    });
    found.collect()
}

fn unreachable(asking: &str, text: &str, own: &BTreeSet<u16>, hosts: &Hosts) -> Vec<String> {
    let reached = |host: &str, port: u16| match host {
        "127.0.0.1" => own.contains(&port),
        host => hosts.get(host).is_some_and(|ports| ports.contains(&port)),
    };
    let addresses = addresses(text).into_iter();
    let unreached = addresses.filter(|(host, port)| !reached(host, *port));
    unreached
        .map(|(host, port)| format!("{asking}: nobody listens at {host}:{port}"))
        .collect()
}

/// What the container's settings, arguments and files ask for and nobody has.
fn unanswered(workload: &Workload, health: &Value, hosts: &Hosts) -> Vec<String> {
    let mut said: Vec<String> = workload.env.values().cloned().collect();
    said.extend(workload.command.iter().cloned());
    said.extend(texts(health));
    for path in configs(workload) {
        let file = document(&path);
        said.extend(texts(&file).iter().map(|text| with_defaults(text, "env:")));
        // The one address that is in two parts.
        let exporters = file["exporters"].as_object().into_iter().flatten();
        let resolvers = exporters.map(|(_, exporter)| &exporter["resolver"]["dns"]);
        said.extend(resolvers.filter(|it| it.is_object()).map(|dns| {
            let part = |name: &str| with_defaults(&text(&dns[name]), "env:");
            format!("{}:{}", part("hostname"), part("port"))
        }));
    }
    let own = ports(workload);
    said.iter()
        .flat_map(|text| unreachable(&workload.name, text, &own, hosts))
        .collect()
}

fn compose_hosts() -> Hosts {
    let workloads = compose::workloads();
    let host = |it: &Workload| it.name.rsplit(' ').next().unwrap().to_owned();
    workloads.iter().map(|it| (host(it), ports(it))).collect()
}

#[test]
fn in_compose_whoever_is_asked_for_listens() {
    let hosts = compose_hosts();
    let mut wrong = Vec::new();
    for workload in compose::workloads() {
        wrong.extend(unanswered(
            &workload,
            &workload.text["healthcheck"]["test"],
            &hosts,
        ));
        for published in list(&workload.text["ports"]).iter().map(text) {
            let port: u16 = published.rsplit(':').next().unwrap().parse().unwrap();
            if !ports(&workload).contains(&port) {
                wrong.push(format!(
                    "{}: publishes {port}, not listened on",
                    workload.name
                ));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn prometheus_scrapes_what_listens() {
    let hosts = compose_hosts();
    let file = document("deploy/prometheus/prometheus.yaml");
    let jobs = list(&file["scrape_configs"]).iter();
    let targets: Vec<String> = jobs
        .flat_map(|job| list(&job["static_configs"]))
        .flat_map(|it| list(&it["targets"]).iter().map(text))
        .collect();
    assert!(!targets.is_empty());
    let none = BTreeSet::new();
    let wrong = targets
        .iter()
        .flat_map(|target| unreachable("prometheus.yaml", target, &none, &hosts));
    assert_none(&wrong.collect::<Vec<_>>());

    // And each service's admin port is among them, by whichever name it has there.
    for workload in compose::workloads()
        .iter()
        .filter(|it| it.service().is_some())
    {
        let host = workload.name.rsplit(' ').next().unwrap();
        let port = server(workload).unwrap().admin().bind.port();
        assert!(
            targets.contains(&format!("{host}:{port}")),
            "{host}: {targets:?}"
        );
    }
}

#[test]
fn on_kubernetes_whoever_is_asked_for_listens() {
    let objects = kubernetes::objects();
    let workloads = kubernetes::workloads();
    let named = |name: &Value| {
        let workload = workloads
            .iter()
            .find(|it| it.text["metadata"]["name"] == *name);
        workload.unwrap_or_else(|| panic!("no workload {name}"))
    };
    let services = objects.iter().filter(|object| object["kind"] == "Service");
    let mut hosts = Hosts::new();
    let mut wrong = Vec::new();
    for service in services {
        let pods = named(&service["spec"]["selector"]["app.kubernetes.io/name"]);
        for port in list(&service["spec"]["ports"]) {
            let number = container_port(pods, &port["targetPort"]);
            // The same in front and behind, as in compose.
            if port["port"] != number {
                wrong.push(format!(
                    "{}: port {} is {number} behind",
                    pods.name, port["port"]
                ));
            }
            hosts
                .entry(text(&service["metadata"]["name"]))
                .or_default()
                .insert(number);
        }
    }
    for workload in &workloads {
        wrong.extend(unanswered(workload, &Value::Null, &hosts));
        let container = &workload.text["spec"]["template"]["spec"]["containers"][0];
        let listening = ports(workload);
        for port in list(&container["ports"]) {
            let number = port["containerPort"].as_u64().unwrap();
            if !listening.iter().any(|it| u64::from(*it) == number) {
                wrong.push(format!("{}: {number} is not listened on", workload.name));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn on_kubernetes_services_are_probed_at_their_admin_port() {
    for workload in kubernetes::workloads()
        .iter()
        .filter(|it| it.service().is_some())
    {
        let container = &workload.text["spec"]["template"]["spec"]["containers"][0];
        let admin = server(workload).unwrap().admin().bind.port();
        for (probe, path) in [
            ("startupProbe", "/livez"),
            ("livenessProbe", "/livez"),
            ("readinessProbe", "/readyz"),
        ] {
            let probe = &container[probe]["httpGet"];
            assert_eq!(probe["path"], path, "{}", workload.name);
            assert_eq!(
                container_port(workload, &probe["port"]),
                admin,
                "{}",
                workload.name
            );
        }
    }
}

/// The number of a container's port by its name.
fn container_port(workload: &Workload, name: &Value) -> u16 {
    let container = &workload.text["spec"]["template"]["spec"]["containers"][0];
    let port = list(&container["ports"])
        .iter()
        .find(|it| it["name"] == *name);
    let port = port.unwrap_or_else(|| panic!("{}: no port {name}", workload.name));
    port["containerPort"].as_u64().unwrap().try_into().unwrap()
}
