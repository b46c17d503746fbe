//! What a run needs of the system, and what a message says where the system has no more of it.

use std::path::Path;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::exit::Failure;

/// A disk with less room than this is full.
const LEAST_ROOM: u64 = 1 << 20;

const FULL: &str = "the disk is full (ENOSPC): make room";
const FILES: &str =
    "too many files are open (EMFILE): raise the limit, as with `ulimit -n 4096`, or give a smaller --jobs";

/// A run with fewer files than this loses connections and servers at any place. A scenario has some hundred sockets.
const LEAST_FILES: u64 = 128;

/// Raises the limit of open files, and refuses a run that has too few of them.
pub fn enough_files() -> Result<(), Failure> {
    let files = raise_file_limit();
    if files < LEAST_FILES {
        let what = format!("this process may have {files} files open, and a run needs {LEAST_FILES} at least (EMFILE)");
        return Err(Failure::environment(what).hint("raise the limit, as with `ulimit -n 4096`"));
    }
    Ok(())
}

/// Raises the soft limit of open files to the hard one, where that can be done, and returns the limit.
pub fn raise_file_limit() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return u64::MAX;
    };
    let raised = soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok();
    if raised { hard } else { soft }
}

/// A random number that is short enough to be typed. It comes by way of the standard library's hasher.
pub fn random() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish() & u64::from(u32::MAX)
}

/// What the system lacks, as a hint: by the words of what went wrong, else by the room that is left where it was
/// written.
pub fn cause(what: &str, written: &Path) -> Option<String> {
    if what.contains("os error 24") || what.contains("Too many open files") {
        return Some(FILES.to_owned());
    }
    let is_said = what.contains("os error 28") || what.contains("No space left on device");
    let is_full = |path: &Path| room(path).is_some_and(|room| room < LEAST_ROOM);
    (is_said || is_full(written)).then(|| format!("{FULL} where {} is, or name another place", written.display()))
}

fn room(path: &Path) -> Option<u64> {
    let there = path.ancestors().find(|path| path.exists())?;
    let stat = nix::sys::statvfs::statvfs(there).ok()?;
    // A file system without blocks keeps no files of ours.
    (stat.blocks() > 0).then(|| stat.blocks_available().saturating_mul(stat.fragment_size()))
}

#[cfg(test)]
mod tests;
