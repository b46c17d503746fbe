//! A real Nostr relay inside this program, behind a front that records what arrives and can spoil the answers.
//!
//! The relay of `nostr-relay-builder` judges and keeps the events. The front is a stand-in where a mood asks for
//! answers that the relay does not give: `limiting`, `failing` and `garbling` answer in its place, `silent` keeps its
//! answer back. What the relay keeps survives its time down.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cutover_core::hash::sha256;
use cutover_core::history::{Arrival, RelayAnswer};
use cutover_core::plan::Mood;
use futures_util::{SinkExt, StreamExt};
use nostr::util::BoxedFuture;
use nostr::{Event, JsonUtil};
use nostr_relay_builder::builder::{PolicyResult, RateLimit, WritePolicy};
use nostr_relay_builder::{LocalRelay, RelayBuilder};
use serde_json::Value;
use tokio::io::DuplexStream;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::{WebSocketStream, accept_async};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::event::{KEY_TAG, POSITION_TAG, STREAM_TAG, tag_of};

/// How long the front waits for the relay behind it.
const JUDGED_WITHIN: Duration = Duration::from_secs(10);
const PIPE_BYTES: usize = 1 << 16;

/// A relay that can be taken down and put into moods.
#[derive(Debug)]
pub struct Relay {
    front: Front,
    up: Option<DropGuard>,
}

#[derive(Debug, Clone)]
struct Front {
    relay: LocalRelay,
    mood: Arc<Mutex<Mood>>,
    arrivals: mpsc::UnboundedSender<Arrival>,
}

/// Blocks all events while the mood is `blocking`.
#[derive(Debug)]
struct Policy(Arc<Mutex<Mood>>);

impl WritePolicy for Policy {
    fn admit_event<'a>(&'a self, _: &'a Event, _: &'a SocketAddr) -> BoxedFuture<'a, PolicyResult> {
        let blocks = mood_of(&self.0) == Mood::Blocking;
        Box::pin(async move {
            match blocks {
                true => PolicyResult::Reject("not welcome here".to_owned()),
                false => PolicyResult::Accept,
            }
        })
    }
}

impl Relay {
    /// A relay that is down, in a good mood. Each event that arrives goes to `arrivals`, in order.
    #[must_use]
    pub fn new(arrivals: mpsc::UnboundedSender<Arrival>) -> Relay {
        let mood = Arc::new(Mutex::new(Mood::Well));
        let limit = RateLimit { notes_per_minute: u32::MAX / 2, ..RateLimit::default() };
        let builder = RelayBuilder::default().rate_limit(limit).write_policy(Policy(mood.clone()));
        Relay { front: Front { relay: LocalRelay::new(builder), mood, arrivals }, up: None }
    }

    /// Takes connections. Returns where.
    ///
    /// # Errors
    /// Where there is no port.
    pub async fn up(&mut self) -> std::io::Result<SocketAddr> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let cancel = CancellationToken::new();
        tokio::spawn(self.front.clone().serve(listener, cancel.clone()));
        self.up = Some(cancel.drop_guard());
        Ok(address)
    }

    /// Ends all connections and takes no more.
    pub fn down(&mut self) {
        self.up = None;
    }

    #[allow(missing_docs, reason = "the name says it")]
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.up.is_some()
    }

    /// Sets how events are answered from now on.
    pub fn set_mood(&self, mood: Mood) {
        *self.front.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    }
}

fn mood_of(mood: &Mutex<Mood>) -> Mood {
    *mood.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Front {
    async fn serve(self, listener: TcpListener, cancel: CancellationToken) {
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                Ok((stream, from)) = listener.accept() => {
                    let (front, cancel) = (self.clone(), cancel.clone());
                    tokio::spawn(async move {
                        tokio::select! {
                            () = cancel.cancelled() => {}
                            _ = front.connection(stream, from) => {}
                        }
                    });
                }
            }
        }
    }

    /// Serves one connection; ends with it.
    async fn connection(&self, stream: TcpStream, from: SocketAddr) -> Option<()> {
        let _ = stream.set_nodelay(true);
        let mut client = accept_async(stream).await.ok()?;
        let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
        let relay = self.relay.clone();
        let behind = tokio::spawn(async move {
            let _ = relay.take_connection(theirs, from).await;
        });
        let mut behind_it = WebSocketStream::from_raw_socket(ours, Role::Client, None).await;
        while let Some(Ok(message)) = client.next().await {
            if let Message::Text(text) = message {
                for answer in self.answers(text.as_str(), &mut behind_it).await? {
                    client.send(answer).await.ok()?;
                }
            }
        }
        behind.abort();
        Some(())
    }

    async fn answers(&self, text: &str, relay: &mut WebSocketStream<DuplexStream>) -> Option<Vec<Message>> {
        let mood = mood_of(&self.mood);
        let message: Value = serde_json::from_str(text).unwrap_or_default();
        let event = message.get(1).filter(|_| message.get(0).is_some_and(|kind| kind == "EVENT"));
        let id = event.and_then(|event| event.get("id")?.as_str()).unwrap_or_default().to_owned();
        let refused = |words: &str| (refusal(&id, words), RelayAnswer::Refused { why: words.to_owned() });
        let (answer, judged) = match mood {
            Mood::Limiting => refused("rate-limited: slow down"),
            Mood::Failing => refused("error: the store is not available"),
            Mood::Garbling => (String::new(), RelayAnswer::Garbage),
            Mood::Well | Mood::Blocking | Mood::Silent => {
                relay.send(Message::text(text)).await.ok()?;
                let answer = tokio::time::timeout(JUDGED_WITHIN, relay.next()).await.ok()??.ok()?;
                let answer = answer.into_text().ok()?.to_string();
                let judged = judged(&answer);
                (answer, judged)
            }
        };
        if let Some(event) = event {
            let told = !matches!(mood, Mood::Silent | Mood::Garbling);
            let _ = self.arrivals.send(arrival(event, judged, told));
        }
        Some(match mood {
            Mood::Silent => Vec::new(),
            Mood::Garbling => garbage(&id),
            _ => vec![Message::text(answer)],
        })
    }
}

fn refusal(id: &str, words: &str) -> String {
    serde_json::json!(["OK", id, false, words]).to_string()
}

fn judged(answer: &str) -> RelayAnswer {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    let words = answer.get(3).and_then(Value::as_str).unwrap_or_default();
    match answer.get(2).and_then(Value::as_bool) {
        Some(true) if words.starts_with("duplicate") => RelayAnswer::Duplicate,
        Some(true) => RelayAnswer::Stored,
        _ => RelayAnswer::Refused { why: words.to_owned() },
    }
}

fn arrival(event: &Value, answer: RelayAnswer, told: bool) -> Arrival {
    let word = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let content = event.get("content").and_then(Value::as_str).unwrap_or_default();
    let wrong = match Event::from_json(event.to_string()) {
        Err(error) => Some(error.to_string()),
        Ok(event) if !event.verify_id() => Some("its id is not its hash".to_owned()),
        Ok(event) if !event.verify_signature() => Some("its signature is not its own".to_owned()),
        Ok(_) => None,
    };
    Arrival {
        id: word(event.get("id").and_then(Value::as_str)),
        key: word(tag_of(event, KEY_TAG)),
        stream: word(tag_of(event, STREAM_TAG)),
        position: tag_of(event, POSITION_TAG).and_then(|text| text.parse().ok()).unwrap_or_default(),
        content: sha256(content.as_bytes()),
        wrong,
        answer,
        told,
    }
}

/// Answers that are none.
fn garbage(id: &str) -> Vec<Message> {
    let other = "0".repeat(64);
    let texts = [
        "no JSON at all".to_owned(),
        String::new(),
        r#"{"OK":true}"#.to_owned(),
        r#"["OK"]"#.to_owned(),
        format!(r#"["OK","{other}",true,""]"#),
        format!(r#"["OK","{id}","true",""]"#),
        format!(r#"["OK","{id}",true"#),
        format!(r#"["EVENT","{id}",{{}}]"#),
        format!(r#"["NOTICE","{id} true"]"#),
        "[".repeat(10_000),
    ];
    let texts = texts.into_iter().map(Message::text);
    texts.chain([Message::binary(vec![0xff; 64])]).collect()
}
