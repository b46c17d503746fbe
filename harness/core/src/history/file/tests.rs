#![allow(clippy::unwrap_used)]
use super::*;
use crate::history::{
    Closed, Completion, Fire, Outcome, Phase, Process, Refusal, Rewrote, Snapshot, StaleStream, Verdict, Via,
};
use crate::ids::{ConnId, Cursor, LaneId, OpId, Seed, Seq, SubId};

fn history() -> History {
    let header = Header {
        schema: HISTORY_SCHEMA.to_owned(),
        scenario: "equal-streams".to_owned(),
        seed: Seed(u64::MAX),
        lane: LaneId::Legacy,
        plan_digest: "sha256:00".to_owned(),
    };
    let stream = || "run:a:events".into();
    let stale = StaleStream {
        stream: stream(),
        reason: "retention_floor_breach".to_owned(),
        qos_tier: Some("warm".to_owned()),
        resume_after: Some(1),
        retention_floor: Some(4),
        head_watermark: Some(9),
        replay_lag: Some(8),
        replay_budget_events: None,
    };
    let refusal = Refusal {
        code: "stale_cursor".to_owned(),
        reasons: vec![stale.reason.clone()],
        stale: vec![stale],
        full_resync: Some(true),
        snapshot_format: Some("f".to_owned()),
        snapshots: vec![Snapshot { stream: stream(), head_watermark: Some(9), described: true }],
        forbidden: vec!["nope".to_owned()],
        numbers: [("seq".to_owned(), 7)].into(),
        window: [("max_client_build_id".to_owned(), "null".to_owned())].into(),
        message: String::new(),
    };
    let records = vec![
        Record::Phase { phase: Phase::Exercise },
        Record::Invoke { op: OpId(1), attempt: 1 },
        Record::Complete {
            op: OpId(1),
            attempt: 1,
            completion: Completion::Ok {
                outcome: Outcome::Published { seq: Seq(u64::MAX), duplicate: Some(false), differs: Vec::new() },
            },
        },
        Record::Closed { client: "a".into(), conn: ConnId(1), why: Closed::CloseFrame { code: 1011 } },
        Record::Subscribed {
            client: "a".into(),
            conn: ConnId(2),
            sub: SubId(2),
            stream: stream(),
            cursor: Some(Cursor(3)),
        },
        Record::Refused { client: "a".into(), sub: SubId(2), stream: stream(), refusal },
        Record::Delivered {
            client: "a".into(),
            conn: ConnId(2),
            sub: SubId(2),
            stream: stream(),
            seq: Seq(4),
            hash: None,
            declared: Some("sha256:zz".to_owned()),
            key: Some("another".to_owned()),
            via: Via::Frame,
            verdict: Verdict::OutOfOrder,
            payload: Some("{\"a\":1.5e300,\"b\":\"line\\nfeed\"}".to_owned()),
        },
        Record::Fault {
            fault: "cut".into(),
            client: "a".into(),
            fire: Fire {
                conn: 1,
                frame: 7,
                hit: "delivery run:a:events 5".to_owned(),
                rewrote: Some(Rewrote { stream: stream(), from: None, to: Cursor(9) }),
            },
        },
        Record::Process { process: Process::Died { status: "exit 1".to_owned() } },
    ];
    History { header, records }
}

#[test]
fn a_history_reads_back_as_it_was_written() {
    let bytes = to_bytes(&history());
    assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 10);
    let again = read(&bytes).unwrap();
    assert_eq!(again, history());
    assert_eq!(to_bytes(&again), bytes);
}

#[test]
fn a_history_that_was_cut_short_at_any_byte_is_never_a_whole_one() {
    let bytes = to_bytes(&history());
    for end in 0..bytes.len() {
        if let Ok(shorter) = read(&bytes[..end]) {
            assert_eq!(bytes[end - 1], b'\n', "cut within a line at {end}");
            assert!(shorter.records.len() < history().records.len());
        }
    }
}

#[test]
fn what_can_not_be_read_is_named_by_its_line() {
    let text = String::from_utf8(to_bytes(&history())).unwrap();
    let says = |text: String| read(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(says(String::new()), "line 1: the file is empty; a history starts with a header line");
    assert_eq!(
        says(text.replace(HISTORY_SCHEMA, "cutover.history/9")),
        "line 1: the schema is `cutover.history/9`, but this tool reads `cutover.history/1`"
    );
    let broken = says(text.replace("\"phase\":\"exercise\"", "\"phase\":\"lunch\""));
    assert!(broken.starts_with("line 2: this is no history record: unknown variant `lunch`"), "{broken}");
    assert!(says(text.trim_end().to_owned()).starts_with("line 10: the last line is torn"));
}

#[test]
fn times_are_a_number_a_line() {
    let mut out = Vec::new();
    write_times(&[5, 17], &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out.clone()).unwrap(),
        "{\"schema\":\"cutover.times/1\",\"unit\":\"us since the run started\"}\n5\n17\n"
    );
    assert_eq!(read_times(&out), Ok(vec![5, 17]));
}

#[test]
fn times_that_can_not_be_read_are_named_by_their_line() {
    let header = times_header();
    for (text, line) in [
        (String::new(), 1),
        (header.replace("/1", "/9"), 1),
        (format!("{header}5\nx\n"), 3),
        (format!("{header}5\n17"), 3),
        (format!("{header}05\n"), 2),
        (format!("{header}\n"), 2),
    ] {
        let error = read_times(text.as_bytes()).unwrap_err();
        assert!(error.starts_with(&format!("line {line}: ")), "{error}");
    }
}
