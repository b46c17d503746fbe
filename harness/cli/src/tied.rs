//! Ties a process's life to its parent's: whatever ends `cutover`, `kill -9` included, no server of its own goes on.

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::args::TiedArgs;
use crate::exit::{Exit, Failure};

/// Becomes the program, with the request to be killed with the parent still in force. For programs that can't be asked
/// to do so themselves.
pub fn run(args: &TiedArgs) -> Result<Exit, Failure> {
    die_with_parent(args.parent)?;
    let Some((program, arguments)) = args.line.split_first() else {
        return Err(Failure::usage("there is no program to run"));
    };
    let error = Command::new(program).args(arguments).exec();
    let program = program.to_string_lossy();
    Err(Failure::environment(format!("cannot start {program}: {error}")))
}

/// Asks the system to kill this process when the one that started it is gone, however that ended.
#[cfg(target_os = "linux")]
pub fn die_with_parent(parent: i32) -> Result<(), Failure> {
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)
        .map_err(|error| Failure::environment(format!("cannot ask to die with the parent process: {error}")))?;
    // It may have gone before the request was made; then this process was given another parent.
    if nix::unistd::getppid().as_raw() != parent {
        return Err(Failure::environment("the process that started this server is gone"));
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
pub fn die_with_parent(_: i32) -> Result<(), Failure> {
    Ok(())
}
