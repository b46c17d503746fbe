//! `cutover hash` and `cutover diff`: the hash room's two commands, with files and exit codes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use cutover_core::hash::command::{HashError, hash_documents};
use cutover_core::hash::diff::diff_named;

use crate::args::{DiffArgs, HashArgs};
use crate::exit::{Exit, Failure};
use crate::out::{Stdout, note};

pub fn hash(args: &HashArgs) -> Result<Exit, Failure> {
    let mut input: Box<dyn BufRead> = match args.file.as_deref() {
        Some(path) if path != Path::new("-") => Box::new(open(path)?),
        _ => Box::new(io::stdin().lock()),
    };
    let name = args.file.as_ref().map_or("stdin".to_owned(), |path| path.display().to_string());
    let mut out = Stdout::new();
    let hashed = hash_documents(&mut *input, args.canonical, &mut out);
    // Of JSON Lines, the lines before a bad one are printed.
    let flushed = out.flush();
    let hashed = hashed.map_err(|error| match error {
        HashError::Write(error) => Failure::unprintable(&error),
        other => Failure::usage(format!("{name}: {other}")),
    })?;
    flushed.map_err(|error| Failure::unprintable(&error))?;
    if hashed.unsafe_integers > 0 {
        let count = hashed.unsafe_integers;
        note(&format!(
            "warning: {name}: integers beyond 2^53 - 1 kept their digits: {count}; a JavaScript client would round them"
        ));
    }
    Ok(Exit::Allow)
}

/// Runs `cutover diff`: 0 where the vectors are equal, 1 where they are not.
pub fn diff(args: &DiffArgs) -> Result<Exit, Failure> {
    let (a, b) = (open(&args.a)?, open(&args.b)?);
    let (a_name, b_name) = (args.a.display().to_string(), args.b.display().to_string());
    let report = diff_named(&a_name, a, &b_name, b).map_err(|error| Failure::usage(error.to_string()))?;
    Stdout::new().say(&report.to_string())?;
    Ok(if report.is_equal() { Exit::Allow } else { Exit::Invalid })
}

fn open(path: &Path) -> Result<BufReader<File>, Failure> {
    let directory = || io::Error::new(io::ErrorKind::IsADirectory, "it is a directory");
    let file = File::open(path).and_then(|file| match file.metadata()?.is_dir() {
        true => Err(directory()),
        false => Ok(file),
    });
    file.map(|file| BufReader::with_capacity(1 << 16, file)).map_err(|error| Failure::unreadable(path, &error))
}
