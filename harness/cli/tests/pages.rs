//! Runs every command of README, docs and `--help`, in order, and compares what is printed with what the page shows.
//!
//! A block of commands is marked `sh`, or `console` where its commands begin with `$ ` and their output follows. In an
//! output `…` stands for any text, alone on a line for any lines; numbers and the width of columns may differ. Servers
//! start on free ports, and a port of the page stands for the server that the page started there.
//!
//! Two things differ from the page, for the sake of time: a gate that names no scenario runs one, unless its whole
//! output is shown, and `--repeat` repeats twice. [`NOT_RUN`] lists what is not run here, with the reason.
#![allow(clippy::unwrap_used)]

mod session;
mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use cutover_core::topic::{Class, stream_id_of, topic_of};
use libtest_mimic::{Arguments, Failed, Trial};
use session::{Session, Shown};
use support::run;

/// Commands that are not run here, by their beginnings, and why.
const NOT_RUN: [(&str, &str); 9] = [
    ("cargo nextest run", "it runs this test"),
    ("cargo run --release -- gate --require-allow", "CI runs it as its last step"),
    ("cargo install", "it needs the network"),
    ("cargo check", "CI builds"),
    ("cargo bench", "it measures the machine"),
    ("cargo build", "CI builds"),
    ("apt-get", "it needs the network"),
    ("python3 -m venv", "it needs the network"),
    ("export", "it names programs of other projects"),
];

/// What a block may be: commands, or the data that it shows.
const LANGUAGES: [&str; 7] = ["sh", "console", "text", "toml", "json", "yaml", "xml"];

/// Options of other programs that the pages name.
const FOREIGN_OPTIONS: [&str; 24] = [
    "--release",
    "--locked",
    "--offline",
    "--bench",
    "--quick",
    "--rounds",
    "--only",
    "--no-idle",
    "--cores",
    "--no-default-features",
    "--mode",
    "--help",
    "--listen-addr",
    "--data-dir",
    "--jwt-priv-key-path",
    "--jwt-pub-key-path",
    "--root-dir",
    "--non-interactive",
    "--workspace",
    "--tests",
    "--examples",
    "--list",
    "--all-targets",
    "--version",
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let has = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let (has_curl, has_python) = (has("curl"), has("python3"));
    let mut trials: Vec<Trial> = pages()
        .into_iter()
        .map(|path| {
            let page = std::fs::read_to_string(&path).unwrap();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let lacks = page.contains("curl ") && !has_curl || page.contains("python3 ") && !has_python;
            let ignored = lacks && std::env::var_os("CI").is_none();
            Trial::test(format!("the commands of {name} do what the page says"), move || run_page(&blocks(&page)?))
                .with_ignored_flag(ignored)
        })
        .collect();
    for words in [vec!["gate"], vec!["serve"], vec!["serve", "proxy"], vec!["hash"]] {
        let name = format!("the examples of {} --help run", words.join(" "));
        let ignored = words.contains(&"proxy") && !has_curl && std::env::var_os("CI").is_none();
        trials.push(Trial::test(name, move || run_page(&examples(&words))).with_ignored_flag(ignored));
    }
    trials.push(Trial::test("every option that a page names is there", every_option_is_there));
    trials.push(Trial::test("what is not run stands in a page", what_is_not_run_stands_in_a_page));
    trials.push(Trial::test("the contract's page has every form of topic", the_topics_are_there));
    trials.push(Trial::test("the contract's page has every table and column", the_tables_are_there));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// README and every page of docs.
fn pages() -> Vec<PathBuf> {
    let root = root();
    let mut pages = vec![root.join("README.md")];
    let docs = std::fs::read_dir(root.join("docs")).unwrap();
    pages.extend(docs.map(|entry| entry.unwrap().path()));
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    pages
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The commands of a page's blocks, in order.
fn blocks(page: &str) -> Result<Vec<Shown>, Failed> {
    let mut shown = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let indent = line.len() - line.trim_start().len();
        let Some(language) = line.trim_start().strip_prefix("```") else {
            continue;
        };
        if !LANGUAGES.contains(&language) {
            return Err(format!("line {}: mark the block as one of {LANGUAGES:?}", number + 1).into());
        }
        let block = lines.by_ref().map(|(_, line)| line.get(indent..).unwrap_or_default());
        let block: Vec<&str> = block.take_while(|line| !line.starts_with("```")).collect();
        match language {
            "sh" => shown.extend(commands(&block)),
            "console" => shown.extend(session(&block)),
            _ => {}
        }
    }
    Ok(shown)
}

/// The commands of a block that has nothing else.
fn commands(block: &[&str]) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    let mut open = false;
    for line in block.iter().filter(|line| !line.is_empty()) {
        match shown.last_mut().filter(|_| open) {
            Some(last) => last.command += &format!("\n{line}"),
            None => shown.push(Shown { command: (*line).to_owned(), output: None }),
        }
        open = shown.last().is_some_and(|last| goes_on(&last.command));
    }
    shown
}

/// Whether a command goes on in the next line.
fn goes_on(command: &str) -> bool {
    command.ends_with('\\') || command.matches('\'').count() % 2 == 1
}

/// The commands of a block that shows their output, too.
fn session(block: &[&str]) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    for line in block {
        match (line.strip_prefix("$ "), shown.last_mut()) {
            (Some(command), _) => shown.push(Shown { command: command.to_owned(), output: Some(Vec::new()) }),
            (None, Some(last)) if goes_on(&last.command) => last.command += &format!("\n{line}"),
            (None, Some(last)) => last.output.as_mut().unwrap().push((*line).to_owned()),
            (None, None) => {}
        }
    }
    shown
}

/// The commands under `Examples:` of a help text; what explains them is indented further.
fn examples(words: &[&str]) -> Vec<Shown> {
    let help = run(&[words, &["--help"]].concat()).out;
    let examples = help.split_once("Examples:\n").unwrap().1;
    let mut block = Vec::new();
    let mut open = false;
    for line in examples.lines() {
        let example = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '));
        if let Some(line) = example.or(open.then(|| line.trim())) {
            block.push(line);
            open = goes_on(&commands(&block).last().unwrap().command);
        }
    }
    commands(&block)
}

fn run_page(shown: &[Shown]) -> Result<(), Failed> {
    let mut session = Session::new();
    for shown in shown {
        if NOT_RUN.iter().all(|(start, _)| !shown.command.starts_with(start)) {
            session.run(shown)?;
        }
    }
    Ok(())
}

fn every_option_is_there() -> Result<(), Failed> {
    let mut known = String::new();
    for command in [
        vec![],
        vec!["gate"],
        vec!["serve", "legacy"],
        vec!["serve", "candidate"],
        vec!["serve", "proxy"],
        vec!["recheck"],
        vec!["hash"],
        vec!["diff"],
        vec!["list"],
        vec!["plan"],
        vec!["matrix"],
        vec!["policy"],
        vec!["record"],
        vec!["accept"],
        vec!["fuzz"],
        vec!["calibrate"],
        vec!["provision-check"],
        vec!["handshake"],
        vec!["deploy"],
        vec!["shadow"],
        vec!["rollout"],
        vec!["lane", "init"],
        vec!["lane", "check"],
    ] {
        known += &run(&[command.as_slice(), &["--help"]].concat()).out;
    }
    for path in pages() {
        let page = std::fs::read_to_string(&path)?;
        for word in page.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
            let option = word.starts_with("--") && word.len() > 3 && !word.starts_with("---");
            if option && !FOREIGN_OPTIONS.contains(&word) && !known.contains(word) {
                return Err(format!("{} names {word}, which no command has", path.display()).into());
            }
        }
    }
    Ok(())
}

fn what_is_not_run_stands_in_a_page() -> Result<(), Failed> {
    let mut all = Vec::new();
    for path in pages() {
        all.extend(blocks(&std::fs::read_to_string(&path)?)?);
    }
    for (start, _) in NOT_RUN {
        if !all.iter().any(|shown| shown.command.starts_with(start)) {
            return Err(format!("no page has a command that begins with `{start}`").into());
        }
    }
    Ok(())
}

/// The rows of the contract's page, cell by cell, without backticks.
fn rows_of_the_contract() -> Vec<Vec<String>> {
    let page = std::fs::read_to_string(root().join("docs/CONTRACT.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect()).collect()
}

fn the_topics_are_there() -> Result<(), Failed> {
    let rows = rows_of_the_contract();
    let topics = rows.iter().filter(|row| row[1].starts_with("runtime."));
    let topics: Vec<_> = topics.collect();
    for row in &topics {
        let [topic, stream, class] = row.as_slice() else {
            return Err(format!("not three cells: {row:?}").into());
        };
        let found = (stream_id_of(topic), Class::of(topic).as_str());
        if found != (stream.clone(), class) || topic_of(stream).as_ref() != Some(topic) {
            return Err(format!("{topic} is {found:?}").into());
        }
    }
    match topics.len() {
        7 => Ok(()),
        found => Err(format!("{found} forms of topic, not 7").into()),
    }
}

fn the_tables_are_there() -> Result<(), Failed> {
    let mut source = String::new();
    for entry in std::fs::read_dir(root().join("spacetime/module/src"))? {
        let path = entry?.path();
        if path.is_file() {
            source += &std::fs::read_to_string(path)?;
        }
    }
    for table in source.split("#[table(name = ").skip(1) {
        let name = table.split([',', ')']).next().unwrap();
        let fields = table.split("pub struct").nth(1).unwrap().split('}').next().unwrap();
        let columns = fields.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(':'));
        let columns: Vec<&str> = columns.map(|(column, _)| column).collect();
        let rows = rows_of_the_contract();
        let row = rows.iter().find(|row| row[0] == name).ok_or(format!("no table {name}"))?;
        if row[2] != columns.join(", ") {
            return Err(format!("{name} has the columns {columns:?}").into());
        }
    }
    Ok(())
}
