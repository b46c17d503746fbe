//! How far a bridge is, for people and monitors.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tokio::net::TcpListener;

#[derive(Debug, Clone, Default, Serialize)]
pub struct Progress {
    /// Rows that it sent since its start.
    pub sent: u64,
    /// Rows that the relay will not take, with its words.
    pub parked: Vec<Parked>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Parked {
    pub key: String,
    pub position: u64,
    pub why: String,
}

#[derive(Debug, Clone, Default)]
pub struct Shared(Arc<Mutex<Progress>>);

impl Shared {
    pub fn note(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn read(&self) -> Progress {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Answers `GET /` with the progress as JSON.
pub async fn serve(listener: TcpListener, shared: Shared) -> std::io::Result<()> {
    let tell = async |State(shared): State<Shared>| Json(shared.read());
    axum::serve(listener, Router::new().route("/", get(tell)).with_state(shared)).await
}
