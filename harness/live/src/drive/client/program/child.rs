//! The process of a program: its own group, so that nothing of it is left, and a task that reads its words.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::io::unix::AsyncFd;
use tokio::process::{ChildStdin, Command};
use tokio::task::JoinHandle;

use super::planted::Task;
use super::watch::Watch;
use super::{Launch, Started};
use crate::bounds;
use crate::lane::Endpoint;
use crate::process::spawn;

/// The file in its data directory that takes what it writes to its standard error.
const STDERR: &str = "stderr.log";

pub(super) enum Child {
    Process(Process),
    Planted(Task),
}

pub(super) struct Process {
    group: Group,
    stdin: ChildStdin,
    reader: JoinHandle<()>,
}

/// Kills all its processes when it is dropped, also those that have left the group.
struct Group(Pid);

impl Drop for Group {
    fn drop(&mut self) {
        let below = below(self.0);
        // They may be gone already.
        let _ = killpg(self.0, Signal::SIGKILL);
        for process in below {
            let _ = kill(process, Signal::SIGKILL);
        }
    }
}

/// The processes that a process started, and those that they started; none where the system does not list them.
fn below(root: Pid) -> Vec<Pid> {
    let parent_of = |pid: Pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok().map(Pid::from_raw)
    };
    let listed = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = listed.filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Pid::from_raw));
    let all: Vec<(Pid, Pid)> = pids.filter_map(|pid| Some((pid, parent_of(pid)?))).collect();
    let mut found = vec![root];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        found.extend(all.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        at += 1;
    }
    found.split_off(1)
}

impl Child {
    pub(super) async fn start(launch: &Launch, endpoint: &Endpoint, watch: &Arc<Watch>) -> Result<Child, String> {
        match &launch.what {
            Started::Process { command, cwd, tied_by } => {
                let stderr = launch.data_dir.join(STDERR);
                let started = Process::start(command, (cwd, tied_by.as_deref(), &stderr), watch).await;
                let cause = |error| format!("its program can't be started (`{}`): {error}", command.join(" "));
                started.map(Child::Process).map_err(cause)
            }
            Started::Planted(planted) => {
                watch.started(None);
                Ok(Child::Planted(Task::start(planted, endpoint.clone(), &launch.data_dir, watch)))
            }
        }
    }

    /// Writes a line. A program that is gone is noticed where its words are read.
    pub(super) async fn tell(&mut self, line: &Value) {
        match self {
            Child::Process(process) => process.tell(line).await,
            Child::Planted(task) => task.tell(line),
        }
    }

    /// Kills it, and reads what it had said before.
    pub(super) async fn kill(self) {
        match self {
            Child::Process(process) => {
                let Process { group, mut reader, .. } = process;
                drop(group);
                // Who else may hold its output is not waited for.
                if bounds::STOP.within(&mut reader).await.is_err() {
                    reader.abort();
                }
            }
            Child::Planted(task) => task.kill().await,
        }
    }
}

impl Process {
    async fn start(
        command: &[String],
        (cwd, tied_by, stderr): (&Path, Option<&Path>, &Path),
        watch: &Arc<Watch>,
    ) -> io::Result<Process> {
        let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut command = match tied_by {
            None => Command::new(program),
            Some(binary) => {
                let mut tied = Command::new(binary);
                tied.args(["tied", "--group", &std::process::id().to_string(), "--", program]);
                tied
            }
        };
        let stderr = File::options().create(true).append(true).open(stderr)?;
        command.args(arguments).current_dir(cwd).process_group(0).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr);
        let mut child = spawn(command).await?;
        let gone = || io::Error::other("it ended at once");
        let group = Group(Pid::from_raw(i32::try_from(child.id().ok_or_else(gone)?).map_err(|_| gone())?));
        let (stdin, stdout) = child.stdin.take().zip(child.stdout.take()).ok_or_else(gone)?;
        // The pipe does not block, so that both the task and the proxy can read what is there.
        let output: OwnedFd = stdout.into_owned_fd()?;
        nix::fcntl::fcntl(&output, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK))?;
        let ready = AsyncFd::new(output.try_clone()?)?;
        watch.started(Some(File::from(output)));
        let watch = watch.clone();
        let reader = tokio::spawn(async move {
            while let Ok(mut guard) = ready.readable().await {
                if watch.hear() {
                    break;
                }
                guard.clear_ready();
            }
            let ended = bounds::END.within(child.wait()).await;
            let how = match ended {
                Ok(Ok(status)) => format!("ended ({status})"),
                _ => "closed its standard output".to_owned(),
            };
            watch.gone(&how);
            let _ = child.wait().await;
        });
        Ok(Process { group, stdin, reader })
    }

    async fn tell(&mut self, line: &Value) {
        let _ = self.stdin.write_all(format!("{line}\n").as_bytes()).await;
        let _ = self.stdin.flush().await;
    }
}
