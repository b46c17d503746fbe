//! The token of an environment: what its claims say, and whether the server takes it.

use std::time::Duration;

use cutover_core::stage::Check;
use cutover_core::text::{Secret, visible};
use cutover_live::hosted::Line;
use cutover_live::lane::spacetime::admin::AdminError;
use cutover_live::lane::spacetime::operate::{self, Claims};

use super::{ANSWER, refused};

/// What is expected of a token.
pub struct Expected<'a> {
    pub issuer: Option<&'a str>,
    pub audience: Option<&'a str>,
    /// How long it must still be good.
    pub life: Duration,
    /// The names of the variables with the token, its issuer and its audience.
    pub variables: [String; 3],
}

/// What is known of a token after the checks.
#[derive(Debug, Clone, Default)]
pub struct Token {
    /// In hexadecimal digits; `None` where the token is none, or the server does not take it.
    pub identity: Option<String>,
}

const NAMES: [&str; 4] = ["token", "token-issuer", "token-audience", "token-life"];

/// Checks a token. `now` is the server's clock, in seconds since 1970.
pub async fn checks(line: &Line, token: Option<&Secret>, expected: &Expected<'_>, now: u64) -> (Vec<Check>, Token) {
    let [variable, issuer, audience] = &expected.variables;
    let Some(token) = token else {
        let skipped = |name: &&str| Check::skipped(name, "there is no token", format!("set {variable}"));
        return (NAMES.iter().map(skipped).collect(), Token::default());
    };
    let claims = match Claims::of(token) {
        Ok(claims) => claims,
        Err(why) => {
            let mut checks = vec![Check::failed("token", why, format!("set {variable} to a token of the server"))];
            checks.extend(NAMES[1..].iter().map(|name| Check::unknown(name, "the token can't be read", "")));
            return (checks, Token::default());
        }
    };
    let identity = claims.identity();
    let (accepted, taken) = accepted(line, token, identity.as_deref(), variable).await;
    let checks = vec![
        accepted,
        compared("token-issuer", std::slice::from_ref(&claims.issuer), expected.issuer, issuer, ""),
        compared(
            "token-audience",
            &claims.audience,
            expected.audience,
            audience,
            " (read from the claims: SpacetimeDB itself takes any audience)",
        ),
        life(&claims, expected.life, now, variable),
    ];
    (checks, Token { identity: identity.filter(|_| taken) })
}

async fn accepted(line: &Line, token: &Secret, identity: Option<&str>, variable: &str) -> (Check, bool) {
    let mend = format!("set {variable} to a token that this server takes; is its clock right, and its issuer known?");
    let Some(identity) = identity else {
        return (Check::failed("token", "it has no `iss` or no `sub`", mend), false);
    };
    let mut http = match line.http(Some(token), ANSWER) {
        Ok(http) => http,
        Err(error) => return (Check::failed("token", error.to_string(), mend), false),
    };
    match operate::verify(&mut http, identity).await {
        Ok(()) => (Check::passed("token", format!("the server takes it, as the identity {identity}")), true),
        Err(error @ AdminError::Refused { status: 404 | 405 | 501, .. }) => {
            (Check::unknown("token", error.to_string(), "the server has no call that verifies a token"), false)
        }
        Err(error) => (refused("token", &error, &mend), false),
    }
}

/// Compares what a token says with what is expected; without an expectation, says what to set.
fn compared(name: &str, said: &[String], expected: Option<&str>, variable: &str, note: &str) -> Check {
    let shown = match said {
        [] => "none".to_owned(),
        said => said.iter().map(|said| format!("`{}`", visible(said))).collect::<Vec<_>>().join(", "),
    };
    match expected {
        None => Check::skipped(name, format!("nothing is expected; the token has {shown}"), format!("set {variable}")),
        Some(expected) if said.iter().any(|said| said == expected) => Check::passed(name, format!("{shown}{note}")),
        Some(expected) => Check::failed(
            name,
            format!("the token has {shown}, and `{}` is expected", visible(expected)),
            format!("have the right service mint the token, or mend {variable}"),
        ),
    }
}

fn life(claims: &Claims, least: Duration, now: u64, variable: &str) -> Check {
    let name = "token-life";
    let Some(expires) = claims.expires else {
        return Check::passed(name, "it never expires");
    };
    let left = expires.saturating_sub(i64::try_from(now).unwrap_or(i64::MAX));
    let mend = format!("set {variable} to a fresh token");
    if left <= 0 {
        return Check::failed(name, format!("it expired {} s ago, by the server's clock", left.unsigned_abs()), mend);
    }
    match left < i64::try_from(least.as_secs()).unwrap_or(i64::MAX) {
        true => Check::failed(name, format!("it expires in {left} s, within the run"), mend),
        false => Check::passed(name, format!("it is good for {left} s more, by the server's clock")),
    }
}
