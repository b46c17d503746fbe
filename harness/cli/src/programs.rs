//! The programs that stand in the place of clients: which there are, and whether each can be run.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use cutover_core::ids::LaneId;
use cutover_core::plan::Plan;

use crate::exit::Failure;
use crate::scenarios::Source;

/// The programs of `--client`, one for a lane.
///
/// # Errors
/// Two for one lane, or one that is not there.
pub fn given(clients: &[(LaneId, Vec<String>)]) -> Result<BTreeMap<LaneId, Vec<String>>, Failure> {
    let mut programs = BTreeMap::new();
    for (lane, command) in clients {
        is_there(command, Path::new("."), &format!("--client {lane}"))?;
        if programs.insert(*lane, command.clone()).is_some() {
            return Err(Failure::usage(format!("--client names two programs for the {lane} lane"))
                .hint("one program stands in the place of every client of a lane"));
        }
    }
    Ok(programs)
}

/// Where the commands of each scenario start from: the directory of its file.
pub fn dirs(sources: &[Source]) -> BTreeMap<String, PathBuf> {
    let dir = |source: &Source| Some((source.scenario.name.clone(), std::path::absolute(&source.path).ok()?));
    let dirs = sources.iter().filter_map(dir);
    dirs.filter_map(|(name, path)| Some((name, path.parent()?.to_owned()))).collect()
}

/// Whether the programs that scenarios name are there.
///
/// # Errors
/// The first one that is not.
pub fn are_there(plans: &[Plan], sources: &[Source]) -> Result<(), Failure> {
    let dirs = dirs(sources);
    for (plan, source) in plans.iter().zip(sources) {
        let dir = dirs.get(&plan.scenario).map_or(Path::new("."), PathBuf::as_path);
        let clients = plan.cases.iter().flat_map(|case| &case.clients);
        let programs = clients.filter_map(|client| client.programs.as_ref());
        for command in programs.flat_map(|programs| LaneId::BOTH.into_iter().filter_map(|lane| programs.of(lane))) {
            is_there(command, dir, &source.path)?;
        }
    }
    Ok(())
}

fn is_there(command: &[String], dir: &Path, whose: &str) -> Result<(), Failure> {
    let Some(program) = command.first() else { return Ok(()) };
    let may_run = |path: &Path| {
        let found = std::fs::metadata(path);
        found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    if program.contains('/') {
        let path = dir.join(program);
        return match may_run(&path) {
            true => Ok(()),
            false => Err(Failure::usage(format!("{whose}: there is no program at {}", path.display()))
                .hint("a path starts from the directory of the scenario, or from here with --client")),
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    match std::env::split_paths(&path).any(|dir| may_run(&dir.join(program))) {
        true => Ok(()),
        false => Err(Failure::usage(format!("{whose}: there is no program `{program}` in PATH"))
            .hint("install it, or give a path such as ./client")),
    }
}
