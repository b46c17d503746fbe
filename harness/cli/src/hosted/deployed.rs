//! The evidence of an earlier deploy, as a later stage reads it.

use std::path::Path;

use cutover_core::stage::deploy::{COMMAND, DeployFacts, Found, Left};
use cutover_core::stage::{self, Decision, StageRecord, Surface};
use cutover_live::plain_file;

use super::stage::MAX_FILE_BYTES;
use crate::exit::Failure;

/// Reads the record of a deploy that passed.
///
/// # Errors
/// A directory that holds no such record, or one that does not hold.
fn read(dir: &Path) -> Result<StageRecord, Failure> {
    let shown = dir.display();
    let path = dir.join(stage::FILE);
    let bytes = plain_file::read(&path, MAX_FILE_BYTES)
        .map_err(|error| Failure::unreadable(&path, &error).hint("give the directory that `cutover deploy` wrote"))?;
    let file = |name: &str| plain_file::read(&dir.join(name), MAX_FILE_BYTES).map_err(|error| error.to_string());
    let rechecked = stage::recheck(&bytes, &file, &stage::derived)
        .map_err(|error| Failure::usage(format!("{shown} is no stage of this tool: {error}")))?;
    if !rechecked.problems.is_empty() {
        let problems = rechecked.problems.join("\n");
        return Err(
            Failure::usage(format!("{shown} does not hold\n{problems}")).hint("`cutover recheck` says the same")
        );
    }
    let record = rechecked.record;
    if record.command != COMMAND || record.decision != Decision::Passed {
        let what = format!("{shown} is no deploy that passed: {}", stage::verdict(&record));
        return Err(Failure::usage(what).hint("give the evidence of `cutover deploy`"));
    }
    Ok(record)
}

/// What a deploy left, as its record says.
pub fn left(dir: &Path) -> Result<(Left, DeployFacts), Failure> {
    let record = read(dir)?;
    let unreadable = |error: serde_json::Error| Failure::usage(format!("{}: {error}", dir.display()));
    let facts: DeployFacts = serde_json::from_value(record.facts.into()).map_err(unreadable)?;
    let after = facts.after.as_ref().and_then(|after| after.seen()).cloned().unwrap_or_default();
    let Found { module_hash, surface, .. } = after;
    Ok((Left { environment: record.environment, started: record.started, module_hash, surface }, facts))
}

/// The schema that a deploy left.
pub fn surface(dir: &Path) -> Result<Surface, Failure> {
    let (left, _) = left(dir)?;
    left.surface.ok_or_else(|| Failure::usage(format!("{} says nothing of a schema", dir.display())))
}
