//! Calls of the reducers that no client of a scenario makes, each with its answer, and what is stored after them.
//! Each script is a list of steps, in an order in which each rule of its reducers decides once.
#![allow(missing_docs, reason = "the names say it")]

/// What [`crate::plan::STREAM`] stands for keeps the names of one stream's script apart from all others.
#[derive(Debug, PartialEq, Eq)]
pub struct Script {
    pub word: &'static str,
    pub says: &'static str,
    pub acts: &'static [Act],
}

#[derive(Debug, PartialEq, Eq)]
pub enum Act {
    Call {
        reducer: &'static str,
        /// A JSON list.
        args: &'static str,
        /// The code of the refusal; `None` where it is done.
        refused: Option<&'static str>,
    },
    /// A query, and the rows that it gives as JSON, sorted.
    Rows { query: &'static str, rows: &'static str },
}

const fn done(reducer: &'static str, args: &'static str) -> Act {
    Act::Call { reducer, args, refused: None }
}

const fn refused(reducer: &'static str, args: &'static str, code: &'static str) -> Act {
    Act::Call { reducer, args, refused: Some(code) }
}

const fn rows(query: &'static str, rows: &'static str) -> Act {
    Act::Rows { query, rows }
}

const PRESENCE: &str = "upsert_presence";
const CAPABILITY: &str = "publish_provider_capability";
const OPEN: &str = "open_compute_assignment";
const UPDATE: &str = "update_compute_assignment";
const ENQUEUE: &str = "enqueue_bridge_event";
const SENT: &str = "mark_bridge_event_sent";

/// The reducers of all scripts.
pub const REDUCERS: &[&str] = &[PRESENCE, CAPABILITY, OPEN, UPDATE, ENQUEUE, SENT];

pub static SCRIPTS: &[Script] = &[
    Script {
        word: "presence",
        says: "a session comes, is away and is back, with late repeats, and another one is untouched",
        acts: &[
            done(PRESENCE, r#"["k1","{stream}/t","{stream}/d","offline"]"#),
            done(PRESENCE, r#"["k1","{stream}/s","{stream}/c","online"]"#),
            done(PRESENCE, r#"["k1","{stream}/s","{stream}/c","online"]"#),
            refused(PRESENCE, r#"["k1","{stream}/s","{stream}/c","away"]"#, "idempotency_conflict"),
            rows(SESSION, r#"[["{stream}/c","online"]]"#),
            done(PRESENCE, r#"["k2","{stream}/s","{stream}/c","away"]"#),
            done(PRESENCE, r#"["k1","{stream}/s","{stream}/c","online"]"#),
            rows(SESSION, r#"[["{stream}/c","away"]]"#),
            refused(PRESENCE, r#"["k3","{stream}/s","{stream}/d","online"]"#, "presence_conflict"),
            refused(PRESENCE, r#"["k3","{stream}/s","{stream}/c","elsewhere"]"#, "bad_argument"),
            refused(PRESENCE, r#"["","{stream}/s","{stream}/c","online"]"#, "bad_argument"),
            rows(SESSION, r#"[["{stream}/c","away"]]"#),
            done(PRESENCE, r#"["k3","{stream}/s","{stream}/c","online"]"#),
            rows(SESSION, r#"[["{stream}/c","online"]]"#),
            rows(OTHER_SESSION, r#"[["{stream}/d","offline"]]"#),
        ],
    },
    Script {
        word: "capabilities",
        says: "two providers publish the same capability, and one of them replaces it",
        acts: &[
            done(CAPABILITY, r#"["k1","{stream}/p","nip90:5050","{\"price\":1}"]"#),
            done(CAPABILITY, r#"["k1","{stream}/q","nip90:5050","{\"price\":7}"]"#),
            done(CAPABILITY, r#"["k1","{stream}/p","nip90:5050","{ \"price\" : 1.0 }"]"#),
            refused(CAPABILITY, r#"["k1","{stream}/p","nip90:5050","{\"price\":2}"]"#, "idempotency_conflict"),
            done(CAPABILITY, r#"["k2","{stream}/p","nip90:5050","{\"price\":3}"]"#),
            done(CAPABILITY, r#"["k1","{stream}/p","nip90:5050","{\"price\":1}"]"#),
            refused(CAPABILITY, r#"["k3","{stream}/p","nip90:5050","{\"price\":}"]"#, "invalid_payload"),
            refused(CAPABILITY, r#"["k3"," ","nip90:5050","{}"]"#, "bad_argument"),
            rows(
                CAPABILITY_OF_P,
                concat!(
                    r#"[["nip90:5050","{\"price\":3}","#,
                    r#""sha256:3a61ca4d97280488b1906f170b1593b5b63cf16e4f439fdf1ac763fa5597357c"]]"#
                ),
            ),
            rows(
                CAPABILITY_OF_Q,
                concat!(
                    r#"[["nip90:5050","{\"price\":7}","#,
                    r#""sha256:9102b3bfb8a41e10270c9329f174d556bc78c3f9265a5287434b3bca5b3aa0f3"]]"#
                ),
            ),
        ],
    },
    Script {
        word: "assignments",
        says: "an assignment is taken and done, another one is cancelled, and no other transition is made",
        acts: &[
            done(OPEN, r#"["{stream}/a","{stream}/r","{\"job\":1}"]"#),
            done(OPEN, r#"["{stream}/a","{stream}/r","{\"job\": 1}"]"#),
            refused(OPEN, r#"["{stream}/a","{stream}/r","{\"job\":2}"]"#, "idempotency_conflict"),
            refused(OPEN, r#"["{stream}/a","{stream}/x","{\"job\":1}"]"#, "idempotency_conflict"),
            refused(OPEN, r#"["{stream}/a","{stream}/r","{"]"#, "invalid_payload"),
            rows(ASSIGNMENT, r#"[["{stream}/r","{\"job\":1}","","open"]]"#),
            refused(UPDATE, r#"["k1","{stream}/a","","running"]"#, "illegal_transition"),
            refused(UPDATE, r#"["k1","{stream}/a","","completed"]"#, "illegal_transition"),
            refused(UPDATE, r#"["k1","{stream}/none","","cancelled"]"#, "unknown_assignment"),
            refused(UPDATE, r#"["k1","{stream}/a","","done"]"#, "bad_argument"),
            done(UPDATE, r#"["k1","{stream}/a","{stream}/p","assigned"]"#),
            done(UPDATE, r#"["k1","{stream}/a","{stream}/p","assigned"]"#),
            refused(UPDATE, r#"["k1","{stream}/a","{stream}/p","running"]"#, "idempotency_conflict"),
            refused(UPDATE, r#"["k2","{stream}/a","{stream}/q","assigned"]"#, "illegal_transition"),
            refused(UPDATE, r#"["k2","{stream}/a","{stream}/q","running"]"#, "assignment_conflict"),
            rows(ASSIGNMENT, r#"[["{stream}/r","{\"job\":1}","{stream}/p","assigned"]]"#),
            done(UPDATE, r#"["k2","{stream}/a","{stream}/p","running"]"#),
            done(UPDATE, r#"["k1","{stream}/a","{stream}/p","assigned"]"#),
            refused(UPDATE, r#"["k3","{stream}/a","{stream}/p","assigned"]"#, "illegal_transition"),
            rows(ASSIGNMENT, r#"[["{stream}/r","{\"job\":1}","{stream}/p","running"]]"#),
            done(UPDATE, r#"["k3","{stream}/a","{stream}/p","completed"]"#),
            refused(UPDATE, r#"["k4","{stream}/a","{stream}/p","running"]"#, "illegal_transition"),
            refused(UPDATE, r#"["k4","{stream}/a","{stream}/p","failed"]"#, "illegal_transition"),
            refused(UPDATE, r#"["k4","{stream}/a","{stream}/p","cancelled"]"#, "illegal_transition"),
            done(OPEN, r#"["{stream}/a","{stream}/r","{\"job\":1}"]"#),
            rows(ASSIGNMENT, r#"[["{stream}/r","{\"job\":1}","{stream}/p","completed"]]"#),
            done(OPEN, r#"["{stream}/b","{stream}/r","{\"job\":1}"]"#),
            done(UPDATE, r#"["k1","{stream}/b","","cancelled"]"#),
            refused(UPDATE, r#"["k2","{stream}/b","{stream}/p","assigned"]"#, "illegal_transition"),
            rows(
                "SELECT request_hash FROM compute_assignment WHERE assignment_id = '{stream}/a'",
                r#"[["sha256:5215efa2ea7c0a019e97851bd2c5cd1fb1371560be56e833ebebea4292ceb32c"]]"#,
            ),
            rows(
                "SELECT provider_id, state FROM compute_assignment WHERE assignment_id = '{stream}/b'",
                r#"[["","cancelled"]]"#,
            ),
        ],
    },
    Script {
        word: "bridge",
        says: "two events are put into the outbox, and one of them is sent",
        acts: &[
            done(ENQUEUE, r#"["{stream}/e","{stream}","{\"n\":1}",""]"#),
            done(ENQUEUE, r#"["{stream}/e","{stream}","{ \"n\":1}",""]"#),
            refused(ENQUEUE, r#"["{stream}/e","{stream}","{\"n\":2}",""]"#, "idempotency_conflict"),
            refused(ENQUEUE, r#"["{stream}/f","{stream}","{\"n\":2}","sha256:00"]"#, "payload_hash_mismatch"),
            refused(ENQUEUE, r#"["{stream}/f","{stream}.unknown","{\"n\":2}",""]"#, "forbidden_topic"),
            refused(ENQUEUE, r#"["","{stream}","{\"n\":2}",""]"#, "bad_argument"),
            refused(SENT, r#"["{stream}/f","relay-1"]"#, "unknown_bridge_event"),
            done(ENQUEUE, r#"["{stream}/f","{stream}","{\"n\":2}",""]"#),
            rows(OUTBOX, r#"[["{stream}/e","{\"n\":1}",""],["{stream}/f","{\"n\":2}",""]]"#),
            refused(SENT, r#"["{stream}/e"," "]"#, "bad_argument"),
            done(SENT, r#"["{stream}/e","relay-1"]"#),
            done(SENT, r#"["{stream}/e","relay-1"]"#),
            refused(SENT, r#"["{stream}/e","relay-2"]"#, "idempotency_conflict"),
            done(ENQUEUE, r#"["{stream}/e","{stream}","{\"n\":1}",""]"#),
            rows(OUTBOX, r#"[["{stream}/e","{\"n\":1}","relay-1"],["{stream}/f","{\"n\":2}",""]]"#),
            rows(
                "SELECT payload_hash FROM bridge_outbox WHERE stream_id = '{stream}'",
                concat!(
                    r#"[["sha256:2bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd"],"#,
                    r#"["sha256:363379742f80b51bdb9206579af7754911543079b9399cb3fc315fb199f476e8"]]"#
                ),
            ),
        ],
    },
];

const SESSION: &str = "SELECT client_id, state FROM session_presence WHERE session_id = '{stream}/s'";
const OTHER_SESSION: &str = "SELECT client_id, state FROM session_presence WHERE session_id = '{stream}/t'";
const CAPABILITY_OF_P: &str = "SELECT capability, descriptor, descriptor_hash FROM provider_capability \
                               WHERE provider_id = '{stream}/p'";
const CAPABILITY_OF_Q: &str = "SELECT capability, descriptor, descriptor_hash FROM provider_capability \
                               WHERE provider_id = '{stream}/q'";
const ASSIGNMENT: &str = "SELECT requester_id, request, provider_id, state FROM compute_assignment \
                          WHERE assignment_id = '{stream}/a'";
const OUTBOX: &str = "SELECT event_key, payload, relay_event_id FROM bridge_outbox WHERE stream_id = '{stream}'";
