//! The evidence document itself, as it stands in `evidence.json`.

use std::io::{self, Write};

use super::Renderer;
use crate::evidence::document::Evidence;

/// Writes the document as JSON.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonRenderer;

impl Renderer for JsonRenderer {
    fn render(&self, evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&evidence.to_bytes())
    }
}
