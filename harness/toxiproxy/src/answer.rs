//! Answers, with the headers that Go's handlers give them.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, X_CONTENT_TYPE_OPTIONS};
use http::{Response, StatusCode};
use http_body_util::Full;

use crate::error::ApiError;

/// What Go's `http.Error` makes of every content type.
const ERROR_TYPE: &str = "text/plain; charset=utf-8";

const REQUEST_ID: HeaderName = HeaderName::from_static("x-toxiproxy-request-id");

pub type Answer = Response<Full<Bytes>>;

pub fn with_type(status: u16, content_type: &'static str, body: String) -> Answer {
    let mut answer = bare(status, body);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

pub fn json(status: u16, body: String) -> Answer {
    with_type(status, "application/json", body)
}

pub fn empty(status: u16) -> Answer {
    bare(status, String::new())
}

pub fn refusal(status: u16, text: &str) -> Answer {
    let mut answer = with_type(status, ERROR_TYPE, format!("{text}\n"));
    answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

pub fn moved(to: &str) -> Answer {
    let mut answer = empty(301);
    if let Ok(to) = HeaderValue::from_str(to) {
        answer.headers_mut().insert(LOCATION, to);
    }
    answer
}

/// The answer with the request's id, which Toxiproxy sends wherever it has a handler.
pub fn with_id(mut answer: Answer, id: &str) -> Answer {
    if let Ok(id) = HeaderValue::from_str(id) {
        answer.headers_mut().insert(REQUEST_ID, id);
    }
    answer
}

impl From<ApiError> for Answer {
    fn from(error: ApiError) -> Answer {
        refusal(error.status, &format!("{{{}}}", error.members()))
    }
}

fn bare(status: u16, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer
}
