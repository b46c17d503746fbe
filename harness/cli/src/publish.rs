//! The sync module in a database of a candidate that `cutover serve` runs.

use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use cutover_core::text::Secret;
use cutover_live::bounds::ADMIN;
use cutover_live::lane::Endpoint;
use cutover_live::lane::socket::Bounds;
use cutover_live::lane::spacetime::{MODULE_WASM, SpacetimeLane, SpacetimeProfile, admin};
use cutover_live::plain_file;

use crate::out::note;

/// What the built-in server speaks.
const SUBPROTOCOL: &str = "v1.bsatn.spacetimedb";

/// The largest file of a token that is read, in bytes.
const MAX_TOKEN_BYTES: u64 = 64 << 10;

/// Publishes the built-in module to a database. Its owner's token is read from a file, which is written the first time.
pub async fn publish(address: SocketAddr, database: &str, token_file: &Path) -> Result<(), String> {
    let endpoint = Endpoint { connect: address, authority: address.to_string() };
    let bounds = Bounds { operation: ADMIN, ..Bounds::default() };
    let client = |token: Option<&Secret>| {
        SpacetimeLane::http(&endpoint, &SpacetimeProfile::default(), token, bounds)
            .map_err(|error| format!("the owner's token in {} cannot be used: {error}", token_file.display()))
    };
    let in_file = |error: std::io::Error| format!("the owner's token in {}: {error}", token_file.display());
    let token = match plain_file::read_text(token_file, MAX_TOKEN_BYTES) {
        Ok(token) => Secret::new(token.trim()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let token = admin::create_identity(&mut client(None)?).await.map_err(|error| error.to_string())?;
            let mut options = std::fs::OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o600).open(token_file).map_err(in_file)?;
            file.write_all(token.reveal().as_bytes()).map_err(in_file)?;
            token
        }
        Err(error) => return Err(in_file(error)),
    };
    let published = admin::publish_module(&mut client(Some(&token))?, database, MODULE_WASM.into()).await;
    published.map_err(|error| error.to_string())
}

/// Says where other clients find the database.
pub fn how_to_use(address: SocketAddr, database: &str, token_file: &Path) {
    let at = format!("{address}/v1/database/{database}");
    note(&format!("database   http://{at}, the owner's token is in {}", token_file.display()));
    note(&format!("subscribe  ws://{at}/subscribe with the subprotocol {SUBPROTOCOL}, and a query such as"));
    note("           SELECT * FROM sync_event WHERE stream_id = 'runtime.run.alpha.events'");
    note(&format!("judge      cutover gate --candidate http://{at}"));
}
