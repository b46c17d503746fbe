//! What a publish would change: the server's plan, and the schema of the module.

use cutover_core::stage::Surface;
use cutover_core::stage::deploy::{Found, PLAN_FILE, PlanSeen, Scratch};
use cutover_core::stage::server::Answer;
use cutover_live::lane::spacetime::operate::{self, Plan, Policy};
use cutover_live::lane::spacetime::{MODULE_WASM, Schema, admin};

use super::send::attempt;
use super::{Deploy, EnvName, answer};
use crate::exit::Failure;

impl Deploy<'_> {
    /// The policy to publish with. There is none where nothing is to be published.
    pub(super) async fn plan(&mut self, before: &Found) -> Result<Option<Policy>, Failure> {
        let clear = self.args.reset.is_some();
        if before.database.is_none() {
            self.facts.plan = Some(Answer::Seen(PlanSeen::New));
            return Ok(Some(Policy::Unsaid));
        }
        if before.module_hash.as_ref() == Some(&self.wanted.hash) && !clear {
            self.facts.plan = Some(Answer::Seen(PlanSeen::Same));
            return Ok(None);
        }
        let asked = operate::plan(&mut self.http, &self.wanted.database, self.wanted.wasm.clone()).await;
        let mut policy = None;
        let mut text = None;
        self.facts.plan = Some(answer(asked.map(|planned| match planned {
            Plan::Auto { token, steps, break_clients, major_upgrade } => {
                policy = Some(if break_clients { Policy::BreakClients(token) } else { Policy::Compatible });
                let lines = steps.lines().filter(|line| !line.trim().is_empty()).count();
                text = Some(steps);
                PlanSeen::Auto { lines, break_clients, major_upgrade }
            }
            Plan::Manual(reason) => {
                text = Some(reason.clone());
                PlanSeen::Manual(reason)
            }
            Plan::NoPlans => {
                policy = Some(Policy::Unsaid);
                PlanSeen::NoPlans
            }
        })));
        if let Some(text) = text {
            self.stage.file(PLAN_FILE, format!("{text}\n").into_bytes())?;
        }
        Ok(if clear { Some(Policy::Clear) } else { policy })
    }

    /// The schema of the module that is to be published.
    pub(super) async fn new_surface(&mut self) -> Option<Surface> {
        if let Some(promoted) = &self.wanted.promoted {
            return promoted.surface.clone();
        }
        if self.wanted.wasm == MODULE_WASM {
            return Some(Schema::module_surface());
        }
        // Only a server knows the schema of a module. No database is made in production to find out.
        if self.environment.name == EnvName::Prod {
            return None;
        }
        let name = format!("cutover-scratch-{:08x}", crate::surroundings::random() as u32);
        self.stage.held.send_replace(true);
        let sent = operate::publish(&mut self.http, &name, self.wanted.wasm.clone(), &Policy::Unsaid).await;
        let surface = operate::surface(&mut self.http, &name).await;
        let deleted = answer(admin::delete_database(&mut self.http, &name).await.map(|()| true));
        self.facts.scratch = Some(Scratch { name, published: attempt(&sent), deleted });
        self.stage.held.send_replace(false);
        surface.ok().flatten()
    }
}
