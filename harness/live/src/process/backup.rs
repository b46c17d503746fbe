//! Backups of a server's data directory: a copy with a list of its files, and what can be wrong with a copy.
//!
//! SpacetimeDB replays its log on a snapshot, and throws a snapshot away that is newer than the log. So a copy of a
//! running server takes everything else first, and the logs last. A log may then be cut within its last record, which
//! both servers cut off. Locks are not copied: a server makes its own. Keys lie in the data directory of each server
//! that a run starts, so that the copy has them.

use std::io;
use std::path::{Path, PathBuf};

use cutover_core::hash::sha256;
use cutover_core::history::{BackupFile, FileDiffers};
use cutover_core::plan::Damage;

/// Which files of a data directory are copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Logs,
    Rest,
}

fn is_log(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    name == "journal.log" || name.ends_with(".stdb.log")
}

fn is_lock(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    name == "lock" || name.ends_with(".lock") || name.ends_with(".pid")
}

/// The plain files below a directory, by their paths in it, sorted. Links are left out: the only one is the cache's.
fn files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut found, mut left) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(below) = left.pop() {
        for entry in std::fs::read_dir(dir.join(&below))? {
            let entry = entry?;
            let (kind, path) = (entry.file_type()?, below.join(entry.file_name()));
            if kind.is_dir() {
                left.push(path);
            } else if kind.is_file() && !is_lock(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Copies a part of a data directory. A file that a running server removes meanwhile is left out.
pub fn copy(from: &Path, to: &Path, part: Part) -> io::Result<()> {
    for path in files(from)?.into_iter().filter(|path| is_log(path) == (part == Part::Logs)) {
        let target = to.join(&path);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent)?;
        }
        match std::fs::copy(from.join(&path), target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            copied => drop(copied?),
        }
    }
    Ok(())
}

/// The list of the files of a copy.
pub fn list(dir: &Path) -> io::Result<Vec<BackupFile>> {
    let one = |path: PathBuf| {
        let content = std::fs::read(dir.join(&path))?;
        let (path, sha256) = (path.to_string_lossy().into_owned(), sha256(&content));
        Ok(BackupFile { path, bytes: content.len() as u64, sha256 })
    };
    files(dir)?.into_iter().map(one).collect()
}

/// What differs between the list of a backup and a copy of it. Files that the list does not have change nothing in it.
pub fn compare(listed: &[BackupFile], dir: &Path) -> io::Result<Vec<FileDiffers>> {
    let now = list(dir)?;
    let differs = |file: &BackupFile| {
        let found = now.iter().find(|found| found.path == file.path);
        let same = found.is_some_and(|found| found.sha256 == file.sha256);
        let now = found.map(|found| found.bytes);
        (!same).then(|| FileDiffers { path: file.path.clone(), bytes: file.bytes, now })
    };
    Ok(listed.iter().filter_map(differs).collect())
}

/// Damages a copy. `key` is the key of the last event that was acknowledged before the backup began.
pub fn damage(dir: &Path, damage: &Damage, key: Option<&str>) -> io::Result<()> {
    let logs: Vec<PathBuf> = files(dir)?.into_iter().filter(|path| is_log(path)).map(|path| dir.join(path)).collect();
    match damage {
        Damage::MissingSegment => logs.last().map_or(Ok(()), std::fs::remove_file),
        Damage::TornTail => {
            for log in logs.iter().rev() {
                let content = std::fs::read(log)?;
                let found = key.and_then(|key| {
                    let escaped = serde_json::to_string(key).unwrap_or_default();
                    let find = |text: &str| memchr::memmem::find(&content, text.as_bytes());
                    find(key).or_else(|| find(escaped.trim_matches('"')))
                });
                if let Some(at) = found {
                    return std::fs::OpenOptions::new().write(true).open(log)?.set_len(at as u64);
                }
            }
            Err(io::Error::other("no log has the last event that was acknowledged before the backup"))
        }
        // The caller takes the files of the older copy.
        Damage::OlderCopy { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests;
