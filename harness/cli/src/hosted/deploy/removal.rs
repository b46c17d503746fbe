//! Deletes the database of a pull request.

use cutover_core::stage::Check;

use cutover_live::lane::spacetime::admin::AdminError;

use super::{Deploy, Token, operate, refused};

impl Deploy<'_> {
    /// Deletes it once nobody is connected: a server may end where a client's disconnect is in progress.
    pub(super) async fn remove(&mut self, token: &Token) {
        let check = match self.removed(token).await {
            Ok(check) | Err(check) => check,
        };
        self.stage.check(check);
    }

    async fn removed(&mut self, token: &Token) -> Result<Check, Check> {
        let name = "delete";
        let database = &self.wanted.database;
        let told = |error: &AdminError| refused(name, error, "ask again; the server's own log says more");
        let found = operate::database(&mut self.http, database).await.map_err(|error| told(&error))?;
        let Some(found) = found else {
            return Ok(Check::passed(name, format!("there is no database `{database}`")));
        };
        if token.identity.as_ref() != Some(&found.owner) {
            let saw = format!("`{database}` belongs to {}, who alone may delete it", found.owner);
            return Err(Check::failed(name, saw, "use the token that made it"));
        }
        match operate::until_empty(&mut self.http, database).await {
            Ok(Ok(())) => {}
            Ok(Err(reached)) => {
                let mend = "have its clients leave; then delete it again";
                return Err(Check::unknown(name, format!("`{database}` still has clients: {reached}"), mend));
            }
            Err(error) => return Err(told(&error)),
        }
        operate::delete(&mut self.http, database).await.map_err(|error| told(&error))?;
        match operate::database(&mut self.http, database).await {
            Ok(None) => Ok(Check::passed(name, format!("`{database}` is gone"))),
            Ok(Some(_)) => Err(Check::failed(name, format!("`{database}` is still there"), "read the server's log")),
            Err(error) => Err(told(&error)),
        }
    }
}
