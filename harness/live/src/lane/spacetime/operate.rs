//! What an operator asks of a hosted server: who it is, whether it takes a token, which module a database runs, and
//! what a publish would change.

#![allow(missing_docs, reason = "the names say it")]

use std::collections::BTreeSet;

use bytes::Bytes;
use cutover_core::hash::sha256;
use cutover_core::stage::Surface;
use cutover_core::text::{scrubbed, visible};
use http::Method;
use serde::Deserialize;
use serde_json::Value;
use spacetimedb_lib::{Identity, hash_bytes};

pub use super::admin::delete_database as delete;
use super::admin::{AdminError, ask, path_of};
pub use super::claims::Claims;
use super::schema::Schema;
use crate::lane::http::{HttpAnswer, HttpClient, HttpError};

/// The hash that a server gives a module, in hexadecimal digits.
pub fn module_hash(wasm: &[u8]) -> String {
    hash_bytes(wasm).to_hex().to_string()
}

/// Asks for a path, and returns the answer whatever its status is.
pub async fn get(http: &mut HttpClient, path: &str) -> Result<HttpAnswer, HttpError> {
    http.request_again(Method::GET, path, None, Bytes::new()).await
}

/// `sha256:` of the public key with which the server signs tokens; `None` where it does not show one.
pub async fn fingerprint(http: &mut HttpClient) -> Result<Option<String>, AdminError> {
    let what = "asking for the server's public key";
    match ask(http, what, Method::GET, "/v1/identity/public-key", None, Bytes::new()).await {
        Ok(answer) if answer.body.is_empty() => Ok(None),
        Ok(answer) => Ok(Some(sha256(answer.body.trim_ascii()))),
        Err(AdminError::Refused { status: 404 | 405 | 501, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The identity that a token with these claims has, in hexadecimal digits.
pub fn identity(issuer: &str, subject: &str) -> String {
    Identity::from_claims(issuer, subject).to_hex().to_string()
}

/// Has the server verify the client's token for an identity.
pub async fn verify(http: &mut HttpClient, identity: &str) -> Result<(), AdminError> {
    let path = format!("/v1/identity/{identity}/verify");
    ask(http, "having the token verified", Method::GET, &path, None, Bytes::new()).await.map(drop)
}

/// A database as its server describes it. Both are in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    pub identity: String,
    pub owner: String,
}

/// The database of this name or identity; `None` where there is none.
pub async fn database(http: &mut HttpClient, name: &str) -> Result<Option<Database>, AdminError> {
    let what = format!("asking for the database `{name}`");
    let answer = match ask(http, &what, Method::GET, &path_of(name), None, Bytes::new()).await {
        Ok(answer) => answer,
        Err(AdminError::Refused { status: 404, .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match (hex_of(&json["database_identity"]), hex_of(&json["owner_identity"])) {
        (Some(identity), Some(owner)) => Ok(Some(Database { identity, owner })),
        _ => Err(AdminError::Unreadable { what, words: answer.excerpt() }),
    }
}

/// A number that a server writes as text, or in an object or list around it, without `0x`.
fn hex_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let digits = text.trim_start_matches("0x").to_ascii_lowercase();
            let is_hex = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_hex.then(|| format!("{digits:0>64}"))
        }
        Value::Object(object) => object.values().next().and_then(hex_of),
        Value::Array(list) => list.first().and_then(hex_of),
        _ => None,
    }
}

/// The hash of the module that a database runs. Only its owner may ask.
pub async fn running_module(http: &mut HttpClient, name: &str) -> Result<String, AdminError> {
    let what = format!("asking for the module of the database `{name}`");
    let rows = sql(http, &what, name, "SELECT program_hash FROM st_module").await?;
    let hash = rows.first().and_then(hash_of);
    hash.ok_or_else(|| AdminError::Unreadable { what, words: "no hash of a module".to_owned() })
}

/// `sha256:` of the module that a database runs. Not every server shows it to those who do not own the database.
pub async fn module_bytes_digest(http: &mut HttpClient, name: &str) -> Result<String, AdminError> {
    let what = format!("reading the module of the database `{name}`");
    let rows = sql(http, &what, name, "SELECT program_bytes FROM st_module").await?;
    let bytes = rows.first().and_then(|row| bytes_of(row.get(0)?));
    bytes.map(|bytes| sha256(&bytes)).ok_or_else(|| AdminError::Unreadable { what, words: "no bytes".to_owned() })
}

/// Bytes that a server writes as hexadecimal digits, or as a list of numbers.
fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(digits) => {
            let digits = digits.trim_start_matches("0x").as_bytes();
            let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
            digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(pair).collect()).flatten()
        }
        Value::Array(numbers) => numbers.iter().map(|number| u8::try_from(number.as_u64()?).ok()).collect(),
        _ => None,
    }
}

/// A module's hash as [`module_hash`] writes it. A server writes it as a number with the last byte first.
fn hash_of(value: &Value) -> Option<String> {
    let digits = hex_of(value)?;
    let bytes = digits.as_bytes().chunks(2).rev();
    Some(bytes.map(|pair| String::from_utf8_lossy(pair).into_owned()).collect())
}

/// The number of rows of a table.
pub async fn count(http: &mut HttpClient, name: &str, table: &str) -> Result<u64, AdminError> {
    let what = format!("counting the rows of `{table}`");
    let rows = sql(http, &what, name, &format!("SELECT COUNT(*) AS n FROM {table}")).await?;
    let number = rows.first().and_then(|row| row.get(0)).and_then(Value::as_u64);
    number.ok_or_else(|| AdminError::Unreadable { what, words: "no number".to_owned() })
}

/// The ids of the connections in a table with a column `connection_id`, as decimal numbers.
pub async fn connection_ids(http: &mut HttpClient, name: &str, table: &str) -> Result<BTreeSet<String>, AdminError> {
    let what = format!("counting the connections in `{table}`");
    let rows = sql(http, &what, name, &format!("SELECT connection_id FROM {table}")).await?;
    let id = |row: &Value| match row.get(0)? {
        Value::Array(inner) => inner.first().map(ToString::to_string),
        Value::Object(inner) => inner.values().next().map(ToString::to_string),
        number => Some(number.to_string()),
    };
    Ok(rows.iter().filter_map(id).map(|id| id.trim_matches('"').to_owned()).collect())
}

async fn sql(http: &mut HttpClient, what: &str, name: &str, query: &str) -> Result<Vec<Value>, AdminError> {
    let path = format!("{}/sql", path_of(name));
    let answer = ask(http, what, Method::POST, &path, Some("text/plain"), query.to_owned().into()).await?;
    let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match json.pointer("/0/rows").and_then(Value::as_array) {
        Some(rows) => Ok(rows.clone()),
        None => Err(AdminError::Unreadable { what: what.to_owned(), words: answer.excerpt() }),
    }
}

/// What a server says that a publish would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// It can migrate the data by itself.
    Auto {
        /// Says which modules the plan is about. It is no secret, and so no authorization.
        token: String,
        steps: String,
        break_clients: bool,
        major_upgrade: bool,
    },
    /// It can't: the reason.
    Manual(String),
    /// This version of the server makes no plans.
    NoPlans,
}

/// Asks what publishing a module to a database that is there would change.
pub async fn plan(http: &mut HttpClient, name: &str, wasm: Vec<u8>) -> Result<Plan, AdminError> {
    #[derive(Deserialize)]
    enum Answer {
        AutoMigrate { migrate_plan: String, break_clients: bool, token: String, major_version_upgrade: bool },
        ManualMigrate { reason: String },
    }
    let what = format!("planning a publish to the database `{name}`");
    // The parameter that the official client sends is another one, which servers ignore.
    let path = format!("{}/pre_publish?style=NoColor", path_of(name));
    let answer = match ask(http, &what, Method::POST, &path, Some("application/wasm"), wasm.into()).await {
        Ok(answer) => answer,
        Err(AdminError::Refused { status: 404 | 405 | 501, .. }) => return Ok(Plan::NoPlans),
        Err(error) => return Err(error),
    };
    match serde_json::from_slice(&answer.body) {
        Ok(Answer::AutoMigrate { migrate_plan, break_clients, token, major_version_upgrade }) => {
            let steps = plain(&migrate_plan);
            Ok(Plan::Auto { token, steps, break_clients, major_upgrade: major_version_upgrade })
        }
        Ok(Answer::ManualMigrate { reason }) => Ok(Plan::Manual(plain(&reason))),
        Err(_) => Err(AdminError::Unreadable { what, words: answer.excerpt() }),
    }
}

/// A text of several lines without escape sequences of terminals and without secrets.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let text = scrubbed(text);
    let mut rest = &*text;
    while let Some((before, escape)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = escape.trim_start_matches(|c: char| c == '[' || c == ';' || c.is_ascii_digit());
        rest = rest.strip_prefix(|c: char| c.is_ascii_alphabetic()).unwrap_or(rest);
    }
    plain.push_str(rest);
    plain.lines().map(visible).collect::<Vec<_>>().join("\n")
}

/// What a publish may do to clients and data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Policy {
    /// For a server that knows no policies.
    Unsaid,
    Compatible,
    /// As the plan with this token says.
    BreakClients(String),
    /// Deletes all data of the database.
    Clear,
}

/// What became of a request to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    Published,
    /// The server refused, and did nothing.
    Refused(String),
    /// The server has seen nothing of it.
    Unreached(String),
    /// It may be published or not: what was seen.
    Unsure(String),
}

/// Asks once to publish a module. Nothing is sent twice.
pub async fn publish(http: &mut HttpClient, name: &str, wasm: Vec<u8>, policy: &Policy) -> Sent {
    let query = match policy {
        Policy::Unsaid => String::new(),
        Policy::Compatible => "?policy=Compatible".to_owned(),
        Policy::BreakClients(token) => format!("?policy=BreakClients&token={token}"),
        Policy::Clear => "?clear=true".to_owned(),
    };
    let path = format!("{}{query}", path_of(name));
    match http.request(Method::PUT, &path, Some("application/wasm"), wasm).await {
        Ok(answer) if answer.is_ok() => {
            let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            match json.pointer("/Success/database_identity") {
                Some(_) => Sent::Published,
                None => Sent::Unsure(format!("an answer that can't be read: {}", answer.in_words())),
            }
        }
        Ok(answer) if answer.is_passing() => Sent::Unsure(answer.in_words()),
        Ok(answer) => Sent::Refused(answer.in_words()),
        Err(HttpError::Html { page, .. }) if !page.is_passing() => Sent::Refused(page.in_words()),
        Err(error @ (HttpError::Refused { .. } | HttpError::Unsendable { .. })) => Sent::Unreached(error.to_string()),
        Err(error) => Sent::Unsure(error.to_string()),
    }
}

/// The tables, reducers and row-level security of a database's module; `None` where the server does not show them.
pub async fn surface(http: &mut HttpClient, name: &str) -> Result<Option<Surface>, AdminError> {
    let what = format!("asking for the schema of the database `{name}`");
    let path = format!("{}/schema?version=9", path_of(name));
    match ask(http, &what, Method::GET, &path, None, Bytes::new()).await {
        Ok(answer) => Schema::surface(&answer.body)
            .map(Some)
            .map_err(|why| AdminError::Unreadable { what, words: format!("{} ({why})", answer.excerpt()) }),
        Err(AdminError::Refused { status: 400 | 404 | 405 | 501, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The number of rows of a table, and the rows where there are `most` of them or fewer. What can't be read is `None`.
pub async fn rows(http: &mut HttpClient, name: &str, table: &str, most: u64) -> (Option<u64>, Option<Vec<Value>>) {
    let Ok(rows) = count(http, name, table).await else { return (None, None) };
    if rows > most {
        return (Some(rows), None);
    }
    let what = format!("reading the rows of `{table}`");
    match sql(http, &what, name, &format!("SELECT * FROM {table}")).await {
        // A row that came in between counts.
        Ok(read) => (Some(read.len() as u64), Some(read)),
        Err(_) => (Some(rows), None),
    }
}

#[cfg(test)]
mod tests;
