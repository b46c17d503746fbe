//! What can go wrong with a server process.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ServerError {
    #[error("can't write {path}: {source}", path = path.display())]
    Directory { path: PathBuf, source: std::io::Error },
    #[error("can't start {program}: {source}", program = program.display())]
    Spawn { program: PathBuf, source: std::io::Error },
    #[error("{program} does not serve: {what}{}", end_of(log), program = program.display())]
    NotServing { program: PathBuf, what: String, log: String },
    #[error("{program} ended by itself while it served: {end}{}", end_of(log), program = program.display())]
    Died { program: PathBuf, end: String, log: String },
    #[error("no local port is free: {source}")]
    NoPort { source: std::io::Error },
    /// An acknowledged event did not get durable, so that a kill would prove nothing.
    #[error(
        "the event `{key}` was acknowledged but is not on disk after {}; killing the server now would prove nothing",
        crate::bounds::DURABLE
    )]
    NotDurable { key: String },
    #[error("the server is not up")]
    NotUp,
    #[error("can't send {signal} to the server: {errno}")]
    Signal { signal: &'static str, errno: nix::errno::Errno },
}

/// The lines of a log, each marked: none of them looks like one of ours.
fn end_of(log: &str) -> String {
    if log.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = log.lines().map(|line| format!("  | {line}")).collect();
    format!("; its log ends with:\n{}", lines.join("\n"))
}
