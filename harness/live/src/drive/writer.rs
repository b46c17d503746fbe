//! The writer of a case: it publishes in order, and retries under the same key until it has an answer.

use std::sync::Arc;
use std::time::Duration;

use cutover_core::history::{self, Outcome, Record, StoredCheckpoint};
use cutover_core::ids::{OpId, StreamId};
use cutover_core::plan::Window;
use tokio::time::Instant;

use super::backoff::Backoff;
use super::pace::Pace;
use super::recorder::Recorder;
use super::timeout::MeasuredTimeout;
use crate::bounds::{self, Bound, Reached};
use crate::lane::{Completion, Endpoint, Lane, OpError, Prune, Publish, Published, WriterSession};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    Publish { stream: StreamId, key: String, payload: String, next_seq: Option<u64>, hash: Option<String> },
    Prune { stream: StreamId, prune: Prune },
    Checkpoint { stream: StreamId, checkpoint: StoredCheckpoint },
    Call { stream: StreamId, call: String, body: String },
    Rows { stream: StreamId, query: String },
    Policy { stream: StreamId, retention: Option<u64>, replay_budget: Option<u64> },
    Window(Window),
}

impl Write {
    /// A large payload gets the bound of a small one for each of its parts.
    fn parts(&self) -> u32 {
        match self {
            Write::Publish { payload, .. } => bounds::parts_of_payload(payload),
            _ => 1,
        }
    }

    fn bound(&self, bound: Bound) -> Bound {
        Bound { time: bound.time.saturating_mul(self.parts()), ..bound }
    }
}

/// How often the first publish is sent that the lane acknowledges and does not write. Then it is left unwritten, and so
/// are later ones after one try: the lane has shown what it does.
const UNWRITTEN_TRIES: u32 = 3;

pub struct Writer {
    lane: Arc<dyn Lane>,
    endpoint: Endpoint,
    recorder: Recorder,
    session: Option<Box<dyn WriterSession>>,
    /// The waits before further attempts, as the plan drew them.
    backoff: Backoff,
    asked_to_wait: Option<Duration>,
    pace: Option<Arc<Pace>>,
    answers: Arc<MeasuredTimeout>,
    unwritten_tries: u32,
}

impl Writer {
    /// A writer that opens its session with its first operation.
    pub fn new(lane: Arc<dyn Lane>, endpoint: Endpoint, recorder: Recorder, backoff: Backoff) -> Writer {
        let answers = Arc::new(MeasuredTimeout::of_answers());
        Writer {
            lane,
            endpoint,
            recorder,
            session: None,
            backoff,
            asked_to_wait: None,
            pace: None,
            answers,
            unwritten_tries: UNWRITTEN_TRIES,
        }
    }

    #[must_use]
    pub fn at_pace(mut self, pace: Option<Arc<Pace>>) -> Writer {
        self.pace = pace;
        self
    }

    #[must_use]
    pub fn waiting(mut self, answers: Arc<MeasuredTimeout>) -> Writer {
        self.answers = answers;
        self
    }

    /// A writer of the same lane, for a connection of its own.
    pub fn another(&self) -> Writer {
        let (lane, endpoint, recorder) = (self.lane.clone(), self.endpoint.clone(), self.recorder.clone());
        Writer::new(lane, endpoint, recorder, self.backoff.clone())
            .at_pace(self.pace.clone())
            .waiting(self.answers.clone())
    }

    /// Opens the session, so that an operation is sent without delay. An operation opens one that fails here again.
    pub async fn ready(&mut self) {
        if let Ok(Ok(session)) = bounds::WRITE.within(self.lane.writer(&self.endpoint)).await {
            self.session = Some(session);
        }
    }

    /// Does an operation, and retries it until it is answered or its time is up.
    pub async fn invoke(&mut self, id: OpId, write: &Write) -> Completion<Outcome> {
        self.invoke_from(id, write, 1).await
    }

    /// The same, where the attempts before this one are recorded already.
    pub async fn invoke_from(&mut self, id: OpId, write: &Write, first: u32) -> Completion<Outcome> {
        let mut trying = write.bound(bounds::WRITE_TRIES).begin();
        let mut unwritten = 0;
        for attempt in first.. {
            if let Some(pace) = &self.pace {
                pace.turn().await;
            }
            self.recorder.record(Record::Invoke { op: id, attempt });
            let completion = trying.during(self.once(write)).await;
            self.recorder.record(Record::Complete {
                op: id,
                attempt,
                completion: recorded(completion.clone(), |done| done),
            });
            unwritten += u32::from(matches!(completion, Err(OpError::Unwritten(_))));
            let again = !matches!(completion, Ok(_) | Err(OpError::Refused(_))) && unwritten < self.unwritten_tries;
            if unwritten == self.unwritten_tries {
                self.unwritten_tries = 1;
            }
            if !again {
                self.backoff.reset();
            }
            if !again || trying.is_reached() {
                return completion;
            }
            let asked = self.session.as_ref().and_then(|session| session.retry_after());
            let wait = self.backoff.after_failure(asked.or(self.asked_to_wait.take()));
            if matches!(completion, Err(OpError::Unknown(_))) {
                self.session = None;
            }
            trying.during(tokio::time::sleep(wait)).await;
        }
        Err(OpError::Unknown("never tried".to_owned()))
    }

    pub(super) async fn once(&mut self, write: &Write) -> Completion<Outcome> {
        let session = match self.session.as_mut() {
            Some(session) => session,
            None => match bounds::WRITE.within(self.lane.writer(&self.endpoint)).await {
                Ok(Ok(session)) => self.session.insert(session),
                // Nothing was sent yet.
                Ok(Err(error)) => {
                    self.asked_to_wait = error.retry_after;
                    return Err(OpError::Later(error.to_string()));
                }
                Err(reached) => return Err(no_answer(reached)),
            },
        };
        let written = async {
            match write {
                Write::Publish { stream, key, payload, next_seq, hash } => {
                    let (expected_next_seq, payload_hash) = (*next_seq, hash.as_deref());
                    let publish = Publish { stream, key, payload, expected_next_seq, payload_hash };
                    let Published { seq, duplicate, differs } = session.publish(publish).await?;
                    Ok(Outcome::Published { seq, duplicate, differs })
                }
                Write::Prune { stream, prune } => {
                    session.prune(stream, *prune).await.map(|up_to| Outcome::Pruned { up_to })
                }
                Write::Call { stream, call, body } => offered(session.call(stream, call, body).await),
                Write::Rows { stream, query } => match session.rows(stream, query).await {
                    Some(rows) => rows.map(|rows| Outcome::Rows { rows }),
                    None => Ok(Outcome::NotOffered),
                },
                Write::Checkpoint { stream, checkpoint } => offered(session.checkpoint(stream, checkpoint).await),
                Write::Window(window) => session.set_window(window).await.map(|()| Outcome::Done),
                Write::Policy { stream, retention, replay_budget } => {
                    session.set_policy(stream, *retention, *replay_budget).await.map(|()| Outcome::Done)
                }
            }
        };
        let began = Instant::now();
        let answered = write.bound(self.answers.bound()).within(written).await.map_err(no_answer)?;
        if matches!(answered, Ok(_) | Err(OpError::Refused(_))) {
            self.answers.ended_well(began.elapsed() / write.parts());
        }
        answered
    }
}

fn offered(completion: Option<Completion>) -> Completion<Outcome> {
    completion.map_or(Ok(Outcome::NotOffered), |done| done.map(|()| Outcome::Done))
}

fn no_answer(reached: Reached) -> OpError {
    OpError::Unknown(format!("no answer: {reached}"))
}

/// A completion as the history has it.
pub(super) fn recorded<T>(completion: Completion<T>, outcome: impl Fn(T) -> Outcome) -> history::Completion {
    match completion {
        Ok(done) => history::Completion::Ok { outcome: outcome(done) },
        Err(OpError::Refused(refusal)) => history::Completion::Fail { refusal: *refusal },
        Err(OpError::Later(why)) => history::Completion::Later { why },
        Err(OpError::Unwritten(why)) => history::Completion::Unwritten { why },
        Err(OpError::Unknown(why)) => history::Completion::Info { why },
    }
}
