//! The Collector that the checks run has what the files of the Collector name, and no more.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::all;
use crate::yaml::{document, files, list, root, text};

const FOLDER: &str = "deploy/collector";

const MANIFEST: &str = "deploy/check/collector/manifest.yaml";

/// The sections of a Collector's file, and what the names of their modules end with.
const KINDS: [(&str, &str); 5] = [
    ("extensions", "extension"),
    ("receivers", "receiver"),
    ("processors", "processor"),
    ("connectors", "connector"),
    ("exporters", "exporter"),
];

/// A component's section, and its name as the last part of its module without `_` and the kind.
type Component = (&'static str, String);

fn named(file: &Value) -> Vec<Component> {
    let of_kind = |(section, _): (&'static str, _)| {
        let names = file[section].as_object().into_iter().flatten();
        names.map(move |(name, _)| {
            let name = name.split('/').next().unwrap();
            // Its module is older than its name.
            let name = if name == "otlp_grpc" { "otlp" } else { name };
            (section, name.replace('_', ""))
        })
    };
    KINDS.into_iter().flat_map(of_kind).collect()
}

#[test]
fn the_manifest_has_the_components_that_the_files_name() {
    let files = files(FOLDER, ".yaml");
    let named: BTreeSet<Component> = files
        .iter()
        .flat_map(|path| named(&document(path)))
        .collect();

    let manifest = document(MANIFEST);
    let built = KINDS.into_iter().flat_map(|(section, suffix)| {
        let modules = list(&manifest[section]).iter().map(|it| text(&it["gomod"]));
        modules
            .map(move |module| {
                let path = module.split(' ').next().unwrap().to_owned();
                let name = path.rsplit('/').next().unwrap();
                (
                    section,
                    name.strip_suffix(suffix).unwrap_or(name).to_owned(),
                )
            })
            .collect::<Vec<_>>()
    });
    let built: BTreeSet<Component> = built.collect();
    assert_eq!(built, named);
}

#[test]
fn the_manifest_has_the_version_that_is_deployed() {
    let manifest = document(MANIFEST);
    let version = text(&manifest["dist"]["version"]);
    let collectors: Vec<String> = all()
        .into_iter()
        .map(|it| it.image)
        .filter(|image| image.contains("opentelemetry-collector"))
        .collect();
    assert!(!collectors.is_empty());
    for image in collectors {
        assert!(
            image.ends_with(&format!(":{version}")),
            "{image} and {version}"
        );
    }
}

#[test]
fn what_the_checks_build_has_the_versions_that_are_deployed() {
    let install = fs::read_to_string(root().join("deploy/check/install")).unwrap();
    for (variable, repository) in [
        ("COLLECTOR_VERSION", "otel/opentelemetry-collector-contrib"),
        ("JAEGER_VERSION", "jaegertracing/jaeger"),
    ] {
        let start = format!("{variable}=");
        let built = install.lines().find_map(|line| line.strip_prefix(&start));
        let image = format!("{repository}:{}", built.unwrap());
        assert!(all().iter().any(|it| it.image == image), "{image}");
    }
}

/// kustomize reads nothing outside of its folder, and people look for it at the top.
#[test]
fn the_file_at_the_top_is_the_one_that_kubernetes_has() {
    let name = "otel-collector.yaml";
    let at_the_top = fs::canonicalize(root().join(name)).unwrap();
    assert_eq!(at_the_top, root().join(FOLDER).join(name));
}
