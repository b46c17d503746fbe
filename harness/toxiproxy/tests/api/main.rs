//! The API as its clients see it.
#![allow(clippy::unwrap_used)]

mod beyond;
mod message_toxics;
mod moves;
mod proxies;
mod rig;
mod routes;
mod toxics;

use rig::Api;

/// What a row of requests is answered.
async fn transcript(api: &Api, requests: &[(&str, &str, &str)]) -> String {
    let mut out = String::new();
    for (method, path, body) in requests {
        let reply = api.call(method, path, body).await;
        out.push_str(&format!("{method} {path} {body}\n{reply}\n\n"));
    }
    out
}
