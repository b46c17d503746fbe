//! Deletes the database of a pull request.

use cutover_core::stage::deploy::Removed;
use cutover_live::lane::spacetime::admin::AdminError;
use cutover_live::lane::spacetime::{operate, until_empty};

use super::Deploy;

impl Deploy<'_> {
    /// Deletes it once nobody is connected: a server may end where a client's disconnect is in progress.
    pub(super) async fn remove(&mut self) -> Result<Removed, AdminError> {
        let database = &self.wanted.database;
        let Some(found) = operate::database(&mut self.http, database).await? else {
            return Ok(Removed::NotThere);
        };
        let identity = self.facts.token.as_ref().and_then(|token| token.identity());
        if identity != Some(found.owner.as_str()) {
            return Ok(Removed::Owned(found.owner));
        }
        if let Err(reached) = until_empty(&mut self.http, database).await? {
            return Ok(Removed::Used(reached.to_string()));
        }
        operate::delete(&mut self.http, database).await?;
        Ok(match operate::database(&mut self.http, database).await? {
            None => Removed::Gone,
            Some(_) => Removed::StillThere,
        })
    }
}
