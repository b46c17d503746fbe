//! Who may do what on a lane: identities with rights, the tokens that they present, and what is attempted with them.
#![allow(missing_docs, reason = "the names say it")]

use serde::{Deserialize, Serialize};

use crate::ids::{LaneId, StreamId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub name: String,
    pub tenant: String,
    pub reads: Vec<StreamId>,
    pub writes: Vec<StreamId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    Read,
    Write,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    Grant {
        identity: String,
        stream: StreamId,
        right: Right,
    },
    Withdraw {
        identity: String,
        stream: StreamId,
        right: Right,
    },
    /// Every token of the identity so far is good no more.
    Revoke {
        identity: String,
    },
    /// The tokens that the identity's clients hold are expired from now on.
    Expire {
        identity: String,
    },
    /// The tokens that the identity's clients hold are due for another one.
    Due {
        identity: String,
    },
    /// New tokens are signed with the next key.
    RotateKey,
    /// Tokens of the first key are good no more.
    RetireKey,
}

/// A token, by what is odd about it. Times are seconds from now.
#[derive(Debug, PartialEq, Eq)]
pub struct Token {
    pub word: &'static str,
    pub says: &'static str,
    pub issued_in_s: i64,
    pub starts_in_s: i64,
    pub expires_in_s: i64,
    pub flaw: Option<Flaw>,
    /// The code of its refusal; `None` where it is accepted.
    pub refused: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    OtherAudience,
    OtherIssuer,
    NoJti,
    NoIat,
    OtherKey,
    /// Signed with the first key, whatever key is in force.
    FirstKey,
    /// Its claims are not those that were signed.
    Altered,
    NoToken,
    /// It is revoked before it is presented.
    Revoked,
}

pub const GOOD: &str = "good";
/// Accepted until the first key is retired.
pub const FIRST_KEY: &str = "first-key";
pub const EXPIRED: &str = "expired";
/// The code of a token whose signature, issuer or audience is wrong.
pub const INVALID_TOKEN: &str = "invalid_token";

const fn token(
    word: &'static str,
    says: &'static str,
    (issued_in_s, starts_in_s, expires_in_s): (i64, i64, i64),
    flaw: Option<Flaw>,
    refused: Option<&'static str>,
) -> Token {
    Token { word, says, issued_in_s, starts_in_s, expires_in_s, flaw, refused }
}

const USUAL: (i64, i64, i64) = (0, 0, 600);

/// Those within the leeway keep some seconds from its edge where time moves them towards it.
pub static TOKENS: &[Token] = &[
    token(GOOD, "a token without fault", USUAL, None, None),
    token(EXPIRED, "it expired two minutes ago", (-900, -900, -120), None, Some("token_expired")),
    token("expired-in-leeway", "it expired 20 s ago", (-900, -900, -20), None, None),
    token("expired-past-leeway", "it expired 31 s ago", (-900, -900, -31), None, Some("token_expired")),
    token("early", "it is not valid for two minutes", (0, 120, 600), None, Some("token_not_yet_valid")),
    token("early-in-leeway", "it is valid in 29 s", (0, 29, 600), None, None),
    token("early-past-leeway", "it is valid in 45 s", (0, 45, 600), None, Some("token_not_yet_valid")),
    token("other-audience", "it is for another service", USUAL, Some(Flaw::OtherAudience), Some(INVALID_TOKEN)),
    token("other-issuer", "it names another issuer", USUAL, Some(Flaw::OtherIssuer), Some(INVALID_TOKEN)),
    token("other-key", "an unknown key signed it", USUAL, Some(Flaw::OtherKey), Some(INVALID_TOKEN)),
    token("altered", "its claims are not those that were signed", USUAL, Some(Flaw::Altered), Some(INVALID_TOKEN)),
    token("no-jti", "it has no `jti`", USUAL, Some(Flaw::NoJti), Some("missing_jti")),
    token("no-iat", "it has no `iat`", USUAL, Some(Flaw::NoIat), Some("missing_iat")),
    token("too-old", "it was issued 25 hours ago", (-90_000, -90_000, 600), None, Some("token_too_old")),
    token("none", "there is no token", USUAL, Some(Flaw::NoToken), Some("missing_authorization")),
    token("revoked", "it was revoked before", USUAL, Some(Flaw::Revoked), Some("token_revoked")),
    token(FIRST_KEY, "the key before the rotation signed it", USUAL, Some(Flaw::FirstKey), None),
];

pub fn token_of(word: &str) -> Option<&'static Token> {
    TOKENS.iter().find(|token| token.word == word)
}

/// Something that is done with a token on a connection of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Deed {
    pub word: &'static str,
    pub says: &'static str,
    pub needs: Needs,
    pub legacy: Refused,
    pub candidate: Refused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// A good token.
    Token,
    Read,
    Write,
    /// Nobody's token allows it.
    Owner,
}

/// What a lane does where the right is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It refuses with this code.
    With(&'static str),
    /// Nothing comes.
    InSilence,
    /// The lane has no such request.
    Unknown,
}

pub const CONNECT: &str = "connect";
pub const HOLD: &str = "hold";
pub const HELD: &str = "held";

const fn deed(word: &'static str, says: &'static str, needs: Needs, (legacy, candidate): (Refused, Refused)) -> Deed {
    Deed { word, says, needs, legacy, candidate }
}

const FORBIDDEN: Refused = Refused::With("forbidden_topic");

pub static DEEDS: &[Deed] = &[
    deed(CONNECT, "opens a connection", Needs::Token, (Refused::InSilence, Refused::InSilence)),
    deed("subscribe", "subscribes to the stream from its start", Needs::Read, (FORBIDDEN, Refused::InSilence)),
    deed("resume", "resumes the stream from a cursor", Needs::Read, (FORBIDDEN, FORBIDDEN)),
    deed("resume-call", "calls the reducer of a resume over HTTP", Needs::Read, (Refused::Unknown, FORBIDDEN)),
    deed("subscribe-all", "subscribes to whole tables", Needs::Read, (Refused::Unknown, Refused::InSilence)),
    deed("sql", "reads whole tables by `POST /sql`", Needs::Read, (Refused::Unknown, Refused::InSilence)),
    deed("one-off", "reads whole tables by a query over the socket", Needs::Read, {
        (Refused::Unknown, Refused::InSilence)
    }),
    deed("append", "publishes to the stream", Needs::Write, (FORBIDDEN, FORBIDDEN)),
    deed("policy", "sets the policy of the stream", Needs::Owner, {
        (Refused::With("unauthorized"), Refused::With("not_the_owner"))
    }),
    deed("prune", "prunes the stream", Needs::Owner, (Refused::Unknown, Refused::With("not_the_owner"))),
    deed("checkpoint", "moves the checkpoint of another client", Needs::Owner, {
        (Refused::Unknown, Refused::With("forbidden_client"))
    }),
    deed(HOLD, "subscribes to the stream and keeps the connection", Needs::Read, (FORBIDDEN, Refused::InSilence)),
    deed(HELD, "looks what came on the connection that was kept", Needs::Read, {
        (Refused::InSilence, Refused::InSilence)
    }),
];

pub fn deed_of(word: &str) -> Option<&'static Deed> {
    DEEDS.iter().find(|deed| deed.word == word)
}

impl Deed {
    pub fn on(&self, lane: LaneId) -> Refused {
        match lane {
            LaneId::Legacy => self.legacy,
            LaneId::Candidate => self.candidate,
        }
    }
}
