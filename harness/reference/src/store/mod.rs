//! The store: one writer with a journal, and a view of the durable events that all readers share.

mod command;
mod hub;
mod model;
mod rate;
mod record;
mod view;
mod writer;

use std::path::PathBuf;
use std::sync::{Arc, RwLock, RwLockReadGuard};
use std::thread::JoinHandle;
use std::{fs, io};

use tokio::sync::{mpsc, oneshot};

use self::command::Command;
pub(crate) use self::command::{Publish, Published, Refused};
pub(crate) use self::hub::{Hub, Mailbox};
pub(crate) use self::record::Record;
pub(crate) use self::view::{Event, View};
use crate::config::Config;
use crate::defects::Defect;
use crate::journal::{Journal, JournalError};
use crate::plant;
use crate::topics::TopicPolicy;

/// How many commands may wait for the writer: beyond that, publishers wait.
const COMMAND_QUEUE: usize = 1024;

#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum StoreError {
    #[error("cannot use the data directory {}: {source}", path.display())]
    Dir { path: PathBuf, source: io::Error },
    #[error(
        "the data directory {} is in use by another server: stop that one, or take another directory",
        path.display()
    )]
    Locked { path: PathBuf },
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("cannot start the writer: {0}")]
    Writer(io::Error),
}

pub(crate) struct Store {
    view: Arc<RwLock<View>>,
    hub: Arc<Hub>,
    commands: mpsc::Sender<Command>,
    writer: std::sync::Mutex<Option<JoinHandle<()>>>,
    _lock: fs::File,
    pub torn_bytes: u64,
}

impl Store {
    pub(crate) fn open(config: &Arc<Config>) -> Result<Self, StoreError> {
        let lock = lock_dir(&config.data_dir)?;
        let path = config.data_dir.join("journal.log");
        let opened = Journal::open(&path, config.defects.has(Defect::AckBeforeJournal))?;
        let (mut journal, mut model, mut view) =
            (opened.journal, model::Model::new(config.clone()), View::new(config.clone()));
        let mut forgotten = None;
        for (offset, body) in &opened.records {
            let record = record::decode(body).map_err(|what| JournalError::Corrupt {
                path: path.clone(),
                offset: *offset,
                what: format!("the record cannot be read: {what}"),
            })?;
            let record = plant::reopened(record, &config.defects);
            forgotten = plant::pruned_head(&record, &config.defects);
            model.apply(&record).map_err(|what| JournalError::Corrupt { path: path.clone(), offset: *offset, what })?;
            view.apply(record);
        }
        if !opened.records.is_empty()
            && let Some(record) = model.planted_forgetting(forgotten)
        {
            journal.append(&record::encode(&record));
            journal.commit()?;
            // It always applies: it names a topic that is there.
            let _ = model.apply(&record);
            view.apply(record);
        }
        let (view, hub) = (Arc::new(RwLock::new(view)), Arc::new(Hub::default()));
        let (commands, queue) = mpsc::channel(COMMAND_QUEUE);
        let writer = writer::Writer::new(model, journal, view.clone(), hub.clone());
        let writer = std::thread::Builder::new()
            .name("journal-writer".to_owned())
            .spawn(move || writer.run(queue))
            .map_err(StoreError::Writer)?;
        let writer = std::sync::Mutex::new(Some(writer));
        Ok(Self { view, hub, commands, writer, _lock: lock, torn_bytes: opened.torn_bytes })
    }

    /// The durable events. Hold the guard for one look-up only.
    pub(crate) fn view(&self) -> RwLockReadGuard<'_, View> {
        self.view.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Appends an event; returns once it is in the journal.
    pub(crate) async fn publish(&self, publish: Publish) -> Result<Published, Refused> {
        self.ask(|reply| Command::Publish(publish, reply)).await
    }

    /// Merges a policy into a topic's; returns once it is in the journal.
    pub(crate) async fn set_policy(&self, topic: String, change: TopicPolicy) -> Result<(), Refused> {
        self.ask(|reply| Command::SetPolicy(topic, change, reply)).await
    }

    /// Revokes a token and notifies its sockets; returns once it is in the journal.
    pub(crate) async fn revoke(&self, jti: String) -> Result<(), Refused> {
        self.ask(|reply| Command::Revoke(jti, reply)).await
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<Result<T, Refused>>) -> Command) -> Result<T, Refused> {
        let gone = || Refused::Unavailable("the server is stopping".to_owned());
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    pub(crate) async fn close(&self) {
        // Where the queue is closed the writer has ended, and only its thread is left to join.
        let _ = self.commands.send(Command::Stop).await;
        let writer = self.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(writer) = writer {
            let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        }
    }
}

fn lock_dir(dir: &std::path::Path) -> Result<fs::File, StoreError> {
    let failed = |source| StoreError::Dir { path: dir.to_owned(), source };
    fs::create_dir_all(dir).map_err(failed)?;
    let lock =
        fs::OpenOptions::new().write(true).create(true).truncate(false).open(dir.join("lock")).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => Err(StoreError::Locked { path: dir.to_owned() }),
        Err(fs::TryLockError::Error(source)) => Err(failed(source)),
    }
}

#[cfg(test)]
mod tests;
