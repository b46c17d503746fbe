//! Temporary refusals: the request is made again later.
//!
//! A load balancer answers 502 to 504 while a service restarts, a service 429 when it is asked too often (RFC 6585,
//! 4), and either may say when to come back (`Retry-After`, RFC 9110, 10.2.3).

use std::time::{Duration, SystemTime};

use http::HeaderMap;

use super::OpError;
use super::http::HttpError;

const RETRY_AFTER_CAP: Duration = Duration::from_secs(10);

/// The waits before a request of ours is made again that was refused in passing.
pub(crate) const AGAIN_AFTER: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_millis(500), Duration::from_secs(1)];

/// Whether a status does not judge the request, or only says that it came too early or too often.
pub(crate) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 421 | 425 | 429 | 500..=599)
}

/// Whether a status says that nothing was done (RFC 9110, 15.5.20; RFC 8470, 5.2; RFC 6585, 4).
pub(crate) fn did_nothing(status: u16) -> bool {
    matches!(status, 421 | 425 | 429)
}

/// Whether a status of a server, or of a proxy before it, says to come again later (RFC 9110, 15.6.3 to 15.6.5).
pub(crate) fn is_not_now(status: u16) -> bool {
    did_nothing(status) || matches!(status, 502..=504)
}

/// How long an answer asks to wait, at most [`RETRY_AFTER_CAP`].
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?;
    wait_of(value.trim(), SystemTime::now())
}

fn wait_of(value: &str, now: SystemTime) -> Option<Duration> {
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // So many digits that they fit no number are a long time.
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        // The date is read once. The wait is then measured by the monotonic clock.
        httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(RETRY_AFTER_CAP))
}

/// What a writer makes of a request that the lane did not answer: a page with such a status says: nothing was done.
pub(crate) fn passing(error: &HttpError) -> OpError {
    match error {
        // Nothing was sent.
        HttpError::Refused { .. } | HttpError::Unsendable { .. } => OpError::Later(error.to_string()),
        HttpError::Html { page, .. } if did_nothing(page.status) => OpError::Later(error.to_string()),
        other => OpError::Unknown(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
