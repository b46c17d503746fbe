//! `cutover lane check`: tries everything of a profile that a run would use.

use cutover_core::ids::LaneId;
use cutover_core::text::visible;
use cutover_live::environment::Source;
use cutover_live::lane::protocols::usual;
use cutover_live::lane::trial::{Outcome, Step, Steps};
use serde::Serialize;

use super::lanes::with_environment;
use crate::args::{LaneCheckArgs, TextOrJson};
use crate::exit::{Exit, Failure};
use crate::lanes;
use crate::out::Stdout;
use crate::signals::runtime;

/// A line of the table.
#[derive(Debug, Serialize)]
struct Line {
    step: String,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

pub fn run(args: &LaneCheckArgs) -> Result<Exit, Failure> {
    let file = args.file.display().to_string();
    let profile = lanes::parse(LaneId::Candidate, &file)?;
    let is_of = |lane: &LaneId| usual(*lane).kind() == profile.kind();
    let lane = LaneId::BOTH.into_iter().find(is_of).unwrap_or(LaneId::Candidate);
    let module = args.module.as_deref().map(lanes::read_module).transpose()?;
    let token = args.token.as_ref();
    let source = match &module {
        Some(_) if lane == LaneId::Candidate => lanes::with_module(&file, token)?,
        _ => lanes::outside(lane, &file, token)?,
    };
    let is_outside = matches!(source, Source::Outside(_));
    let runtime = runtime()?;
    let steps =
        runtime.block_on(with_environment(lane, source, module, async |environment| environment.check(lane).await))?;
    runtime.shutdown_background();
    let exit = exit_of(&steps);
    let lines: Vec<Line> = steps.all.into_iter().map(line).collect();
    let mut out = Stdout::new();
    match args.format {
        TextOrJson::Text => out.say(&text(&lines, is_outside))?,
        TextOrJson::Json => {
            let json = serde_json::to_string_pretty(&lines).map_err(|error| Failure::fault(error.to_string()))?;
            out.say(&json)?;
        }
    }
    Ok(exit)
}

fn exit_of(steps: &Steps) -> Exit {
    let mut exit = Exit::Allow;
    for step in &steps.all {
        match &step.outcome {
            Outcome::Failed(error) if error.is_of_the_profile() => return Exit::Usage,
            Outcome::Failed(_) | Outcome::Missing(_) => exit = Exit::Environment,
            Outcome::Works | Outcome::LeftOut | Outcome::NotTried => {}
        }
    }
    exit
}

fn line(step: Step) -> Line {
    let (result, why) = match step.outcome {
        Outcome::Works => ("works", None),
        Outcome::LeftOut => ("left out", Some("the profile says that there is no such thing".to_owned())),
        Outcome::NotTried => ("not tried", Some("a step before it failed".to_owned())),
        Outcome::Missing(what) => ("FAILS", Some(what.to_owned())),
        Outcome::Failed(error) => ("FAILS", Some(error.to_string())),
    };
    Line { step: step.what, result, why }
}

fn text(lines: &[Line], is_outside: bool) -> String {
    let width = lines.iter().map(|line| line.step.chars().count()).max().unwrap_or_default();
    let mut out = String::new();
    for Line { step, result, why } in lines {
        let why = why.as_ref().map(|why| format!("  {}", visible(why))).unwrap_or_default();
        out += format!("{step:width$}  {result:9}{why}").trim_end();
        out += "\n";
    }
    let fails = lines.iter().filter(|line| line.result == "FAILS").count();
    out += "\n";
    out += &match fails {
        0 => "Everything that a run would use works.".to_owned(),
        1 => "1 step fails.".to_owned(),
        fails => format!("{fails} steps fail."),
    };
    if is_outside {
        out += " One event was written, on a stream whose id contains `trial`.";
    }
    out
}

#[cfg(test)]
mod tests;
