//! Renderers: one evidence document, in the form that its reader wants. None of them judges.

mod causes;
mod html;
mod json;
mod junit;
mod markdown;
mod table;
mod text;
mod words;

use std::io::{self, Write};

pub use html::HtmlRenderer;
pub use json::JsonRenderer;
pub use junit::JunitRenderer;
pub use markdown::MarkdownRenderer;
pub use table::{Align, Table, columns, cut, wrap};
pub use text::TextRenderer;

use super::document::Evidence;

/// Writes evidence in one form. The same evidence always gives the same bytes.
pub trait Renderer {
    /// Writes it all.
    ///
    /// # Errors
    /// What the writer says.
    fn render(&self, evidence: &Evidence, out: &mut dyn Write) -> io::Result<()>;
}

/// The bytes that a renderer writes.
pub fn to_bytes(renderer: &dyn Renderer, evidence: &Evidence) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A vector takes every write.
    let _ = renderer.render(evidence, &mut bytes);
    bytes
}
