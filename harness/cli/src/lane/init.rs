//! `cutover lane init`: proposes a profile for a service that runs.

use super::{candidate, legacy};
use crate::args::{LaneInitArgs, TextOrJson};
use crate::exit::{Exit, Failure};
use crate::out::{Stdout, note};
use crate::signals::runtime;

pub fn run(args: &LaneInitArgs) -> Result<Exit, Failure> {
    let runtime = runtime()?;
    let token = args.token.as_ref();
    let proposal = runtime.block_on(async {
        match (&args.of.candidate, &args.of.legacy) {
            (Some(url), _) => candidate::propose(url, token).await,
            (None, Some(url)) => legacy::propose(url, token, &args.session).await,
            (None, None) => Err(Failure::usage("give --candidate URL or --legacy URL")),
        }
    })?;
    runtime.shutdown_background();
    let mut out = Stdout::new();
    match args.format {
        TextOrJson::Text => {
            for line in &proposal.undecided {
                note(&format!("not decided: {line}"));
            }
            out.exact(&proposal.profile)?;
        }
        TextOrJson::Json => {
            let json = serde_json::to_string_pretty(&proposal).map_err(|error| Failure::fault(error.to_string()))?;
            out.say(&json)?;
        }
    }
    Ok(Exit::Allow)
}
