//! cutover: drives an old and a new sync lane with one script, and decides allow or block.
//!
//! [`run`] is the whole program; `main` only maps what it returns to an exit code.

mod args;
mod bundle_dir;
mod clock;
mod compare;
mod exit;
mod gate;
mod list;
mod open_files;
mod out;
mod plan;
mod progress;
mod provenance;
mod recheck;
mod scenarios;
mod serve;
mod signals;
mod stand_in;
mod tied;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use args::{Cli, Command};
use clap::Parser;
use exit::{Exit, Failure};

fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(stand_in::arguments(std::env::args_os().collect())) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match catch_unwind(AssertUnwindSafe(|| run(cli))) {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(failure)) => {
            eprintln!("{failure}");
            failure.exit.into()
        }
        // The panic's own message and place are on stderr already.
        Err(_) => {
            eprintln!("error: this is a fault of cutover itself; please report it with the lines above");
            Exit::Fault.into()
        }
    }
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        Command::Gate(args) => gate::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Recheck(args) => recheck::run(&args),
        Command::Hash(args) => compare::hash(&args),
        Command::Diff(args) => compare::diff(&args),
        Command::List(args) => list::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Tied(args) => tied::run(&args),
    }
}

/// Help and version are no errors; everything else is a wrong command line.
fn usage(error: &clap::Error) -> ExitCode {
    // Nobody is left to tell where even this can't be written.
    let _ = error.print();
    if error.use_stderr() {
        Exit::Usage.into()
    } else {
        Exit::Allow.into()
    }
}
