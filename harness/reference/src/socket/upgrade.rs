//! The upgrade: origin, version and token are checked here; a refusal is a bare 403.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD},
};
use http::{HeaderMap, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use sha1::{Digest, Sha1};

use super::{Principal, Session, serve};
use crate::{
    defects::Defect,
    server::Shared,
    token::{self, Deny},
    wire::Vsn,
};

/// What RFC 6455 appends to the key.
const ACCEPT_GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// How the official client sends a token without putting it into the URL.
const BEARER_PROTOCOL: &str = "base64url.bearer.phx.";
/// The subprotocol that is answered where the client offers it.
const PROTOCOL: &str = "phoenix";

/// Answers `GET /sync/socket/websocket`.
pub(crate) async fn upgrade(State(shared): State<Arc<Shared>>, mut request: Request) -> Response {
    let Some(key) = websocket_key(request.headers()) else {
        return bare(StatusCode::BAD_REQUEST);
    };
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
    let parameter = |name: &str| {
        query
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let Some(vsn) = Vsn::negotiate(parameter("vsn")) else {
        shared.deny("unsupported_vsn");
        return bare(StatusCode::FORBIDDEN);
    };
    let bearer = protocols(request.headers()).find_map(|name| bearer_token(&name));
    let principal = match admit(&shared, request.headers(), parameter("token").or(bearer.as_deref())) {
        Ok(principal) => principal,
        Err(deny) => {
            shared.deny(deny.code());
            return bare(StatusCode::FORBIDDEN);
        }
    };
    let speaks_phoenix = protocols(request.headers()).any(|name| name == PROTOCOL);
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
    switching(&key, speaks_phoenix)
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
    let verified = token::verify(token, rules, now_s(), shared.config.defects.has(Defect::AcceptExpired))?;
    if shared.store.view().is_revoked(&verified.jti) {
        return Err(Deny::TokenRevoked);
    }
    Ok(Principal {
        jti: Some(verified.jti),
        grants: Some(verified.grants.into()),
    })
}

/// Seconds since 1970.
pub(crate) fn now_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
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

fn protocols(headers: &HeaderMap) -> impl Iterator<Item = String> {
    headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_owned())
}

fn bearer_token(protocol: &str) -> Option<String> {
    let encoded = protocol.strip_prefix(BEARER_PROTOCOL)?;
    let bytes = URL_SAFE_NO_PAD
        .decode(encoded)
        .or_else(|_| URL_SAFE.decode(encoded))
        .ok()?;
    String::from_utf8(bytes).ok()
}

fn switching(key: &str, speaks_phoenix: bool) -> Response {
    let accept = STANDARD.encode(
        Sha1::new()
            .chain_update(key.as_bytes())
            .chain_update(ACCEPT_GUID)
            .finalize(),
    );
    let mut response = bare(StatusCode::SWITCHING_PROTOCOLS);
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, http::HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, http::HeaderValue::from_static("websocket"));
    if let Ok(accept) = accept.parse() {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    if speaks_phoenix {
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
