//! Ties a process's life to its parent's: whatever ends `cutover`, `kill -9` included, no server of its own goes on.

use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::fs::File;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Command;

use nix::sys::signal::{SigSet, Signal, killpg, raise};
use nix::unistd::{dup2_stdin, dup2_stdout, getpgrp};

use crate::args::TiedArgs;
use crate::exit::{Exit, Failure};

/// Becomes the program, with the request to be killed with the parent still in force. For programs that can't be asked
/// to do so themselves.
pub fn run(args: &TiedArgs) -> Result<Exit, Failure> {
    let Some((program, arguments)) = args.line.split_first() else {
        return Err(Failure::usage("there is no program to run"));
    };
    if args.group {
        return run_group(program, arguments, args.parent);
    }
    die_with_parent(args.parent)?;
    let error = Command::new(program).args(arguments).exec();
    let program = program.to_string_lossy();
    Err(Failure::environment(format!("cannot start {program}: {error}")))
}

/// Runs a program whose own processes are to end with the parent, too, and ends as the program does. The system tells
/// only this process that the parent is gone. It is the leader of the group, and kills the group.
fn run_group(program: &OsStr, arguments: &[OsString], parent: i32) -> Result<Exit, Failure> {
    let failed = |what: &str, error: &dyn Display| Failure::environment(format!("{what}: {error}"));
    let cannot_start = format!("cannot start {}", program.to_string_lossy());
    let started = Command::new(program).args(arguments).spawn();
    let mut child = started.map_err(|error| failed(&cannot_start, &error))?;
    // The program alone reads and writes what it was given.
    let null = File::options().read(true).write(true).open("/dev/null").map_err(|error| failed("/dev/null", &error))?;
    dup2_stdin(&null).and_then(|()| dup2_stdout(&null)).map_err(|error| failed("/dev/null", &error))?;
    let mut told = SigSet::empty();
    told.add(TOLD);
    told.thread_block().map_err(|error| failed("cannot wait for a signal", &error))?;
    std::thread::spawn(move || told.wait().map(|_| kill_group()));
    tell_of_parent(parent)?;
    let status = child.wait().map_err(|error| failed("cannot wait for the program", &error))?;
    if let Some(signal) = status.signal().and_then(|signal| Signal::try_from(signal).ok()) {
        let _ = raise(signal);
    }
    std::process::exit(status.code().unwrap_or(1));
}

const TOLD: Signal = Signal::SIGTERM;

fn kill_group() {
    let _ = killpg(getpgrp(), Signal::SIGKILL);
}

#[cfg(target_os = "linux")]
fn tell_of_parent(parent: i32) -> Result<(), Failure> {
    nix::sys::prctl::set_pdeathsig(TOLD)
        .map_err(|error| Failure::environment(format!("cannot ask for the end of the parent process: {error}")))?;
    if nix::unistd::getppid().as_raw() != parent {
        kill_group();
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn tell_of_parent(_: i32) -> Result<(), Failure> {
    Ok(())
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
