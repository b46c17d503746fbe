//! A profile for a Phoenix service, from a short session with it or from a recorded one.

use std::path::Path;
use std::time::Duration;

use cutover_core::ids::LaneId;
use cutover_core::text::Secret;
use cutover_live::environment::{at_outside, unavailable};
use cutover_live::frame::Direction;
use cutover_live::lane::phoenix::PhoenixProfile;
use cutover_live::lane::phoenix::infer::record::{Ask, record};
use cutover_live::lane::phoenix::infer::{Heard, Proposed, propose as proposed};
use cutover_live::lane::protocol::Profile;
use cutover_live::plain_file;
use serde::Deserialize;

use super::proposal::Proposal;
use crate::args::LegacySession;
use crate::exit::{Exit, Failure};

/// The largest recording that is read, in bytes.
const MAX_RECORDING_BYTES: u64 = 64 << 20;

/// # Errors
/// A URL that is no socket, a service that does not answer, or a recording that can't be read.
pub async fn propose(url: &str, token: Option<&Secret>, session: &LegacySession) -> Result<Proposal, Failure> {
    let mut profile = PhoenixProfile::of_url(url).map_err(|error| Failure::usage(error.to_string()))?;
    if let Some(token) = token {
        profile.token = Some(token.clone());
    }
    let socket_url = profile.url().to_owned();
    if let Some(path) = &session.recording {
        return Ok(of_session(&socket_url, &recorded(path)?, Vec::new()));
    }
    let ask = Ask {
        topic: session.topic.clone(),
        channel: session.channel.clone(),
        subscribe: session.subscribe.clone(),
        publish: session.publish,
        events: session.events,
        time: Duration::from_secs(session.seconds),
    };
    let reached = at_outside(LaneId::Legacy, &profile, async |at| record(at, &profile, &ask).await).await;
    let recorded = reached.map_err(|error| Failure::environment(error.to_string()))?;
    let recorded = recorded.map_err(|error| {
        let exit = if error.retryable { Exit::Environment } else { Exit::Usage };
        Failure { exit, ..Failure::usage(unavailable(LaneId::Legacy, &socket_url, error).to_string()) }
    })?;
    let mut notes = recorded.notes;
    notes.push(format!("the topic `{}` was asked for; --topic names another one", recorded.topic));
    Ok(of_session(&socket_url, &recorded.heard, notes))
}

fn of_session(url: &str, heard: &[Heard], notes: Vec<String>) -> Proposal {
    let Proposed { toml, undecided } = proposed(url, heard);
    Proposal { profile: toml, undecided: notes.into_iter().chain(undecided).collect() }
}

/// A frame of a recording: one JSON object a line.
#[derive(Deserialize)]
struct Row {
    /// `c2s` or `s2c`.
    dir: String,
    #[serde(default)]
    opcode: String,
    data: String,
}

fn recorded(path: &Path) -> Result<Vec<Heard>, Failure> {
    let text = plain_file::read_text(path, MAX_RECORDING_BYTES).map_err(|error| Failure::unreadable(path, &error))?;
    let mut heard = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let row: Row = serde_json::from_str(line).map_err(|error| {
            Failure::usage(format!("{}:{}: {error}", path.display(), number + 1))
                .hint("a line is {\"dir\": \"c2s\" or \"s2c\", \"opcode\": \"text\", \"data\": \"the frame\"}")
        })?;
        let direction = match row.dir.as_str() {
            "c2s" => Direction::Upstream,
            _ => Direction::Downstream,
        };
        if row.opcode.is_empty() || row.opcode == "text" {
            heard.push(Heard { direction, text: row.data });
        }
    }
    Ok(heard)
}
