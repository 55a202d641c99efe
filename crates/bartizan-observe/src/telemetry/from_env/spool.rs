use std::num::NonZeroU64;

use super::super::error::TelemetryError;
use super::super::spool::SpoolConfig;
use super::vars::Vars;

const DIRECTORY: &str = "BARTIZAN_TELEMETRY_SPOOL_DIR";
const MAX_BYTES: &str = "BARTIZAN_TELEMETRY_SPOOL_MAX_BYTES";

pub(super) fn read(vars: &Vars<'_>) -> Result<Option<SpoolConfig>, TelemetryError> {
    let bytes = |text: &str| text.parse::<NonZeroU64>().ok();
    let max_bytes = vars.parse(MAX_BYTES, "a positive number of bytes", bytes)?;
    let config = vars.get(DIRECTORY).map(SpoolConfig::new);
    if let (Some(bytes), None) = (max_bytes, &config) {
        let expected = format!("of use without {DIRECTORY}");
        vars.ignore(MAX_BYTES, &bytes.to_string(), &expected);
    }
    Ok(config.map(|config| {
        let config = config.named(DIRECTORY);
        match max_bytes {
            Some(bytes) => config.with_max_bytes(bytes.get()),
            None => config,
        }
    }))
}
