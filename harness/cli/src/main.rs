//! cutover: drives an old and a new sync lane with one script, and decides allow or block.
//!
//! [`run`] is the whole program; `main` only maps what it returns to an exit code.

mod accept;
mod args;
mod baseline;
mod bundle_dir;
mod calibrate;
mod compare;
mod drawn;
mod driver;
mod exit;
mod fuzz;
mod gate;
mod hosted;
mod lane;
mod lanes;
mod list;
mod matrix;
mod out;
mod plan;
mod policy;
mod programs;
mod progress;
mod provenance;
#[cfg(feature = "engine")]
mod publish;
mod recheck;
mod record;
mod scenarios;
mod serve;
mod signals;
mod stand_in;
mod surroundings;
mod tied;
mod work_dir;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use args::{Cli, Command};
use clap::Parser;
use exit::{Exit, Failure};

fn main() -> ExitCode {
    // A panic's own words may be of others, and the stream that they go to may be gone.
    std::panic::set_hook(Box::new(|panic| out::note(&panic.to_string())));
    // What is a secret on the command line is known before anything can be said of it.
    provenance::command_line(std::env::args_os().map(|word| word.to_string_lossy().into_owned()));
    let cli = match Cli::try_parse_from(stand_in::arguments(std::env::args_os().collect())) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match catch_unwind(AssertUnwindSafe(|| run(cli))) {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(failure)) => {
            out::note(&failure.to_string());
            failure.exit.into()
        }
        // The panic's own message and place are on stderr already.
        Err(_) => {
            out::note("error: this is a fault of cutover itself; please report it with the lines above");
            Exit::Fault.into()
        }
    }
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        Command::Gate(args) => gate::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Lane(args) => lane::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Recheck(args) => recheck::run(&args),
        Command::Hash(args) => compare::hash(&args),
        Command::Diff(args) => compare::diff(&args),
        Command::List(args) => list::run(&args),
        Command::Matrix(args) => matrix::run(&args),
        Command::Record(args) => record::run(&args),
        Command::Accept(args) => accept::run(&args),
        Command::Policy(args) => policy::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::ProvisionCheck(args) => hosted::provision::run(&args),
        Command::Handshake(args) => hosted::handshake::run(&args),
        Command::Deploy(args) => hosted::deploy::run(&args),
        Command::Shadow(args) => hosted::shadow::run(&args),
        Command::Rollout(args) => hosted::rollout::run(&args),
        Command::Tied(args) => tied::run(&args),
    }
}

/// Help and version are no errors; everything else is a wrong command line.
fn usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        out::note(error.to_string().trim_end());
        return Exit::Usage.into();
    }
    // The reader of a help page may go away.
    let _ = error.print();
    Exit::Allow.into()
}
