//! `cutover accept`: reviews the baselines that a run differed from, one by one.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, stdin};

use cutover_core::hash::diff::diff_named;

use crate::args::AcceptArgs;
use crate::baseline::{self, Pending};
use crate::exit::{Exit, Failure};
use crate::out::Stdout;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Accept,
    Reject,
    Skip,
    Quit,
}

pub fn run(args: &AcceptArgs) -> Result<Exit, Failure> {
    if baseline::is_ci() {
        return Err(Failure::usage("a CI never writes baselines")
            .hint("run `cutover accept` on your machine, and commit what it writes"));
    }
    let pending = baseline::pending(&args.dir)?;
    let chosen = match (args.all, args.reject) {
        (true, _) => Some(Choice::Accept),
        (_, true) => Some(Choice::Reject),
        _ => None,
    };
    if chosen.is_none() && !pending.is_empty() && !stdin().is_terminal() {
        return Err(Failure::usage("nobody is at a terminal to review the changes").hint("give --all or --reject"));
    }
    review(&pending, chosen, &mut stdin().lock(), &mut |text| Stdout::new().say(text))?;
    Ok(Exit::Allow)
}

type Say<'a> = &'a mut dyn FnMut(&str) -> Result<(), Failure>;

/// Shows each change, and does what was chosen for all of them, or what is answered to it.
fn review(pending: &[Pending], chosen: Option<Choice>, answers: &mut dyn BufRead, say: Say<'_>) -> Result<(), Failure> {
    let (mut accepted, mut rejected) = (0, 0);
    for (place, change) in (1..).zip(pending) {
        say(&format!("{} ({place} of {})\n{}", change.scenario, pending.len(), difference(change)?))?;
        let choice = match chosen {
            Some(choice) => choice,
            None => ask(answers, say)?,
        };
        match choice {
            Choice::Accept => change.accept().map(|()| accepted += 1)?,
            Choice::Reject => change.reject().map(|()| rejected += 1)?,
            Choice::Skip => {}
            Choice::Quit => break,
        }
    }
    let open = pending.len() - accepted - rejected;
    say(&format!("{accepted} accepted, {rejected} rejected, {open} still to be reviewed"))
}

fn ask(answers: &mut dyn BufRead, say: Say<'_>) -> Result<Choice, Failure> {
    loop {
        say("a: accept  r: reject  s: skip  q: quit")?;
        let mut answer = String::new();
        let read = answers.read_line(&mut answer);
        if read.map_err(|error| Failure::environment(format!("cannot read the answer: {error}")))? == 0 {
            return Ok(Choice::Quit);
        }
        match answer.trim() {
            "a" | "accept" => return Ok(Choice::Accept),
            "r" | "reject" => return Ok(Choice::Reject),
            "s" | "skip" => return Ok(Choice::Skip),
            "q" | "quit" => return Ok(Choice::Quit),
            _ => {}
        }
    }
}

/// The first difference of the two vectors, as `cutover diff` prints it.
fn difference(change: &Pending) -> Result<String, Failure> {
    let open = |path| File::open(path).map(BufReader::new).map_err(|error| Failure::unreadable(path, &error));
    let report = diff_named("the baseline", open(&change.vector)?, "the candidate", open(&change.proposed)?);
    Ok(report.map_err(|error| Failure::usage(error.to_string()))?.to_string())
}

#[cfg(test)]
mod tests;
