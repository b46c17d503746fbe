//! A kill that falls the moment a client has an event. The publish may have no answer by then: it is repeated once the
//! clients are back, so that they first see what the server still has.

use std::time::Duration;

use cutover_core::history::{Completion, Process, Record};
use cutover_core::ids::{OpId, StreamId};
use cutover_core::plan::ServerAction;
use futures_util::FutureExt;
use futures_util::future::{join_all, select_all};

use super::case::Case;
use super::writer::{Write, recorded};
use crate::bounds;
use crate::lane::Lane;

/// So many connections keep the server's log busy meanwhile. A server may write an event while nothing else is written.
const BUSY: usize = 4;
/// A call that changes nothing. SpacetimeDB logs its connection.
const IDLE_CALL: (&str, &str) = ("check_client", "[\"busy\", \"spacetime.sync.v1\", 1]");
const PAUSE: Duration = Duration::from_millis(1);

impl Case {
    pub(super) fn arm_kill(&mut self) {
        self.as_seen.armed = true;
    }

    pub(super) fn is_kill_armed(&mut self) -> bool {
        std::mem::take(&mut self.as_seen.armed)
    }

    /// Sends a publish, and kills the server once a client has applied its event.
    pub(super) async fn publish_and_kill(&mut self, op: OpId, publish: &Write) -> Result<(), String> {
        let Write::Publish { stream, .. } = publish else { return Ok(()) };
        let server = self.server.clone().ok_or("a server of ours to kill")?;
        let busy: Vec<_> = (0..BUSY)
            .map(|_| tokio::spawn(keep_busy(self.drills.lane(), self.writer_route.endpoint(), stream.clone())))
            .collect();
        let seen = self.applied_by_anyone(stream);
        self.recorder.record(Record::Invoke { op, attempt: 1 });
        let mut writer = self.writer.another();
        let mut answer = None;
        {
            let mut attempt = std::pin::pin!(writer.once(publish));
            let mut seen = std::pin::pin!(bounds::STEP.within(seen));
            loop {
                tokio::select! {
                    biased;
                    reached = &mut seen => {
                        reached.map_err(|reached| format!("a client to be sent an event, {reached}"))?;
                        break;
                    }
                    completion = &mut attempt, if answer.is_none() => answer = Some(completion),
                }
            }
        }
        let process = server.apply(ServerAction::KillAtOnce, None).await;
        busy.iter().for_each(|task| task.abort());
        let completion = match &answer {
            Some(completion) => recorded(completion.clone(), |done| done),
            None => Completion::Info { why: "the server was killed before it answered".to_owned() },
        };
        self.recorder.record(Record::Complete { op, attempt: 1, completion });
        let process = process.map_err(|error| format!("the server: {error}"))?;
        self.recorder.record(Record::Process { process });
        match answer {
            Some(Ok(done)) => self.published(op, publish, true, Ok(done))?,
            _ => self.as_seen.unanswered = Some((op, publish.clone())),
        }
        self.server_loss_noticed().await
    }

    /// Repeats a publish that a kill left without an answer, once the clients are back.
    pub(super) async fn answer_after_kill(&mut self, process: &Process) -> Result<(), String> {
        if *process != Process::Started {
            return Ok(());
        }
        let Some((op, publish)) = self.as_seen.unanswered.take() else { return Ok(()) };
        let ids: Vec<_> = self.connected().map(|(id, _)| id.clone()).collect();
        let back: Vec<Result<(), String>> = join_all(ids.iter().map(|id| self.subscribed(id))).await;
        back.into_iter().collect::<Result<(), String>>()?;
        let completion = self.writer.invoke_from(op, &publish, 2).await;
        self.published(op, &publish, true, completion)
    }

    /// Returns once a connected client has applied one more event of a stream.
    fn applied_by_anyone(&self, stream: &StreamId) -> impl Future<Output = ()> + use<> {
        let followers = self.connected().filter(|(_, client)| client.streams.contains(stream));
        let waits = followers.map(|(_, client)| {
            let (mut status, stream) = (client.handle.status.clone(), stream.clone());
            let before = status.borrow().cursors.get(&stream).copied();
            async move { drop(status.wait_for(|status| status.cursors.get(&stream).copied() > before).await) }.boxed()
        });
        let waits: Vec<_> = waits.collect();
        async move {
            match waits.is_empty() {
                true => std::future::pending().await,
                false => drop(select_all(waits).await),
            }
        }
    }
}

async fn keep_busy(lane: std::sync::Arc<dyn Lane>, endpoint: crate::lane::Endpoint, stream: StreamId) {
    let Ok(mut session) = lane.writer(&endpoint).await else { return };
    while session.call(&stream, IDLE_CALL.0, IDLE_CALL.1).await.is_some() {
        tokio::time::sleep(PAUSE).await;
    }
}
