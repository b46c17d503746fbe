//! Exit codes, and the one error type that ends the program.

use std::fmt;
use std::io;

use cutover_core::gate::Decision;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Allow, or the named decision of a smaller run that passed; of a command that decides nothing: done.
    Allow = 0,
    /// Block: something is wrong.
    Invalid = 1,
    /// Block: not everything could be shown to be right.
    Unknown = 2,
    /// A lane or the environment is unavailable.
    Environment = 3,
    /// Bad arguments, or a scenario that can't be read (`EX_USAGE` of sysexits.h).
    Usage = 64,
    /// A fault of the tool itself (`EX_SOFTWARE` of sysexits.h).
    Fault = 70,
}

impl Exit {
    /// How a gate ends with this decision and its exit code, which an advisory policy sets to 0. Where nothing but
    /// *allow* may be taken for one, the decision counts alone.
    pub fn of(decision: Decision, exit_code: u8, require_allow: bool) -> Exit {
        match if require_allow { decision.exit_code() } else { exit_code } {
            0 if require_allow && decision != Decision::Allow => Exit::Unknown,
            0 => Exit::Allow,
            1 => Exit::Invalid,
            _ => Exit::Unknown,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        (exit as u8).into()
    }
}

/// Why a command could not be carried out. `Display` is what the user reads: where, what, and how to mend it.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    /// What the user reads; may have several lines.
    pub message: String,
    pub hint: Option<String>,
}

impl Failure {
    /// A bad argument, or a file given by the user that can't be used.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Usage, message: message.into(), hint: None }
    }

    pub fn environment(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Environment, message: message.into(), hint: None }
    }

    pub fn fault(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Fault, message: message.into(), hint: None }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    pub fn unreadable(path: &std::path::Path, error: &io::Error) -> Failure {
        Failure::usage(format!("cannot read {}: {error}", path.display()))
    }

    pub fn unprintable(error: &io::Error) -> Failure {
        Failure::environment(format!("cannot write to stdout: {error}"))
    }

    pub fn unwritable(path: &std::path::Path, error: &io::Error) -> Failure {
        let what = format!("cannot write {}: {error}", path.display());
        let hint = crate::surroundings::cause(&what, path);
        Failure { hint, ..Failure::environment(what) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}
