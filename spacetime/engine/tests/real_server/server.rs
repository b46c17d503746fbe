//! A server process for a test, killed when the test is done with it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const DATA_DIR_VARIABLE: &str = "CUTOVER_ENGINE_TEST_DATA_DIR";
const LISTEN_VARIABLE: &str = "CUTOVER_ENGINE_TEST_LISTEN";

/// Not a test of anything: where the environment says so, this process is the server.
#[test]
fn be_the_server_where_the_environment_says_so() {
    let Some(data_dir) = std::env::var_os(DATA_DIR_VARIABLE) else {
        return;
    };
    let listen = std::env::var(LISTEN_VARIABLE).unwrap();
    if let Err(error) = cutover_engine::run(listen.parse().unwrap(), data_dir.as_ref(), async |_| Ok(())) {
        println!("refused to start: {error}");
    }
}

/// A running server process.
pub struct Server {
    process: Child,
    stdout: BufReader<ChildStdout>,
    /// `127.0.0.1:PORT`
    pub address: String,
}

impl Server {
    /// Starts a server on a free port and waits until it says that it listens.
    pub fn start(data_dir: &Path) -> Self {
        match Self::try_start(data_dir, "127.0.0.1:0") {
            Ok(server) => server,
            Err(refusal) => panic!("{refusal}"),
        }
    }

    /// Starts a server; answers with what it said where it did not come up.
    pub fn try_start(data_dir: &Path, listen: &str) -> Result<Self, String> {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["server::be_the_server_where_the_environment_says_so", "--exact", "--nocapture"])
            .env(DATA_DIR_VARIABLE, data_dir)
            .env(LISTEN_VARIABLE, listen)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        while stdout.read_line(&mut line).unwrap() > 0 {
            // The test runner's own words may come before the server's on the same line.
            if let Some((_, address)) = line.split_once("listening on ") {
                let address = address.trim().to_owned();
                return Ok(Self { process, stdout, address });
            }
            if let Some((_, refusal)) = line.split_once("refused to start: ") {
                process.wait().unwrap();
                return Err(refusal.trim().to_owned());
            }
            line.clear();
        }
        process.wait().unwrap();
        Err("the server ended without a word".to_owned())
    }

    /// Kills the server as a crash would.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Asks the server to stop; answers with how it ended and what else it printed.
    pub fn terminate(mut self) -> (ExitStatus, String) {
        kill(Pid::from_raw(self.process.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (self.process.wait().unwrap(), rest)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
