//! The legacy lane: the reference server, one per plan, or a Phoenix service that is there already.

use std::path::Path;
use std::sync::Arc;

use cutover_core::ids::LaneId;
use cutover_core::plan::Plan;
use tokio::sync::Mutex;

use super::{Environment, EnvironmentError, PreparedScenario, Source, fixed};
use crate::drive::{Destination, LaneStack, ManagedServer, ServerControl};
use crate::lane::names::Names;
use crate::lane::phoenix::{PhoenixLane, PhoenixTaggers};
use crate::lane::profile::{HashKind, LaneTarget, PhoenixProfile};
use crate::process::{Durability, Server, ServerCommand};
use cutover_core::gate::fit::harms;

/// The name by which the reference server is asked for; it serves any.
const BUNDLED_URL: &str = "http://legacy.localhost/";

impl Environment {
    pub(super) async fn prepare_legacy(
        &self,
        lane: LaneId,
        plan: &Plan,
        dir: &Path,
    ) -> Result<PreparedScenario, EnvironmentError> {
        match &self.legacy {
            Source::Bundled => self.prepare_reference(lane, plan, dir).await,
            Source::Outside(LaneTarget::Phoenix(profile)) => {
                let names = self.names(lane, LaneId::Legacy, plan)?;
                let (socket, writer) = (profile.socket_origin(), profile.writer_origin());
                let stack = stack(
                    lane,
                    Arc::new((**profile).clone()),
                    names,
                    Destination::new(&socket, fixed(&socket)),
                    Destination::new(&writer, fixed(&writer)),
                );
                Ok(PreparedScenario {
                    stack,
                    version: format!("outside service at {}", socket.authority()),
                    module_digest: None,
                    server: None,
                })
            }
            Source::Outside(LaneTarget::Spacetime(_)) | Source::Binary { .. } => Err(EnvironmentError::Unfit(
                "the legacy lane is a Phoenix service; this is the profile of a SpacetimeDB server",
            )),
        }
    }

    async fn prepare_reference(
        &self,
        lane: LaneId,
        plan: &Plan,
        dir: &Path,
    ) -> Result<PreparedScenario, EnvironmentError> {
        let failed = |source| EnvironmentError::Server { lane: "legacy", source };
        // Where the lane runs against itself, the defect is still in one of the two: else they would be wrong alike.
        let defects = if lane == LaneId::Legacy { &plan.legacy_defects[..] } else { &[] };
        let server = Server::new(ServerCommand::legacy(&self.binary, defects), dir).map_err(failed)?;
        let mut server = server.telling("legacy", self.deaths.clone());
        server.start().await.map_err(failed)?;
        let upstream = server.address();
        // Our own server keeps to the contract to the letter.
        let profile =
            Arc::new(PhoenixProfile { payload_hash: HashKind::Canonical, ..PhoenixProfile::of_url(BUNDLED_URL)? });
        let origin = profile.socket_origin();
        let server = Arc::new(Mutex::new(server));
        let route = Destination::new(&origin, upstream);
        let mut stack = stack(lane, profile, self.names(lane, LaneId::Legacy, plan)?, route.clone(), route);
        let managed = ManagedServer { server: server.clone(), durability: Durability::Acknowledged };
        stack.server = harms(plan, lane).then(|| Arc::new(managed) as Arc<dyn ServerControl>);
        let version = concat!("cutover reference ", env!("CARGO_PKG_VERSION")).to_owned();
        Ok(PreparedScenario { stack, version, module_digest: None, server: Some(server) })
    }
}

fn stack(
    lane: LaneId,
    profile: Arc<PhoenixProfile>,
    names: Arc<Names>,
    socket: Destination,
    writer: Destination,
) -> LaneStack {
    LaneStack {
        taggers: Arc::new(PhoenixTaggers::new(profile.clone(), names.clone())),
        lane: Arc::new(PhoenixLane::new(lane, profile, names)),
        socket,
        writer,
        server: None,
        byte_toxics: None,
        pace: None,
    }
}
