//! Reads files that a user names, where they are plain files of a bounded size. A pipe, a device or an endless file is
//! refused.

use std::fs::OpenOptions;
use std::io::{Error, ErrorKind, Read, Result};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Reads a plain file of at most so many bytes. An error where it is no plain file, or is longer.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    // Opening a pipe must not wait for its other end.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let kind = file.metadata()?;
    if !kind.is_file() {
        let what =
            if kind.is_dir() { "it is a directory" } else { "it is a pipe, a socket or a device, and no plain file" };
        return Err(Error::new(ErrorKind::InvalidInput, what));
    }
    let mut bytes = Vec::new();
    // One byte more shows that it is longer, whatever length the system reports.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(Error::new(ErrorKind::FileTooLarge, format!("it is longer than {most} bytes")));
    }
    Ok(bytes)
}

/// As [`read`], and an error where it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> Result<String> {
    let not_text = |error: std::string::FromUtf8Error| {
        let at = error.utf8_error().valid_up_to();
        Error::new(ErrorKind::InvalidData, format!("it is not UTF-8 text: byte {at} is invalid"))
    };
    String::from_utf8(read(path, most)?).map_err(not_text)
}

#[cfg(test)]
mod tests;
