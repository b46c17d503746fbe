//! A client's checkpoint file: replaced whole and atomically, so that a client that dies finds the old one or the new one.

use std::io;
use std::path::{Path, PathBuf};

use cutover_core::apply::Checkpoint;

/// The checkpoint file of one client.
#[derive(Debug, Clone)]
pub struct CheckpointFile {
    path: PathBuf,
    next: PathBuf,
}

impl CheckpointFile {
    /// The file of this client in that directory. Nothing is touched yet.
    pub fn of(dir: &Path, client: &str) -> CheckpointFile {
        CheckpointFile {
            path: dir.join(format!("{client}.checkpoint.json")),
            next: dir.join(format!("{client}.checkpoint.next")),
        }
    }

    /// What the file holds; no file is a client that has applied nothing.
    ///
    /// # Errors
    /// Where it can't be read or is no checkpoint.
    pub fn load(&self) -> io::Result<Checkpoint> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => Checkpoint::parse(&text).map_err(|error| {
                io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", self.path.display()))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Checkpoint::new([].into())),
            Err(error) => Err(error),
        }
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn store(&self, checkpoint: &Checkpoint) -> io::Result<()> {
        std::fs::write(&self.next, checkpoint.to_text())?;
        std::fs::rename(&self.next, &self.path)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use cutover_core::ids::Cursor;

    use super::*;

    #[test]
    fn a_checkpoint_survives_the_client_that_wrote_it() {
        let dir = tempfile::tempdir().unwrap();
        let checkpoint = Checkpoint::new([("run:a:events".into(), Cursor(3))].into());
        CheckpointFile::of(dir.path(), "desk").store(&checkpoint).unwrap();
        assert_eq!(CheckpointFile::of(dir.path(), "desk").load().unwrap(), checkpoint);
        assert!(
            CheckpointFile::of(dir.path(), "other")
                .load()
                .unwrap()
                .cursors
                .is_empty()
        );
    }

    #[test]
    fn a_torn_checkpoint_is_named_by_its_path() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("desk.checkpoint.json"), "{").unwrap();
        let error = CheckpointFile::of(dir.path(), "desk").load().unwrap_err().to_string();
        assert!(error.contains("desk.checkpoint.json"), "{error}");
    }
}
