//! Compatibility: which clients this database serves, the table of the window and its reducers.

use crate::refusal::{Refusal, Window};

/// What a client says of itself. A blank text and 0 stand for what it does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub client_build_id: String,
    pub protocol_version: String,
    pub schema_version: u64,
}

/// Builds compare as texts: they are timestamps such as `20260225T190000Z`.
pub fn check_client(window: &Window, client: &Client) -> Result<(), Refusal> {
    let build = client.client_build_id.as_str();
    let (code, message) = if build.trim().is_empty() {
        ("invalid_client_build", "client_build_id is missing or blank")
    } else if client.protocol_version != window.protocol_version {
        ("unsupported_protocol_version", "protocol_version is not the one of this service")
    } else if !(window.min_schema_version..=window.max_schema_version).contains(&client.schema_version) {
        ("unsupported_schema_version", "schema_version is outside of the supported range")
    } else if build < window.min_client_build_id.as_str() {
        ("upgrade_required", "client_build_id is older than the oldest supported build")
    } else if window.max_client_build_id.as_deref().is_some_and(|max| build > max) {
        ("unsupported_client_build", "client_build_id is newer than the newest supported build")
    } else {
        return Ok(());
    };
    Err(Refusal::Incompatible { code, message, window: window.clone() })
}

#[cfg(target_arch = "wasm32")]
pub mod db {
    use spacetimedb::{ReducerContext, Table, reducer, table};

    use super::Client;
    use crate::owner::check_owner;
    use crate::refusal::{Answer, Refusal, Window, answer};

    /// The one window. Without its row, every client is served.
    #[table(name = compatibility_window)]
    pub struct CompatibilityWindow {
        /// Always 0.
        #[primary_key]
        pub id: u8,
        pub protocol_version: String,
        pub min_schema_version: u64,
        pub max_schema_version: u64,
        pub min_client_build_id: String,
        pub max_client_build_id: Option<String>,
    }

    /// Sets which clients are served, or serves all of them. Only the owner may.
    #[reducer]
    fn set_window(
        ctx: &ReducerContext,
        enabled: bool,
        protocol_version: String,
        min_schema_version: u64,
        max_schema_version: u64,
        min_client_build_id: String,
        max_client_build_id: Option<String>,
    ) -> Answer {
        let window = Window {
            protocol_version,
            min_schema_version,
            max_schema_version,
            min_client_build_id,
            max_client_build_id,
        };
        answer(ctx, NewWindow { window: enabled.then_some(window) }, set)
    }

    /// Answers whether this client is served: nothing is written.
    #[reducer]
    fn check_client(
        ctx: &ReducerContext,
        client_build_id: String,
        protocol_version: String,
        schema_version: u64,
    ) -> Answer {
        answer(ctx, Client { client_build_id, protocol_version, schema_version }, check)
    }

    pub struct NewWindow {
        pub window: Option<Window>,
    }

    fn set(ctx: &ReducerContext, NewWindow { window }: NewWindow) -> Result<(), Refusal> {
        check_owner(ctx)?;
        ctx.db.compatibility_window().id().delete(0);
        if let Some(window) = window {
            ctx.db.compatibility_window().insert(CompatibilityWindow {
                id: 0,
                protocol_version: window.protocol_version,
                min_schema_version: window.min_schema_version,
                max_schema_version: window.max_schema_version,
                min_client_build_id: window.min_client_build_id,
                max_client_build_id: window.max_client_build_id,
            });
        }
        Ok(())
    }

    fn check(ctx: &ReducerContext, client: Client) -> Result<(), Refusal> {
        match window(ctx) {
            Some(window) => super::check_client(&window, &client),
            None => Ok(()),
        }
    }

    pub fn window(ctx: &ReducerContext) -> Option<Window> {
        ctx.db.compatibility_window().id().find(0).map(|row| Window {
            protocol_version: row.protocol_version,
            min_schema_version: row.min_schema_version,
            max_schema_version: row.max_schema_version,
            min_client_build_id: row.min_client_build_id,
            max_client_build_id: row.max_client_build_id,
        })
    }
}

#[cfg(test)]
mod tests;
