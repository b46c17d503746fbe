//! What a publish would change: by the server's plan, and by comparing the schemas.

use cutover_core::stage::{Change, Check, Surface};
use cutover_live::lane::spacetime::{MODULE_WASM, Schema, admin};
use serde_json::json;

use super::send::attempt;
use super::{Deploy, Found, Plan, Policy, operate, refused};
use crate::args::EnvName;
use crate::exit::Failure;

/// The file with the server's plan.
const PLAN: &str = "plan.txt";

impl Deploy<'_> {
    /// The policy to publish with, and the schema that the module has, where it is known. No policy means that there is
    /// nothing to publish.
    pub(super) async fn plan(&mut self, before: &Found) -> Result<(Option<Policy>, Option<Surface>), Failure> {
        let surface = self.new_surface().await;
        let clear = self.args.reset.is_some();
        if before.database.is_none() {
            self.stage.check(Check::passed("plan", "the database is new"));
            return Ok((Some(Policy::Unsaid), surface));
        }
        if before.hash.as_ref() == Some(&self.wanted.hash) && !clear {
            self.stage.check(Check::passed("plan", "the database runs this module already"));
            return Ok((None, surface));
        }
        let asked = operate::plan(&mut self.http, &self.wanted.database, self.wanted.wasm.clone()).await;
        let planned = match asked {
            Ok(planned) => planned,
            Err(error) => {
                self.stage.check(refused("plan", &error, "mend what the server says of the module"));
                return Ok((None, surface));
            }
        };
        let (policy, breaks) = self.planned(&planned, clear)?;
        self.clients(before, surface.as_ref(), breaks);
        Ok((policy, surface))
    }

    /// What the server's plan means: the policy, and whether it says that clients break.
    fn planned(&mut self, planned: &Plan, clear: bool) -> Result<(Option<Policy>, bool), Failure> {
        let clears = |policy| if clear { Policy::Clear } else { policy };
        Ok(match planned {
            Plan::Auto { token, steps, break_clients, major_upgrade } => {
                self.stage.file(PLAN, format!("{steps}\n").into_bytes())?;
                let plan = json!({ "is": "auto", "break_clients": break_clients, "major_upgrade": major_upgrade });
                self.stage.fact("plan", plan);
                let lines = steps.lines().filter(|line| !line.trim().is_empty()).count();
                let upgrade = if *major_upgrade { "; it is an upgrade to a new major version" } else { "" };
                let saw = format!("the server migrates by itself; {PLAN} has its plan of {lines} lines{upgrade}");
                self.stage.check(Check::passed("plan", saw));
                let policy = if *break_clients { Policy::BreakClients(token.clone()) } else { Policy::Compatible };
                (Some(clears(policy)), *break_clients)
            }
            Plan::Manual(reason) => {
                self.stage.file(PLAN, format!("{reason}\n").into_bytes())?;
                self.stage.fact("plan", json!({ "is": "manual" }));
                let saw = format!("the server can't migrate the data by itself: {reason}");
                let name = &self.wanted.database;
                match clear {
                    true => self.stage.check(Check::passed("plan", format!("{saw}; --reset deletes the data"))),
                    false => self.stage.check(Check::failed(
                        "plan",
                        saw,
                        format!("change the module so that the data can stay; --reset {name} deletes disposable data"),
                    )),
                }
                (Some(Policy::Clear).filter(|_| clear), true)
            }
            Plan::NoPlans => {
                self.stage.fact("plan", json!({ "is": "none" }));
                let saw = "this version of the server makes no plans";
                self.stage.check(match self.args.without_plan || clear {
                    true => Check::skipped("plan", format!("{saw}, and none was asked for"), ""),
                    false => Check::unknown("plan", saw, "give --without-plan: the schemas are still compared"),
                });
                (Some(clears(Policy::Unsaid)), false)
            }
        })
    }

    /// Whether clients of the old module go on with the new one.
    fn clients(&mut self, before: &Found, surface: Option<&Surface>, breaks_by_plan: bool) {
        let name = "clients";
        let mend = "have clients ready for the new module first; then give --break-clients";
        let (Some(old), Some(new)) = (&before.surface, surface) else {
            let why = "the schema of one of the modules is unknown, so that they can't be compared";
            self.stage.check(Check::unknown(name, why, "deploy to an environment before this one, and promote that"));
            return;
        };
        let changes = old.changes(new);
        self.stage.fact("changes", json!(changes));
        let breaking: Vec<&str> = changes.iter().filter(|change| change.breaks).map(Change::text).collect();
        let told = match (breaking.is_empty(), breaks_by_plan) {
            (true, false) => {
                let all: Vec<&str> = changes.iter().map(Change::text).collect();
                let all = if all.is_empty() { "nothing changes for clients".to_owned() } else { all.join("; ") };
                self.stage.check(Check::passed(name, all));
                return;
            }
            (true, true) => "the server disconnects all clients".to_owned(),
            (false, true) => format!("{}; the server disconnects all clients", breaking.join("; ")),
            (false, false) => format!("{}, though the server disconnects nobody", breaking.join("; ")),
        };
        self.stage.check(match self.args.break_clients {
            true => Check::passed(name, format!("they may break, as --break-clients allows: {told}")),
            false => Check::failed(name, told, mend),
        });
    }

    /// The schema of the module that is to be published.
    async fn new_surface(&mut self) -> Option<Surface> {
        if let Some((_, surface)) = &self.wanted.promoted {
            return Some(surface.clone());
        }
        if self.wanted.wasm == MODULE_WASM {
            return Some(Schema::module_surface());
        }
        // Only a server knows the schema of a module. No database is made in production to find out.
        if self.environment.name == EnvName::Prod {
            return None;
        }
        let name = format!("cutover-scratch-{:08x}", crate::surroundings::random() as u32);
        let sent = operate::publish(&mut self.http, &name, self.wanted.wasm.clone(), &Policy::Unsaid).await;
        let surface = operate::surface(&mut self.http, &name).await;
        let deleted = admin::delete_database(&mut self.http, &name).await;
        let check = match (&surface, deleted) {
            (Ok(Some(_)), Ok(())) => Check::passed("scratch", "the schema was read from a database made for that"),
            (Ok(Some(_)), Err(error)) => {
                Check::passed("scratch", format!("the database `{name}` made for the schema is left: {error}"))
            }
            _ => Check::unknown(
                "scratch",
                format!("the module can't be published to a new database: {}", attempt(&sent)),
                "",
            ),
        };
        self.stage.check(check);
        surface.ok().flatten()
    }
}
