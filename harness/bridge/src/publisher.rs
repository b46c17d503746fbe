//! Sends events to the relay, one after the other, and reads its answers.

use std::sync::Arc;
use std::time::Duration;

use cutover_core::plan::defect::bridge::Defect;
use futures_util::{SinkExt, StreamExt};
use nostr::{ClientMessage, Event, JsonUtil};
use serde_json::Value;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::database::Socket;
use crate::settings::Settings;

/// How often the wait for an answer is doubled.
const MOST_DOUBLINGS: u32 = 2;

/// What becomes of an event.
#[derive(Debug, PartialEq, Eq)]
pub enum Fate {
    /// The relay has it.
    Sent,
    /// The relay will not take it; its words.
    Parked(String),
    /// A planted defect gave it up.
    Forgotten,
}

/// What the relay said to an event.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Has,
    /// The relay refuses the event for now.
    Later(String),
    /// Not this event, however often it comes.
    Never(String),
}

pub struct Publisher {
    settings: Arc<Settings>,
    socket: Option<Socket>,
}

impl Publisher {
    pub fn new(settings: Arc<Settings>) -> Publisher {
        Publisher { settings, socket: None }
    }

    /// Sends an event until the relay has it or will not take it. While the relay is down, or gives no answer that can
    /// be read, that takes as long as it takes.
    pub async fn deliver(&mut self, event: &Event) -> Fate {
        let (mut failures, mut refusals) = (0, 0);
        loop {
            match self.send(event, failures).await {
                Ok(Told::Has) => return Fate::Sent,
                Ok(Told::Never(_)) if self.settings.has(Defect::StopsAtBlocked) => std::future::pending().await,
                Ok(Told::Never(why)) => return Fate::Parked(why),
                Ok(Told::Later(_)) if self.settings.has(Defect::ForgetsRefused) => return Fate::Forgotten,
                Ok(Told::Later(why)) => {
                    refusals += 1;
                    if refusals >= self.settings.attempts {
                        return Fate::Parked(why);
                    }
                }
                Err(why) => {
                    self.socket = None;
                    if failures == 0 {
                        eprintln!("the relay: {why}");
                    }
                }
            }
            failures += 1;
            tokio::time::sleep(self.settings.wait(failures)).await;
        }
    }

    /// Sends an event once; an error where the relay gives no answer to it.
    pub async fn send_once(&mut self, event: &Event) {
        if self.send(event, 0).await.is_err() {
            self.socket = None;
        }
    }

    /// Sends an event, and waits longer for the answer where it failed before.
    async fn send(&mut self, event: &Event, failures: u32) -> Result<Told, String> {
        let within = self.settings.answer_within * 2_u32.pow(failures.min(MOST_DOUBLINGS));
        bounded(within, "it takes no connection", self.open()).await?;
        let socket = self.socket.as_mut().ok_or("there is no connection")?;
        let text = ClientMessage::event(event.clone()).as_json();
        socket.send(Message::text(text)).await.map_err(|error| error.to_string())?;
        bounded(within, "it does not answer", answer_to(socket, &event.id.to_hex())).await
    }

    async fn open(&mut self) -> Result<(), String> {
        if self.socket.is_none() {
            let (socket, _) = connect_async(self.settings.relay.as_str()).await.map_err(|error| error.to_string())?;
            self.socket = Some(socket);
        }
        Ok(())
    }
}

async fn bounded<T>(
    within: Duration,
    otherwise: &str,
    future: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    tokio::time::timeout(within, future).await.unwrap_or_else(|_| Err(otherwise.to_owned()))
}

/// Reads until the answer to an event comes. What is no answer to it is passed over.
async fn answer_to(socket: &mut Socket, id: &str) -> Result<Told, String> {
    while let Some(message) = socket.next().await {
        if let Message::Text(text) = message.map_err(|error| error.to_string())?
            && let Some(told) = told(text.as_str(), id)
        {
            return Ok(told);
        }
    }
    Err("it closed the connection".to_owned())
}

/// Reads an `OK` of NIP-01. Its third value decides, not its words; the words say whether it is worth another attempt.
fn told(text: &str, id: &str) -> Option<Told> {
    let message: Value = serde_json::from_str(text).ok()?;
    let [kind, event_id, accepted, words] = message.as_array()?.as_slice() else { return None };
    if kind != "OK" || event_id != id {
        return None;
    }
    let words = words.as_str()?;
    let prefix = words.split_once(':').map_or(words, |(prefix, _)| prefix);
    match (accepted.as_bool()?, prefix) {
        (true, _) | (false, "duplicate") => Some(Told::Has),
        (false, "blocked" | "invalid" | "restricted" | "mute" | "pow" | "auth-required") => {
            Some(Told::Never(words.to_owned()))
        }
        (false, _) => Some(Told::Later(words.to_owned())),
    }
}

#[cfg(test)]
mod tests;
