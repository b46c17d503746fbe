//! Server processes as victims: start, kill, pause, restart, and never leave one behind.

mod command;
mod durable;
mod error;
mod spawn;

use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

pub use command::{Ready, ServerCommand};
pub use durable::Durability;
pub use error::ServerError;

use crate::bounds;
use crate::proxy::{Upstream, UpstreamAddr};

/// A server process of ours, with its data directory.
#[derive(Debug)]
pub struct Server {
    command: ServerCommand,
    data_dir: PathBuf,
    log: PathBuf,
    child: Option<Child>,
    paused: bool,
    address: watch::Sender<Option<UpstreamAddr>>,
}

impl Server {
    /// A server that is not started yet. `dir` is its own: the data directory and the log lie in it.
    ///
    /// # Errors
    /// Where the directory can't be made.
    pub fn new(command: ServerCommand, dir: &Path) -> Result<Server, ServerError> {
        let data_dir = dir.join("data");
        std::fs::create_dir_all(&data_dir).map_err(|source| ServerError::Directory {
            path: data_dir.clone(),
            source,
        })?;
        let (address, _) = watch::channel(None);
        Ok(Server {
            command,
            data_dir,
            log: dir.join("server.log"),
            child: None,
            paused: false,
            address,
        })
    }

    /// Where the server is reached; `None` while it is down. A restart may bring another port.
    pub fn address(&self) -> Upstream {
        self.address.subscribe()
    }

    /// The directory that outlives a kill.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Starts the process and waits until it serves.
    ///
    /// # Errors
    /// Where it can't be started, or ends or says nothing within its bound; the error carries the end of its log.
    pub async fn start(&mut self) -> Result<(), ServerError> {
        let address = match self.launch().await {
            Ok(address) => address,
            Err(error) => {
                self.reap().await;
                return Err(error);
            }
        };
        let upstream = UpstreamAddr {
            host: address.ip().to_string(),
            port: address.port(),
            tls: false,
        };
        self.address.send_replace(Some(upstream));
        Ok(())
    }

    async fn launch(&mut self) -> Result<SocketAddr, ServerError> {
        let chosen = self.command.choose_address()?;
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.map_err(|source| ServerError::Directory {
            path: self.log.clone(),
            source,
        })?;
        let mut child = self.spawn(chosen, log).await.map_err(|source| ServerError::Spawn {
            program: self.command.program.clone(),
            source,
        })?;
        let stdout = child.stdout.take();
        self.child = Some(child);
        let ready = async {
            match self.command.ready {
                Ready::SaysListening => read_listening(stdout).await,
                Ready::AnswersHttp => wait_for_tcp(chosen).await,
            }
        };
        let child_ended = async {
            match self.child.as_mut() {
                Some(child) => child.wait().await.ok(),
                None => None,
            }
        };
        tokio::select! {
            address = ready => match address {
                Some(address) => Ok(address),
                None => Err(self.failed("it ended before it served".to_owned())),
            },
            status = child_ended => Err(self.failed(status.map_or_else(|| "it ended".to_owned(), describe_status))),
            Err(reached) = bounds::START.within(std::future::pending::<()>()) => Err(self.failed(format!("it does not take connections: {reached}"))),
        }
    }

    async fn spawn(&self, listen: SocketAddr, log: std::fs::File) -> std::io::Result<Child> {
        self.command.find_program()?;
        let stdout = match self.command.ready {
            Ready::SaysListening => Stdio::piped(),
            // Nobody reads it, and a pipe that nobody reads would one day stop the server.
            Ready::AnswersHttp => Stdio::from(log.try_clone()?),
        };
        let (program, arguments) = self.command.line(listen, &self.data_dir);
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(log)
            // A group of its own: a terminal's Ctrl-C is for us, and we end the server in good order; and what the program
            // may start itself is signalled with it.
            .process_group(0)
            .kill_on_drop(true);
        spawn::spawn(command).await
    }

    fn failed(&self, what: String) -> ServerError {
        let what = match self.command.form_in_words() {
            Some(form) => format!("{what} (it was started as `{form}`)"),
            None => what,
        };
        ServerError::NotServing {
            program: self.command.program.clone(),
            what,
            log: tail_of(&self.log),
        }
    }

    /// `kill -9`, and waits until the process is gone.
    pub async fn kill(&mut self) {
        self.address.send_replace(None);
        self.reap().await;
    }

    /// SIGSTOP: the process keeps its sockets and answers nothing.
    ///
    /// # Errors
    /// Where there is no process to pause.
    pub fn pause(&mut self) -> Result<(), ServerError> {
        self.signal(Signal::SIGSTOP)?;
        self.paused = true;
        Ok(())
    }

    /// SIGCONT.
    ///
    /// # Errors
    /// Where there is no process to resume.
    pub fn resume(&mut self) -> Result<(), ServerError> {
        self.signal(Signal::SIGCONT)?;
        self.paused = false;
        Ok(())
    }

    /// Whether the process is stopped by [`Server::pause`].
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Whether a process is there.
    pub fn is_up(&self) -> bool {
        self.child.is_some()
    }

    /// How the process ended, where it ended without being asked to.
    pub fn unasked_end(&mut self) -> Option<String> {
        let status = self.child.as_mut()?.try_wait().ok().flatten()?;
        self.child = None;
        self.address.send_replace(None);
        Some(describe_status(status))
    }

    /// Ends the process in good order, or kills it where it does not end in time.
    pub async fn stop(&mut self) {
        self.address.send_replace(None);
        if self.paused {
            // A stopped process would not see the SIGTERM.
            let _ = self.resume();
        }
        if self.signal(Signal::SIGTERM).is_ok()
            && let Some(child) = self.child.as_mut()
            && bounds::STOP.within(child.wait()).await.is_ok()
        {
            self.child = None;
            return;
        }
        self.reap().await;
    }

    async fn reap(&mut self) {
        self.paused = false;
        let _ = self.signal(Signal::SIGKILL);
        if let Some(mut child) = self.child.take() {
            let _ = child.kill().await;
        }
    }

    fn signal(&self, signal: Signal) -> Result<(), ServerError> {
        let pid = self.child.as_ref().and_then(Child::id).ok_or(ServerError::NotUp)?;
        let pid = i32::try_from(pid).map_err(|_| ServerError::NotUp)?;
        killpg(Pid::from_raw(pid), signal).map_err(|errno| ServerError::Signal {
            signal: signal.as_str(),
            errno,
        })
    }
}

impl Drop for Server {
    /// The process itself is killed by its handle; this is for what it started.
    fn drop(&mut self) {
        let _ = self.signal(Signal::SIGKILL);
    }
}

fn describe_status(status: std::process::ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with exit code {code}"),
        (None, Some(signal)) => format!("it ended by signal {signal}"),
        (None, None) => "it ended".to_owned(),
    }
}

/// Reads up to the line `listening on ADDR`, then keeps the pipe drained so that the server never blocks on it.
async fn read_listening(stdout: Option<tokio::process::ChildStdout>) -> Option<SocketAddr> {
    let mut lines = BufReader::new(stdout?).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(address) = line
            .strip_prefix("listening on ")
            .and_then(|address| address.trim().parse().ok())
        {
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Some(address);
        }
    }
    None
}

/// A server of somebody else's announces nothing: it serves once it takes connections.
async fn wait_for_tcp(address: SocketAddr) -> Option<SocketAddr> {
    loop {
        if tokio::net::TcpStream::connect(address).await.is_ok() {
            return Some(address);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn tail_of(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}

#[cfg(test)]
mod tests;
