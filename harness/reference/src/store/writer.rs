//! The one writer: takes the commands that wait, writes and syncs their records together, updates the view, then
//! answers.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use super::command::{Command, Published, Refused};
use super::hub::Hub;
use super::model::{Decision, Model};
use super::record::{self, Record};
use super::view::View;
use crate::journal::Journal;

const GROUP: usize = 256;
type Waiting = Box<dyn FnOnce(Result<(), Refused>) + Send>;

pub(super) struct Writer {
    model: Model,
    journal: Journal,
    view: Arc<RwLock<View>>,
    hub: Arc<Hub>,
    broken: Option<String>,
}

#[derive(Default)]
struct Group {
    records: Vec<Record>,
    waiting: Vec<Waiting>,
    is_last: bool,
}

impl Writer {
    pub(super) fn new(model: Model, journal: Journal, view: Arc<RwLock<View>>, hub: Arc<Hub>) -> Self {
        Self { model, journal, view, hub, broken: None }
    }

    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        while let Some(first) = queue.blocking_recv() {
            let mut group = Group::default();
            self.take(first, &mut group);
            for _ in 1..GROUP {
                match queue.try_recv() {
                    Ok(command) if !group.is_last => self.take(command, &mut group),
                    _ => break,
                }
            }
            let is_last = group.is_last;
            self.finish(group);
            if is_last {
                break;
            }
        }
        // Acknowledged events were synced before, so a failure of the last sync concerns no answer.
        let _ = self.journal.close();
    }

    fn take(&mut self, command: Command, group: &mut Group) {
        match command {
            Command::Publish(publish, reply) => {
                let decision = match &self.broken {
                    Some(why) => Err(Refused::Unavailable(why.clone())),
                    None => self.model.decide(publish, Instant::now()),
                };
                match decision {
                    Err(refused) => answer(reply, Err(refused)),
                    Ok(Decision::Known(published)) => group.waiting.push(when_synced(reply, published)),
                    Ok(Decision::Write(record, published)) => {
                        group.records.push(record);
                        group.waiting.push(when_synced(reply, published));
                    }
                }
            }
            Command::SetPolicy(topic, change, reply) => {
                group.records.push(self.model.set_policy(topic, &change));
                group.waiting.push(Box::new(move |synced| answer(reply, synced)));
            }
            Command::Revoke(jti, reply) => {
                group.records.push(Record::Revoked { jti });
                group.waiting.push(Box::new(move |synced| answer(reply, synced)));
            }
            Command::Stop => group.is_last = true,
        }
    }

    fn finish(&mut self, group: Group) {
        let synced = self.commit(&group.records);
        if synced.is_ok() {
            self.show(group.records);
        }
        for waiting in group.waiting {
            waiting(synced.clone());
        }
    }

    fn commit(&mut self, records: &[Record]) -> Result<(), Refused> {
        if let Some(why) = &self.broken {
            return Err(Refused::Unavailable(why.clone()));
        }
        for record in records {
            self.journal.append(&record::encode(record));
        }
        self.journal.commit().map_err(|error| {
            // After a failed sync the disk's state is unknown and the model is ahead of it: nothing more is written.
            self.broken = Some(error.to_string());
            Refused::Unavailable(error.to_string())
        })
    }

    fn show(&self, records: Vec<Record>) {
        let mut topics: Vec<String> = Vec::new();
        let mut revoked = Vec::new();
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        for record in records {
            match &record {
                Record::Event { topic, .. } if !topics.contains(topic) => topics.push(topic.clone()),
                Record::Revoked { jti } => revoked.push(jti.clone()),
                _ => {}
            }
            view.apply(record);
        }
        drop(view);
        topics.iter().for_each(|topic| self.hub.announce(topic));
        revoked.iter().for_each(|jti| self.hub.revoke(jti));
    }
}

fn when_synced(reply: oneshot::Sender<Result<Published, Refused>>, published: Published) -> Waiting {
    Box::new(move |synced| answer(reply, synced.map(|()| published)))
}

/// Answers, unless the publisher has closed its connection.
fn answer<T>(reply: oneshot::Sender<T>, value: T) {
    let _ = reply.send(value);
}
