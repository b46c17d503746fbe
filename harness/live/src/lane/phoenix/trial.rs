//! Tries a service with what the plans will use: each serializer, a join, heartbeats, a policy, a publish, and the event read
//! back live and by replay.

use cutover_core::plan::Serializer;
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
use crate::lane::trial::{Mismatch, TRIAL_CLIENT, Trial, TrialError};
use crate::lane::{Completion, Endpoint, OpError, OpenError, SubscriberSession, WriterSession};

/// Events per replay batch; there is one event.
const REPLAY_BATCH: u32 = 200;

/// A session, and what it heard.
struct Listener {
    session: PhoenixSession,
    copies: mpsc::UnboundedReceiver<Message>,
    messages: Vec<Message>,
}

impl PhoenixLane {
    /// Tries the service. The event lies in the trial's own stream, which the lane must know.
    ///
    /// # Errors
    /// What does not fit.
    pub async fn try_out(&self, socket: &Endpoint, writer: &Endpoint, trial: &Trial) -> Result<(), TrialError> {
        let serializers = match self.profile.serializer {
            Some(only) => vec![only],
            None => trial.serializers.clone(),
        };
        let mut live = None;
        for serializer in &serializers {
            let mut listener = self.listener(socket, *serializer).await?;
            self.heartbeat(&mut listener).await?;
            match live {
                None => live = Some(listener),
                Some(_) => listener.session.close().await,
            }
        }
        let mut writer = self.trial_writer(writer).await?;
        self.set_policy(&mut writer, trial).await?;
        if let Some(live) = &mut live {
            self.subscribe(live, trial).await?;
        }
        self.publish(&mut writer, trial).await?;
        if let Some(mut live) = live {
            live.listen(&trial.marker).await;
            live.session.close().await;
            live.drain();
            fields::compare(&self.profile, &trial.marker, &live.messages)?;
        }
        for serializer in serializers {
            let mut listener = self.listener(socket, serializer).await?;
            self.subscribe(&mut listener, trial).await?;
            if trial.unsubscribes && self.profile.unsubscribe_forgets {
                self.unsubscribe(&mut listener, trial).await?;
            }
            listener.session.close().await;
            listener.drain();
            fields::compare(&self.profile, &trial.marker, &listener.messages)?;
        }
        Ok(())
    }

    async fn unsubscribe(&self, listener: &mut Listener, trial: &Trial) -> Result<(), TrialError> {
        let name = &self.profile.events.unsubscribe;
        let streams = [trial.stream.clone()];
        let wrong = match listener.session.unsubscribe(&streams).await {
            Ok(()) | Err(OpError::Unwritten(_) | OpError::Later(_)) => return Ok(()),
            Err(OpError::Refused(refusal)) => format!("the service refused it: {}", refusal.code),
            Err(OpError::Unknown(why)) => match listener.ended() {
                Some(event) => format!("the channel ended with {event} when it was sent"),
                None => why,
            },
        };
        Err(Mismatch::new("events.unsubscribe", name, wrong).into())
    }

    async fn listener(&self, socket: &Endpoint, serializer: Serializer) -> Result<Listener, TrialError> {
        let opened = self.joined(socket, TRIAL_CLIENT, serializer).await;
        let mut session = opened.map_err(|source| {
            let hint = source.hint.clone().or_else(|| {
                let refused = !source.retryable && self.profile.serializer.is_none();
                refused.then(|| "`serializer` of the lane profile names the one that the service speaks".to_owned())
            });
            TrialError::Open { trying: format!("a join over {serializer:?}"), source: OpenError { hint, ..source } }
        })?;
        let (copy, copies) = mpsc::unbounded_channel();
        session.copies = Some(copy);
        Ok(Listener { session, copies, messages: Vec::new() })
    }

    async fn heartbeat(&self, listener: &mut Listener) -> Result<(), TrialError> {
        let name = &self.profile.events.heartbeat;
        if name.is_empty() {
            return Ok(());
        }
        let wrong = match listener.session.heartbeat().await {
            // A service that puts it off knows the event.
            Ok(()) | Err(OpError::Unwritten(_) | OpError::Later(_)) => return Ok(()),
            Err(OpError::Refused(refusal)) => format!("the service refused it: {}", refusal.code),
            Err(OpError::Unknown(why)) => match listener.ended() {
                Some(event) => format!("the channel ended with {event} when it was sent"),
                None if *name == PhoenixProfile::default().events.heartbeat => return Ok(()),
                None => why,
            },
        };
        Err(Mismatch::new("events.heartbeat", name, wrong).into())
    }

    /// Asks for the stream; what the service sends before its reply is heard.
    async fn subscribe(&self, listener: &mut Listener, trial: &Trial) -> Result<(), TrialError> {
        let profile = &self.profile;
        let streams = [(trial.stream.clone(), None)];
        let told = match listener.session.ask_for(&streams, REPLAY_BATCH).await {
            Ok(reply) if reply.ok => return Ok(fields::check_subscribed(profile, &reply.response)?),
            Ok(reply) => reply.response,
            Err(OpError::Unknown(why)) => {
                let name = &profile.events.subscribe;
                let wrong = match listener.ended() {
                    Some(event) => format!("the channel ended with {event} when it was sent"),
                    // A service that answers nothing is left to the run.
                    None if *name == PhoenixProfile::default().events.subscribe => return Ok(()),
                    None => why,
                };
                return Err(Mismatch::new("events.subscribe", name, wrong).into());
            }
            Err(other) => format!("{other:?}"),
        };
        let code = crate::lane::refusal::read_refusal(&serde_json::from_str(&told).unwrap_or_default(), |_| None);
        let code = code.map(|refusal| refusal.code).unwrap_or_default();
        if code == "bad_subscription" {
            let wrong = format!("the service does not understand the subscribe: {told:.300}");
            return Err(Mismatch::new("fields.topics", &profile.fields.topics, wrong).into());
        }
        let topic = self.names.topic(&trial.stream).unwrap_or_default();
        Err(TrialError::Refused {
            what: format!("a subscribe to the topic `{topic}` was refused: {told:.300}"),
            hint: (code == "forbidden_topic").then(|| "does the token grant topics of this kind?".to_owned()),
            passing: false,
        })
    }

    async fn trial_writer(&self, writer: &Endpoint) -> Result<PhoenixWriter, TrialError> {
        self.opened_writer(writer)
            .await
            .map_err(|source| TrialError::Open { trying: "the writer's connection".to_owned(), source })
    }

    async fn set_policy(&self, writer: &mut PhoenixWriter, trial: &Trial) -> Result<(), TrialError> {
        let Some(path) = &self.profile.policy.path else {
            return Ok(());
        };
        let limit = trial.policies.then_some(u64::from(REPLAY_BATCH));
        let completion = writer.set_policy(&trial.stream, limit, limit).await;
        let (policy, usual) = (&self.profile.policy, PhoenixProfile::default().policy);
        let fields = [
            Field::new("policy.retention_events", &policy.retention_events, &usual.retention_events),
            Field::new("policy.replay_budget_events", &policy.replay_budget_events, &usual.replay_budget_events),
        ];
        let call =
            Call { what: "a policy", key: "policy.path", path, method: &self.profile.policy.method, fields: &fields };
        let is_done = completion.is_ok();
        let answer = self.answered(writer, completion.map(drop), &call)?;
        if !is_done {
            let wrong = format!("it was answered with {}, which is no answer to a policy", answer.told());
            return Err(Mismatch::new(call.key, path, wrong).into());
        }
        Ok(fields::check_policy(&self.profile, &String::from_utf8_lossy(&answer.body))?)
    }

    async fn publish(&self, writer: &mut PhoenixWriter, trial: &Trial) -> Result<(), TrialError> {
        let completion = writer.publish(&trial.stream, &trial.marker, &trial.payload()).await;
        let (publish, usual) = (&self.profile.publish, PhoenixProfile::default().publish);
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
        Ok(fields::check_published(&self.profile, &String::from_utf8_lossy(&answer.body))?)
    }

    /// The answer to a call, where the lane did what was asked.
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
            let what = format!("{} was answered with {}", call.what, answer.told());
            let hint = "does a proxy before the service compress its answers?";
            return Err(refused(what, Some(hint), false));
        }
        if answer.is_ok() {
            return Ok(answer);
        }
        let (path, told) = (self.profile.writer_path(call.path), answer.told());
        let what = format!("{} ({} {path}) was answered with {told}", call.what, call.method);
        match answer.status {
            300..=399 => Err(refused(what, Some(REDIRECT_HINT), false)),
            401 | 403 => Err(refused(
                what,
                Some("the writer may want a token: `token`, or `authorization` of [publish] in a lane profile"),
                false,
            )),
            404 | 405 | 501 => {
                let hint = self.prefix_hint().unwrap_or_else(|| match call.key {
                    "policy.path" => {
                        "`path` and `method` of [policy] name another one; `path = \"\"` where policies can't be set"
                            .to_owned()
                    }
                    _ => "`path` and `method` of [publish] name another one".to_owned(),
                });
                let wrong = format!("{} {path} was answered with {told}", call.method);
                Err(Mismatch::new(call.key, call.path, wrong).hint(Some(hint)).into())
            }
            400 | 415 | 422 => {
                let blamed = blamed(call.fields, &told);
                let names: Vec<&str> = call.fields.iter().map(|field| field.name).collect();
                let section = blamed.key.split('.').next().unwrap_or_default();
                let wrong = format!("{} {path} does not understand the body: {told}", call.method);
                let hint =
                    format!("it has the fields `{}`; [{section}] of the lane profile names them", names.join("`, `"));
                Err(Mismatch::new(blamed.key, blamed.name, wrong).hint(Some(hint)).into())
            }
            status => Err(refused(what, None, matches!(status, 408 | 425 | 429 | 500..))),
        }
    }

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

/// A call of the writer's.
struct Call<'a> {
    what: &'static str,
    /// The profile's key of its path.
    key: &'static str,
    path: &'a str,
    method: &'a str,
    /// The fields of its body.
    fields: &'a [Field<'a>],
}

/// A field of a request's body.
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
fn blamed<'a>(fields: &[Field<'a>], told: &str) -> Field<'a> {
    let renamed = || fields.iter().filter(|field| field.name != field.usual);
    let named =
        |field: &&Field<'a>| told.contains(field.usual) || (!field.name.is_empty() && told.contains(field.name));
    let found = renamed().find(named).or_else(|| fields.iter().find(named));
    found.or_else(|| renamed().next()).copied().unwrap_or(fields[0])
}

impl Listener {
    /// Hears what comes until the event has come in all its messages, or the wait is over.
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
        // What belongs to the event stands before the answer.
        let _ = self.session.heartbeat().await;
    }

    fn drain(&mut self) {
        while let Ok(message) = self.copies.try_recv() {
            self.messages.push(message);
        }
    }

    /// The event with which the channel ended, where it did.
    fn ended(&self) -> Option<String> {
        match self.session.connection.inbox.ended()? {
            cutover_core::history::Closed::Channel { event } => Some(event.clone()),
            _ => None,
        }
    }
}
