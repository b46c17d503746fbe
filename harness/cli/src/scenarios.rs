//! Which scenarios: the built-in ones or a directory's, and of those the ones that were asked for.

use std::path::{Path, PathBuf};

use cutover_core::evidence::recheck::Build;
use cutover_core::plan::Plan;
use cutover_core::scenario::{MAX_FILE_BYTES, Scenario, ScenarioErrors, compile, load, pattern, stock};

use cutover_live::plain_file;

use crate::args::ScenarioArgs;
use crate::exit::Failure;

#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Source {
    pub scenario: Scenario,
    pub text: String,
    pub path: String,
}

impl Source {
    /// Whether a defect is planted in it.
    pub fn known_bad(&self) -> bool {
        self.scenario.expect.is_some()
    }
}

/// The scenarios that are asked for: honest ones first, each kind in order of names.
///
/// # Errors
/// A file that can't be read, every mistake of every file, or a glob that matches nothing.
pub fn select(args: &ScenarioArgs) -> Result<Vec<Source>, Failure> {
    select_beside(args, &[])
}

/// Whether a scenario of this name was asked for.
pub fn is_chosen(args: &ScenarioArgs, name: &str) -> bool {
    args.globs.is_empty() || args.globs.iter().any(|glob| pattern::matches(glob, name))
}

/// The same beside drawn scenarios of these names, which are made later.
pub fn select_beside(args: &ScenarioArgs, drawn: &[String]) -> Result<Vec<Source>, Failure> {
    let mut sources = all(args.dir.as_deref(), &args.also)?;
    if let Some(taken) = sources.iter().map(|source| &source.scenario.name).find(|name| drawn.contains(name)) {
        return Err(Failure::usage(format!("`{taken}` is the name of a scenario that the run draws"))
            .hint("rename the file and the scenario, or give --drawn 0"));
    }
    for glob in &args.globs {
        let names = sources.iter().map(|source| &source.scenario.name).chain(drawn);
        if !names.into_iter().any(|name| pattern::matches(glob, name)) {
            return Err(Failure::usage(format!("no scenario's name matches `{glob}`"))
                .hint("`cutover list` shows every name; * stands for any run of characters"));
        }
    }
    sources.retain(|source| is_chosen(args, &source.scenario.name) && !(args.no_known_bad && source.known_bad()));
    if sources.is_empty() && drawn.is_empty() {
        return Err(Failure::usage("no scenario is left to run"));
    }
    Ok(sources)
}

/// Every scenario: the built-in ones or those of a directory, and those of the files and directories that are added.
pub fn all(dir: Option<&Path>, also: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    let mut files = match dir {
        Some(dir) => read_dir(dir)?,
        None => stock().iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect(),
    };
    for path in also {
        match path.is_dir() {
            true => files.extend(read_dir(path)?),
            false => files.push((path.display().to_string(), read_file(path)?)),
        }
    }
    let borrowed: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let scenarios = load(&borrowed).map_err(|errors| wrong(&errors))?;
    let mut sources: Vec<Source> =
        scenarios.into_iter().zip(files).map(|(scenario, (path, text))| Source { scenario, text, path }).collect();
    sources.sort_by(|a, b| (a.known_bad(), &a.scenario.name).cmp(&(b.known_bad(), &b.scenario.name)));
    Ok(sources)
}

/// One scenario, by its name among those of a directory, or by the path of its file.
pub fn one(name: &str, dir: Option<&Path>) -> Result<Source, Failure> {
    let path = Path::new(name);
    if path.extension().is_some_and(|extension| extension == "toml") {
        let text = read_file(path)?;
        let scenario = Scenario::parse(name, &text).map_err(|errors| wrong(&errors))?;
        let path = name.to_owned();
        return Ok(Source { scenario, text, path });
    }
    let found = all(dir, &[])?.into_iter().find(|source| source.scenario.name == name);
    found
        .ok_or_else(|| Failure::usage(format!("there is no scenario `{name}`")).hint("`cutover list` shows every name"))
}

/// The same scenarios as they are without their faults and toxics; known-bad ones, which plant a defect, are left out.
pub fn without_faults(sources: Vec<Source>) -> Result<Vec<Source>, Failure> {
    let honest = sources.into_iter().filter(|source| !source.known_bad());
    let plain = honest.map(|source| {
        let scenario = Scenario::parse_without_faults(&source.path, &source.text).map_err(|errors| wrong(&errors))?;
        Ok(Source { scenario, ..source })
    });
    let plain = plain.collect::<Result<Vec<_>, Failure>>()?;
    Ok(plain)
}

pub fn compile_bytes(name: &str, bytes: &[u8], build: Build) -> Result<Plan, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let parse = match build.no_faults {
        true => Scenario::parse_without_faults,
        false => Scenario::parse,
    };
    let scenario = parse(name, text).map_err(|errors| errors.to_string())?;
    Ok(compile(&scenario, build.seed))
}

fn wrong(errors: &ScenarioErrors) -> Failure {
    let count = errors.errors.len();
    let heading =
        if count == 1 { "a scenario is wrong".to_owned() } else { format!("scenarios have {count} mistakes") };
    Failure::usage(format!("{heading}\n{errors}"))
}

/// The TOML files of a directory and of its `known-bad`, in order of paths.
fn read_dir(dir: &Path) -> Result<Vec<(String, String)>, Failure> {
    let mut paths = toml_files(dir)?;
    let known_bad = dir.join("known-bad");
    if known_bad.is_dir() {
        paths.extend(toml_files(&known_bad)?);
    }
    if paths.is_empty() {
        return Err(Failure::usage(format!("there is no scenario (*.toml) in {}", dir.display())));
    }
    paths.sort();
    paths.into_iter().map(|path| Ok((path.display().to_string(), read_file(&path)?))).collect()
}

fn toml_files(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(dir).map_err(|error| Failure::unreadable(dir, &error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| Failure::unreadable(dir, &error))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    Ok(paths)
}

fn read_file(path: &Path) -> Result<String, Failure> {
    plain_file::read_text(path, MAX_FILE_BYTES as u64).map_err(|error| {
        Failure::unreadable(path, &error).hint(format!("a scenario is a TOML file of at most {MAX_FILE_BYTES} bytes"))
    })
}
