//! `cutover deploy`: publishes a module to a hosted database without loss, with a plan before and a look afterwards.

mod changes;
mod removal;
mod rows;
mod send;

use clap::ValueEnum;
use cutover_core::hash::sha256;
use cutover_core::rollout::environment_before;
use cutover_core::stage::deploy::{Asked, COMMAND, DeployFacts, Found, Left, Module, Promoted};
use cutover_core::stage::provision::{DatabaseSeen, ModuleSeen};
use cutover_core::stage::server::{Answer, Trouble};
use cutover_live::bounds;
use cutover_live::hosted::{Line, reach};
use cutover_live::lane::http::HttpClient;
use cutover_live::lane::protocol::Profile;
use cutover_live::lane::spacetime::admin::AdminError;
use cutover_live::lane::spacetime::operate;
use cutover_live::lane::spacetime::{MODULE_WASM, SpacetimeProfile};

use super::environment::{HostedEnvironment, Variable, is_digest};
use super::{Stage, answer, conduct, deployed, pr, token};
use crate::args::{DeployArgs, EnvName};
use crate::exit::{Exit, Failure};
use crate::lanes::read_module;

/// A token that expires sooner than this may not live to the end of a deploy.
const TOKEN_LIFE_S: u64 = 300;

pub fn run(args: &DeployArgs) -> Result<Exit, Failure> {
    let environment = HostedEnvironment::read(args.hosted.env, &args.hosted.variables)?;
    let profile = environment.profile()?;
    let wanted = wanted(args, &environment)?;
    let stage = Stage::begin(COMMAND, args.hosted.env, args.hosted.out.as_ref(), args.hosted.format)?;
    let facts = DeployFacts {
        variables: environment.prefix().to_owned(),
        server: profile.url.clone(),
        database: wanted.database.clone(),
        asked: Asked {
            production: environment.name == EnvName::Prod,
            plan_only: args.plan,
            delete: args.delete,
            reset: args.reset.is_some(),
            break_clients: args.break_clients,
            without_plan: args.without_plan,
        },
        last: wanted.last.clone(),
        promoted: wanted.promoted.clone().map(|left| Promoted { left, now: None }),
        ..DeployFacts::default()
    };
    conduct(stage, facts, async |stage, facts| {
        let (line, http) = match reached(&profile).await {
            Ok(opened) => opened,
            Err(why) => {
                facts.unreached = Some(Trouble::new(why, true));
                stage.unavailable();
                return Ok(());
            }
        };
        let mut deploy = Deploy { args, environment: &environment, wanted: &wanted, line: &line, http, stage, facts };
        let done = deploy.all().await;
        line.close().await;
        done
    })
}

/// What is to be deployed, from the arguments alone.
struct Wanted {
    database: String,
    wasm: Vec<u8>,
    /// The server's hash of the module.
    hash: String,
    promoted: Option<Left>,
    last: Option<Left>,
}

/// Opens a line to the server.
async fn reached(profile: &SpacetimeProfile) -> Result<(Line, HttpClient), String> {
    let origin = profile.socket_origin();
    reach(&origin, origin.tls).await.map_err(|unreached| unreached.why)?;
    let line = Line::open(profile.clone()).await.map_err(|error| error.to_string())?;
    let http = line.http(profile.token.as_ref(), bounds::ADMIN).map_err(|error| error.to_string())?;
    Ok((line, http))
}

/// Everything that can be wrong with the arguments is told here.
fn wanted(args: &DeployArgs, environment: &HostedEnvironment) -> Result<Wanted, Failure> {
    let env = environment.name;
    let base = environment.database();
    let usage = |what: String, hint: &str| Err(Failure::usage(what).hint(hint));
    if let Some(pinned) = &args.fingerprint
        && !is_digest(pinned)
    {
        return usage(format!("`{pinned}` is no fingerprint"), "write it as sha256: and 64 hexadecimal digits");
    }
    let database = match &args.pr {
        Some(_) if env == EnvName::Prod => {
            return usage("production has no database for a pull request".to_owned(), "use dev or staging");
        }
        Some(pr) => match pr::database(base, pr) {
            Some(database) => database,
            None => return usage(format!("`{pr}` has no letter and no digit"), "give a number or a branch"),
        },
        None => base.to_owned(),
    };
    if let Some(reset) = &args.reset {
        if *reset != database {
            return usage(
                format!("--reset names `{reset}`, and the database is `{database}`"),
                "type the name of the database whose data is to be deleted",
            );
        }
        if env == EnvName::Prod || (args.pr.is_none() && !environment.is_disposable()) {
            let variable = environment.variable(Variable::Disposable);
            let hint = format!("only {variable}=true says that its data may be deleted; for prod nothing does");
            return usage(format!("the data of `{database}` is not disposable"), &hint);
        }
    }
    if env == EnvName::Prod && args.promote_from.is_none() && !args.plan {
        return usage(
            "a deploy to production promotes what staging has".to_owned(),
            "give --promote-from with the evidence of the deploy to staging",
        );
    }
    let wasm = match &args.module {
        Some(path) => read_module(path)?,
        None => MODULE_WASM.to_vec(),
    };
    let promoted = args.promote_from.as_deref().map(deployed::left).transpose()?.map(|(left, _)| left);
    if let Some(left) = &promoted
        && args.pr.is_none()
        && Some(left.environment.as_str()) != before(env).map(EnvName::as_str)
    {
        let from = before(env).map_or("no environment".to_owned(), |before| before.to_string());
        let what = format!("--promote-from is a deploy to {}, and {env} takes what {from} has", left.environment);
        return usage(what, "promote from dev to staging, and from staging to prod");
    }
    let last = args.after.as_deref().map(deployed::left).transpose()?;
    if let Some((left, facts)) = &last
        && (left.environment != env.as_str() || facts.database != database)
    {
        return usage("--after is a deploy to another database".to_owned(), "give the last deploy to this one");
    }
    let hash = operate::module_hash(&wasm);
    Ok(Wanted { database, wasm, hash, promoted, last: last.map(|(left, _)| left) })
}

fn before(env: EnvName) -> Option<EnvName> {
    EnvName::from_str(environment_before(env.as_str())?, false).ok()
}

struct Deploy<'a> {
    args: &'a DeployArgs,
    environment: &'a HostedEnvironment,
    wanted: &'a Wanted,
    line: &'a Line,
    http: HttpClient,
    stage: &'a mut Stage,
    facts: &'a mut DeployFacts,
}

impl Deploy<'_> {
    async fn all(&mut self) -> Result<(), Failure> {
        let pinned = self.args.fingerprint.as_deref();
        self.facts.seen = super::server(&mut self.http, self.environment, pinned).await;
        if self.facts.seen.version.as_ref().is_none_or(|version| version.seen().is_none()) {
            return Ok(());
        }
        let now_s = cutover_live::clock::wall_clock_us() / 1_000_000;
        let token = token::look(self.line, self.environment, TOKEN_LIFE_S, now_s).await;
        let is_taken = token::is_taken(&token);
        self.facts.token = Some(token);
        if !is_taken {
            return Ok(());
        }
        if self.args.delete {
            self.facts.removed = Some(answer(self.remove().await));
            return Ok(());
        }
        self.facts.module = Some(Module {
            digest: ModuleSeen { sha256: sha256(&self.wanted.wasm) },
            hash: self.wanted.hash.clone(),
            bytes: self.wanted.wasm.len(),
        });
        let before = answer(self.look().await);
        self.facts.before = Some(before.clone());
        let Answer::Seen(before) = before else { return Ok(()) };
        let now = self.source().await;
        if let Some(promoted) = &mut self.facts.promoted {
            promoted.now = now;
        }
        self.facts.wanted = self.new_surface().await;
        let policy = self.plan(&before).await?;
        if self.args.plan || !self.facts.may_publish() {
            return Ok(());
        }
        let rows = self.rows(&before).await;
        // A database of a pull request that an interrupted command made would be nobody's.
        let is_made = self.args.pr.is_some() && before.database.is_none();
        self.stage.held.send_replace(is_made);
        let published = self.publish(&before, policy.as_ref()).await;
        let is_done = published.end.is_done();
        self.facts.published = Some(published);
        let after = answer(self.look().await);
        self.facts.after = Some(after.clone());
        if let Answer::Seen(after) = &after
            && is_done
        {
            self.compare(&before, after, &rows).await;
        }
        if is_made && self.stage.stop.is_cancelled() {
            let _ = operate::delete(&mut self.http, &self.wanted.database).await;
        }
        self.stage.held.send_replace(false);
        Ok(())
    }

    /// The database as it is now.
    async fn look(&mut self) -> Result<Found, AdminError> {
        found(&mut self.http, &self.wanted.database).await
    }

    /// Asks the environment that is promoted what it runs now.
    async fn source(&self) -> Option<Answer<Found>> {
        self.wanted.promoted.as_ref()?;
        let source = HostedEnvironment::read(before(self.environment.name)?, &self.args.hosted.variables).ok()?;
        let profile = source.profile().ok()?;
        let trouble = |why: String| Answer::Trouble(Trouble::new(why, true));
        let line = match Line::open(profile.clone()).await {
            Ok(line) => line,
            Err(error) => return Some(trouble(error.to_string())),
        };
        let asked = match line.http(profile.token.as_ref(), bounds::ADMIN) {
            Ok(mut http) => answer(found(&mut http, source.database()).await),
            Err(error) => trouble(error.to_string()),
        };
        line.close().await;
        Some(asked)
    }
}

async fn found(http: &mut HttpClient, name: &str) -> Result<Found, AdminError> {
    let Some(operate::Database { identity, owner }) = operate::database(http, name).await? else {
        return Ok(Found::default());
    };
    let module_hash = Some(operate::running_module(http, name).await?);
    let surface = operate::surface(http, name).await?;
    Ok(Found { database: Some(DatabaseSeen { identity, owner }), module_hash, surface })
}
