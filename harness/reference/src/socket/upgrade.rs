//! The upgrade: origin, version and token are checked here; a refusal is a bare 403.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::{body::Body, extract::Request, response::Response};
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use base64::{DecodeError, Engine};
use http::{HeaderMap, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use sha1::{Digest, Sha1};

use super::{Principal, Session, serve};
use crate::shared::Shared;
use crate::token::{self, Deny};
use crate::wire::Vsn;

/// What RFC 6455 appends to the key.
const ACCEPT_GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// How the official client sends a token without putting it into the URL.
const BEARER_PROTOCOL: &str = "base64url.bearer.phx.";
const PROTOCOL: &str = "phoenix";

/// Answers `GET /sync/socket/websocket`.
pub(crate) async fn upgrade(shared: Arc<Shared>, mut request: Request) -> Response {
    let is_get = request.method() == http::Method::GET;
    let Some(key) = websocket_key(request.headers()).filter(|_| is_get) else {
        return bare(StatusCode::BAD_REQUEST);
    };
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
    let parameter = |name: &str| query.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let Some(vsn) = Vsn::negotiate(parameter("vsn")) else {
        shared.deny("unsupported_vsn");
        return bare(StatusCode::FORBIDDEN);
    };
    let Ok(bearer) = bearer_token(request.headers()) else {
        return bare(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let principal = match admit(&shared, request.headers(), parameter("token").or(bearer.as_deref())) {
        Ok(principal) => principal,
        Err(deny) => {
            shared.deny(deny.code());
            return bare(StatusCode::FORBIDDEN);
        }
    };
    // Phoenix names a subprotocol only where it took a token from one.
    let names_protocol = bearer.is_some() && protocols(request.headers()).any(|name| name == PROTOCOL);
    let Some(on_upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        return bare(StatusCode::BAD_REQUEST);
    };
    if !shared.open_socket() {
        return bare(StatusCode::SERVICE_UNAVAILABLE);
    }
    let session = Session::new(shared.clone(), vsn, principal, query);
    shared.tasks.spawn({
        let shared = shared.clone();
        async move {
            if let Ok(upgraded) = on_upgrade.await {
                serve(shared.clone(), TokioIo::new(upgraded), session).await;
            }
            shared.close_socket();
        }
    });
    switching(&key, names_protocol)
}

fn admit(shared: &Shared, headers: &HeaderMap, token: Option<&str>) -> Result<Principal, Deny> {
    let rules = &shared.config.tokens;
    if let (Some(allowed), Some(origin)) = (&rules.allowed_origins, headers.get(header::ORIGIN)) {
        let origin = origin.to_str().unwrap_or_default();
        if !allowed.iter().any(|name| name == origin) {
            return Err(Deny::OriginNotAllowed);
        }
    }
    if rules.keys().next().is_none() {
        return Ok(Principal::default());
    }
    let verified = token::verify(token, shared.token_rules(), now_s())?;
    if shared.is_revoked(&verified.jti) {
        return Err(Deny::TokenRevoked);
    }
    Ok(Principal { jti: Some(verified.jti), grants: Some(verified.grants.into()) })
}

pub(crate) fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn websocket_key(headers: &HeaderMap) -> Option<String> {
    let has = |name: header::HeaderName, word: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word)))
    };
    let is_websocket = has(header::CONNECTION, "upgrade")
        && has(header::UPGRADE, "websocket")
        && has(header::SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?.to_str().ok()?;
    is_websocket.then(|| key.to_owned())
}

/// The subprotocols that are offered; of several headers the first counts, as in Phoenix.
fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let offered = headers.get(header::SEC_WEBSOCKET_PROTOCOL);
    let offered = offered.and_then(|value| value.to_str().ok()).unwrap_or_default();
    offered.split(',').map(str::trim)
}

/// The token that is offered as a subprotocol, where exactly one is. The client calls it base64url and writes base64.
fn bearer_token(headers: &HeaderMap) -> Result<Option<String>, DecodeError> {
    let mut tokens = protocols(headers).filter_map(|name| name.strip_prefix(BEARER_PROTOCOL));
    match (tokens.next(), tokens.next()) {
        (Some(token), None) => {
            let token = STANDARD_NO_PAD.decode(token)?;
            Ok(Some(String::from_utf8_lossy(&token).into_owned()))
        }
        _ => Ok(None),
    }
}

fn switching(key: &str, names_protocol: bool) -> Response {
    let accept = STANDARD.encode(Sha1::new().chain_update(key.as_bytes()).chain_update(ACCEPT_GUID).finalize());
    let mut response = bare(StatusCode::SWITCHING_PROTOCOLS);
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, http::HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, http::HeaderValue::from_static("websocket"));
    if let Ok(accept) = accept.parse() {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    if names_protocol {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, http::HeaderValue::from_static(PROTOCOL));
    }
    response
}

fn bare(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let uncached = http::HeaderValue::from_static("max-age=0, private, must-revalidate");
    response.headers_mut().insert(header::CACHE_CONTROL, uncached);
    response
}
