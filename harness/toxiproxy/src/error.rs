//! What a request is refused with: Toxiproxy's own texts and statuses.

use crate::go::write::quote;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    pub message: String,
    pub status: u16,
}

impl ApiError {
    fn new(status: u16, message: impl Into<String>) -> ApiError {
        ApiError { message: message.into(), status }
    }

    pub fn bad_body(why: &str) -> ApiError {
        ApiError::new(400, format!("bad request body: {why}"))
    }

    pub fn missing(field: &str) -> ApiError {
        ApiError::new(400, format!("missing required field: {field}"))
    }

    pub fn no_proxy() -> ApiError {
        ApiError::new(404, "proxy not found")
    }

    pub fn proxy_exists() -> ApiError {
        ApiError::new(409, "proxy already exists")
    }

    pub fn invalid_stream() -> ApiError {
        ApiError::new(400, "stream was invalid, can be either upstream or downstream")
    }

    pub fn invalid_type() -> ApiError {
        ApiError::new(400, "invalid toxic type")
    }

    pub fn toxic_exists() -> ApiError {
        ApiError::new(409, "toxic already exists")
    }

    pub fn no_toxic() -> ApiError {
        ApiError::new(404, "toxic not found")
    }

    /// The system refuses it: a port in use, a wrong address.
    pub fn system(why: impl Into<String>) -> ApiError {
        ApiError::new(500, why)
    }

    /// Its two members, without the braces: a populate's answer has them among others.
    pub fn members(&self) -> String {
        format!("\"error\":{},\"status\":{}", quote(&self.message), self.status)
    }
}
