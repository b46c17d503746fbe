//! Tries what the plans will use of a database: the module's schema, each compression, a policy, a publish with its
//! SQL, and the event, live and by replay.

use cutover_core::plan::{Compression, Serializer};

use super::SpacetimeLane;
use crate::bounds;
use crate::lane::trial::{TRIAL_CLIENT, Trial, TrialError};
use crate::lane::{Arrival, ClientOptions, Completion, Endpoint, Lane, OpError, SubscriberSession};

impl SpacetimeLane {
    /// Tries the database. The event lies in the trial's own stream.
    pub async fn try_out(&self, endpoint: &Endpoint, trial: &Trial) -> Result<(), TrialError> {
        self.schema.check().map_err(TrialError::Module)?;
        let mut live = None;
        for compression in &trial.compressions {
            let mut session = self.trial_session(endpoint, *compression).await?;
            done(session.heartbeat().await, "a heartbeat")?;
            match live {
                None => live = Some(session),
                Some(_) => session.close().await,
            }
        }
        let opened = self.writer(endpoint).await;
        let mut writer =
            opened.map_err(|source| TrialError::Open { trying: "the writer's connection".to_owned(), source })?;
        let limit = trial.policies.then_some(200);
        done(writer.set_policy(&trial.stream, limit, limit).await, "a stream's policy")?;
        let bootstrap = [(trial.stream.clone(), None)];
        if let Some(live) = &mut live {
            done(live.subscribe(&bootstrap, 200).await, "a subscription")?;
        }
        done(writer.publish(&trial.stream, &trial.marker, &trial.payload()).await, "a publish")?;
        if let Some(mut live) = live {
            read_event(&mut live).await?;
            live.close().await;
        }
        for compression in &trial.compressions {
            let mut session = self.trial_session(endpoint, *compression).await?;
            done(session.subscribe(&bootstrap, 200).await, "a subscription")?;
            read_event(&mut session).await?;
            session.close().await;
        }
        Ok(())
    }

    async fn trial_session(
        &self,
        endpoint: &Endpoint,
        compression: Compression,
    ) -> Result<Box<dyn SubscriberSession>, TrialError> {
        let client = ClientOptions { name: TRIAL_CLIENT.to_owned(), serializer: Serializer::V2, compression };
        let opened = self.subscriber(endpoint, &client).await;
        opened.map_err(|source| TrialError::Open {
            trying: format!(
                "a connection that offers {} with compression {compression:?}",
                self.profile.subprotocols.join(", ")
            ),
            source,
        })
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

/// Waits for the event. The run judges an event that does not arrive; one that can't be read is of another module.
async fn read_event(session: &mut Box<dyn SubscriberSession>) -> Result<(), TrialError> {
    let mut bound = bounds::LIVE.begin();
    loop {
        match bound.within(session.next()).await {
            Ok(Arrival::Unreadable(what)) => return Err(TrialError::Module(what)),
            Ok(Arrival::Contradiction { .. } | Arrival::Foreign { .. } | Arrival::Ignored(_)) => {}
            Ok(Arrival::Event { .. } | Arrival::Closed(_)) | Err(_) => return Ok(()),
        }
    }
}

fn refused(what: String, passing: bool) -> TrialError {
    TrialError::Refused { what, hint: None, passing }
}
