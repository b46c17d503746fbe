//! Computes again what follows from a stage record.

use super::{Check, Decision, FILE, Facts, STAGE_SCHEMA, StageRecord};
use crate::evidence::layout::FileEntry;
use crate::text::visible;

/// The checks that follow from the facts of a command, by the command's name. `None` where a command has no rule: then
/// the checks stand as they were recorded.
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
    if let Some(checks) = derive(&record.command, &record.facts) {
        problems.extend(not_derived(&record.checks, &checks));
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

/// The derived checks that were recorded otherwise.
fn not_derived<'a>(recorded: &'a [Check], derived: &'a [Check]) -> impl Iterator<Item = String> + 'a {
    let differs = move |check: &&Check| !recorded.contains(check);
    derived.iter().filter(differs).map(|check| {
        let outcome = format!("{:?}", check.outcome).to_lowercase();
        format!("{FILE}: the facts give that `{}` {outcome}: {}", visible(&check.name), visible(&check.saw))
    })
}
