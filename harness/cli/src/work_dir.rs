//! The directory for a run's servers and clients. It is removed when the run ends. The next run removes one that a
//! killed run left.
//!
//! A directory is in use as long as the lock on the file in it is held, which ends with the process however that ends.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};

/// How the names of such directories begin; the process's id follows.
const PREFIX: &str = "cutover-";
const LOCK: &str = "lock";

pub struct WorkDir {
    dir: tempfile::TempDir,
    _lock: Flock<File>,
}

impl WorkDir {
    /// Makes one where the system keeps temporary files, after it removed what killed runs left there.
    pub fn make() -> io::Result<WorkDir> {
        WorkDir::make_in(&std::env::temp_dir())
    }

    fn make_in(parent: &Path) -> io::Result<WorkDir> {
        sweep(parent);
        let prefix = format!("{PREFIX}{}-", std::process::id());
        // It holds the keys of our servers, so only this user may read it.
        let private = fs::Permissions::from_mode(0o700);
        let mut builder = tempfile::Builder::new();
        let dir = builder.prefix(&prefix).permissions(private).tempdir_in(parent)?;
        // The file has its name once it is locked: before that no sweep takes it for one that was left.
        let unlocked = dir.path().join("unlocked");
        let lock = locked(&unlocked)?;
        fs::rename(unlocked, dir.path().join(LOCK))?;
        Ok(WorkDir { dir, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

fn locked(path: &Path) -> io::Result<Flock<File>> {
    let file = File::options().create(true).append(true).open(path)?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| errno.into())
}

/// Removes the directories whose lock no process holds, as far as that is possible.
fn sweep(parent: &Path) {
    for dir in left_in(parent) {
        let lock = dir.join(LOCK);
        if lock.is_file()
            && let Ok(_held) = locked(&lock)
        {
            let _ = fs::remove_dir_all(&dir);
        }
    }
}

fn left_in(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| {
        // A link is followed nowhere.
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        is_dir && entry.file_name().to_str().is_some_and(is_ours)
    });
    ours.map(|entry| entry.path()).collect()
}

/// Whether a name is `cutover-<pid>-<word>`.
fn is_ours(name: &str) -> bool {
    let Some((pid, word)) = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-')) else {
        return false;
    };
    !word.is_empty() && pid.parse::<u32>().is_ok()
}

pub fn hint() -> String {
    format!("TMPDIR names where temporary files go; now it is {}", std::env::temp_dir().display())
}

#[cfg(test)]
mod tests;
