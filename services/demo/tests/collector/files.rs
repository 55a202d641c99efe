//! That the programs take the files, as they are shipped.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use crate::chain::configs;
use crate::program::named;

#[test]
fn the_collector_takes_its_files() {
    let Some(otelcol) = named("BARTIZAN_OTELCOL") else {
        return;
    };
    for files in [
        &["otel-collector.yaml"][..],
        &["otel-collector.yaml", "deploy/collector/tail-sampling.yaml"],
        &["deploy/collector/load-balancing.yaml"],
    ] {
        let said = validated(&otelcol, files);
        assert_eq!(said, "", "{files:?}");
    }
}

#[test]
fn jaeger_takes_its_files() {
    let Some(jaeger) = named("BARTIZAN_JAEGER") else {
        return;
    };
    for file in ["deploy/jaeger/memory.yaml", "deploy/jaeger/badger.yaml"] {
        let said = validated(&jaeger, &[file]);
        assert!(!said.contains("deprecated"), "{file}: {said}");
    }
}

#[test]
fn a_wrong_file_is_refused() {
    let Some(otelcol) = named("BARTIZAN_OTELCOL") else {
        return;
    };
    // On top of nothing, it has pipelines without receivers.
    let wrong = ["deploy/collector/tail-sampling.yaml"];
    let checked = validate(&otelcol, &wrong);
    assert!(!checked.status.success(), "{checked:?}");
}

/// What it says about files that are right.
fn validated(program: &OsStr, files: &[&str]) -> String {
    let checked = validate(program, files);
    assert!(checked.status.success(), "{files:?}: {checked:?}");
    String::from_utf8(checked.stderr).unwrap()
}

fn validate(program: &OsStr, files: &[&str]) -> std::process::Output {
    let mut command = Command::new(program);
    command.arg("validate").args(configs(files));
    command.stdin(Stdio::null()).output().unwrap()
}
