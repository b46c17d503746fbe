//! The directory of a stage: its record, and the files that belong to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cutover_core::evidence::layout::{FileEntry, Files};
use cutover_core::stage::{self, Decision, StageRecord};
use cutover_core::text::visible;
use cutover_live::clock::Moment;
use cutover_live::plain_file;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::args::{EnvName, RecheckArgs, TextOrJson};
use crate::bundle_dir::{BundleDir, in_reports};
use crate::exit::{Exit, Failure};
use crate::out::{Audience, Stdout};
use crate::provenance;

pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// A stage that goes on. Its directory is made at the start, with a record that decides nothing yet.
pub struct Stage {
    record: StageRecord,
    dir: BundleDir,
    format: TextOrJson,
    unavailable: bool,
    /// Cancelled once a signal has come.
    pub stop: CancellationToken,
    /// Whether something is there that must be deleted before the command ends.
    pub held: Arc<watch::Sender<bool>>,
}

impl Stage {
    /// Begins a stage. What is wrong with the arguments should be told before this.
    pub fn begin(command: &str, env: EnvName, out: Option<&PathBuf>, format: TextOrJson) -> Result<Stage, Failure> {
        Stage::begin_in(command, env.as_str(), out, format)
    }

    /// The same of an environment that may have no name of its own.
    pub fn begin_in(command: &str, env: &str, out: Option<&PathBuf>, format: TextOrJson) -> Result<Stage, Failure> {
        let started = Moment::now();
        let name = format!("{}-{}-{env}", started.compact(), command.replace(' ', "-"));
        let dir = BundleDir::create(out.cloned().unwrap_or_else(|| in_reports(&name)))?;
        let mut record = StageRecord::begin(command, env, started.rfc3339(), provenance::tool());
        record.seal();
        dir.write(&Files::from([(stage::FILE.to_owned(), record.to_bytes())]))?;
        let (stop, held) = (CancellationToken::new(), Arc::new(watch::Sender::new(false)));
        Ok(Stage { record, dir, format, unavailable: false, stop, held })
    }

    pub fn fact(&mut self, name: &str, value: impl Into<Value>) {
        self.record.fact(name, value);
    }

    /// The server is unavailable, so that the command could not do what it is for.
    pub fn unavailable(&mut self) {
        self.unavailable = true;
    }

    /// Records the facts of a command, and the checks that follow from them, as a recheck finds them.
    pub fn judge(&mut self, facts: &impl Serialize) -> Result<(), Failure> {
        let facts = serde_json::to_value(facts).map_err(|error| Failure::fault(error.to_string()))?;
        for (name, value) in facts.as_object().into_iter().flatten() {
            self.fact(name, value.clone());
        }
        let checks = stage::derived(&self.record.command, &self.record.facts);
        self.record.checks = checks.unwrap_or_default();
        Ok(())
    }

    /// Adds a file to the evidence.
    pub fn file(&mut self, name: &str, content: Vec<u8>) -> Result<(), Failure> {
        self.record.files.insert(name.to_owned(), FileEntry::of(&content));
        self.dir.write(&Files::from([(name.to_owned(), content)]))
    }

    /// Decides, writes the record, and prints it.
    pub fn conclude(mut self) -> Result<Exit, Failure> {
        self.record.seal();
        self.dir.write(&Files::from([(stage::FILE.to_owned(), self.record.to_bytes())]))?;
        let mut out = Stdout::new();
        match self.format {
            TextOrJson::Json => out.exact(&String::from_utf8_lossy(&self.record.to_bytes()))?,
            TextOrJson::Text => {
                let text = stage::text(&self.record, Audience::of_stdout().width);
                out.say(&format!("{text}\n  evidence: {}", self.dir.path().display()))?;
            }
        }
        match (self.unavailable, self.record.decision) {
            (true, Decision::Unknown) => Ok(Exit::Environment),
            (_, decision) => Ok(exit(decision)),
        }
    }
}

fn exit(decision: Decision) -> Exit {
    match decision {
        Decision::Passed => Exit::Allow,
        Decision::Failed => Exit::Invalid,
        Decision::Unknown => Exit::Unknown,
    }
}

/// Whether a directory holds the record of a stage.
pub fn is_stage(dir: &Path) -> bool {
    dir.join(stage::FILE).is_file()
}

/// `cutover recheck` of the directory of a stage.
pub fn recheck(args: &RecheckArgs) -> Result<Exit, Failure> {
    let dir = args.dir.display();
    let (record, problems) = rechecked(&args.dir)?;
    let holds = problems.is_empty();
    let exit = if holds { exit(record.decision) } else { Exit::Invalid };
    let text = match (args.format, holds) {
        (TextOrJson::Json, _) => {
            let answer = serde_json::json!({
                "schema": "cutover.recheck/1",
                "holds": holds,
                "exit_code": exit as u8,
                "problems": problems,
                "computed": { "decision": record.decision, "checks": record.checks },
            });
            serde_json::to_string_pretty(&answer).map_err(|error| Failure::fault(error.to_string()))?
        }
        (TextOrJson::Text, true) => {
            format!("{}\nHOLDS  this follows from the record in {dir}", stage::verdict(&record))
        }
        (TextOrJson::Text, false) => format!("{}\nDOES NOT HOLD  in {dir}", problems.join("\n")),
    };
    Stdout::new().say(&text)?;
    Ok(exit)
}

/// The record of a stage's directory, and what does not hold of it.
pub fn rechecked(dir: &Path) -> Result<(StageRecord, Vec<String>), Failure> {
    let path = dir.join(stage::FILE);
    let bytes = plain_file::read(&path, MAX_FILE_BYTES).map_err(|error| Failure::unreadable(&path, &error))?;
    let file = |name: &str| match name.contains('/') {
        true => Err("it would lie outside of the directory".to_owned()),
        false => plain_file::read(&dir.join(name), MAX_FILE_BYTES).map_err(|error| error.to_string()),
    };
    let rechecked = stage::recheck(&bytes, &file, &stage::derived)
        .map_err(|error| Failure::usage(format!("{} is no stage of this tool: {error}", dir.display())))?;
    let mut problems = rechecked.problems;
    problems.extend(surplus(dir, &rechecked.record)?);
    Ok((rechecked.record, problems))
}

/// The files of a directory that its record does not name.
fn surplus(dir: &Path, record: &StageRecord) -> Result<Vec<String>, Failure> {
    let unreadable = |error: std::io::Error| Failure::unreadable(dir, &error);
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
        if name != stage::FILE && !record.files.contains_key(&name) {
            wrong.push(format!("{}: the record does not name it: it was added later", visible(&name)));
        }
    }
    wrong.sort();
    Ok(wrong)
}
