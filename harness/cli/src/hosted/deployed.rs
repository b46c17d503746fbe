//! The evidence of an earlier deploy, as a later stage reads it.

use std::path::Path;

use cutover_core::stage::{self, Decision, StageRecord, Surface};
use cutover_live::plain_file;

use super::stage::MAX_FILE_BYTES;
use crate::exit::Failure;

/// The file with the schema that a deploy left.
pub const SCHEMA_AFTER: &str = "schema-after.json";

pub const COMMAND: &str = "deploy";

/// Reads the record of a deploy that passed.
///
/// # Errors
/// A directory that holds no such record, or one that does not hold.
pub fn read(dir: &Path) -> Result<StageRecord, Failure> {
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

/// What a deploy noted of the database as it left it, such as `module_hash`.
pub fn after<'a>(record: &'a StageRecord, key: &str) -> Option<&'a str> {
    record.facts.get("after")?.get(key)?.as_str()
}

/// The schema that a deploy left.
pub fn surface(dir: &Path) -> Result<Surface, Failure> {
    read(dir)?;
    let path = dir.join(SCHEMA_AFTER);
    let bytes = plain_file::read(&path, MAX_FILE_BYTES).map_err(|error| Failure::unreadable(&path, &error))?;
    serde_json::from_slice(&bytes).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}
