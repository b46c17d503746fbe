//! Server processes: start, kill, pause and restart them, and never leave one behind.

pub mod backup;
mod command;
mod durable;
mod error;
mod log;
mod running;
mod spawn;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::{mpsc, watch};

pub use command::ServerCommand;
pub use error::ServerError;
use log::tail_of;
use running::Running;
pub(crate) use spawn::spawn;

use crate::bounds;
use crate::proxy::{Upstream, UpstreamAddr};

/// Where the end of a server is reported that ended by itself after it served.
pub type ExitReports = mpsc::UnboundedSender<UnexpectedExit>;

#[derive(Debug)]
pub struct UnexpectedExit {
    pub lane: &'static str,
    pub error: ServerError,
}

#[derive(Debug)]
pub struct Server {
    command: ServerCommand,
    data_dir: PathBuf,
    /// Its directory for temporary files, inside ours, so that nothing is left behind.
    temp_dir: PathBuf,
    log: PathBuf,
    running: Option<Running>,
    paused: bool,
    address: watch::Sender<Option<UpstreamAddr>>,
    exit_reports: Option<(&'static str, ExitReports)>,
}

impl Server {
    /// A server that is not started yet. `dir` is its own: the data directory and the log lie in it.
    pub fn new(command: ServerCommand, dir: &Path) -> Result<Server, ServerError> {
        let absolute = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        let (data_dir, temp_dir) = (absolute.join("data"), absolute.join("tmp"));
        for path in [&data_dir, &temp_dir] {
            std::fs::create_dir_all(path).map_err(|source| ServerError::Directory { path: path.clone(), source })?;
        }
        let (address, _) = watch::channel(None);
        Ok(Server {
            command,
            data_dir,
            temp_dir,
            log: absolute.join("server.log"),
            running: None,
            paused: false,
            address,
            exit_reports: None,
        })
    }

    #[must_use]
    pub fn reporting(mut self, lane: &'static str, exit_reports: ExitReports) -> Server {
        self.exit_reports = Some((lane, exit_reports));
        self
    }

    /// Where the server is reached; `None` while it is down. A restart may bring another port.
    pub fn address(&self) -> Upstream {
        self.address.subscribe()
    }

    pub async fn wait_until_durable(&self, key: Option<&str>) -> Result<(), ServerError> {
        self.command.durability().wait_for(&self.data_dir, key).await
    }

    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// A server of the same kind that is not started yet. `dir` is its own, and may have a data directory already.
    pub fn another(&self, dir: &Path) -> Result<Server, ServerError> {
        let server = Server::new(self.command.clone(), dir)?;
        // The cache of compiled modules, which the servers of a run share.
        if let Ok(shared) = std::fs::read_link(self.data_dir.join("cache")) {
            let link = server.data_dir.join("cache");
            std::os::unix::fs::symlink(shared, &link)
                .map_err(|source| ServerError::Directory { path: link.clone(), source })?;
        }
        Ok(server)
    }

    /// Starts the process and waits until it serves. Returns its address.
    ///
    /// # Errors
    /// Where it can't be started, or ends or says nothing within its bound; the error carries the end of its log.
    pub async fn start(&mut self) -> Result<SocketAddr, ServerError> {
        let address = match self.launch().await {
            Ok(address) => address,
            Err(error) => {
                self.reap().await;
                return Err(error);
            }
        };
        let upstream = UpstreamAddr::plain(address);
        self.address.send_replace(Some(upstream));
        self.watch();
        Ok(address)
    }

    async fn launch(&mut self) -> Result<SocketAddr, ServerError> {
        let chosen = self.command.choose_address()?;
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.map_err(|source| ServerError::Directory { path: self.log.clone(), source })?;
        let mut child = self
            .spawn(chosen, log)
            .await
            .map_err(|source| ServerError::Spawn { program: self.command.program.clone(), source })?;
        let stdout = child.stdout.take();
        let running = Running::new(child).ok_or_else(|| self.failed("it ended at once"))?;
        let running = self.running.insert(running);
        let ready = async {
            match self.command.says_listening() {
                true => read_listening(stdout).await,
                false => wait_for_tcp(chosen).await,
            }
        };
        let what = tokio::select! {
            address = ready => match address {
                Some(address) => return Ok(address),
                None => {
                    let ended = bounds::END.within(running.end()).await;
                    ended.unwrap_or_else(|_| "it closed its output and says no address".to_owned())
                }
            },
            end = running.end() => end,
            Err(reached) = bounds::START.within(std::future::pending::<()>()) => {
                format!("it does not take connections: {reached}")
            }
        };
        Err(self.failed(&what))
    }

    /// Reports the end of the process that serves now, where it ends by itself.
    fn watch(&self) {
        let (Some(running), Some((lane, exit_reports))) = (&self.running, self.exit_reports.clone()) else {
            return;
        };
        let (program, log, end) = (self.command.program.clone(), self.log.clone(), running.unasked_end());
        tokio::spawn(async move {
            tokio::select! {
                // The run is over.
                () = exit_reports.closed() => {}
                end = end => {
                    let log = tail_of(&log);
                    let error = ServerError::Died { program, end, log };
                    let _ = exit_reports.send(UnexpectedExit { lane, error });
                }
            }
        });
    }

    async fn spawn(&self, listen: SocketAddr, log: std::fs::File) -> std::io::Result<Child> {
        self.command.find_program()?;
        let stdout = match self.command.says_listening() {
            true => Stdio::piped(),
            // A full pipe that is never read would stop the server.
            false => Stdio::from(log.try_clone()?),
        };
        let (program, arguments) = self.command.line(listen, &self.data_dir);
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("TMPDIR", &self.temp_dir)
            // The server must not see the tokens of a lane.
            .env_remove("CUTOVER_LEGACY_TOKEN")
            .env_remove("CUTOVER_CANDIDATE_TOKEN")
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(log)
            // A group of its own: a terminal's Ctrl-C is for us, and we end the server in good order; and what the
            // program may start itself is signalled with it.
            .process_group(0)
            .kill_on_drop(true);
        spawn::spawn(command).await
    }

    fn failed(&self, what: &str) -> ServerError {
        let what = match self.command.form_in_words() {
            Some(form) => format!("{what} (it was started as `{form}`)"),
            None => what.to_owned(),
        };
        ServerError::NotServing { program: self.command.program.clone(), what, log: tail_of(&self.log) }
    }

    /// `kill -9`, and waits until the process is gone.
    pub async fn kill(&mut self) {
        self.address.send_replace(None);
        self.reap().await;
    }

    /// SIGSTOP: the process keeps its sockets and answers nothing.
    pub fn pause(&mut self) -> Result<(), ServerError> {
        self.signal(Signal::SIGSTOP)?;
        self.paused = true;
        Ok(())
    }

    /// SIGCONT.
    pub fn resume(&mut self) -> Result<(), ServerError> {
        self.signal(Signal::SIGCONT)?;
        self.paused = false;
        Ok(())
    }

    pub fn is_paused(&self) -> bool {
        self.paused
    }

    pub fn is_up(&self) -> bool {
        self.running.is_some()
    }

    pub fn unasked_end(&mut self) -> Option<String> {
        let end = self.running.as_ref()?.ended()?;
        self.running = None;
        self.address.send_replace(None);
        Some(end)
    }

    pub async fn stop(&mut self) {
        self.address.send_replace(None);
        if self.paused {
            // A stopped process would not see the signal.
            let _ = self.resume();
        }
        if let Some(running) = &self.running {
            running.ask_to_end();
            let signal = running.orderly_signal().unwrap_or(self.command.orderly_signal());
            if running.signal(signal).is_ok() {
                let _ = bounds::STOP.within(running.end()).await;
            }
        }
        self.reap().await;
    }

    async fn reap(&mut self) {
        self.paused = false;
        if let Some(running) = self.running.take() {
            running.ask_to_end();
            let _ = running.signal(Signal::SIGKILL);
            running.end().await;
        }
    }

    fn signal(&self, signal: Signal) -> Result<(), ServerError> {
        self.running.as_ref().ok_or(ServerError::NotUp)?.signal(signal)
    }
}

/// Reads up to the line `listening on ADDR`, then keeps the pipe drained so that the server never blocks on it.
async fn read_listening(stdout: Option<ChildStdout>) -> Option<SocketAddr> {
    let mut lines = BufReader::new(stdout?).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(address) = line.strip_prefix("listening on ").and_then(|address| address.trim().parse().ok()) {
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Some(address);
        }
    }
    None
}

/// A server of the user prints no address. It is ready when it accepts connections.
async fn wait_for_tcp(address: SocketAddr) -> Option<SocketAddr> {
    loop {
        if tokio::net::TcpStream::connect(address).await.is_ok() {
            return Some(address);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[cfg(test)]
mod tests;
