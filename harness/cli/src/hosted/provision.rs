//! `cutover provision-check`: what is there of a hosted lane, from its variables to the schema of its database.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cutover_core::stage::{Check, Outcome, Surface};
use cutover_live::hosted::{Line, reach, resolve};
use cutover_live::lane::http::{HttpAnswer, HttpClient, HttpError};
use cutover_live::lane::protocol::Profile;
use cutover_live::lane::socket::Bounds;
use cutover_live::lane::spacetime::presence::{Seat, TABLE};
use cutover_live::lane::spacetime::{Schema, SpacetimeProfile, admin, operate};

use super::environment::{HostedEnvironment, Variable};
use super::token::{self, Token};
use super::{ANSWER, Stage, conduct, deployed, refused};
use crate::args::ProvisionArgs;
use crate::exit::{Exit, Failure};

/// Every check, in the order in which one needs those before it.
const CHECKS: [&str; 15] = [
    "variables",
    "dns",
    "connect",
    "tls",
    "health",
    "version",
    "clock",
    "fingerprint",
    "token",
    "token-issuer",
    "token-audience",
    "token-life",
    "database",
    "subprotocols",
    "schema",
];

const HEALTH_PATH: &str = "/v1/health";

pub fn run(args: &ProvisionArgs) -> Result<Exit, Failure> {
    let environment = HostedEnvironment::read(args.hosted.env, &args.hosted.variables)?;
    let like = args.like.as_deref().map(deployed::surface).transpose()?;
    let stage = Stage::begin("provision-check", args.hosted.env, args.hosted.out.as_ref(), args.hosted.format)?;
    conduct(stage, async |stage| {
        let mut probe = Probe { args, environment: &environment, stage };
        if let Err(why) = probe.all(like.as_ref()).await {
            probe.leave_rest(why);
        }
        Ok(())
    })
}

struct Probe<'a> {
    args: &'a ProvisionArgs,
    environment: &'a HostedEnvironment,
    stage: &'a mut Stage,
}

/// Why the checks after a failed one can't be made: its name.
type Blocked = &'static str;

impl Probe<'_> {
    async fn all(&mut self, like: Option<&Surface>) -> Result<(), Blocked> {
        let profile = self.variables()?;
        let origin = profile.socket_origin();
        self.stage.fact("server", profile.url.clone());
        self.stage.fact("database", self.environment.database());
        let url = self.environment.variable(Variable::HttpBaseUrl);
        match resolve(&origin).await {
            Ok(found) => {
                let found: Vec<String> = found.iter().map(ToString::to_string).collect();
                self.passed("dns", format!("{} is {}", origin.host, found.join(", ")));
            }
            Err(why) => return self.failed("dns", why, &format!("check the host in {url}, and its DNS record")),
        }
        if let Err(unreached) = reach(&origin, false).await {
            let mend = format!("is the server running, and does {url} name its port? A firewall may be in between");
            return self.block("connect", unreached.timed_out, unreached.why, &mend);
        }
        self.passed("connect", format!("{} takes connections", origin.authority()));
        self.tls(&profile).await?;
        let line = Line::open(profile.clone()).await;
        let Ok(line) = line else {
            return self.block("health", true, "no local port for a proxy of ours".to_owned(), "free local ports");
        };
        let asked = self.server(&line, like).await;
        line.close().await;
        asked
    }

    fn variables(&mut self) -> Result<SpacetimeProfile, Blocked> {
        for misfit in &self.environment.misfits {
            self.stage.check(Check::failed("variables", format!("{} {}", misfit.variable, misfit.what), &*misfit.mend));
        }
        match self.environment.profile() {
            Ok(profile) => {
                self.passed("variables", self.environment.set().join(", "));
                Ok(profile)
            }
            Err(failure) if self.environment.misfits.is_empty() => self
                .failed("variables", failure.message, &failure.hint.unwrap_or_default())
                .map(|()| SpacetimeProfile::default()),
            Err(_) => Err("variables"),
        }
    }

    async fn tls(&mut self, profile: &SpacetimeProfile) -> Result<(), Blocked> {
        let origin = profile.socket_origin();
        if !origin.tls {
            let here = origin.host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
            let is_here = origin.host == "localhost" || here.is_ok_and(|address| address.is_loopback());
            let what = "the URL has no TLS: its scheme is http";
            match is_here {
                true => self.stage.check(Check::skipped("tls", format!("{what}, and it is this machine"), "")),
                false => {
                    let mend = "use https: else tokens and data pass in the clear";
                    self.stage.check(Check::failed("tls", what, mend));
                }
            }
            return Ok(());
        }
        if let Err(unreached) = reach(&origin, true).await {
            let mend = "mend the server's certificate; for a private authority, SSL_CERT_FILE names a file with it";
            return self.block("tls", unreached.timed_out, unreached.why, mend);
        }
        self.passed("tls", "the certificate is good for the name, by the trusted authorities".to_owned());
        Ok(())
    }

    /// What is asked of the server itself.
    async fn server(&mut self, line: &Line, like: Option<&Surface>) -> Result<(), Blocked> {
        let mut http = line.http(None, ANSWER).map_err(|_| "health")?;
        let path = self.environment.get(Variable::HealthPath).unwrap_or(HEALTH_PATH).to_owned();
        let before = SystemTime::now();
        let answered = operate::get(&mut http, &path).await;
        let took = before.elapsed().unwrap_or_default();
        let answer = match answered {
            Ok(answer) => answer,
            Err(error) => {
                let unknown = matches!(error, HttpError::TimedOut { .. });
                let mend = "read the server's log; a web server in its place has another port";
                return self.block("health", unknown, reason(line, &error), mend);
            }
        };
        if !answer.is_ok() {
            let mend = format!("{} names another path, or the server is not well", self.variable(Variable::HealthPath));
            return self.block("health", answer.is_passing(), format!("{path}: {}", answer.in_words()), &mend);
        }
        self.passed("health", format!("{path}: HTTP {} after {} ms", answer.status, took.as_millis()));
        self.version(&mut http).await;
        let now = self.clock(&answer, before + took / 2);
        self.fingerprint(&mut http).await;
        let token = self.token(line, now).await;
        self.database(line, &token).await?;
        self.subprotocols(line).await;
        self.schema(line, like).await;
        Ok(())
    }

    async fn version(&mut self, http: &mut HttpClient) {
        let seen = admin::version(http).await;
        if let Ok(Some(seen)) = &seen {
            self.stage.fact("version", seen.clone());
        }
        let expected = self.environment.get(Variable::Version);
        self.stage.check(super::version("version", &seen, expected, &self.variable(Variable::Version)));
    }

    /// Compares the clocks, and returns what time it is on the server, as far as that is known.
    fn clock(&mut self, answer: &HttpAnswer, asked: SystemTime) -> SystemTime {
        let Some(date) = answer.date else {
            let mend = "ask the server's operator how its clock is set";
            self.stage.check(Check::unknown("clock", "the answer has no `Date`", mend));
            return asked;
        };
        let (ahead, skew) = match date.duration_since(asked) {
            Ok(ahead) => ("ahead of", ahead),
            Err(behind) => ("behind", behind.duration()),
        };
        self.stage.fact("clock_skew_s", skew.as_secs());
        let saw =
            format!("the server is {} s {ahead} this machine, by `Date`, which has whole seconds", skew.as_secs());
        self.stage.check(match skew.as_secs() > self.args.clock_skew {
            false => Check::passed("clock", saw),
            true => {
                Check::failed("clock", saw, "set both clocks by NTP; a proxy in between may send a `Date` of its own")
            }
        });
        date
    }

    async fn fingerprint(&mut self, http: &mut HttpClient) {
        let variable = self.variable(Variable::Fingerprint);
        let seen = operate::fingerprint(http).await;
        if let Ok(Some(seen)) = &seen {
            self.stage.fact("fingerprint", seen.clone());
        }
        self.stage.check(super::fingerprint(&seen, self.environment.get(Variable::Fingerprint), &variable));
    }

    async fn token(&mut self, line: &Line, now: SystemTime) -> Token {
        let names = [Variable::Token, Variable::TokenIssuer, Variable::TokenAudience].map(|of| self.variable(of));
        let expected = token::Expected {
            issuer: self.environment.get(Variable::TokenIssuer),
            audience: self.environment.get(Variable::TokenAudience),
            life: Duration::from_secs(self.args.token_life),
            variables: names,
        };
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let (checks, token) = token::checks(line, self.environment.token.as_ref(), &expected, now).await;
        self.stage.checks(checks);
        token
    }

    async fn database(&mut self, line: &Line, token: &Token) -> Result<(), Blocked> {
        let Ok(mut http) = line.http(self.environment.token.as_ref(), ANSWER) else { return Err("token") };
        let name = self.environment.database();
        match operate::database(&mut http, name).await {
            Ok(Some(database)) => {
                let owner = match &token.identity {
                    Some(identity) if *identity == database.owner => ", owned by this token's identity",
                    Some(_) => ", owned by another identity than this token's",
                    None => "",
                };
                self.stage.fact("database_identity", database.identity.clone());
                self.passed("database", format!("`{name}` is {}{owner}", database.identity));
                Ok(())
            }
            Ok(None) => {
                let mend = format!("publish it with `cutover deploy`, or mend {}", self.variable(Variable::Database));
                self.failed("database", format!("there is no database `{name}`"), &mend)
            }
            Err(error) => {
                self.stage.check(refused("database", &error, "see what the answer says"));
                Err("database")
            }
        }
    }

    async fn subprotocols(&mut self, line: &Line) {
        let seat = Seat {
            profile: line.profile.clone(),
            database: self.environment.database().to_owned(),
            table: TABLE.to_owned(),
            schema: Schema::default(),
            token: self.environment.token.clone(),
            bounds: Bounds::default(),
        };
        let check = match seat.subprotocols(line.at()).await {
            Ok(spoken) => {
                let saw = format!("{} at {}", spoken.join(", "), line.profile.websocket_path);
                self.stage.fact("subprotocols", spoken);
                Check::passed("subprotocols", saw)
            }
            Err(error) => {
                let mend = format!(
                    "a proxy in between must pass `Upgrade`; {} names the path",
                    self.variable(Variable::WebsocketPath)
                );
                let outcome = if error.retryable { Outcome::Unknown } else { Outcome::Failed };
                Check::new("subprotocols", outcome, error.to_string()).mend(mend)
            }
        };
        self.stage.check(check);
    }

    async fn schema(&mut self, line: &Line, like: Option<&Surface>) {
        let Ok(mut http) = line.http(self.environment.token.as_ref(), ANSWER) else { return };
        let name = self.environment.database();
        let mend = "publish the right module with `cutover deploy`";
        let check = match operate::surface(&mut http, name).await {
            Ok(Some(surface)) => {
                self.stage.fact("schema", surface.digest());
                compared(&surface, like)
            }
            Ok(None) => Check::unknown("schema", "the server does not report it", "is this a SpacetimeDB server?"),
            Err(error) => refused("schema", &error, mend),
        };
        self.stage.check(check);
    }

    fn variable(&self, variable: Variable) -> String {
        self.environment.variable(variable)
    }

    fn passed(&mut self, name: &str, saw: String) {
        self.stage.check(Check::passed(name, saw));
    }

    fn failed(&mut self, name: Blocked, saw: String, mend: &str) -> Result<(), Blocked> {
        self.block(name, false, saw, mend)
    }

    /// Notes a check without which the later ones can't be made.
    fn block(&mut self, name: Blocked, unknown: bool, saw: String, mend: &str) -> Result<(), Blocked> {
        self.stage.check(if unknown { Check::unknown(name, saw, mend) } else { Check::failed(name, saw, mend) });
        Err(name)
    }

    /// What was not checked is unknown.
    fn leave_rest(&mut self, because: Blocked) {
        let done: Vec<String> = self.stage.record().checks.iter().map(|check| check.name.clone()).collect();
        for name in CHECKS.iter().filter(|name| !done.iter().any(|done| done == *name)) {
            let why = format!("not checked, because of `{because}`");
            self.stage.check(Check::unknown(name, why, format!("mend `{because}` first")));
        }
    }
}

/// The reason in the proxy's words where it could not reach the server.
fn reason(line: &Line, error: &HttpError) -> String {
    line.last_unreachable().unwrap_or_else(|| error.to_string())
}

fn compared(surface: &Surface, like: Option<&Surface>) -> Check {
    let mend = "publish the right module with `cutover deploy`";
    let numbers = format!("{} tables and {} reducers", surface.tables.len(), surface.reducers.len());
    let (wanted, of) = match like {
        Some(like) if like == surface => return Check::passed("schema", format!("{numbers}, as they were deployed")),
        Some(like) => {
            let changes: Vec<String> = like.changes(surface).into_iter().map(|change| change.what).collect();
            return Check::failed("schema", format!("it differs from what was deployed: {}", changes.join("; ")), mend);
        }
        None => (Schema::module_surface(), "the built-in module"),
    };
    let lacks: Vec<String> =
        wanted.changes(surface).into_iter().filter(|change| change.breaks).map(|change| change.what).collect();
    match lacks.is_empty() {
        true => Check::passed("schema", format!("{numbers}, with all of {of}")),
        false => Check::failed("schema", format!("compared with {of}: {}", lacks.join("; ")), mend),
    }
}
