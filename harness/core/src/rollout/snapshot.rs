//! A snapshot of the service level of a cohort: what a monitoring system measured of it over a time.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::Moment;

/// The schema of a snapshot.
pub const SLO_SCHEMA: &str = "cutover.slo/1";

/// What was measured of a cohort.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The environment, such as `prod`.
    pub environment: String,
    /// The cohort, in percent of the users.
    pub cohort: u8,
    /// What identifies the build that served: the digest of the module.
    pub build: String,
    /// Begin of the measurement.
    pub from: Moment,
    /// End of the measurement.
    pub to: Moment,
    /// The measurements, by name.
    pub metrics: BTreeMap<String, Metric>,
}

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Metric {
    /// `None` where there was no number: null, a text such as `NaN`, or no such key.
    pub value: Option<f64>,
    /// How many observations it is of.
    pub samples: Option<u64>,
    /// The same, of the users that are on the legacy lane.
    pub beside: Option<f64>,
}

#[derive(Deserialize)]
struct File {
    schema: String,
    environment: String,
    cohort: u8,
    build: String,
    from: String,
    to: String,
    metrics: BTreeMap<String, Value>,
}

impl Snapshot {
    /// # Errors
    /// What is wrong with the file, and how it should be.
    pub fn parse(text: &str) -> Result<Snapshot, String> {
        let file: File = serde_json::from_str(text).map_err(|error| {
            let hint = if is_not_a_number(text) { "; JSON has no NaN and no Infinity: write null" } else { "" };
            format!("it is no snapshot: {error}{hint}")
        })?;
        if file.schema != SLO_SCHEMA {
            return Err(format!("its schema is `{}`, but this tool reads `{SLO_SCHEMA}`", file.schema));
        }
        let moment = |key: &str, text: &str| {
            Moment::parse(text).ok_or_else(|| {
                format!("`{key}` is `{text}`, and not a time with an offset, such as 2026-02-25T19:00:00Z (RFC 3339)")
            })
        };
        let (from, to) = (moment("from", &file.from)?, moment("to", &file.to)?);
        let metrics = file.metrics.into_iter().map(|(name, value)| (name, metric(&value))).collect();
        let File { environment, cohort, build, .. } = file;
        Ok(Snapshot { environment, cohort, build, from, to, metrics })
    }
}

/// A metric is an object, or a bare number without samples.
fn metric(value: &Value) -> Metric {
    let number = |value: &Value| value.as_f64().filter(|number| number.is_finite());
    match value {
        Value::Object(fields) => Metric {
            value: fields.get("value").and_then(number),
            samples: fields.get("samples").and_then(Value::as_u64),
            beside: fields.get("beside").and_then(number),
        },
        other => Metric { value: number(other), ..Metric::default() },
    }
}

fn is_not_a_number(text: &str) -> bool {
    ["NaN", "nan", "Infinity"].iter().any(|word| text.contains(word))
}
