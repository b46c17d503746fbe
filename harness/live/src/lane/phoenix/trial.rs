//! Tries a service with what the plans will use: each serializer, a join, heartbeats, a policy, a publish, and the
//! event read back live and by replay.

use cutover_core::plan::{Compression, Serializer};
use tokio::sync::mpsc;

use super::PhoenixLane;
use super::codec::Message;
use super::fields;
use super::profile::PhoenixProfile;
use super::session::PhoenixSession;
use super::writer::PhoenixWriter;
use crate::bounds;
use crate::lane::http::{HttpAnswer, REDIRECT_HINT};
use crate::lane::protocol::Profile;
use crate::lane::trial::{self, Attempt, Mismatch, REPLAY_BATCH, Steps, TRIAL_CLIENT, Trial, TrialError};
use crate::lane::{ClientOptions, Completion, Endpoint, OpError, OpenError, Publish, SubscriberSession, WriterSession};

struct Listener {
    session: PhoenixSession,
    copies: mpsc::UnboundedReceiver<Message>,
    messages: Vec<Message>,
}

struct PhoenixAttempt<'a> {
    lane: &'a PhoenixLane,
    profile: &'a PhoenixProfile,
    usual: PhoenixProfile,
    socket: &'a Endpoint,
    writer: &'a Endpoint,
    trial: &'a Trial,
}

impl PhoenixLane {
    /// Tries the service. The event is in the trial's own stream, which the lane must know.
    pub(super) async fn try_out(&self, socket: &Endpoint, writer: &Endpoint, trial: &Trial, mut steps: Steps) -> Steps {
        let serializers = match self.profile.serializer {
            Some(only) => vec![only],
            None => trial.serializers.clone(),
        };
        let (lane, profile, usual) = (self, &*self.profile, PhoenixProfile::default());
        let attempt = PhoenixAttempt { lane, profile, usual, socket, writer, trial };
        trial::run(&attempt, &serializers, &mut steps).await;
        steps
    }
}

impl Attempt for PhoenixAttempt<'_> {
    type Variant = Serializer;
    type Client = Listener;
    type Writer = PhoenixWriter;

    async fn connect(&self, serializer: Serializer) -> Result<Listener, TrialError> {
        let (name, compression) = (TRIAL_CLIENT.to_owned(), Compression::None);
        let client = ClientOptions { name, serializer, compression, join: None };
        let opened = self.lane.joined(self.socket, &client).await;
        let mut session = opened.map_err(|source| {
            let hint = source.hint.clone().or_else(|| {
                let refused = !source.retryable && self.profile.serializer.is_none();
                refused.then(|| "`serializer` of the lane profile names the one that the service speaks".to_owned())
            });
            TrialError::Open { trying: format!("a join over {serializer:?}"), source: OpenError { hint, ..source } }
        })?;
        let (copy, copies) = mpsc::unbounded_channel();
        session.copies = Some(copy);
        let mut listener = Listener { session, copies, messages: Vec::new() };
        let name = &self.profile.events.heartbeat;
        if !name.is_empty() {
            let answered = listener.session.heartbeat().await;
            let is_usual = *name == self.usual.events.heartbeat;
            listener.check_event("events.heartbeat", name, is_usual, answered)?;
        }
        Ok(listener)
    }

    async fn connect_writer(&self) -> Result<PhoenixWriter, TrialError> {
        let opened = self.lane.opened_writer(self.writer).await;
        opened.map_err(|source| TrialError::Open { trying: "the writer's connection".to_owned(), source })
    }

    fn sets_policies(&self) -> bool {
        self.profile.policy.path.is_some()
    }

    async fn set_policy(&self, writer: &mut PhoenixWriter) -> Result<(), TrialError> {
        let Some(path) = &self.profile.policy.path else {
            return Ok(());
        };
        let limit = self.trial.limit();
        let completion = writer.set_policy(&self.trial.stream, limit, limit).await;
        let (policy, usual) = (&self.profile.policy, &self.usual.policy);
        let fields = [
            Field::new("policy.retention_events", &policy.retention_events, &usual.retention_events),
            Field::new("policy.replay_budget_events", &policy.replay_budget_events, &usual.replay_budget_events),
        ];
        let call =
            Call { what: "a policy", key: "policy.path", path, method: &self.profile.policy.method, fields: &fields };
        let is_done = completion.is_ok();
        let answer = self.answered(writer, completion.map(drop), &call)?;
        if !is_done {
            let wrong = format!("it was answered with {}, which is no answer to a policy", answer.in_words());
            return Err(Mismatch::new(call.key, path, wrong).into());
        }
        Ok(fields::check_policy(self.profile, &String::from_utf8_lossy(&answer.body))?)
    }

    async fn publish(&self, writer: &mut PhoenixWriter) -> Result<(), TrialError> {
        let completion =
            writer.publish(Publish::new(&self.trial.stream, &self.trial.marker, &self.trial.payload())).await;
        let (publish, usual) = (&self.profile.publish, &self.usual.publish);
        let fields = [
            Field::new("publish.topic", &publish.topic, &usual.topic),
            Field::new("publish.idempotency_key", &publish.idempotency_key, &usual.idempotency_key),
            Field::new("publish.payload", &publish.payload, &usual.payload),
        ];
        let call = Call {
            what: "a publish",
            key: "publish.path",
            path: &publish.path,
            method: &publish.method,
            fields: &fields,
        };
        let answer = self.answered(writer, completion.map(drop), &call)?;
        Ok(fields::check_published(self.profile, &String::from_utf8_lossy(&answer.body))?)
    }

    /// Asks for the stream. The session keeps what the service sends before its reply.
    async fn subscribe(&self, listener: &mut Listener) -> Result<(), TrialError> {
        let profile = self.profile;
        let reply = match listener.session.ask_for(&[(self.trial.stream.clone(), None)], REPLAY_BATCH).await {
            Ok(mut replies) => replies.remove(0),
            Err(error) => {
                let name = &profile.events.subscribe;
                // A service that answers nothing is left to the run.
                let is_usual = *name == self.usual.events.subscribe;
                return listener.check_event("events.subscribe", name, is_usual, Err(error));
            }
        };
        if reply.ok {
            return Ok(fields::check_subscribed(profile, &reply.channel, &reply.response)?);
        }
        let (code, answer) = (listener.session.refusal(&reply.response).code, reply.response);
        if code == "bad_subscription" {
            let wrong = format!("the service does not understand the subscribe: {answer:.300}");
            return Err(Mismatch::new("fields.topics", &profile.fields.topics, wrong).into());
        }
        let topic = self.lane.names.topic(&self.trial.stream).unwrap_or_default();
        Err(TrialError::Refused {
            what: format!("a subscribe to the topic `{topic}` was refused: {answer:.300}"),
            hint: (code == "forbidden_topic").then(|| "does the token grant topics of this kind?".to_owned()),
            passing: false,
        })
    }

    async fn read(&self, mut listener: Listener, live: bool) -> Result<bool, TrialError> {
        if live {
            listener.listen(&self.trial.marker).await;
        } else if self.trial.unsubscribes && self.profile.unsubscribe_forgets {
            let answered = listener.session.unsubscribe(std::slice::from_ref(&self.trial.stream)).await;
            listener.check_event("events.unsubscribe", &self.profile.events.unsubscribe, false, answered)?;
        }
        listener.session.close().await;
        while let Ok(message) = listener.copies.try_recv() {
            listener.messages.push(message);
        }
        fields::compare(self.profile, &self.trial.marker, &listener.messages)?;
        Ok(listener.messages.iter().any(|message| fields::carries(message, &self.trial.marker)))
    }

    async fn close(&self, mut listener: Listener) {
        listener.session.close().await;
    }
}

impl PhoenixAttempt<'_> {
    fn answered(
        &self,
        writer: &PhoenixWriter,
        completion: Completion,
        call: &Call<'_>,
    ) -> Result<HttpAnswer, TrialError> {
        let refused = |what: String, hint: Option<&str>, passing| TrialError::Refused {
            what,
            hint: hint.map(str::to_owned),
            passing,
        };
        let Some(answer) = writer.last_answer.clone() else {
            let why = match completion {
                Err(OpError::Unknown(why)) => why,
                other => format!("{other:?}"),
            };
            return Err(refused(format!("{} was not answered: {why}", call.what), None, true));
        };
        if answer.is_ok() && answer.encoding.is_some() {
            let what = format!("{} was answered with {}", call.what, answer.in_words());
            let hint = "does a proxy before the service compress its answers?";
            return Err(refused(what, Some(hint), false));
        }
        if answer.is_ok() {
            return Ok(answer);
        }
        let (path, words) = (self.profile.writer_path(call.path), answer.in_words());
        let what = format!("{} ({} {path}) was answered with {words}", call.what, call.method);
        match answer.status {
            300..=399 => Err(refused(what, Some(REDIRECT_HINT), false)),
            401 | 403 => Err(refused(
                what,
                Some("the writer may want a token: `token`, or `authorization` of [publish] in a lane profile"),
                false,
            )),
            404 | 405 | 501 => {
                let hint = self.lane.prefix_hint().unwrap_or_else(|| match call.key {
                    "policy.path" => {
                        "`path` and `method` of [policy] name another one; `path = \"\"` where policies can't be set"
                            .to_owned()
                    }
                    _ => "`path` and `method` of [publish] name another one".to_owned(),
                });
                let wrong = format!("{} {path} was answered with {words}", call.method);
                Err(Mismatch::new(call.key, call.path, wrong).hint(Some(hint)).into())
            }
            400 | 415 | 422 => {
                let blamed = blamed(call.fields, &words);
                let names: Vec<&str> = call.fields.iter().map(|field| field.name).collect();
                let section = blamed.key.split('.').next().unwrap_or_default();
                let wrong = format!("{} {path} does not understand the body: {words}", call.method);
                let hint =
                    format!("it has the fields `{}`; [{section}] of the lane profile names them", names.join("`, `"));
                Err(Mismatch::new(blamed.key, blamed.name, wrong).hint(Some(hint)).into())
            }
            status => Err(refused(what, None, matches!(status, 408 | 425 | 429 | 500..))),
        }
    }
}

impl PhoenixLane {
    /// Where the socket lies below a path, the writer's paths may do so as well.
    pub(super) fn prefix_hint(&self) -> Option<String> {
        let path = self.profile.socket_path();
        let prefix = ["/sync/socket/websocket", "/socket/websocket", "/websocket"]
            .iter()
            .find_map(|usual| path.trim_end_matches('/').strip_suffix(usual))?;
        if prefix.is_empty() || self.profile.http_url.is_some() {
            return None;
        }
        let origin = self.profile.socket_origin();
        let scheme = if origin.tls { "https" } else { "http" };
        Some(format!(
            "the socket lies below `{prefix}`; are the writer's paths there, too? Then a lane profile says \
             `http_url = \"{scheme}://{}{prefix}\"`",
            origin.authority()
        ))
    }
}

struct Call<'a> {
    what: &'static str,
    /// The profile's key of its path.
    key: &'static str,
    path: &'a str,
    method: &'a str,
    fields: &'a [Field<'a>],
}

#[derive(Clone, Copy)]
struct Field<'a> {
    /// The profile's key of it.
    key: &'static str,
    name: &'a str,
    /// What the contract calls it.
    usual: &'a str,
}

impl<'a> Field<'a> {
    fn new(key: &'static str, name: &'a str, usual: &'a str) -> Field<'a> {
        Field { key, name, usual }
    }
}

/// The field that a service most likely missed: one that its answer names, else one that the profile renames.
fn blamed<'a>(fields: &[Field<'a>], answer: &str) -> Field<'a> {
    let renamed = || fields.iter().filter(|field| field.name != field.usual);
    let named =
        |field: &&Field<'a>| answer.contains(field.usual) || (!field.name.is_empty() && answer.contains(field.name));
    let found = renamed().find(named).or_else(|| fields.iter().find(named));
    found.or_else(|| renamed().next()).copied().unwrap_or(fields[0])
}

impl Listener {
    async fn listen(&mut self, marker: &str) {
        let mut bound = bounds::LIVE.begin();
        loop {
            tokio::select! {
                message = self.copies.recv() => match message {
                    Some(message) => {
                        let came = fields::carries(&message, marker);
                        self.messages.push(message);
                        if came {
                            break;
                        }
                    }
                    None => return,
                },
                arrival = bound.within(self.session.next()) => match arrival {
                    Err(_) | Ok(crate::lane::Arrival::Closed(_)) => return,
                    Ok(_) => {}
                },
            }
        }
        // All messages of the event come before the answer.
        let _ = self.session.heartbeat().await;
    }

    /// Whether the service knows an event of a client, by how it answered. An event with its usual name that got no
    /// answer is left to the run.
    fn check_event(
        &self,
        key: &'static str,
        name: &str,
        is_usual: bool,
        answered: Completion,
    ) -> Result<(), TrialError> {
        let wrong = match answered {
            // A service that answers "later" knows the event.
            Ok(()) | Err(OpError::Unwritten(_) | OpError::Later(_)) => return Ok(()),
            Err(OpError::Refused(refusal)) => format!("the service refused it: {}", refusal.code),
            Err(OpError::Unknown(why)) => match self.ended() {
                Some(event) => format!("the channel ended with {event} when it was sent"),
                None if is_usual => return Ok(()),
                None => why,
            },
        };
        Err(Mismatch::new(key, name, wrong).into())
    }

    fn ended(&self) -> Option<String> {
        match self.session.connection.inbox.ended()? {
            cutover_core::history::Closed::Channel { event } => Some(event.clone()),
            _ => None,
        }
    }
}
