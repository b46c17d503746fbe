//! Answers requests.

use std::sync::Arc;

use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::go::write::quote;
use crate::metrics;
use crate::proxies::Proxies;
use crate::proxy::Proxy;
use crate::routes::Route;

/// The version of Toxiproxy whose API this is. Some clients refuse to work with an older one.
pub const COMPATIBLE_WITH: &str = "2.12.0";

pub async fn handle(route: Route, body: &[u8], proxies: &Proxies) -> Answer {
    match answered(route, body, proxies).await {
        Ok(answer) => answer,
        Err(error) => error.into(),
    }
}

async fn answered(route: Route, body: &[u8], proxies: &Proxies) -> Result<Answer, ApiError> {
    Ok(match route {
        Route::Reset => {
            proxies.reset().await?;
            answer::empty(204)
        }
        Route::Proxies => answer::json(200, index(&proxies.all().await).await),
        Route::CreateProxy => answer::json(201, proxies.create(body).await?.json().await),
        Route::Populate => populate(body, proxies).await,
        Route::Proxy(name) => answer::json(200, proxies.get(&name).await?.json().await),
        Route::UpdateProxy(name) => answer::json(200, proxies.update(&name, body).await?),
        Route::DeleteProxy(name) => {
            proxies.delete(&name).await?;
            answer::empty(204)
        }
        Route::Toxics(name) => answer::json(200, proxies.get(&name).await?.toxics().await?),
        Route::CreateToxic(name) => answer::json(200, proxies.get(&name).await?.add_toxic(body).await?),
        Route::Toxic(name, toxic) => answer::json(200, proxies.get(&name).await?.toxic(&toxic).await?),
        Route::UpdateToxic(name, toxic) => {
            answer::json(200, proxies.get(&name).await?.update_toxic(&toxic, body).await?)
        }
        Route::DeleteToxic(name, toxic) => {
            proxies.get(&name).await?.remove_toxic(&toxic).await?;
            answer::empty(204)
        }
        Route::Version => answer::with_type(
            200,
            "application/json;charset=utf-8",
            format!("{{\"version\": \"{COMPATIBLE_WITH}\"}}\n"),
        ),
        Route::Metrics => answer::with_type(200, metrics::CONTENT_TYPE, metrics::text(proxies).await),
        Route::Ledgers => answer::json(200, ledgers(&proxies.all().await)),
        Route::Ledger(name) => {
            let proxy = proxies.get(&name).await?;
            answer::json(200, proxy.ledger().json(proxy.name()))
        }
        Route::WrongMethod => answer::empty(405),
        Route::Nothing => answer::refusal(404, "404 page not found"),
        Route::Moved(to) => answer::moved(&to),
        Route::Unreadable => answer::with_type(400, "text/plain; charset=utf-8", "400 Bad Request".to_owned()),
    })
}

async fn index(all: &[Arc<Proxy>]) -> String {
    let mut members = Vec::with_capacity(all.len());
    for proxy in all {
        members.push(format!("{}:{}", quote(proxy.name()), proxy.json().await));
    }
    format!("{{{}}}", members.join(","))
}

async fn populate(body: &[u8], proxies: &Proxies) -> Answer {
    let (done, error) = proxies.populate(body).await;
    let mut shown = Vec::with_capacity(done.len());
    for proxy in &done {
        shown.push(proxy.json().await);
    }
    // Go writes a list that was never filled so.
    let list = if shown.is_empty() { "null".to_owned() } else { format!("[{}]", shown.join(",")) };
    match error {
        None => answer::json(201, format!("{{\"proxies\":{list}}}")),
        Some(error) => {
            let members = error.members();
            answer::json(error.status, format!("{{{members},\"proxies\":{list}}}"))
        }
    }
}

fn ledgers(all: &[Arc<Proxy>]) -> String {
    let ledgers: Vec<String> = all.iter().map(|proxy| proxy.ledger().json(proxy.name())).collect();
    format!("{{\"proxies\":[{}]}}", ledgers.join(","))
}
