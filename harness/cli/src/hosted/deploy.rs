//! `cutover deploy`: publishes a module to a hosted database without loss, with a plan before and a look afterwards.

mod changes;
mod removal;
mod send;

use cutover_core::hash::sha256;
use cutover_core::stage::{Check, Decision, StageRecord, Surface};
use cutover_live::bounds;
use cutover_live::hosted::{Line, reach};
use cutover_live::lane::http::HttpClient;
use cutover_live::lane::protocol::Profile;
use cutover_live::lane::spacetime::operate::{self, Plan, Policy};
use cutover_live::lane::spacetime::{MODULE_WASM, SpacetimeProfile, admin};
use serde_json::json;

use super::environment::{HostedEnvironment, Variable, is_digest};
use super::token::{self, Token};
use super::{Stage, conduct, deployed, pr, refused};
use crate::args::{DeployArgs, EnvName};
use crate::exit::{Exit, Failure};
use crate::lanes::read_module;

/// A token that expires sooner than this may not live to the end of a deploy.
const TOKEN_LIFE: std::time::Duration = std::time::Duration::from_secs(300);

pub fn run(args: &DeployArgs) -> Result<Exit, Failure> {
    let environment = HostedEnvironment::read(args.hosted.env, &args.hosted.variables)?;
    let profile = environment.profile()?;
    let wanted = wanted(args, &environment)?;
    let stage = Stage::begin(deployed::COMMAND, args.hosted.env, args.hosted.out.as_ref(), args.hosted.format)?;
    conduct(stage, async |stage| {
        stage.fact("server", profile.url.clone());
        stage.fact("database", wanted.database.clone());
        let Some((line, http)) = reached(&profile, stage).await else {
            stage.unavailable();
            return Ok(());
        };
        let mut deploy = Deploy { args, environment: &environment, wanted: &wanted, line: &line, http, stage };
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
    promoted: Option<(StageRecord, Surface)>,
    last: Option<StageRecord>,
}

/// Opens a line to the server. Where it can't be reached, the stage says why.
async fn reached(profile: &SpacetimeProfile, stage: &mut Stage) -> Option<(Line, HttpClient)> {
    let origin = profile.socket_origin();
    let opened = async {
        reach(&origin, origin.tls).await.map_err(|unreached| unreached.why)?;
        let line = Line::open(profile.clone()).await.map_err(|error| error.to_string())?;
        let http = line.http(profile.token.as_ref(), bounds::ADMIN).map_err(|error| error.to_string())?;
        Ok::<_, String>((line, http))
    };
    match opened.await {
        Ok(opened) => Some(opened),
        Err(why) => {
            stage.check(Check::unknown("server", why, "`cutover provision-check` says what is missing"));
            None
        }
    }
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
    let promoted =
        args.promote_from.as_deref().map(|dir| Ok::<_, Failure>((deployed::read(dir)?, deployed::surface(dir)?)));
    let promoted = promoted.transpose()?;
    if let Some((record, _)) = &promoted
        && args.pr.is_none()
        && Some(record.environment.as_str()) != before(env).map(EnvName::as_str)
    {
        let from = before(env).map_or("no environment".to_owned(), |before| before.to_string());
        let what = format!("--promote-from is a deploy to {}, and {env} takes what {from} has", record.environment);
        return usage(what, "promote from dev to staging, and from staging to prod");
    }
    let last = args.after.as_deref().map(deployed::read).transpose()?;
    if let Some(last) = &last
        && (last.environment != env.as_str() || last.facts.get("database") != Some(&json!(database)))
    {
        return usage("--after is a deploy to another database".to_owned(), "give the last deploy to this one");
    }
    let hash = operate::module_hash(&wasm);
    Ok(Wanted { database, wasm, hash, promoted, last })
}

fn before(env: EnvName) -> Option<EnvName> {
    match env {
        EnvName::Dev => None,
        EnvName::Staging => Some(EnvName::Dev),
        EnvName::Prod => Some(EnvName::Staging),
    }
}

/// A database as it was found, before or after the publish.
#[derive(Default)]
struct Found {
    database: Option<operate::Database>,
    hash: Option<String>,
    surface: Option<Surface>,
    /// How many rows its tables have, as far as they can be counted.
    rows: std::collections::BTreeMap<String, u64>,
}

struct Deploy<'a> {
    args: &'a DeployArgs,
    environment: &'a HostedEnvironment,
    wanted: &'a Wanted,
    line: &'a Line,
    http: HttpClient,
    stage: &'a mut Stage,
}

impl Deploy<'_> {
    async fn all(&mut self) -> Result<(), Failure> {
        let Some(token) = self.server().await else {
            return Ok(());
        };
        if self.args.delete {
            self.remove(&token).await;
            return Ok(());
        }
        let module = json!({
            "sha256": sha256(&self.wanted.wasm),
            "hash": self.wanted.hash.clone(),
            "bytes": self.wanted.wasm.len(),
        });
        self.stage.fact("module", module);
        let before = match self.look().await {
            Ok(before) => before,
            Err(check) => {
                self.stage.check(check);
                return Ok(());
            }
        };
        self.owner(&before, &token);
        self.note("before", &before)?;
        self.drift(&before).await;
        let (policy, surface) = self.plan(&before).await?;
        if self.args.plan {
            return Ok(());
        }
        if Decision::of(&self.stage.record().checks) != Decision::Passed {
            let why = "not published, because of the checks above";
            self.stage.check(Check::skipped("publish", why, "mend them first"));
            return Ok(());
        }
        let published = self.publish(&before, policy.as_ref()).await;
        match self.look().await {
            Ok(after) if published => self.compare(&before, &after, surface.as_ref()),
            Ok(after) => self.unchanged(&before, &after),
            Err(check) => {
                self.stage.check(check);
                Ok(())
            }
        }
    }

    /// Who the server is, and whether it takes the token. Without a token nothing is deployed.
    async fn server(&mut self) -> Option<Token> {
        let seen = admin::version(&mut self.http).await;
        if let Ok(Some(seen)) = &seen {
            self.stage.fact("version", seen.clone());
        }
        let (expected, variable) =
            (self.environment.get(Variable::Version), self.environment.variable(Variable::Version));
        self.stage.check(super::version("server", &seen, expected, &variable));
        if seen.is_err() {
            return None;
        }
        let variable = self.environment.variable(Variable::Fingerprint);
        let seen = operate::fingerprint(&mut self.http).await;
        if let Ok(Some(seen)) = &seen {
            self.stage.fact("fingerprint", seen.clone());
        }
        let pinned = self.args.fingerprint.as_deref().or(self.environment.get(Variable::Fingerprint));
        let mut check = super::fingerprint(&seen, pinned, &variable);
        if pinned.is_none() && self.environment.name == EnvName::Prod {
            // A deploy to production says which server it means.
            check.outcome = cutover_core::stage::Outcome::Unknown;
        }
        self.stage.check(check);
        let variables =
            [Variable::Token, Variable::TokenIssuer, Variable::TokenAudience].map(|of| self.environment.variable(of));
        let expected = token::Expected {
            issuer: self.environment.get(Variable::TokenIssuer),
            audience: self.environment.get(Variable::TokenAudience),
            life: TOKEN_LIFE,
            variables,
        };
        let now = cutover_live::clock::wall_clock_us() / 1_000_000;
        let (checks, token) = token::checks(self.line, self.environment.token.as_ref(), &expected, now).await;
        let is_taken = token.identity.is_some();
        self.stage.checks(checks);
        if !is_taken {
            let variable = self.environment.variable(Variable::Token);
            self.stage.check(Check::failed("identity", "nobody deploys without a token", format!("set {variable}")));
        }
        is_taken.then_some(token)
    }

    /// The database as it is now. The error is the check that says why that is unknown.
    async fn look(&mut self) -> Result<Found, Check> {
        let name = &self.wanted.database;
        let mend = "ask again; the server's own log says more";
        let told = |error: &admin::AdminError| refused("database", error, mend);
        let database = operate::database(&mut self.http, name).await.map_err(|error| told(&error))?;
        if database.is_none() {
            return Ok(Found::default());
        }
        let hash = operate::running_module(&mut self.http, name).await.map_err(|error| told(&error))?;
        let surface = operate::surface(&mut self.http, name).await.map_err(|error| told(&error))?;
        let tables = surface.iter().flat_map(|surface| surface.tables.keys());
        let rows = operate::counts(&mut self.http, name, tables).await;
        Ok(Found { database, hash: Some(hash), surface, rows })
    }

    fn owner(&mut self, found: &Found, token: &Token) {
        let Some(database) = &found.database else { return };
        let check = match token.identity.as_ref() == Some(&database.owner) {
            true => Check::passed("owner", "the token's identity owns the database"),
            false => Check::failed(
                "owner",
                format!("the database belongs to {}", database.owner),
                "deploy with the token of its owner",
            ),
        };
        self.stage.check(check);
    }

    fn note(&mut self, when: &str, found: &Found) -> Result<(), Failure> {
        let (hash, schema) = (found.hash.clone(), found.surface.as_ref().map(Surface::digest));
        let database = found.database.as_ref().map(|database| database.identity.clone());
        let noted = json!({ "database": database, "module_hash": hash, "schema": schema, "rows": found.rows });
        self.stage.fact(when, noted);
        match &found.surface {
            Some(surface) => self.stage.file(&format!("schema-{when}.json"), surface.to_bytes()),
            None => Ok(()),
        }
    }

    /// Whether the database is as the last deploy left it, and the environment before as its deploy left it.
    async fn drift(&mut self, before: &Found) {
        let last = self.wanted.last.as_ref();
        self.stage.check(match last {
            None => Check::skipped("drift", "no earlier deploy is named", "give --after with its evidence"),
            Some(last) => drifted("drift", last, before.hash.as_deref(), before.surface.as_ref()),
        });
        let Some((record, _)) = &self.wanted.promoted else { return };
        let module = deployed::after(record, "module_hash");
        self.stage.check(match module == Some(self.wanted.hash.as_str()) {
            true => Check::passed("promotion", format!("{} has this module", record.environment)),
            false => Check::failed(
                "promotion",
                format!("{} was deployed with another module than this one", record.environment),
                "give --module the file that was deployed there",
            ),
        });
        let check = self.source(record).await;
        self.stage.check(check);
    }

    /// Asks the environment that is promoted what it runs now.
    async fn source(&self, record: &StageRecord) -> Check {
        let name = "source-drift";
        let Some(env) = before(self.environment.name) else {
            return Check::skipped(name, "no environment comes before this one", "");
        };
        let source = HostedEnvironment::read(env, &self.args.hosted.variables);
        let source = source.ok().and_then(|source| Some((source.profile().ok()?, source)));
        let Some((profile, source)) = source else {
            let mend = format!("set the variables of {env}, its token too");
            return Check::skipped(name, format!("the variables of {env} are not set, so that it is not asked"), mend);
        };
        let mend = format!("deploy to {env} again, and promote that");
        let line = match Line::open(profile.clone()).await {
            Ok(line) => line,
            Err(error) => return Check::unknown(name, error.to_string(), mend),
        };
        let asked = async {
            let mut http = line.http(profile.token.as_ref(), bounds::ADMIN).map_err(|error| error.to_string())?;
            let database = source.database();
            let hash = operate::running_module(&mut http, database).await.map_err(|error| error.to_string())?;
            let surface = operate::surface(&mut http, database).await.map_err(|error| error.to_string())?;
            Ok::<_, String>((hash, surface))
        };
        let asked = asked.await;
        line.close().await;
        match asked {
            Ok((hash, surface)) => drifted(name, record, Some(&hash), surface.as_ref()),
            Err(why) => Check::unknown(name, why, mend),
        }
    }
}

/// Compares what a database runs with what a deploy left there.
fn drifted(name: &str, record: &StageRecord, hash: Option<&str>, surface: Option<&Surface>) -> Check {
    let of = |key: &str| deployed::after(record, key);
    let schema = surface.map(Surface::digest);
    let mend = "find out who published what; then deploy again from the start";
    match (of("module_hash") == hash, of("schema") == schema.as_deref()) {
        (true, true) => Check::passed(name, format!("as the deploy of {} left it", record.started)),
        (false, _) => {
            let runs = hash.unwrap_or("no module");
            Check::failed(name, format!("it runs {runs}, and not what the deploy of {} left", record.started), mend)
        }
        (true, false) => {
            Check::failed(name, format!("its schema is not what the deploy of {} left", record.started), mend)
        }
    }
}
