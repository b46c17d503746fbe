//! Requests to a SpacetimeDB server before and after a run: reach it, create an identity, publish the module to a
//! database, delete the database.

#![allow(missing_docs, reason = "the names say it")]

use std::collections::BTreeSet;

use bytes::Bytes;
use cutover_core::text::{Secret, visible};
use http::Method;
use serde::Deserialize;

use super::schema::Schema;
use crate::lane::http::{HttpAnswer, HttpClient, HttpError, REDIRECT_HINT, percent_encoded};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdminError {
    #[error("{what}: {error}{}", no_answer_hint(error))]
    NoAnswer { what: String, error: Box<HttpError> },
    #[error("{what}: {words} ({hint})")]
    Refused { what: String, status: u16, words: String, hint: &'static str },
    #[error("{what}: an answer that can't be read: {words} (is this a SpacetimeDB server?)")]
    Unreadable { what: String, words: String },
}

impl AdminError {
    pub fn is_retryable(&self) -> bool {
        match self {
            AdminError::NoAnswer { error, .. } => {
                !matches!(**error, HttpError::Html { .. } | HttpError::Unsendable { .. })
            }
            AdminError::Refused { status, .. } => *status >= 500 && *status != 530,
            AdminError::Unreadable { .. } => false,
        }
    }
}

pub async fn ping(http: &mut HttpClient) -> Result<(), AdminError> {
    ask(http, "asking whether the server is there", Method::GET, "/v1/ping", None, Bytes::new()).await.map(drop)
}

/// The version that the server reports; `None` where it reports none.
pub async fn version(http: &mut HttpClient) -> Result<Option<String>, AdminError> {
    #[derive(Deserialize)]
    struct Health {
        version: String,
    }
    let what = "asking for the server's version";
    match ask(http, what, Method::GET, "/v1/health", None, Bytes::new()).await {
        Ok(answer) => Ok(serde_json::from_slice::<Health>(&answer.body).ok().map(|health| visible(&health.version))),
        Err(AdminError::Refused { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Has the server create an identity, and returns the token that proves it.
pub async fn create_identity(http: &mut HttpClient) -> Result<Secret, AdminError> {
    #[derive(Deserialize)]
    struct Identity {
        token: String,
    }
    let what = "creating an identity";
    let answer = ask(http, what, Method::POST, "/v1/identity", None, Bytes::new()).await?;
    serde_json::from_slice(&answer.body)
        .map(|identity: Identity| Secret::new(identity.token))
        .map_err(|_| AdminError::Unreadable { what: what.to_owned(), words: "no identity with a token".to_owned() })
}

/// Publishes a module under a name; the client bears the owner's token.
pub async fn publish_module(http: &mut HttpClient, name: &str, wasm: Bytes) -> Result<(), AdminError> {
    let what = format!("publishing the module to the database `{name}`");
    let answer = ask(http, &what, Method::PUT, &path_of(name), Some("application/wasm"), wasm).await?;
    let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match json.pointer("/Success/database_identity") {
        Some(_) => Ok(()),
        None => Err(AdminError::Unreadable { what, words: answer.excerpt() }),
    }
}

/// Calls a reducer of a database's module.
pub async fn call(
    http: &mut HttpClient,
    name: &str,
    reducer: &str,
    args: &serde_json::Value,
) -> Result<(), AdminError> {
    let what = format!("calling `{reducer}` of the database `{name}`");
    let path = format!("{}/call/{reducer}", path_of(name));
    ask(http, &what, Method::POST, &path, Some("application/json"), args.to_string().into()).await.map(drop)
}

pub async fn delete_database(http: &mut HttpClient, name: &str) -> Result<(), AdminError> {
    let what = format!("deleting the database `{name}`");
    ask(http, &what, Method::DELETE, &path_of(name), None, Bytes::new()).await.map(drop)
}

pub async fn find_database(http: &mut HttpClient, name: &str) -> Result<(), AdminError> {
    let what = format!("asking for the database `{name}`");
    ask(http, &what, Method::GET, &path_of(name), None, Bytes::new()).await.map(drop)
}

pub(super) fn path_of(name: &str) -> String {
    format!("/v1/database/{}", percent_encoded(name))
}

/// The schema of a database's module; `None` where the server does not report it.
pub async fn schema(http: &mut HttpClient, name: &str) -> Result<Option<Schema>, AdminError> {
    let what = format!("asking for the schema of the database `{name}`");
    let path = format!("{}/schema?version=9", path_of(name));
    match ask(http, &what, Method::GET, &path, None, Bytes::new()).await {
        Ok(answer) => Schema::parse(&answer.body)
            .map(Some)
            .map_err(|why| AdminError::Unreadable { what, words: format!("{} ({why})", answer.excerpt()) }),
        Err(AdminError::Refused { status: 400 | 404 | 405 | 501, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The connections of a database's clients, each as the server writes it.
///
/// A server of version 2 connects to the module for the query itself, so that its answer holds a connection that no
/// later answer holds.
pub async fn connections(http: &mut HttpClient, name: &str) -> Result<BTreeSet<String>, AdminError> {
    let what = format!("asking for the connections of the database `{name}`");
    let path = format!("{}/sql", path_of(name));
    let query = Bytes::from_static(b"SELECT * FROM st_client");
    let answer = ask(http, &what, Method::POST, &path, Some("text/plain"), query).await?;
    let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match json.pointer("/0/rows").and_then(serde_json::Value::as_array) {
        Some(rows) => Ok(rows.iter().map(ToString::to_string).collect()),
        None => Err(AdminError::Unreadable { what, words: answer.excerpt() }),
    }
}

pub(super) async fn ask(
    http: &mut HttpClient,
    what: &str,
    method: Method,
    path: &str,
    content_type: Option<&str>,
    body: Bytes,
) -> Result<HttpAnswer, AdminError> {
    let answered = http.request_again(method, path, content_type, body).await;
    let answer = answered.map_err(|error| AdminError::NoAnswer { what: what.to_owned(), error: Box::new(error) })?;
    if answer.is_ok() {
        return Ok(answer);
    }
    Err(AdminError::Refused {
        what: what.to_owned(),
        status: answer.status,
        words: answer.in_words(),
        hint: match answer.location {
            Some(_) => REDIRECT_HINT,
            None => hint(answer.status),
        },
    })
}

fn no_answer_hint(error: &HttpError) -> &'static str {
    match error {
        HttpError::TimedOut { .. } => {
            " (something takes connections there and says nothing: is it a SpacetimeDB server, and does it want \
              `https`?)"
        }
        HttpError::Html { page, .. } if page.location.is_some() => {
            " (redirects are not followed: give the address that it redirects to)"
        }
        HttpError::Html { .. } => " (a web server is there, no SpacetimeDB: check host and port)",
        _ => "",
    }
}

pub(super) fn hint(status: u16) -> &'static str {
    match status {
        401 => "the server does not take this token: `token` or `token_env` of the lane profile names another",
        403 => "the module or the server refuses this identity: does it want another token, or one at all?",
        404 => "is the database's name right, and was the module published?",
        413 => "the server takes no body of this size",
        500.. => "the server's own log says more",
        _ => "is this a SpacetimeDB server?",
    }
}

/// Whether a server of this version is known to have no confirmed reads, which came with version 2.
pub fn lacks_confirmed_reads(version: &str) -> bool {
    let major = version.split('.').next().and_then(|major| major.trim().parse::<u32>().ok());
    major.is_some_and(|major| major < 2)
}

#[cfg(test)]
mod tests;
