use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

/// The longest latency and jitter, in milliseconds: longer than anybody waits.
pub const MAX_DELAY_MS: u64 = 60_000;

/// What goes wrong with a service's requests. The default is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct Faults {
    /// How long each request is held up before it is looked at, in milliseconds, at most
    /// [`MAX_DELAY_MS`].
    pub latency_ms: u64,
    /// How much shorter or longer than that it may be, evenly spread, in milliseconds.
    pub jitter_ms: u64,
    /// The share of the requests that fail with 500, 0 to 1.
    pub error_rate: f64,
    /// Whether every request fails with 503.
    pub outage: bool,
}

/// Two random numbers, 0 and above and below 1.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a caller throws every one of them"
)]
pub struct Rolls {
    /// Where in the jitter's range the delay is.
    pub delay: f64,
    /// Below the error rate it is an error.
    pub error: f64,
}

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fate {
    /// How long it is held up.
    pub delay: Duration,
    /// The status it fails with after that; `None` if it is served.
    pub fails_with: Option<u16>,
}

/// A field of the settings that makes no sense.
#[derive(Debug, Clone, PartialEq, Serialize, thiserror::Error)]
#[error("{field}: {value} is not {expected}")]
#[non_exhaustive]
pub struct InvalidField {
    /// Its name.
    pub field: String,
    /// What it was set to.
    pub value: Value,
    /// What it takes.
    pub expected: &'static str,
}

// === impl Faults ===

impl Faults {
    /// Reads the settings from a JSON object; what it leaves out is not wrong with the service.
    ///
    /// # Errors
    ///
    /// Every field that is unknown, of the wrong type or out of range.
    pub fn from_json(json: &Value) -> Result<Self, Vec<InvalidField>> {
        let Value::Object(fields) = json else {
            return Err(vec![InvalidField {
                field: "(body)".to_owned(),
                value: json.clone(),
                expected: "an object",
            }]);
        };
        let mut faults = Self::default();
        let mut invalid = Vec::new();
        for (field, value) in fields {
            if let Err(expected) = faults.set(field, value) {
                invalid.push(InvalidField {
                    field: field.clone(),
                    value: value.clone(),
                    expected,
                });
            }
        }
        if invalid.is_empty() {
            Ok(faults)
        } else {
            Err(invalid)
        }
    }

    fn set(&mut self, field: &str, value: &Value) -> Result<(), &'static str> {
        const DELAY: &str = "a whole number of milliseconds, 0 to 60000";
        let delay = || value.as_u64().filter(|&ms| ms <= MAX_DELAY_MS).ok_or(DELAY);
        match field {
            "latency_ms" => self.latency_ms = delay()?,
            "jitter_ms" => self.jitter_ms = delay()?,
            "error_rate" => {
                let rate = value.as_f64().filter(|rate| (0.0..=1.0).contains(rate));
                self.error_rate = rate.ok_or("a number from 0 to 1")?;
            }
            "outage" => self.outage = value.as_bool().ok_or("true or false")?,
            _ => return Err("one of latency_ms, jitter_ms, error_rate, outage"),
        }
        Ok(())
    }

    /// What becomes of a request that threw these numbers.
    #[must_use]
    pub fn fate(&self, rolls: Rolls) -> Fate {
        // At most twice a minute in milliseconds, which an f64 holds exactly.
        let jitter = self.jitter_ms as f64 * (2.0 * rolls.delay - 1.0);
        let millis = (self.latency_ms as f64 + jitter).max(0.0);
        Fate {
            delay: Duration::from_secs_f64(millis / 1_000.0),
            fails_with: if self.outage {
                Some(503)
            } else if rolls.error < self.error_rate {
                Some(500)
            } else {
                None
            },
        }
    }
}

impl From<Faults> for Value {
    fn from(faults: Faults) -> Self {
        let Faults {
            latency_ms,
            jitter_ms,
            error_rate,
            outage,
        } = faults;
        let fields = [
            ("latency_ms", latency_ms.into()),
            ("jitter_ms", jitter_ms.into()),
            ("error_rate", error_rate.into()),
            ("outage", outage.into()),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        Self::Object(Map::from_iter(fields))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fate_follows_from_the_settings_and_the_numbers_thrown() {
        let slow = Faults {
            latency_ms: 100,
            jitter_ms: 20,
            ..Faults::default()
        };
        let flaky = Faults {
            error_rate: 0.25,
            ..Faults::default()
        };
        let gone = Faults {
            outage: true,
            ..flaky
        };
        let wide = Faults {
            latency_ms: 1,
            jitter_ms: 50,
            ..Faults::default()
        };
        for (faults, delay, error, millis, fails_with) in [
            (Faults::default(), 0.5, 0.0, 0, None),
            (slow, 0.0, 0.0, 80, None),
            (slow, 0.5, 0.0, 100, None),
            (slow, 1.0, 0.0, 120, None),
            // Never less than nothing.
            (wide, 0.0, 0.0, 0, None),
            (flaky, 0.5, 0.24, 0, Some(500)),
            (flaky, 0.5, 0.25, 0, None),
            (gone, 0.5, 0.9, 0, Some(503)),
        ] {
            let fate = faults.fate(Rolls { delay, error });
            let expected = Fate {
                delay: Duration::from_millis(millis),
                fails_with,
            };
            assert_eq!(fate, expected, "{faults:?} {delay} {error}");
        }
    }

    #[test]
    fn what_is_left_out_is_not_wrong_with_the_service() {
        assert_eq!(Faults::from_json(&json!({})), Ok(Faults::default()));
        let faults = Faults::from_json(&json!({"latency_ms": 5, "error_rate": 1})).unwrap();
        assert_eq!((faults.latency_ms, faults.error_rate), (5, 1.0));
        assert_eq!(Faults::from_json(&faults.into()), Ok(faults));
    }

    #[test]
    fn every_field_that_makes_no_sense_is_named_with_what_it_takes() {
        let wrong = json!({
            "latency_ms": 60_001,
            "jitter_ms": -1,
            "error_rate": 1.5,
            "outage": "yes",
            "color": "red",
        });
        let said: Vec<_> = Faults::from_json(&wrong)
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            said,
            [
                r#"color: "red" is not one of latency_ms, jitter_ms, error_rate, outage"#,
                "error_rate: 1.5 is not a number from 0 to 1",
                "jitter_ms: -1 is not a whole number of milliseconds, 0 to 60000",
                "latency_ms: 60001 is not a whole number of milliseconds, 0 to 60000",
                r#"outage: "yes" is not true or false"#,
            ]
        );
        assert!(Faults::from_json(&json!([])).is_err());
    }
}
