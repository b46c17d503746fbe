//! A short session with a service, recorded: it joins, subscribes, and listens. It publishes nothing unless it is told
//! to.

use std::time::Duration;

use cutover_core::ids::StreamId;
use cutover_core::plan::Serializer;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::Heard;
use crate::bounds;
use crate::clock::wall_clock_us;
use crate::frame::Direction;
use crate::lane::names::Names;
use crate::lane::phoenix::codec::{Message, decode, encode};
use crate::lane::phoenix::object::quoted;
use crate::lane::phoenix::profile::PhoenixProfile;
use crate::lane::phoenix::{PhoenixLane, vsn};
use crate::lane::protocol::Endpoints;
use crate::lane::socket::{Bounds, Payload, Socket};
use crate::lane::{Endpoint, OpenError, Publish, WriterSession};

/// A topic that is asked for where none was given and the service names none.
const TOPIC: &str = "run:cutover:events";

/// What to ask a service for.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    pub topic: Option<String>,
    /// With `{topic}` where each topic has its own. Usual names are tried where none is given.
    pub channel: Option<String>,
    /// The event that subscribes; the contract's where none is given, `""` where the join does.
    pub subscribe: Option<String>,
    /// Whether to publish an event to the topic, by the contract's call.
    pub publish: bool,
    /// It ends after so many messages, or after this time.
    pub events: usize,
    pub time: Duration,
}

/// The session, and what it could not do, in words.
pub struct Recorded {
    pub heard: Vec<Heard>,
    pub topic: String,
    pub notes: Vec<String>,
}

struct Recorder {
    socket: Socket,
    serializer: Serializer,
    heard: Vec<Heard>,
    last_ref: u64,
    until: Instant,
    join_ref: Value,
}

/// # Errors
/// A service that does not answer, or refuses every channel.
pub async fn record(at: &Endpoints, profile: &PhoenixProfile, ask: &Ask) -> Result<Recorded, OpenError> {
    let mut notes = Vec::new();
    let endpoint = &at.socket;
    let mut recorder = open(endpoint, profile, ask).await?;
    let (channel, topic) = recorder.join_any(profile, ask).await?;
    let subscribe = ask.subscribe.clone().unwrap_or_else(|| profile.events.subscribe.clone());
    if !subscribe.is_empty() {
        let payload = format!(r#"{{"topics":[{}],"replay_batch_size":2}}"#, quoted(&topic));
        let answered = recorder.ask(&channel, &subscribe, payload).await;
        if answered.is_none() {
            notes.push(format!("the service does not answer `{subscribe}`; the join alone was recorded"));
            recorder = open(endpoint, profile, ask).await?;
            recorder.join(profile, &channel).await?;
        }
    }
    if ask.publish
        && let Err(why) = publish(&at.writer, profile, &topic).await
    {
        notes.push(format!("publish: no event was published: {why}"));
    }
    recorder.listen(ask.events).await;
    let kept = recorder.heard.len();
    if recorder.ask(&channel, &profile.events.heartbeat, "{}".to_owned()).await.is_none() {
        recorder.heard.truncate(kept);
    }
    recorder.socket.close(bounds::CLOSE).await;
    Ok(Recorded { heard: recorder.heard, topic, notes })
}

/// Publishes two events, of which the second one shows what counts.
async fn publish(writer: &Endpoint, profile: &PhoenixProfile, topic: &str) -> Result<(), String> {
    let stream = StreamId::new(topic);
    let names = Names::new([stream.clone()], None).map_err(|error| error.to_string())?;
    let lane = PhoenixLane::new(profile.clone().into(), names.into());
    let mut writer = lane.opened_writer(writer).await.map_err(|error| error.to_string())?;
    for payload in [r#"{"cutover":"init"}"#, r#"{"cutover":"again"}"#] {
        let key = format!("cutover-init-{}", wall_clock_us());
        let published = writer.publish(Publish::new(&stream, &key, payload)).await;
        published.map_err(|error| error.what())?;
    }
    Ok(())
}

async fn open(endpoint: &Endpoint, profile: &PhoenixProfile, ask: &Ask) -> Result<Recorder, OpenError> {
    let mut refused = None;
    for serializer in [Serializer::V2, Serializer::V1] {
        let lane = PhoenixLane::new(profile.clone().into(), std::sync::Arc::default());
        let hint = |status| lane.upgrade_hint(status);
        match Socket::connect(endpoint, &lane.target(serializer), &[], Bounds::default().open, hint).await {
            Ok((socket, _)) => {
                let (heard, last_ref, until, join_ref) = (Vec::new(), 0, Instant::now() + ask.time, Value::Null);
                return Ok(Recorder { socket, serializer, heard, last_ref, until, join_ref });
            }
            Err(error) => drop(refused.get_or_insert(error)),
        }
    }
    let what = format!("no socket of vsn {} or {}", vsn(Serializer::V2), vsn(Serializer::V1));
    Err(refused.unwrap_or_else(|| OpenError::lasting(what)))
}

impl Recorder {
    /// Joins the first channel that the service has. Returns it, with the topic to ask for.
    async fn join_any(&mut self, profile: &PhoenixProfile, ask: &Ask) -> Result<(String, String), OpenError> {
        let given = ask.topic.clone().unwrap_or_else(|| TOPIC.to_owned());
        let names = match &ask.channel {
            Some(channel) => vec![channel.as_str()],
            None => vec![&profile.channel, "sync:{topic}", "topic:{topic}", "room:{topic}", "{topic}"],
        };
        let mut last = None;
        for name in names {
            let channel = name.replace("{topic}", &given);
            self.heard.clear();
            match self.join(profile, &channel).await {
                Ok(response) => {
                    let listed = (!name.contains("{topic}")).then(|| first_text(&response)).flatten();
                    return Ok((channel, ask.topic.clone().or(listed).unwrap_or(given)));
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| OpenError::lasting("no channel was tried")))
    }

    async fn join(&mut self, profile: &PhoenixProfile, channel: &str) -> Result<Value, OpenError> {
        self.join_ref = if self.serializer == Serializer::V2 { self.next_ref() } else { Value::Null };
        let params = serde_json::to_string(&profile.join).unwrap_or_else(|_| "{}".to_owned());
        let answered = self.ask(channel, "phx_join", params).await;
        match answered {
            Some(payload) if payload["status"] == "ok" => Ok(payload["response"].clone()),
            Some(payload) => Err(OpenError::lasting(format!(
                "the join of `{channel}` was refused: {:.300}",
                payload["response"].to_string()
            ))
            .hint("--channel names the channel; `{topic}` stands for the topic in it")),
            None => Err(OpenError::passing(format!("the join of `{channel}` was not answered"))),
        }
    }

    fn next_ref(&mut self) -> Value {
        self.last_ref += 1;
        Value::from(self.last_ref.to_string())
    }

    /// Sends a request and waits for its answer; `None` where the channel or the socket ends, or the time is over.
    async fn ask(&mut self, channel: &str, event: &str, payload: String) -> Option<Value> {
        let msg_ref = self.next_ref();
        let message = Message {
            join_ref: self.join_ref.clone(),
            msg_ref: msg_ref.clone(),
            topic: channel.to_owned(),
            event: event.to_owned(),
            payload,
        };
        let text = encode(self.serializer, &message);
        self.heard.push(Heard { direction: Direction::Upstream, text: text.clone() });
        self.socket.send(Payload::Text(text)).await.ok()?;
        loop {
            let message = self.next().await?;
            if message.event == "phx_reply" && message.msg_ref == msg_ref {
                return serde_json::from_str(&message.payload).ok();
            }
            if message.topic == channel && ["phx_error", "phx_close"].contains(&message.event.as_str()) {
                return None;
            }
        }
    }

    async fn next(&mut self) -> Option<Message> {
        loop {
            let Ok(Ok(payload)) = timeout_at(self.until, self.socket.recv()).await else { return None };
            let Payload::Text(text) = payload else { continue };
            self.heard.push(Heard { direction: Direction::Downstream, text: text.clone() });
            let body = crate::frame::Body::Text(text.into());
            if let Ok(message) = decode(self.serializer, Direction::Downstream, &body) {
                return Some(message);
            }
        }
    }

    /// Listens until so many messages of the service came by themselves.
    async fn listen(&mut self, events: usize) {
        let pushes = |heard: &[Heard]| heard.iter().filter(|heard| heard.direction == Direction::Downstream).count();
        // A heartbeat of the channel needs some time, too.
        let end = self.until;
        self.until = end - (end - Instant::now()) / 4;
        while pushes(&self.heard) < events && self.next().await.is_some() {}
        self.until = end;
    }
}

/// The first text of a list in an answer: a topic that is allowed.
fn first_text(response: &Value) -> Option<String> {
    let members = response.as_object()?.values().filter_map(Value::as_array);
    members.filter_map(|list| list.first()?.as_str()).next().map(str::to_owned)
}
