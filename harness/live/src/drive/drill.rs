//! Backups of the lane's server, and drills with them: a new server starts on a copy of a backup, beside the lane's
//! own, and what it shows is recorded. The drill's clients are like those of the script, with a history of their own:
//! only what became of them is recorded.

mod there;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cutover_core::history::{Backup, BackupFile, FileDiffers, Process, Record, Rejoined, Restored};
use cutover_core::ids::{Seq, StreamId};
use cutover_core::plan::{Copying, Damage, PlannedClient, Restore, ServerAction};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::case::Case;
use super::stack::LaneStack;
use crate::bounds;
use crate::lane::Lane;
use crate::process::backup::{self, Part};
use there::There;

type Performed = Result<(), String>;

/// The backups of a case.
pub struct Drills {
    dir: PathBuf,
    lane: Arc<dyn Lane>,
    /// The server's own authorities, for subscribers and for the writer.
    authorities: [String; 2],
    /// How many events were acknowledged.
    acknowledged: watch::Sender<u64>,
    copying: Option<(Begun, JoinHandle<std::io::Result<()>>)>,
    kept: BTreeMap<String, Kept>,
    restores: u32,
}

/// A backup that is being made.
struct Begun {
    name: String,
    dir: PathBuf,
    heads: BTreeMap<StreamId, Seq>,
    /// The key of the last event that was acknowledged before it began.
    last_key: Option<String>,
}

struct Kept {
    dir: PathBuf,
    last_key: Option<String>,
    files: Vec<BackupFile>,
}

impl Drills {
    pub fn new(stack: &LaneStack, dir: &Path, case: &str) -> Drills {
        Drills {
            dir: dir.join(format!("drills-{case}")),
            lane: stack.lane.clone(),
            authorities: [stack.socket.authority.clone(), stack.writer.authority.clone()],
            acknowledged: watch::Sender::new(0),
            copying: None,
            kept: BTreeMap::new(),
            restores: 0,
        }
    }

    pub fn lane(&self) -> Arc<dyn Lane> {
        self.lane.clone()
    }

    pub fn acknowledged(&self) {
        self.acknowledged.send_modify(|count| *count += 1);
    }
}

impl Case {
    pub(super) async fn back_up(&mut self, name: &str, copy: &Copying) -> Performed {
        let server = self.server.clone().ok_or("a server of ours to copy")?;
        let ready = server.ready_to_copy(self.last_acked.as_deref()).await;
        let from = ready.map_err(|error| format!("the server: {error}"))?;
        let to = self.drills.dir.join(format!("backup-{name}"));
        let begun = Begun {
            name: name.to_owned(),
            dir: to.clone(),
            heads: self.heads.clone(),
            last_key: self.last_acked.clone(),
        };
        match copy {
            Copying::Cold => {
                server.stop().await;
                self.recorder.record(Record::Process { process: Process::Stopped });
                self.server_loss_noticed().await?;
                let copied = in_background(move || copy_whole(&from, &to)).await;
                let started = server.apply(ServerAction::Restart, None).await;
                let process = started.map_err(|error| format!("the server: {error}"))?;
                self.recorder.record(Record::Process { process });
                copied.map_err(|error| format!("a copy of the files: {error}"))?;
                self.keep(begun).await
            }
            Copying::Hot { after } => {
                let mut acknowledged = self.drills.acknowledged.subscribe();
                let until = *acknowledged.borrow() + after;
                let task = tokio::spawn(async move {
                    let (source, target) = (from.clone(), to.clone());
                    in_background(move || backup::copy(&source, &target, Part::Rest)).await?;
                    let _ = acknowledged.wait_for(|count| *count >= until).await;
                    in_background(move || backup::copy(&from, &to, Part::Logs)).await
                });
                self.drills.copying = Some((begun, task));
                Ok(())
            }
        }
    }

    pub(super) async fn backed_up(&mut self, name: &str) -> Performed {
        let Some((begun, task)) = self.drills.copying.take_if(|(begun, _)| begun.name == name) else { return Ok(()) };
        match bounds::STEP.within(task).await {
            Ok(Ok(Ok(()))) => self.keep(begun).await,
            Ok(Ok(Err(error))) => Err(format!("a copy of the files: {error}")),
            Ok(Err(error)) => Err(format!("a copy of the files: {error}")),
            Err(reached) => Err(format!("the backup `{name}`, {reached}")),
        }
    }

    async fn keep(&mut self, begun: Begun) -> Performed {
        let Begun { name, dir, heads, last_key } = begun;
        let listed = dir.clone();
        let files = in_background(move || backup::list(&listed)).await;
        let files = files.map_err(|error| format!("the list of the files: {error}"))?;
        self.recorder.record(Record::BackedUp(Backup {
            backup: name.clone(),
            begun: heads,
            ended: self.heads.clone(),
            files: files.clone(),
        }));
        self.drills.kept.insert(name, Kept { dir, last_key, files });
        Ok(())
    }

    pub(super) async fn restore(&mut self, restore: &Restore) -> Performed {
        if !restore.is_on(self.lane) {
            return Ok(());
        }
        let server = self.server.clone().ok_or("a server of ours to restore beside")?;
        let backup = restore.backup.clone();
        self.recorder.record(Record::Restoring { backup: backup.clone() });
        self.drills.restores += 1;
        let dir = self.drills.dir.join(format!("restored-{}", self.drills.restores));
        let files = self.lay_out(restore, &dir).await.map_err(|why| format!("the files of `{backup}`: {why}"))?;
        let mut restored = Restored { backup: backup.clone(), files, ..Restored::default() };
        let mut beside = match server.beside(&dir).await {
            Ok(beside) => beside,
            Err(error) => {
                restored.refused = Some(error.to_string());
                self.recorder.record(Record::Restored(restored));
                return Ok(());
            }
        };
        let there = There::new(&self.drills, self, &beside, dir);
        let streams: Vec<_> = self.plan.streams.iter().map(|stream| stream.id.clone()).collect();
        let reader = self.plan.clients.iter().find(|client| client.refused.is_none()).cloned();
        let reader = reader.map(|client| PlannedClient { streams, ..client }).ok_or("a client that may read")?;
        match there.read(reader).await {
            Ok(streams) => restored.streams = streams,
            Err(why) => restored.refused = Some(why),
        }
        let is_served = restored.refused.is_none();
        self.recorder.record(Record::Restored(restored.clone()));
        if is_served {
            let rejoined = self.rejoin(restore, &there, &restored.streams).await;
            self.recorder.record(Record::Rejoined(Rejoined { backup, ..rejoined }));
        }
        if let Some(server) = &mut beside.server {
            server.kill().await;
        }
        Ok(())
    }

    /// Copies the files on which a new server is to start, with their damage. Returns how they differ from the list.
    async fn lay_out(&self, restore: &Restore, dir: &Path) -> Result<Vec<FileDiffers>, String> {
        let kept = |name: &str| self.drills.kept.get(name).ok_or_else(|| format!("there is no backup `{name}`"));
        let claimed = kept(&restore.backup)?;
        let source = match &restore.damage {
            Some(Damage::OlderCopy { of }) => kept(of)?,
            _ => claimed,
        };
        // A list that belongs to the files, where nothing is to be seen of the damage.
        let listed = if restore.in_silence { source.files.clone() } else { claimed.files.clone() };
        let (from, to, key) = (source.dir.clone(), dir.join("data"), claimed.last_key.clone());
        let (damage, in_silence) = (restore.damage.clone(), restore.in_silence);
        let done = in_background(move || {
            copy_whole(&from, &to)?;
            let harm = || damage.as_ref().map_or(Ok(()), |damage| backup::damage(&to, damage, key.as_deref()));
            if !in_silence {
                harm()?;
            }
            let differs = backup::compare(&listed, &to)?;
            if in_silence {
                harm()?;
            }
            Ok(differs)
        });
        done.await.map_err(|error| error.to_string())
    }
}

fn copy_whole(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    backup::copy(from, to, Part::Rest)?;
    backup::copy(from, to, Part::Logs)
}

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}
