//! A candidate with a database.

use std::path::Path;

use super::support::*;

/// A server with a database and its owner's token. It ends with the test.
pub struct Lane {
    dir: tempfile::TempDir,
    pub server: Server,
    pub token: String,
}

impl Lane {
    pub fn start(database: &str) -> Lane {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let server = Server::with_database(database, &data);
        let token = std::fs::read_to_string(data.join("owner-token")).unwrap().trim().to_owned();
        Lane { dir, server, token }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}
