//! A started process: it takes signals, and a task waits for its end.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::Child;
use tokio::sync::watch;

use super::ServerError;

/// A process of ours, the leader of a group of its own.
#[derive(Debug)]
pub(super) struct Running {
    pid: Pid,
    ended: watch::Receiver<Option<String>>,
    /// Whether we ended it, or began to.
    asked: Arc<AtomicBool>,
}

impl Running {
    /// Takes a process that was just started. Where this is dropped, the group is killed.
    pub(super) fn new(mut child: Child) -> Option<Running> {
        let pid = Pid::from_raw(i32::try_from(child.id()?).ok()?);
        let (tell, ended) = watch::channel(None);
        tokio::spawn(async move {
            let end = match child.wait().await {
                Ok(status) => in_words(status),
                Err(error) => format!("it can't be waited for: {error}"),
            };
            tell.send_replace(Some(end));
        });
        Some(Running { pid, ended, asked: Arc::default() })
    }

    pub(super) fn ended(&self) -> Option<String> {
        self.ended.borrow().clone()
    }

    pub(super) async fn end(&self) -> String {
        let mut ended = self.ended.clone();
        let end = ended.wait_for(Option::is_some).await;
        end.ok().and_then(|end| end.clone()).unwrap_or_default()
    }

    pub(super) fn unasked_end(&self) -> impl Future<Output = String> + Send + 'static {
        let (mut ended, asked) = (self.ended.clone(), self.asked.clone());
        async move {
            let end = ended.wait_for(Option::is_some).await.ok().and_then(|end| end.clone());
            match end {
                Some(end) if !asked.load(Ordering::SeqCst) => end,
                // Also where the runtime that waits for it ends.
                _ => std::future::pending().await,
            }
        }
    }

    pub(super) fn ask_to_end(&self) {
        self.asked.store(true, Ordering::SeqCst);
    }

    pub(super) fn signal(&self, signal: Signal) -> Result<(), ServerError> {
        if self.ended.borrow().is_some() {
            return Err(ServerError::NotUp);
        }
        killpg(self.pid, signal).map_err(|errno| ServerError::Signal { signal: signal.as_str(), errno })
    }

    /// The signal at which it ends in good order: the one of SIGTERM and SIGINT that it handles, according to the
    /// system.
    /// `None` where it handles neither, or the system does not show it.
    pub(super) fn orderly_signal(&self) -> Option<Signal> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
        let caught = u64::from_str_radix(caught.trim(), 16).ok()?;
        let handles = |signal: &Signal| caught & (1 << (*signal as i32 - 1)) != 0;
        [Signal::SIGTERM, Signal::SIGINT].into_iter().find(handles)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ask_to_end();
        let _ = self.signal(Signal::SIGKILL);
    }
}

fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with exit code {code}"),
        (None, Some(signal)) => format!("it ended by signal {signal}"),
        (None, None) => "it ended".to_owned(),
    }
}
