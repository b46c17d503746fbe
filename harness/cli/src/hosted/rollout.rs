//! `cutover rollout`: decides whether the next cohort may follow, and keeps the record of it.

use std::io::Read;
use std::path::Path;

use cutover_core::evidence::recheck::{MAX_FILE_BYTES, recheck};
use cutover_core::evidence::{Times, layout};
use cutover_core::gate::Decision;
use cutover_core::policy::{MAX_FILE_BYTES as MAX_POLICY_BYTES, Policy};
use cutover_core::rollout::{Evidence, Moment, Named, Previous, RolloutFacts};
use cutover_core::stage::{self, StageRecord, rollout};
use cutover_live::{clock, plain_file};

use super::environment::is_digest;
use super::stage::{Stage, is_stage, rechecked};
use crate::args::RolloutArgs;
use crate::bundle_dir::BundleThere;
use crate::exit::{Exit, Failure};
use crate::scenarios;

const MAX_SNAPSHOT_BYTES: u64 = 4 << 20;

pub fn run(args: &RolloutArgs) -> Result<Exit, Failure> {
    let policy = policy(args)?;
    if !is_digest(&args.build) {
        return Err(Failure::usage(format!("`{}` is no digest of a module", args.build))
            .hint("write it as `sha256:` and 64 hexadecimal digits; `cutover deploy` tells it"));
    }
    let snapshots = args.slo.iter().map(|path| snapshot(path)).collect::<Result<_, _>>()?;
    let at = Moment(i64::try_from(clock::Moment::now().0 / 1000).unwrap_or(i64::MAX));
    let facts = RolloutFacts {
        to: args.to,
        environment: args.env.to_string(),
        build: args.build.clone(),
        at,
        roll_back: args.roll_back.clone(),
        policy,
        snapshots,
        evidence: args.evidence.iter().map(|dir| evidence(dir)).collect::<Result<_, _>>()?,
        previous: args.previous.as_deref().map(previous).transpose()?,
    };
    let mut stage = Stage::begin(rollout::COMMAND, args.env, args.out.as_ref(), args.format)?;
    stage.judge(&facts)?;
    stage.conclude()
}

fn policy(args: &RolloutArgs) -> Result<Named, Failure> {
    let path = &args.policy;
    let text =
        plain_file::read_text(path, MAX_POLICY_BYTES as u64).map_err(|error| Failure::unreadable(path, &error))?;
    let name = path.display().to_string();
    let policy = Policy::parse(&name, &text).map_err(|errors| {
        let hint = "`cutover policy --default` prints a policy with every key explained";
        Failure::usage(format!("the policy is wrong\n{errors}")).hint(hint)
    })?;
    let Some(terms) = policy.rollout else {
        return Err(Failure::usage(format!("{name} has no table `[rollout]`"))
            .hint("`cutover policy --default` shows one; a rollout without limits would let everything go on"));
    };
    if !terms.has(args.to) {
        let cohorts: Vec<String> = terms.cohorts.iter().map(u8::to_string).collect();
        return Err(Failure::usage(format!("{name} has no cohort of {}", args.to))
            .hint(format!("its cohorts are {} percent", cohorts.join(", "))));
    }
    Ok(Named { name, text })
}

fn snapshot(path: &Path) -> Result<Named, Failure> {
    if path == Path::new("-") {
        let mut text = String::new();
        let read = std::io::stdin().take(MAX_SNAPSHOT_BYTES).read_to_string(&mut text);
        read.map_err(|error| Failure::usage(format!("standard input cannot be read: {error}")))?;
        return Ok(Named { name: "stdin".to_owned(), text });
    }
    let read = plain_file::read_text(path, MAX_SNAPSHOT_BYTES);
    let text = read.map_err(|error| Failure::unreadable(path, &error))?;
    Ok(Named { name: path.display().to_string(), text })
}

/// A bundle or a stage's directory, rechecked. One that does not hold is evidence that holds the rollout.
fn evidence(dir: &Path) -> Result<Evidence, Failure> {
    if is_stage(dir) {
        let (record, problems) = rechecked(dir)?;
        return Ok(of_stage(dir, &record, &problems));
    }
    let there = BundleThere::look(dir)?;
    let compile: cutover_core::evidence::recheck::Compile<'_> = &scenarios::compile_bytes;
    let found = recheck(&there, compile).map_err(|error| {
        Failure::usage(format!("{} is no evidence: {error}", dir.display()))
            .hint("give the directory that `cutover gate` or another command wrote")
    })?;
    let times = plain_file::read(&dir.join(layout::TIMES), MAX_FILE_BYTES).ok();
    let times = times.and_then(|bytes| serde_json::from_slice::<Times>(&bytes).ok());
    let decision = &found.computed.decision;
    Ok(Evidence {
        place: dir.display().to_string(),
        command: "gate".to_owned(),
        broken: found.problems.first().map(|problem| format!("{}: {}", problem.file, problem.what)),
        passed: match decision.decision {
            Decision::Allow => Some(true),
            Decision::BlockInvalid => Some(false),
            _ => None,
        },
        decision: decision.decision.to_string(),
        digest: found.evidence.as_ref().map(|evidence| evidence.digest.clone()).unwrap_or_default(),
        build: found.evidence.as_ref().and_then(|evidence| evidence.module_digest.clone()),
        environment: found.evidence.as_ref().and_then(|evidence| evidence.environment.clone()),
        started: times.and_then(|times| Moment::parse(&times.started)),
    })
}

fn of_stage(dir: &Path, record: &StageRecord, problems: &[String]) -> Evidence {
    let facts = serde_json::Value::from(record.facts.clone());
    let module = ["/module/sha256", "/followed/modules/begin"].iter().find_map(|at| facts.pointer(at)?.as_str());
    Evidence {
        place: dir.display().to_string(),
        command: record.command.clone(),
        broken: problems.first().cloned(),
        passed: match record.decision {
            stage::Decision::Passed => Some(true),
            stage::Decision::Failed => Some(false),
            stage::Decision::Unknown => None,
        },
        decision: record.decision.to_string(),
        digest: record.digest.clone(),
        build: module.map(str::to_owned),
        environment: Some(record.environment.clone()),
        started: Moment::parse(&record.started),
    }
}

fn previous(dir: &Path) -> Result<Previous, Failure> {
    let wrong = |what: &str| {
        Failure::usage(format!("{} is no record of a rollout: {what}", dir.display()))
            .hint("give the directory that `cutover rollout` wrote for the stage before")
    };
    if !is_stage(dir) {
        return Err(wrong("it has no stage.json"));
    }
    let (record, problems) = rechecked(dir)?;
    if record.command != rollout::COMMAND {
        return Err(wrong(&format!("it is of `cutover {}`", record.command)));
    }
    let facts: RolloutFacts =
        serde_json::from_value(record.facts.clone().into()).map_err(|error| wrong(&error.to_string()))?;
    Ok(Previous {
        place: dir.display().to_string(),
        broken: problems.first().cloned(),
        to: facts.to,
        word: rollout::word(record.decision),
        environment: record.environment,
        build: facts.build,
        at: facts.at,
        digest: record.digest,
    })
}
