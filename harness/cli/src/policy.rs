//! The policy that a run is judged by, and `cutover policy`, which checks one and prints what it asks for.

use std::path::Path;

use cutover_core::policy::{DEFAULT, MAX_FILE_BYTES, Policy, Terms};
use cutover_live::plain_file;

use crate::args::{PolicyArgs, PolicyFileArgs};
use crate::exit::{Exit, Failure};
use crate::out::Stdout;

/// A policy and what of it applies to a run.
pub struct Given {
    /// The file, which a bundle keeps.
    pub text: String,
    policy: Policy,
    phase: Option<u8>,
    enforced: bool,
}

impl Given {
    /// What a run that begins on a day is judged by.
    pub fn terms(&self, day: &str) -> Terms {
        self.policy.terms(self.phase, self.enforced, day).unwrap_or_default()
    }
}

/// # Errors
/// A file that can't be read, every mistake in it, or a phase that it does not have.
pub fn given(args: &PolicyArgs) -> Result<Given, Failure> {
    let given = read(args.policy.as_deref(), args.phase)?;
    Ok(Given { enforced: args.enforce_matrix, ..given })
}

fn read(path: Option<&Path>, phase: Option<u8>) -> Result<Given, Failure> {
    let (name, text) = match path {
        None => ("the default policy".to_owned(), DEFAULT.to_owned()),
        Some(path) => {
            let text = plain_file::read_text(path, MAX_FILE_BYTES as u64).map_err(|error| {
                let hint = format!("a policy is a TOML file of at most {MAX_FILE_BYTES} bytes");
                Failure::unreadable(path, &error).hint(hint)
            })?;
            (path.display().to_string(), text)
        }
    };
    let policy = Policy::parse(&name, &text).map_err(|errors| {
        let hint = "`cutover policy --default` prints a policy with every key explained";
        Failure::usage(format!("the policy is wrong\n{errors}")).hint(hint)
    })?;
    if let Some(phase) = phase
        && !policy.phases().contains(&phase)
    {
        let phases: Vec<String> = policy.phases().iter().map(u8::to_string).collect();
        return Err(Failure::usage(format!("{name} has no phase {phase}; it has {}", listed(&phases)))
            .hint(format!("add a table `[phase.{phase}]` with `rows`")));
    }
    Ok(Given { text, policy, phase, enforced: false })
}

fn listed(phases: &[String]) -> String {
    if phases.is_empty() { "none".to_owned() } else { phases.join(", ") }
}

pub fn run(args: &PolicyFileArgs) -> Result<Exit, Failure> {
    if args.default {
        Stdout::new().exact(DEFAULT)?;
        return Ok(Exit::Allow);
    }
    let terms = read(args.file.as_deref(), args.phase)?.terms("");
    let text = serde_json::to_string_pretty(&terms).map_err(|error| Failure::fault(error.to_string()))?;
    Stdout::new().say(&text)?;
    Ok(Exit::Allow)
}
