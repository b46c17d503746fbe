//! A bundle on disk: made at the start, filled as scenarios end, closed by replacing its document in one step.
//!
//! Whenever the process dies, what lies there is either whole files or none of them, and a document that says that the run
//! did not come to its end.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cutover_core::evidence::layout::{self, Files};

use crate::exit::Failure;

/// A file of a bundle that is larger than this is none that the gate wrote.
const MAX_FILE_BYTES: u64 = 4 << 30;
/// More files than this are no bundle.
const MAX_FILES: usize = 100_000;

/// A bundle's directory.
#[derive(Debug, Clone)]
pub struct BundleDir {
    path: PathBuf,
}

impl BundleDir {
    /// Makes the directory. One that is there must be empty: evidence is never mixed with another run's.
    pub fn create(path: PathBuf) -> Result<BundleDir, Failure> {
        let unwritable =
            |error| Failure::unwritable(&path, &error).hint("give --out a directory that can be written to");
        fs::create_dir_all(&path).map_err(unwritable)?;
        let mut entries = fs::read_dir(&path).map_err(unwritable)?;
        if entries.next().is_some() {
            return Err(Failure::usage(format!("{} is not empty", path.display()))
                .hint("give --out a directory that is empty or not there yet"));
        }
        Ok(BundleDir { path })
    }

    /// Where it is, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes files, each whole or not at all, the document last.
    pub fn write(&self, files: &Files) -> Result<(), Failure> {
        let document = files.get_key_value(layout::EVIDENCE);
        let others = files.iter().filter(|(path, _)| *path != layout::EVIDENCE);
        for (relative, content) in others.chain(document) {
            let path = self.path.join(relative);
            write_whole(&path, content).map_err(|error| Failure::unwritable(&path, &error))?;
        }
        Ok(())
    }
}

fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let mut file = File::create(&unfinished)?;
    file.write_all(content)?;
    // Only the document is synced: it is what tells a whole bundle from a part of one.
    if path.ends_with(layout::EVIDENCE) {
        file.sync_all()?;
    }
    fs::rename(&unfinished, path)
}

/// Reads what a bundle consists of; what else lies in the directory is not looked at.
pub fn read(dir: &Path) -> Result<Files, Failure> {
    if !dir.is_dir() {
        let what = if dir.exists() {
            "is no directory"
        } else {
            "is not there"
        };
        return Err(Failure::usage(format!("{} {what}", dir.display())).hint("give the directory that `gate` wrote"));
    }
    let mut files = Files::new();
    for name in [layout::EVIDENCE, layout::SUMMARY, layout::JUNIT, layout::PAGE] {
        read_file(dir, name, &mut files)?;
    }
    for folder in layout::DIGESTED_FOLDERS {
        let path = dir.join(folder);
        if !path.is_dir() {
            continue;
        }
        let entries = fs::read_dir(&path).map_err(|error| Failure::unreadable(&path, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| Failure::unreadable(&path, &error))?;
            let name = format!("{folder}{}", entry.file_name().to_string_lossy());
            read_file(dir, &name, &mut files)?;
            if files.len() > MAX_FILES {
                return Err(Failure::usage(format!(
                    "{} has more than {MAX_FILES} files",
                    dir.display()
                )));
            }
        }
    }
    Ok(files)
}

fn read_file(dir: &Path, relative: &str, files: &mut Files) -> Result<(), Failure> {
    let path = dir.join(relative);
    let metadata = match fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => metadata,
        // What is missing is a matter for recheck, which knows what should be there.
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Failure::unreadable(&path, &error)),
    };
    if metadata.len() > MAX_FILE_BYTES {
        return Err(Failure::usage(format!(
            "{} is larger than any file of a bundle",
            path.display()
        )));
    }
    let content = fs::read(&path).map_err(|error| Failure::unreadable(&path, &error))?;
    files.insert(relative.to_owned(), content);
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let bundle = BundleDir::create(dir.path().join("run")).unwrap();
        let files: Files = [
            (layout::EVIDENCE, "{}"),
            ("plans/a.json", "{}"),
            ("histories/a.legacy.jsonl", "x"),
        ]
        .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
        .into();
        bundle.write(&files).unwrap();
        fs::write(bundle.path().join("notes.txt"), "mine").unwrap();
        assert_eq!(read(bundle.path()).unwrap(), files);
    }

    #[test]
    fn a_directory_with_something_in_it_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("evidence.json"), "{}").unwrap();
        let refused = BundleDir::create(dir.path().to_owned()).unwrap_err();
        assert_eq!(refused.exit, crate::exit::Exit::Usage);
        assert!(refused.message.contains("is not empty"), "{refused}");
    }
}
