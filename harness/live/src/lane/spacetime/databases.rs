//! The databases that a run creates on a server that is not its own, and their removal at its end.
//!
//! A SpacetimeDB 2.8.3 ends when a database is deleted while a client's disconnect is in progress. So nothing is
//! deleted while plans are driven, and a database goes only once it has no connection any more.

use std::collections::BTreeSet;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use super::admin::{self, AdminError};
use super::service::SpacetimeService;
use crate::bounds::{self, Reached};
use crate::lane::http::HttpClient;

const ASK_AGAIN: Duration = Duration::from_millis(50);
/// So often a database is looked for whose creation was broken off and that may never come.
const LOOKS: usize = 5;
const AT_ONCE: usize = 4;

impl SpacetimeService {
    pub(super) async fn delete_databases(&self, within: Duration) -> Vec<String> {
        let deadline = Instant::now() + within;
        let deleted = stream::iter(std::mem::take(&mut *self.lock())).map(|name| async move {
            let outcome = match timeout_at(deadline, self.delete(&name)).await {
                Ok(outcome) => outcome,
                Err(_) => Err("there was no time left".to_owned()),
            };
            let why = outcome.err()?;
            Some(format!("the database `{name}` is left on {}: {why}", self.profile.url))
        });
        let left: Vec<Option<String>> = deleted.buffer_unordered(AT_ONCE).collect().await;
        left.into_iter().flatten().collect()
    }

    /// Keeps all databases, and says where they are.
    pub(super) fn kept_databases(&self) -> Vec<String> {
        let all = std::mem::take(&mut *self.lock());
        all.into_iter().map(|name| format!("kept the database `{name}` on {}", self.profile.url)).collect()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.created.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn delete(&self, name: &str) -> Result<(), String> {
        let mut http = self.http(bounds::DELETE).map_err(|error| error.to_string())?;
        for _ in 0..LOOKS {
            match until_empty(&mut http, name).await {
                Err(AdminError::Refused { status: 404, .. }) => tokio::time::sleep(ASK_AGAIN).await,
                Err(error) => return Err(error.to_string()),
                Ok(Err(reached)) => return Err(format!("it still has connections: {reached}")),
                Ok(Ok(())) => {
                    return admin::delete_database(&mut http, name).await.map_err(|error| error.to_string());
                }
            }
        }
        // It was never created.
        Ok(())
    }
}

/// Waits until the last connection has ended: none of one answer is in the next one.
pub async fn until_empty(http: &mut HttpClient, name: &str) -> Result<Result<(), Reached>, AdminError> {
    let mut before = admin::connections(http, name).await?;
    let gone = async {
        while !before.is_empty() {
            tokio::time::sleep(ASK_AGAIN).await;
            let now = admin::connections(http, name).await?;
            before.retain(|connection| now.contains(connection));
        }
        Ok(())
    };
    match bounds::EMPTY.within(gone).await {
        Ok(outcome) => outcome.map(Ok),
        Err(reached) => Ok(Err(reached)),
    }
}

#[cfg(test)]
mod tests;
