//! The bridge: takes the rows of the outbox to the relay in their order.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use cutover_core::plan::defect::bridge::Defect;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::database::{Mark, follow};
use crate::event::{Signer, SignerError};
use crate::outbox::{Outbox, Row};
use crate::publisher::{Fate, Publisher};
use crate::settings::Settings;
use crate::state::{Parked, Shared, serve};

/// Why a bridge can't start, or ended.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the words say it")]
pub enum BridgeError {
    #[error("can't listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error(transparent)]
    Signer(#[from] SignerError),
}

/// A bridge that listens.
#[derive(Debug)]
pub struct Bridge {
    settings: Arc<Settings>,
    listener: TcpListener,
    signer: Signer,
}

impl Bridge {
    /// Binds the address where the bridge tells how far it is.
    ///
    /// # Errors
    /// Where the address is taken, or the secret key is none.
    pub async fn bind(settings: Settings) -> Result<Bridge, BridgeError> {
        let signer = Signer::new(&settings.secret_key, &settings.defects)?;
        let address = settings.listen;
        let bound = TcpListener::bind(address).await;
        let listener = bound.map_err(|source| BridgeError::Listen { address, source })?;
        Ok(Bridge { settings: Arc::new(settings), listener, signer })
    }

    #[allow(missing_docs, reason = "the name says it")]
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr().unwrap_or(self.settings.listen)
    }

    /// Runs until the future ends. What is then under way is sent again after the next start.
    pub async fn run(self, stopped: impl Future<Output = ()>) {
        let Bridge { settings, listener, signer } = self;
        let (known, outbox) = watch::channel(Outbox::default());
        let (marks, to_mark) = mpsc::unbounded_channel();
        let shared = Shared::default();
        let carrying = Carrying {
            publisher: Publisher::new(settings.clone()),
            done: BTreeSet::new(),
            first: first_to_send(&settings),
            signer,
            marks,
            shared: shared.clone(),
            settings: settings.clone(),
            marked: None,
        };
        tokio::select! {
            () = stopped => {}
            () = follow(settings, known, to_mark) => {}
            () = carrying.run(outbox) => {}
            _ = serve(listener, shared) => {}
        }
    }
}

struct Carrying {
    settings: Arc<Settings>,
    signer: Signer,
    publisher: Publisher,
    marks: mpsc::UnboundedSender<Mark>,
    shared: Shared,
    /// The positions that were sent or parked since the start.
    done: BTreeSet<u64>,
    first: u64,
    /// The id of the event that was marked last.
    marked: Option<String>,
}

impl Carrying {
    async fn run(mut self, mut outbox: watch::Receiver<Outbox>) {
        loop {
            let next = self.next(&outbox.borrow_and_update());
            match next {
                Some(row) => self.carry(&row).await,
                None if outbox.changed().await.is_err() => return,
                None => {}
            }
        }
    }

    fn next(&self, outbox: &Outbox) -> Option<Row> {
        if self.settings.has(Defect::ForgetsWhatItRead) {
            let _ = std::fs::write(read_file(&self.settings), outbox.last().to_string());
        }
        let is_next = |row: &&Row| row.position >= self.first && !self.done.contains(&row.position);
        let mut waiting = outbox.waiting().filter(is_next);
        match self.settings.has(Defect::NewestFirst) {
            true => waiting.next_back().cloned(),
            false => waiting.next().cloned(),
        }
    }

    async fn carry(&mut self, row: &Row) {
        let fate = match self.signer.event(row) {
            Ok(event) if self.settings.has(Defect::MarksEarly) => {
                self.mark(row, &event.id.to_hex());
                self.publisher.send_once(&event).await;
                Fate::Forgotten
            }
            Ok(event) => {
                let fate = self.publisher.deliver(&event).await;
                if fate == Fate::Sent {
                    self.mark(row, &event.id.to_hex());
                }
                fate
            }
            Err(error) => Fate::Parked(error.to_string()),
        };
        self.done.insert(row.position);
        match fate {
            Fate::Sent => self.shared.note(|progress| progress.sent += 1),
            Fate::Parked(why) => {
                eprintln!("parked {} at position {}: {why}", row.key, row.position);
                let parked = Parked { key: row.key.clone(), position: row.position, why };
                self.shared.note(|progress| progress.parked.push(parked));
            }
            Fate::Forgotten => {}
        }
    }

    fn mark(&mut self, row: &Row, id: &str) {
        let before = self.marked.replace(id.to_owned()).filter(|_| self.settings.has(Defect::MarksWithAnotherId));
        let mark = Mark { key: row.key.clone(), relay_event_id: before.unwrap_or_else(|| id.to_owned()) };
        let _ = self.marks.send(mark);
    }
}

fn read_file(settings: &Settings) -> PathBuf {
    settings.data_dir.join("read")
}

fn first_to_send(settings: &Settings) -> u64 {
    let read = std::fs::read_to_string(read_file(settings)).ok();
    read.and_then(|text| text.parse::<u64>().ok()).map_or(0, |last| last + 1)
}
