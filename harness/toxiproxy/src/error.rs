//! What a request is refused with: Toxiproxy's own texts and statuses.

use crate::go::write::quote;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// What is wrong.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
}

impl ApiError {
    fn new(status: u16, message: impl Into<String>) -> ApiError {
        ApiError { message: message.into(), status }
    }

    /// The body can't be used.
    pub fn bad_body(why: &str) -> ApiError {
        ApiError::new(400, format!("bad request body: {why}"))
    }

    /// A field has to be there.
    pub fn missing(field: &str) -> ApiError {
        ApiError::new(400, format!("missing required field: {field}"))
    }

    /// There is no such proxy.
    pub fn no_proxy() -> ApiError {
        ApiError::new(404, "proxy not found")
    }

    /// There is such a proxy already.
    pub fn proxy_exists() -> ApiError {
        ApiError::new(409, "proxy already exists")
    }

    /// A toxic's stream is none.
    pub fn invalid_stream() -> ApiError {
        ApiError::new(400, "stream was invalid, can be either upstream or downstream")
    }

    /// There is no toxic of that type.
    pub fn invalid_type() -> ApiError {
        ApiError::new(400, "invalid toxic type")
    }

    /// The proxy has a toxic of that name already.
    pub fn toxic_exists() -> ApiError {
        ApiError::new(409, "toxic already exists")
    }

    /// The proxy has no toxic of that name.
    pub fn no_toxic() -> ApiError {
        ApiError::new(404, "toxic not found")
    }

    /// The system would not have it: a port that is taken, an address that is none.
    pub fn system(why: impl Into<String>) -> ApiError {
        ApiError::new(500, why)
    }

    /// Its two members, without the braces: a populate's answer has them among others.
    pub fn members(&self) -> String {
        format!("\"error\":{},\"status\":{}", quote(&self.message), self.status)
    }
}
