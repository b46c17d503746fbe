//! Tries what the plans will use of a database: the module's schema, each compression, a policy, a publish with its
//! SQL, and the event, live and by replay.

use cutover_core::ids::Cursor;
use cutover_core::plan::{Compression, Serializer};

use super::SpacetimeLane;
use crate::bounds;
use crate::lane::trial::{self, Attempt, Outcome, REPLAY_BATCH, Steps, TRIAL_CLIENT, Trial, TrialError};
use crate::lane::{
    Arrival, ClientOptions, Completion, Endpoint, Lane, OpError, Publish, SubscriberSession, WriterSession,
};

struct SpacetimeAttempt<'a> {
    lane: &'a SpacetimeLane,
    endpoint: &'a Endpoint,
    trial: &'a Trial,
}

impl SpacetimeLane {
    pub(super) async fn try_out(&self, endpoint: &Endpoint, trial: &Trial, mut steps: Steps) -> Steps {
        let checked = self.schema.check().map_err(TrialError::Module);
        // Nothing is written to a module that is not the one of the profile.
        if steps.step("find tables, columns and reducers in it", async { checked }).await.is_some() {
            let attempt = SpacetimeAttempt { lane: self, endpoint, trial };
            trial::run(&attempt, &trial.compressions, &mut steps).await;
        }
        steps
    }
}

impl Attempt for SpacetimeAttempt<'_> {
    type Variant = Compression;
    type Client = Box<dyn SubscriberSession>;
    type Writer = Box<dyn WriterSession>;

    async fn connect(&self, compression: Compression) -> Result<Box<dyn SubscriberSession>, TrialError> {
        let (name, serializer) = (TRIAL_CLIENT.to_owned(), Serializer::V2);
        let client = ClientOptions { name, serializer, compression, join: None };
        let offered = self.lane.profile.subprotocols.join(", ");
        let trying = format!("a connection that offers {offered} with compression {compression:?}");
        let opened = self.lane.subscriber(self.endpoint, &client).await;
        let mut session = opened.map_err(|source| TrialError::Open { trying, source })?;
        done(session.heartbeat().await, "a heartbeat")?;
        Ok(session)
    }

    async fn connect_writer(&self) -> Result<Box<dyn WriterSession>, TrialError> {
        let opened = self.lane.writer(self.endpoint).await;
        opened.map_err(|source| TrialError::Open { trying: "the writer's connection".to_owned(), source })
    }

    fn sets_policies(&self) -> bool {
        !self.lane.schema.shape().policy.reducer.is_empty()
    }

    async fn set_policy(&self, writer: &mut Box<dyn WriterSession>) -> Result<(), TrialError> {
        let limit = self.trial.limit();
        done(writer.set_policy(&self.trial.stream, limit, limit).await, "a stream's policy")
    }

    async fn publish(&self, writer: &mut Box<dyn WriterSession>) -> Result<(), TrialError> {
        let Trial { stream, marker, .. } = self.trial;
        done(writer.publish(Publish::new(stream, marker, &self.trial.payload())).await, "a publish")
    }

    async fn subscribe(&self, session: &mut Box<dyn SubscriberSession>) -> Result<(), TrialError> {
        done(session.subscribe(&[(self.trial.stream.clone(), None)], REPLAY_BATCH).await, "a subscription")
    }

    /// Waits for the event. One that does not come is left to the run; one that can't be read is of another module.
    async fn read(&self, mut session: Box<dyn SubscriberSession>, _live: bool) -> Result<bool, TrialError> {
        let mut bound = bounds::LIVE.begin();
        let came = loop {
            match bound.within(session.next()).await {
                Ok(Arrival::Unreadable(what)) => return Err(TrialError::Module(what)),
                Ok(Arrival::Event { .. }) => break true,
                Ok(Arrival::Closed(_)) | Err(_) => break false,
                Ok(_) => {}
            }
        };
        session.close().await;
        Ok(came)
    }

    async fn close(&self, mut session: Box<dyn SubscriberSession>) {
        session.close().await;
    }

    async fn others(&self, writer: &mut Box<dyn WriterSession>, compression: Compression, steps: &mut Steps) {
        let (shape, stream) = (self.lane.schema.shape(), &self.trial.stream);
        let connected = steps.step("connect for a checkpoint", self.connect(compression)).await;
        if let Some(mut session) = connected {
            match session.checkpoint(stream, Cursor(1)).await {
                Some(answered) => {
                    steps.step("acknowledge a checkpoint", async { done(answered, "a checkpoint") }).await;
                }
                None => steps.add("acknowledge a checkpoint", Outcome::LeftOut),
            }
            session.close().await;
        }
        let stored = match shape.heads.table.is_empty() {
            true => Outcome::LeftOut,
            false => match writer.stored(stream).await {
                Ok(Some(_)) => Outcome::Works,
                Ok(None) => Outcome::Missing("the tables show no row of the stream"),
                Err(error) => Outcome::Failed(Box::new(refused(error.what(), false))),
            },
        };
        steps.add("read what is stored, by SQL", stored);
        let listed = match writer.connections().await {
            Ok(Some(_)) => Outcome::Works,
            Ok(None) if shape.presence.table.is_empty() => Outcome::LeftOut,
            Ok(None) => Outcome::Missing("the query of the connections was refused"),
            Err(error) => Outcome::Failed(Box::new(refused(error.what(), false))),
        };
        steps.add("list the connections, by SQL", listed);
    }
}

fn done<T>(completion: Completion<T>, what: &str) -> Result<(), TrialError> {
    match completion {
        // The run judges an acknowledged event that is not there.
        Ok(_) | Err(OpError::Unwritten(_)) => Ok(()),
        Err(OpError::Refused(refusal)) => {
            let what = format!("{what} was refused: {}: {}", refusal.code, refusal.message);
            Err(refused(what, refusal.code == "http_429"))
        }
        Err(OpError::Later(why)) => Err(refused(format!("{what} was put off: {why}"), true)),
        Err(OpError::Unknown(why)) => Err(refused(format!("{what} was not answered: {why}"), true)),
    }
}

fn refused(what: String, passing: bool) -> TrialError {
    TrialError::Refused { what, hint: None, passing }
}
