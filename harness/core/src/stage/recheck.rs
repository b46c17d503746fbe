//! Computes again what follows from a stage record.

use super::{Check, Decision, FILE, Facts, STAGE_SCHEMA, StageRecord};
use crate::evidence::layout::FileEntry;
use crate::text::visible;

/// The checks that follow from the facts of a command, by the command's name; `None` for a command that is not known.
pub type Derive<'a> = &'a dyn Fn(&str, &Facts) -> Option<Vec<Check>>;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoStage {
    #[error("{FILE} can't be read as a stage record: {0}")]
    Unreadable(String),
    #[error("its schema is `{0}`, but this tool reads `{STAGE_SCHEMA}`; recheck it with the version that wrote it")]
    Schema(String),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Recheck {
    pub record: StageRecord,
    /// What does not hold. Empty where everything does.
    pub problems: Vec<String>,
}

/// Checks a record against itself and the other files of its directory, which `file` reads by name.
pub fn recheck(
    bytes: &[u8],
    file: &dyn Fn(&str) -> Result<Vec<u8>, String>,
    derive: Derive<'_>,
) -> Result<Recheck, NoStage> {
    let unreadable = |error: serde_json::Error| NoStage::Unreadable(visible(&error.to_string()));
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(unreadable)?;
    let schema = value.get("schema").and_then(serde_json::Value::as_str).unwrap_or_default();
    if schema != STAGE_SCHEMA {
        return Err(NoStage::Schema(visible(schema)));
    }
    let record: StageRecord = serde_json::from_slice(bytes).map_err(unreadable)?;
    let mut problems = Vec::new();
    if record.own_digest() != record.digest {
        problems.push(format!("{FILE}: its digest is not that of its content: it was edited"));
    } else if record.to_bytes() != bytes {
        problems.push(format!("{FILE}: it is not as this tool writes it"));
    }
    let decision = Decision::of(&record.checks);
    if decision != record.decision {
        problems.push(format!("{FILE}: the decision is {}, and its checks give {decision}", record.decision));
    }
    match derive(&record.command, &record.facts) {
        Some(checks) => problems.extend(not_derived(&record.checks, &checks)),
        None => problems.push(format!("{FILE}: `{}` is no command of this version", visible(&record.command))),
    }
    for (name, entry) in &record.files {
        match file(name) {
            Ok(content) if FileEntry::of(&content) == *entry => {}
            Ok(_) => problems.push(format!("{}: it is not the file that was recorded", visible(name))),
            Err(why) => problems.push(format!("{}: {why}", visible(name))),
        }
    }
    Ok(Recheck { record, problems })
}

/// The derived checks that were recorded otherwise, and the recorded ones that do not follow.
fn not_derived<'a>(recorded: &'a [Check], derived: &'a [Check]) -> impl Iterator<Item = String> + 'a {
    let told = |check: &Check, what: &str| {
        let outcome = format!("{:?}", check.outcome).to_lowercase();
        format!("{FILE}: {what} that `{}` {outcome}: {}", visible(&check.name), visible(&check.saw))
    };
    let missing = derived.iter().filter(|check| !recorded.contains(check));
    let surplus = recorded.iter().filter(|check| !derived.contains(check));
    let missing = missing.map(move |check| told(check, "the facts give"));
    missing.chain(surplus.map(move |check| told(check, "the facts do not give")))
}
