//! Signals through an event table: sent by calls, heard by sessions of their own, for which they are the events.

use std::sync::Arc;

use cutover_core::plan::Heard;
use http::Method;
use serde_json::Value;

use super::admin::path_of;
use super::session::SpacetimeSession;
use super::template::now;
use super::{SpacetimeLane, known};
use crate::lane::http::HttpClient;
use crate::lane::refusal::not_in_plan;
use crate::lane::{Arrival, Completion, OpError, SubscriberSession, Visit};

impl SpacetimeLane {
    /// The lane as one who listens to signals sees it; `None` where the module has none.
    pub(super) fn listening(&self) -> Option<SpacetimeLane> {
        let shape = self.schema.shape().of_signals()?;
        let schema = Arc::new((*self.schema).clone().with_shape(Arc::new(shape)));
        Some(SpacetimeLane { schema, times: known::Times::default(), ..self.clone() })
    }

    pub(super) async fn tell(&self, listening: &SpacetimeLane, visit: &Visit<'_>, count: u64) -> Completion<Heard> {
        let (stays, leaves) = (listening.listener(visit).await?, listening.listener(visit).await?);
        let mut http = SpacetimeLane::http(visit.writer, &self.profile, self.token.as_ref(), self.bounds)?;
        for number in 1..=count {
            self.send(&mut http, visit, number).await?;
        }
        let left = heard(leaves).await?;
        let returns = listening.listener(visit).await?;
        for number in count + 1..=2 * count {
            self.send(&mut http, visit, number).await?;
        }
        Ok(Heard { stayed: heard(stays).await?, left, returned: heard(returns).await? })
    }

    async fn listener(&self, visit: &Visit<'_>) -> Completion<SpacetimeSession> {
        let mut session = self.session(visit.socket, visit.client).await?;
        session.subscribe(&[(visit.stream.clone(), None)], 0).await?;
        Ok(session)
    }

    /// Sends a signal once: a second time it would be another one.
    async fn send(&self, http: &mut HttpClient, visit: &Visit<'_>, number: u64) -> Completion {
        let stream_id = self.names.stream_id(visit.stream).ok_or_else(|| not_in_plan(visit.stream))?;
        let signals = &self.schema.shape().signals;
        let args = self.schema.call(&signals.reducer, &signals.arguments, |name| match name {
            "stream" => Some(Value::from(stream_id)),
            "number" => Some(Value::from(number)),
            name => now(name),
        });
        let path = format!("{}/call/{}", path_of(&self.database), signals.reducer);
        let answered = http.request(Method::POST, &path, Some("application/json"), args.to_string()).await;
        match answered {
            Ok(answer) if answer.is_ok() => Ok(()),
            Ok(answer) => Err(OpError::Unknown(format!("a signal: {}", answer.in_words()))),
            Err(error) => Err(OpError::Unknown(format!("a signal: {error}"))),
        }
    }
}

/// The numbers of all signals that a listener got, once nothing is in flight to it. It leaves.
async fn heard(mut session: SpacetimeSession) -> Completion<Vec<u64>> {
    session.heartbeat().await?;
    session.close().await;
    let mut numbers = Vec::new();
    loop {
        match session.next().await {
            Arrival::Event { seq, .. } => numbers.push(seq.0),
            Arrival::Closed(_) => return Ok(numbers),
            Arrival::Ignored(_) => {}
            other => return Err(OpError::Unknown(format!("a listener got {other:?}"))),
        }
    }
}
