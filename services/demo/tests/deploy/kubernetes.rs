//! The manifests of `deploy/k8s/base`, with the services' patch applied.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Workload;
use crate::yaml::{bytes, document, documents, files, list, text};

const FOLDER: &str = "deploy/k8s/base";

pub(crate) fn objects() -> Vec<Value> {
    let patch = format!("{FOLDER}/service-patch.yaml");
    let common = document(&patch);
    let files = files(FOLDER, ".yaml");
    let files = files
        .iter()
        .filter(|path| **path != patch && !path.ends_with("kustomization.yaml"));
    let mut objects: Vec<Value> = files.flat_map(|path| documents(path)).collect();
    for object in &mut objects {
        let component = &object["metadata"]["labels"]["app.kubernetes.io/component"];
        if object["kind"] == "Deployment" && component == "service" {
            let spec = common["spec"].clone();
            merge(&mut object["spec"], spec);
        }
    }
    objects
}

pub(crate) fn workloads() -> Vec<Workload> {
    let objects = objects();
    let makers = objects
        .iter()
        .filter(|object| object["kind"] == "Deployment" || object["kind"] == "StatefulSet");
    makers.map(workload).collect()
}

fn workload(object: &Value) -> Workload {
    let pods = &object["spec"]["template"]["spec"];
    let [container] = list(&pods["containers"]) else {
        panic!("not one container: {object}")
    };
    let words = |name: &str| list(&container[name]).iter().map(text);
    let mut env = BTreeMap::new();
    for variable in list(&container["env"]) {
        let value = match &variable["value"] {
            Value::Null => "unknown".to_owned(),
            value => expanded(&text(value), &env),
        };
        env.insert(text(&variable["name"]), value);
    }
    Workload {
        name: format!("{FOLDER}: {}", text(&object["metadata"]["name"])),
        image: text(&container["image"]),
        command: words("command").chain(words("args")).collect(),
        env,
        memory: container["resources"]["limits"]["memory"]
            .as_str()
            .map(bytes),
        // Kubernetes' default.
        grace: Some(pods["terminationGracePeriodSeconds"].as_u64().unwrap_or(30)),
        text: object.clone(),
    }
}

/// `$(NAME)` is the variable of that name, if it comes before.
fn expanded(text: &str, env: &BTreeMap<String, String>) -> String {
    env.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("$({name})"), value)
    })
}

/// As kustomize patches: maps are merged, and so are lists of what has a name, by it.
fn merge(into: &mut Value, patch: Value) {
    match (into, patch) {
        (Value::Object(into), Value::Object(patch)) => {
            for (name, value) in patch {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (Value::Array(into), Value::Array(patch)) => {
            for value in patch {
                match into.iter_mut().find(|it| it["name"] == value["name"]) {
                    Some(it) => merge(it, value),
                    None => into.push(value),
                }
            }
        }
        (into, patch) => *into = patch,
    }
}
