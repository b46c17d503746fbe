//! What a hosted server and a token show of themselves, and what follows from that.

use serde::{Deserialize, Serialize};

use super::{Check, Outcome};
use crate::text::{scrubbed, visible};

/// Why a request showed nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    pub why: String,
    /// Whether it may be otherwise next time, so that nothing is known.
    pub passing: bool,
}

impl Trouble {
    pub fn new(why: impl AsRef<str>, passing: bool) -> Trouble {
        Trouble { why: scrubbed(why.as_ref()).into_owned(), passing }
    }

    pub fn check(&self, name: &str, mend: impl Into<String>) -> Check {
        let outcome = if self.passing { Outcome::Unknown } else { Outcome::Failed };
        Check::new(name, outcome, self.why.as_str()).mend(mend)
    }
}

/// What a request showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer<T> {
    Seen(T),
    Trouble(Trouble),
}

impl<T> Answer<T> {
    pub fn seen(&self) -> Option<&T> {
        match self {
            Answer::Seen(seen) => Some(seen),
            Answer::Trouble(_) => None,
        }
    }
}

impl<T, E: Into<Trouble>> From<Result<T, E>> for Answer<T> {
    fn from(result: Result<T, E>) -> Answer<T> {
        match result {
            Ok(seen) => Answer::Seen(seen),
            Err(error) => Answer::Trouble(error.into()),
        }
    }
}

/// A server's version and key, and what is expected of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerSeen {
    pub version: Option<Answer<Option<String>>>,
    pub expected_version: Option<String>,
    pub fingerprint: Option<Answer<Option<String>>>,
    pub pinned: Option<String>,
}

impl ServerSeen {
    /// Whether the version is the expected one: `2.8` expects any version that begins so.
    pub fn version(&self, name: &str, variables: &str) -> Check {
        let mend = "is this a SpacetimeDB server?";
        match (&self.version, &self.expected_version) {
            (Some(Answer::Seen(Some(seen))), Some(expected))
                if seen != expected && !seen.starts_with(&format!("{expected}.")) =>
            {
                let mend = format!("have the server upgraded, or mend {variables}_VERSION");
                Check::failed(name, format!("SpacetimeDB {seen}, and {expected} is expected"), mend)
            }
            (Some(Answer::Seen(Some(seen))), _) => Check::passed(name, format!("SpacetimeDB {seen}")),
            (Some(Answer::Seen(None)), _) => Check::unknown(name, "/v1/health names no version", mend),
            (Some(Answer::Trouble(trouble)), _) => trouble.check(name, mend),
            (None, _) => not_asked(name),
        }
    }

    /// Whether the key is the one that is pinned.
    pub fn fingerprint(&self, variables: &str) -> Check {
        let name = "fingerprint";
        let variable = format!("{variables}_FINGERPRINT");
        let mend = format!("is this the right server? If its key was changed on purpose, mend {variable}");
        match (&self.fingerprint, &self.pinned) {
            (Some(Answer::Seen(Some(seen))), None) => {
                let saw = format!("the server's key is {seen}, and none is pinned");
                Check::skipped(name, saw, format!("set {variable}={seen}"))
            }
            (Some(Answer::Seen(Some(seen))), Some(pinned)) if seen == pinned => {
                Check::passed(name, format!("{seen}, as pinned"))
            }
            (Some(Answer::Seen(Some(seen))), Some(pinned)) => {
                Check::failed(name, format!("the server's key is {seen}, and {pinned} is pinned"), mend)
            }
            (Some(Answer::Seen(None)), _) => {
                Check::unknown(name, "the server shows no public key", "is this a SpacetimeDB server?")
            }
            (Some(Answer::Trouble(trouble)), _) => trouble.check(name, mend),
            (None, _) => not_asked(name),
        }
    }
}

/// A check for which nothing was recorded.
pub fn not_asked(name: &str) -> Check {
    Check::unknown(name, "it was not asked for", "run the command again")
}

/// A token as its claims describe it, whether the server takes it, and what is expected of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenSeen {
    /// `None` where there is no token.
    pub claims: Option<Answer<ClaimsSeen>>,
    pub taken: Option<Answer<bool>>,
    pub expected_issuer: Option<String>,
    pub expected_audience: Option<String>,
    /// For so many seconds it must still be good.
    pub least_life_s: u64,
    /// The server's clock, in seconds since 1970.
    pub now_s: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimsSeen {
    pub issuer: String,
    pub audience: Vec<String>,
    pub expires_s: Option<i64>,
    /// In hexadecimal digits; `None` without an issuer or a subject.
    pub identity: Option<String>,
}

impl TokenSeen {
    /// Whose token it is, if the server takes it.
    pub fn identity(&self) -> Option<&str> {
        let claims = self.claims.as_ref()?.seen()?;
        let is_taken = self.taken.as_ref()?.seen().is_some();
        claims.identity.as_deref().filter(|_| is_taken)
    }

    pub fn checks(&self, variables: &str) -> Vec<Check> {
        let rest = ["token-issuer", "token-audience", "token-life"];
        let variable = format!("{variables}_TOKEN");
        let claims = match &self.claims {
            None => {
                let skipped = |name| Check::skipped(name, "there is no token", format!("set {variable}"));
                return ["token"].into_iter().chain(rest).map(skipped).collect();
            }
            Some(Answer::Trouble(trouble)) => {
                let mut checks = vec![trouble.check("token", format!("set {variable} to a token of the server"))];
                checks.extend(rest.map(|name| Check::unknown(name, "the token can't be read", "")));
                return checks;
            }
            Some(Answer::Seen(claims)) => claims,
        };
        let note = " (read from the claims: SpacetimeDB itself takes any audience)";
        let issuer = [claims.issuer.clone()];
        let compared = |name: &str, said: &[String], expected: &Option<String>, of: &str, note: &str| {
            compared(name, said, expected.as_deref(), &format!("{variable}_{of}"), note)
        };
        vec![
            self.taken(claims, &variable),
            compared("token-issuer", &issuer, &self.expected_issuer, "ISSUER", ""),
            compared("token-audience", &claims.audience, &self.expected_audience, "AUDIENCE", note),
            self.life(claims, &variable),
        ]
    }

    fn taken(&self, claims: &ClaimsSeen, variable: &str) -> Check {
        let name = "token";
        let mend =
            format!("set {variable} to a token that this server takes; is its clock right, and its issuer known?");
        match (&claims.identity, &self.taken) {
            (None, _) => Check::failed(name, "it has no `iss` or no `sub`", mend),
            (Some(identity), Some(Answer::Seen(_))) => {
                Check::passed(name, format!("the server takes it, as the identity {identity}"))
            }
            (_, Some(Answer::Trouble(trouble))) => trouble.check(name, mend),
            (_, None) => not_asked(name),
        }
    }

    fn life(&self, claims: &ClaimsSeen, variable: &str) -> Check {
        let name = "token-life";
        let Some(expires) = claims.expires_s else {
            return Check::passed(name, "it never expires");
        };
        let left = expires.saturating_sub(i64::try_from(self.now_s).unwrap_or(i64::MAX));
        let mend = format!("set {variable} to a fresh token");
        if left <= 0 {
            let saw = format!("it expired {} s ago, by the server's clock", left.unsigned_abs());
            return Check::failed(name, saw, mend);
        }
        match left < i64::try_from(self.least_life_s).unwrap_or(i64::MAX) {
            true => Check::failed(name, format!("it expires in {left} s, within the run"), mend),
            false => Check::passed(name, format!("it is good for {left} s more, by the server's clock")),
        }
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
