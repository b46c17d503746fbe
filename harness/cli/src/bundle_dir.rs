//! A bundle on disk: made at the start, filled as scenarios end, closed by replacing its document in one step.
//!
//! If the process dies, the directory has only whole files, and a document that says that the run
//! did not come to its end.

use std::collections::BTreeMap;
use std::fs::{self, File, FileType};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use cutover_core::evidence::layout::{self, Files};
use cutover_core::evidence::recheck::{Bundle, Entry};
use cutover_core::stage;

use crate::exit::Failure;

/// More files than this are no bundle.
const MAX_FILES: usize = 100_000;

#[derive(Debug, Clone)]
pub struct BundleDir {
    path: PathBuf,
}

/// A directory in `reports` that is not there yet. Two runs of one second and seed have two.
pub fn in_reports(run: &str) -> PathBuf {
    not_there(Path::new("reports"), run)
}

fn not_there(parent: &Path, name: &str) -> PathBuf {
    let (mut path, mut nth) = (parent.join(name), 1);
    while path.exists() {
        nth += 1;
        path = parent.join(format!("{name}-{nth}"));
    }
    path
}

impl BundleDir {
    /// Makes the directory. One that is there must be empty: evidence is never mixed with another run's.
    pub fn create(path: PathBuf) -> Result<BundleDir, Failure> {
        let unwritable = |error| match Failure::unwritable(&path, &error) {
            failure if failure.hint.is_some() => failure,
            failure => failure.hint("give --out a directory that can be written to"),
        };
        fs::create_dir_all(&path).map_err(unwritable)?;
        let mut entries = fs::read_dir(&path).map_err(unwritable)?;
        if entries.next().is_some() {
            return Err(Failure::usage(format!("{} is not empty", path.display()))
                .hint("give --out a directory that is empty or not there yet"));
        }
        Ok(BundleDir { path })
    }

    /// Removes what a run writes before anything is driven, and the directory if it is empty then.
    pub fn remove_if_begun_only(&self) {
        // A later run reports what can't be removed.
        for file in [layout::EVIDENCE, layout::POLICY] {
            let _ = fs::remove_file(self.path.join(file));
        }
        let _ = fs::remove_dir(&self.path);
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes files, each whole or not at all, the document last.
    pub fn write(&self, files: &Files) -> Result<(), Failure> {
        let (documents, others): (Vec<_>, Vec<_>) = files.iter().partition(|(path, _)| is_document(Path::new(path)));
        for (relative, content) in others.into_iter().chain(documents) {
            let path = self.path.join(relative);
            write_whole(&path, content).map_err(|error| Failure::unwritable(&path, &error))?;
        }
        Ok(())
    }
}

/// Whether a file says what the others of its bundle are.
fn is_document(path: &Path) -> bool {
    [layout::EVIDENCE, stage::FILE].iter().any(|document| path.ends_with(document))
}

fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(layout::UNFINISHED);
    let mut file = File::create(&unfinished)?;
    file.write_all(content)?;
    // Only the document is synced: it says whether the bundle is whole.
    if is_document(path) {
        file.sync_all()?;
    }
    fs::rename(&unfinished, path)
}

/// A bundle that exists. Its names are listed once, links are not followed, and a file is read only when it is asked
/// for.
pub struct BundleThere {
    path: PathBuf,
    entries: BTreeMap<String, Entry>,
}

impl BundleThere {
    pub fn look(path: &Path) -> Result<BundleThere, Failure> {
        if !path.is_dir() {
            let what = if path.exists() { "is no directory" } else { "is not there" };
            return Err(
                Failure::usage(format!("{} {what}", path.display())).hint("give the directory that `gate` wrote")
            );
        }
        let mut there = BundleThere { path: path.to_owned(), entries: BTreeMap::new() };
        there.folder("")?;
        // `FOLDERS` has each folder after its parent.
        for folder in layout::FOLDERS {
            if there.entries.get(folder) == Some(&Entry::Folder) {
                there.folder(folder)?;
            }
        }
        Ok(there)
    }

    fn folder(&mut self, folder: &str) -> Result<(), Failure> {
        let path = self.path.join(folder);
        let unreadable = |error| Failure::unreadable(&path, &error);
        for entry in fs::read_dir(&path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let file = entry.file_name().to_string_lossy().into_owned();
            let name = if folder.is_empty() { file } else { format!("{folder}/{file}") };
            let kind = entry.file_type().map_err(unreadable)?;
            let found = match kind {
                kind if kind.is_file() => Entry::File(entry.metadata().map_err(unreadable)?.len()),
                kind => no_file(kind),
            };
            self.entries.insert(name, found);
            if self.entries.len() > MAX_FILES {
                let what = format!("{} has more than {MAX_FILES} files", self.path.display());
                return Err(Failure::usage(what));
            }
        }
        Ok(())
    }
}

fn no_file(kind: FileType) -> Entry {
    if kind.is_dir() {
        Entry::Folder
    } else if kind.is_symlink() {
        Entry::Link
    } else {
        Entry::Special
    }
}

impl Bundle for BundleThere {
    fn entries(&self) -> BTreeMap<String, Entry> {
        self.entries.clone()
    }

    fn read(&self, path: &str, bytes: u64) -> Result<Vec<u8>, String> {
        let read = || {
            let mut content = Vec::new();
            // One byte more shows that the file grew.
            File::open(self.path.join(path))?.take(bytes + 1).read_to_end(&mut content)?;
            Ok(content)
        };
        read().map_err(|error: io::Error| error.to_string())
    }
}

#[cfg(test)]
mod tests;
