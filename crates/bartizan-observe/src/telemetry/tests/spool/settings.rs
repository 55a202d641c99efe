use std::fs;

use super::*;

#[test]
fn a_spool_directory_that_cannot_be_created_is_an_error() {
    let place = Place::new("file");
    fs::write(place.path(), "in the way").unwrap();
    let directory = place.path().join("spool");
    let text = directory.to_str().unwrap().to_owned();
    let vars = |name: &str| (name == "BARTIZAN_TELEMETRY_SPOOL_DIR").then(|| text.clone());
    let by_variable = TelemetryBuilder::from_vars(&vars).unwrap();
    let addr = Nobody::new().addr();
    let in_code = exporting(config(addr, OtlpProtocol::Grpc));
    for (builder, name) in [
        (by_variable, "BARTIZAN_TELEMETRY_SPOOL_DIR"),
        (
            in_code.with_spool(SpoolConfig::new(&directory)),
            "spool directory",
        ),
    ] {
        let error = builder.build().unwrap_err().to_string();
        let begin = format!("{name}: `{text}` is not a directory that can be created: ");
        assert!(
            error.len() > begin.len() && error.starts_with(&begin),
            "{error}"
        );
    }
    fs::remove_file(place.path()).unwrap();
}

#[test]
fn the_variables_of_the_spool_are_read() {
    let built = |bytes: &'static str, directory: &'static str| {
        TelemetryBuilder::from_vars(&move |name| match name {
            "BARTIZAN_TELEMETRY_SPOOL_DIR" => Some(directory.to_owned()),
            "BARTIZAN_TELEMETRY_SPOOL_MAX_BYTES" => Some(bytes.to_owned()),
            _ => None,
        })
    };
    let spool = built("1048577", "/spool").unwrap().spool.unwrap();
    assert_eq!(spool.overview(), "/spool, up to 2 MiB");
    let spool = built("", "/spool").unwrap().spool.unwrap();
    assert_eq!(spool.overview(), "/spool, up to 64 MiB");
    assert_eq!(built("", "").unwrap().spool, None);
    for bytes in ["0", "-1", "64MiB"] {
        assert_eq!(
            built(bytes, "/spool").unwrap_err().to_string(),
            format!(
                "BARTIZAN_TELEMETRY_SPOOL_MAX_BYTES: `{bytes}` is not a positive number of bytes"
            )
        );
    }
    let builder = built("5", "").unwrap();
    assert_eq!(
        builder.ignored[0].to_string(),
        "BARTIZAN_TELEMETRY_SPOOL_MAX_BYTES: `5` is not of use without \
         BARTIZAN_TELEMETRY_SPOOL_DIR"
    );
}
