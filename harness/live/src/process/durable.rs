//! When what a server acknowledged would survive a `kill -9`.
//!
//! The legacy lane's promise is that an acknowledged event is in the journal. SpacetimeDB 1.2.0 makes no such
//! promise: a reducer call is answered once its transaction is committed in memory, and the commit log is written a
//! little later. A kill that is to prove that nothing durable is lost waits until the log on disk holds the last
//! acknowledged event.

use std::path::Path;
use std::time::Duration;

use super::ServerError;
use crate::bounds::DURABLE;

const LOOK_EVERY: Duration = Duration::from_millis(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    Acknowledged,
    /// What is acknowledged is durable once a file of the data directory that ends in `.stdb.log` holds its key.
    Commitlog,
}

impl Durability {
    pub async fn wait_for(self, data_dir: &Path, key: Option<&str>) -> Result<(), ServerError> {
        let (Durability::Commitlog, Some(key)) = (self, key) else {
            return Ok(());
        };
        let durable = DURABLE.within(async {
            while !commitlog_holds(data_dir, key.as_bytes()) {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
        durable.await.map_err(|_| ServerError::NotDurable { key: key.to_owned() })
    }
}

fn commitlog_holds(dir: &Path, key: &[u8]) -> bool {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => commitlog_holds(&path, key),
            Ok(kind) if kind.is_file() && path.to_string_lossy().ends_with(".stdb.log") => {
                std::fs::read(&path).is_ok_and(|bytes| memchr::memmem::find(&bytes, key).is_some())
            }
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests;
