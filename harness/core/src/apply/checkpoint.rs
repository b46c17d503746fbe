//! A client's checkpoint as it lies on disk.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{Cursor, StreamId};

/// The schema version of a checkpoint file.
pub const CHECKPOINT_SCHEMA: &str = "cutover.checkpoint/1";

/// How far each stream is applied. A stream that is not named has to be bootstrapped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    schema: String,
    /// Cursor by stream.
    pub cursors: BTreeMap<StreamId, Cursor>,
}

/// A checkpoint file that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; delete the file to bootstrap the client anew")]
pub struct CheckpointError {
    what: String,
}

impl Checkpoint {
    /// A checkpoint of these cursors.
    pub fn new(cursors: BTreeMap<StreamId, Cursor>) -> Checkpoint {
        Checkpoint {
            schema: CHECKPOINT_SCHEMA.to_owned(),
            cursors,
        }
    }

    /// Reads a checkpoint file's text.
    ///
    /// # Errors
    /// Where it is no checkpoint of this schema, such as a torn file.
    pub fn parse(text: &str) -> Result<Checkpoint, CheckpointError> {
        let parsed: Checkpoint = serde_json::from_str(text).map_err(|error| CheckpointError {
            what: format!("not a checkpoint: {error}"),
        })?;
        if parsed.schema != CHECKPOINT_SCHEMA {
            return Err(CheckpointError {
                what: format!("schema `{}`, where `{CHECKPOINT_SCHEMA}` is expected", parsed.schema),
            });
        }
        Ok(parsed)
    }

    /// The text to write.
    pub fn to_text(&self) -> String {
        // A map of strings to numbers has a JSON form always.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_reads_back_as_it_was_written() {
        let checkpoint = Checkpoint::new([(StreamId::from("run:a:events"), Cursor(7))].into());
        assert_eq!(Checkpoint::parse(&checkpoint.to_text()), Ok(checkpoint));
    }

    #[test]
    fn a_torn_checkpoint_says_what_to_do() {
        let error = Checkpoint::parse("{\"schema\":\"cutover.che").map_err(|error| error.to_string());
        assert!(
            error.as_ref().is_err_and(|text| text.contains("delete the file")),
            "{error:?}"
        );
    }
}
