//! Where a run comes from: the tool, the checkout, and the command line without its secrets.

use std::process::Command;

use cutover_core::evidence::{Checkout, Tool};
use cutover_core::text::{Secret, learn, masked, quoted};

use crate::args::GateArgs;

pub fn tool() -> Tool {
    let built_from = option_env!("CUTOVER_BUILD_COMMIT").map(|commit| Checkout {
        commit: commit.to_owned(),
        dirty: option_env!("CUTOVER_BUILD_DIRTY") != Some("false"),
    });
    Tool { name: "cutover".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned(), built_from }
}

/// The checkout around the working directory, if there is one and git is available.
pub fn checkout() -> Option<Checkout> {
    let commit = git(&["rev-parse", "HEAD"])?;
    let changes = git(&["status", "--porcelain", "--untracked-files=no"]);
    // Without an answer of git, the checkout counts as edited.
    Some(Checkout { commit, dirty: changes.is_none_or(|changes| !changes.is_empty()) })
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).stdin(std::process::Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The options whose value names a server, with a URL or without.
const LEADS: [&str; 3] = ["--legacy", "--candidate", "--toxiproxy"];

/// The command line without its secrets. From here on, every text is printed without them.
pub fn command_line(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut before = String::new();
    let shown = words.map(|word| {
        let shown = match word.split_once('=') {
            Some((option, value)) if option.starts_with("--") => format!("{option}={}", shown(option, value)),
            // A token behind a slip of the pen, as in `legacy-token:...`, is repeated by the message that refuses it.
            _ => match word.split_once(['=', ':']) {
                Some((option, value)) if option.contains("token") => format!("{option}={:?}", Secret::new(value)),
                _ => shown(&before, &word),
            },
        };
        before = word;
        shown
    });
    shown.collect()
}

fn shown(option: &str, value: &str) -> String {
    if option.starts_with("--") && option.ends_with("-token") {
        return format!("{:?}", Secret::new(value));
    }
    if LEADS.contains(&option) || value.contains("://") {
        learn(value);
        return masked(value);
    }
    value.to_owned()
}

/// The command that runs the same again, without the choice of scenarios. Tokens come from the environment.
pub fn reproduce(program: &str, seed: u64, args: &GateArgs) -> String {
    let mut words = vec![quoted(program), "gate".to_owned(), "--seed".to_owned(), seed.to_string()];
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            words.extend([name.to_owned(), quoted(&shown(name, &value))]);
        }
    };
    let lanes = &args.lanes;
    option("--legacy", lanes.legacy.clone());
    option("--candidate", lanes.candidate.clone());
    option("--env", lanes.env.map(|env| env.to_string()));
    option("--env-prefix", lanes.variables.env_prefix.clone());
    option("--envvars", lanes.variables.envvars.as_ref().map(|path| path.display().to_string()));
    option("--candidate-bin", lanes.candidate_bin.as_ref().map(|path| path.display().to_string()));
    option("--module", lanes.module.as_ref().map(|path| path.display().to_string()));
    option("--scenarios", args.scenarios.dir.as_ref().map(|path| path.display().to_string()));
    for also in &args.scenarios.also {
        option("--also", Some(also.display().to_string()));
    }
    for (lane, command) in &args.clients {
        option("--client", Some(format!("{lane}={}", command.join(" "))));
    }
    option("--policy", args.policy.policy.as_ref().map(|path| path.display().to_string()));
    option("--phase", args.policy.phase.map(|phase| phase.to_string()));
    option("--baseline", args.policy.baseline.as_ref().map(|path| path.display().to_string()));
    option("--drawn", args.drawn.map(|drawn| drawn.to_string()));
    option("--rate", args.rate.map(|rate| rate.to_string()));
    option("--toxiproxy", args.toxiproxy.clone());
    option("--aa", lanes.aa.map(|lane| lane.to_string()));
    if args.scenarios.no_known_bad {
        words.push("--no-known-bad".to_owned());
    }
    if args.no_faults {
        words.push("--no-faults".to_owned());
    }
    if args.policy.enforce_matrix {
        words.push("--enforce-matrix".to_owned());
    }
    words.join(" ")
}

#[cfg(test)]
mod tests;
