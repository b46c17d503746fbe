//! Keeps the server's own log off the terminal: warnings and errors go to a file in the data directory.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::filter::LevelFilter;

use crate::error::EngineError;

/// Below the data directory.
const LOG_FILE: &str = "logs/server.log";

/// Sends the server's log to `logs/server.log` in the data directory. A process has one log: where it has one already,
/// that one is kept.
pub(crate) fn log_to_file(data_dir: &Path) -> Result<(), EngineError> {
    let path = data_dir.join(LOG_FILE);
    let data_dir_error = |source| EngineError::DataDir { path: path.clone(), source };
    if let Some(logs_dir) = path.parent() {
        std::fs::create_dir_all(logs_dir).map_err(data_dir_error)?;
    }
    let file = OpenOptions::new().create(true).append(true).open(&path).map_err(data_dir_error)?;
    let taken = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::WARN)
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .try_init();
    drop(taken);
    Ok(())
}
