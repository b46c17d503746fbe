//! What the messages say: batches of a Phoenix sync channel, so that faults which look into messages find in them what
//! they would find in earnest.

/// A short message's payload, in bytes.
pub const SHORT_BYTES: usize = 200;

/// A long message's payload, in bytes.
pub const LONG_BYTES: usize = 64 * 1024;

/// The stream that the messages deliver.
pub const STREAM: &str = "run:r1:events";

/// How long the text in an event is, where there is room for it.
const TEXT_BYTES: usize = 400;

const HEAD: &str = r#"[null,null,"sync:v1","sync:update_batch",{"replay_complete":true,"updates":["#;
const TAIL: &str = "]}]";

/// A batch of exactly this many bytes.
pub fn batch(bytes: usize) -> Vec<u8> {
    let room = bytes - HEAD.len() - TAIL.len();
    let least = event(1, "").len();
    let mut events = Vec::new();
    let mut left = room;
    for seq in 1.. {
        let comma = usize::from(!events.is_empty());
        // The last event takes all that is left, so that none is left over that is too small for one.
        if left < 2 * (least + TEXT_BYTES) {
            let empty = event(seq, "").len();
            events.push(event(seq, &"x".repeat(left - comma - empty)));
            break;
        }
        events.push(event(seq, &"x".repeat(TEXT_BYTES)));
        left -= comma + events.last().map_or(0, String::len);
    }
    let batch = format!("{HEAD}{}{TAIL}", events.join(",")).into_bytes();
    assert_eq!(batch.len(), bytes);
    batch
}

fn event(seq: usize, text: &str) -> String {
    format!(r#"{{"doc_key":"k","topic":"{STREAM}","watermark":{seq},"payload":{{"text":"{text}"}}}}"#)
}
