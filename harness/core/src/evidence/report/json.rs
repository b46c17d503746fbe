//! The evidence document itself, as it stands in `evidence.json`.

use super::format::Format;

pub const FORMAT: Format = Format {
    option: Some(("json", "The whole evidence document")),
    page: None,
    at_terminal: false,
    print: |report, out| out.write_all(&report.document.to_bytes()),
    repeated: Some(|repeated, _, out| out.write_all(&repeated.to_bytes())),
};
