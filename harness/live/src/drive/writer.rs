//! The writer of a case: it publishes in order, and retries under the same key until it has an answer.

use std::sync::Arc;
use std::time::Duration;

use cutover_core::history::{self, Outcome, Record};
use cutover_core::ids::OpId;

use super::backoff::Backoff;
use super::pace::Pace;
use super::recorder::Recorder;
use crate::bounds::{self, Reached};
use crate::lane::{Answer, Completion, Endpoint, Lane, Op, Role, Session};

/// The writer of one case on one lane.
pub struct Writer {
    lane: Arc<dyn Lane>,
    endpoint: Endpoint,
    recorder: Recorder,
    session: Option<Box<dyn Session>>,
    /// The waits before further attempts, as the plan drew them.
    backoff: Backoff,
    /// How long the lane asked to wait when it last refused a session.
    asked_to_wait: Option<Duration>,
    /// The pace of all writers of the lane.
    pace: Option<Arc<Pace>>,
}

impl Writer {
    /// A writer that opens its session with its first operation.
    pub fn new(lane: Arc<dyn Lane>, endpoint: Endpoint, recorder: Recorder, backoff: Backoff) -> Writer {
        Writer { lane, endpoint, recorder, session: None, backoff, asked_to_wait: None, pace: None }
    }

    /// Limits the writer to the pace of its lane.
    #[must_use]
    pub fn at_pace(mut self, pace: Option<Arc<Pace>>) -> Writer {
        self.pace = pace;
        self
    }

    /// Does an operation, and retries it until it is answered or its time is up.
    pub async fn invoke(&mut self, id: OpId, op: &Op) -> Completion {
        let mut trying = bounds::WRITE_TRIES.begin();
        for attempt in 1.. {
            if let Some(pace) = &self.pace {
                pace.turn().await;
            }
            self.recorder.record(Record::Invoke { op: id, attempt });
            let completion = trying.during(self.once(op)).await;
            self.recorder.record(Record::Complete { op: id, attempt, completion: recorded(&completion) });
            let again = matches!(completion, Completion::Info(_) | Completion::Later(_) | Completion::Unwritten(_));
            if !again {
                self.backoff.reset();
            }
            if !again || trying.is_reached() {
                return completion;
            }
            let asked = self.session.as_ref().and_then(|session| session.retry_after());
            let wait = self.backoff.after_failure(asked.or(self.asked_to_wait.take()));
            if matches!(completion, Completion::Info(_)) {
                self.session = None;
            }
            trying.during(tokio::time::sleep(wait)).await;
        }
        Completion::Info("never tried".to_owned())
    }

    async fn once(&mut self, op: &Op) -> Completion {
        let session = match self.session.as_mut() {
            Some(session) => session,
            None => match bounds::WRITE.within(self.lane.open(&self.endpoint, &Role::Writer)).await {
                Ok(Ok(session)) => self.session.insert(session),
                // Nothing was sent yet.
                Ok(Err(error)) => {
                    self.asked_to_wait = error.retry_after;
                    return Completion::Later(error.to_string());
                }
                Err(reached) => return Completion::Info(no_answer(reached)),
            },
        };
        bounds::WRITE.within(session.invoke(op)).await.unwrap_or_else(|reached| Completion::Info(no_answer(reached)))
    }

    /// Closes the session.
    pub async fn close(mut self) {
        if let Some(session) = self.session.as_mut() {
            session.close().await;
        }
    }
}

fn no_answer(reached: Reached) -> String {
    format!("no answer: {reached}")
}

fn recorded(completion: &Completion) -> history::Completion {
    match completion {
        Completion::Ok(Answer::Published { seq, duplicate }) => {
            history::Completion::Ok { outcome: Outcome::Published { seq: *seq, duplicate: *duplicate } }
        }
        Completion::Ok(_) => history::Completion::Ok { outcome: Outcome::Done },
        Completion::Fail(refusal) => history::Completion::Fail { refusal: refusal.clone() },
        Completion::Later(why) => history::Completion::Later { why: why.clone() },
        Completion::Unwritten(why) => history::Completion::Unwritten { why: why.clone() },
        Completion::Info(why) => history::Completion::Info { why: why.clone() },
    }
}
