//! Ends the connection at a message.

use super::kind::{Cut, FaultKind, When};
use super::spec::{ANYWHERE, Attribute, CODE, Effect, Fallback, FaultSpec, Shape};

/// A silent connection lasts as long as a client's patience, so silence is never drawn.
const HOW: Shape = Shape::Word(&["close", "drop", "reset", "silence"], &["close", "drop", "reset"]);
const WHEN: Shape = Shape::Word(&["before", "after"], &["before", "after"]);

pub(super) static SPEC: FaultSpec = FaultSpec {
    word: "cut",
    toxic: Some("ws_cut"),
    says: "Ends the connection: `close` sends a close frame with `code`, `drop` a FIN, `reset` an RST, and with \
           `silence` nothing moves and neither side is informed. `before`: the message is lost. `after`: the message \
           is delivered.",
    attributes: &[
        Attribute::new("how", HOW, Fallback::Word("close"), "How the connection ends."),
        CODE,
        Attribute::new(
            "when",
            WHEN,
            Fallback::Word("after"),
            "Whether the message is lost (before) or delivered (after).",
        ),
    ],
    effects: &[Effect::Ends],
    positions: ANYWHERE,
    plan: |values| FaultKind::Cut {
        how: match values.word("how") {
            Some("drop") => Cut::Drop,
            Some("reset") => Cut::Reset,
            Some("silence") => Cut::Silence,
            _ => Cut::Close { code: values.short("code") },
        },
        when: match values.word("when") {
            Some("before") => When::Before,
            _ => When::After,
        },
    },
};
