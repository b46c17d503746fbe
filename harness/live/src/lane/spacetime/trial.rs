//! Tries a database with what the plans will use: the module's schema, each compression, a policy, a publish with its SQL, and
//! the event read back live and by replay.

use cutover_core::plan::Compression;

use super::{SpacetimeLane, admin};
use crate::bounds;
use crate::lane::http::HttpClient;
use crate::lane::trial::{TRIAL_CLIENT, Trial, TrialError};
use crate::lane::{Arrival, Completion, Endpoint, Lane, Op, Role, Session};

impl SpacetimeLane {
    /// Tries the database, whose schema is asked for over `http`. The event lies in the trial's own stream.
    pub async fn try_out(&self, endpoint: &Endpoint, http: &mut HttpClient, trial: &Trial) -> Result<(), TrialError> {
        let schema = admin::schema(http, &self.database).await;
        let schema = schema.map_err(|error| refused(error.to_string(), error.is_retryable()))?;
        if let Some(schema) = schema {
            schema.check().map_err(TrialError::Module)?;
        }
        let mut live = None;
        for compression in &trial.compressions {
            let mut session = self.trial_session(endpoint, *compression).await?;
            self.ask(&mut session, &Op::Heartbeat, "a heartbeat").await?;
            match live {
                None => live = Some(session),
                Some(_) => session.close().await,
            }
        }
        let opened = self.open(endpoint, &Role::Writer).await;
        let mut writer =
            opened.map_err(|source| TrialError::Open { trying: "the writer's connection".to_owned(), source })?;
        let limit = trial.policies.then_some(200);
        let policy = Op::Policy { stream: trial.stream.clone(), retention: limit, replay_budget: limit };
        self.ask(&mut writer, &policy, "a stream's policy").await?;
        if let Some(live) = &mut live {
            self.ask(live, &self.bootstrap(trial), "a subscription").await?;
        }
        let publish = Op::Publish { stream: trial.stream.clone(), key: trial.marker.clone(), payload: trial.payload() };
        self.ask(&mut writer, &publish, "a publish").await?;
        if let Some(mut live) = live {
            read_event(&mut live).await?;
            live.close().await;
        }
        for compression in &trial.compressions {
            let mut session = self.trial_session(endpoint, *compression).await?;
            self.ask(&mut session, &self.bootstrap(trial), "a subscription").await?;
            read_event(&mut session).await?;
            session.close().await;
        }
        Ok(())
    }

    fn bootstrap(&self, trial: &Trial) -> Op {
        Op::Subscribe { streams: vec![(trial.stream.clone(), None)], replay_batch: 200 }
    }

    async fn trial_session(
        &self,
        endpoint: &Endpoint,
        compression: Compression,
    ) -> Result<Box<dyn Session>, TrialError> {
        let opened = self.subscriber(endpoint, TRIAL_CLIENT, compression).await;
        opened.map_err(|source| TrialError::Open {
            trying: format!(
                "a connection that offers {} with compression {compression:?}",
                self.profile.subprotocols.join(", ")
            ),
            source,
        })
    }

    async fn ask(&self, session: &mut Box<dyn Session>, op: &Op, what: &str) -> Result<(), TrialError> {
        match session.invoke(op).await {
            // What was acknowledged and is not there is the run's to judge.
            Completion::Ok(_) | Completion::Unwritten(_) => Ok(()),
            Completion::Fail(refusal) => {
                let what = format!("{what} was refused: {}: {}", refusal.code, refusal.message);
                Err(refused(what, refusal.code == "http_429"))
            }
            Completion::Later(why) => Err(refused(format!("{what} was put off: {why}"), true)),
            Completion::Info(why) => Err(refused(format!("{what} was not answered: {why}"), true)),
        }
    }
}

/// Waits for the event. One that does not come is left to the run; one that can't be read is of another module.
async fn read_event(session: &mut Box<dyn Session>) -> Result<(), TrialError> {
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
