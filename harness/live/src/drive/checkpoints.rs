//! A client's checkpoint file: a line for each change of a cursor. After a crash it holds every whole line. The file
//! lives no longer than its run.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cutover_core::ids::{Cursor, StreamId};

#[derive(Debug)]
pub struct CheckpointFile {
    path: PathBuf,
    /// Open once something was written.
    file: Option<File>,
}

impl CheckpointFile {
    /// The file of this client in that directory. It is not opened yet.
    pub fn of(dir: &Path, client: &str) -> CheckpointFile {
        CheckpointFile { path: dir.join(format!("{client}.checkpoint.jsonl")), file: None }
    }

    /// The cursors that the file holds, none where there is no file. A stream without a cursor has to be bootstrapped.
    ///
    /// # Errors
    /// Where the file can't be read, or a whole line of it is invalid.
    pub fn load(&self) -> io::Result<BTreeMap<StreamId, Cursor>> {
        let text = match std::fs::read_to_string(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            text => text?,
        };
        let mut cursors = BTreeMap::new();
        // What follows the end of the last line was not written whole.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        for (number, line) in whole.lines().enumerate() {
            match serde_json::from_str(line) {
                Ok((stream, Some(cursor))) => drop(cursors.insert(stream, cursor)),
                Ok((stream, None)) => drop(cursors.remove(&stream)),
                Err(error) => {
                    let what = format!("{}, line {}: {error}", self.path.display(), number + 1);
                    return Err(io::Error::new(io::ErrorKind::InvalidData, what));
                }
            }
        }
        Ok(cursors)
    }

    pub fn store(&mut self, stream: &StreamId, cursor: Option<Cursor>) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(OpenOptions::new().create(true).append(true).open(&self.path)?),
        };
        let mut line = serde_json::to_vec(&(stream, cursor))?;
        line.push(b'\n');
        file.write_all(&line)
    }
}

#[cfg(test)]
mod tests;
