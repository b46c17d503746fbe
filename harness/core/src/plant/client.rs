//! Defects of a client: changes to what the history of a lane says that it did.

use crate::history::{History, Phase, Record, Verdict};
use crate::ids::{ClientId, Cursor, StreamId};
use crate::plan::defect::client::Defect;

/// The history with a defect, if it has the records for it.
pub fn in_client(defect: Defect, history: &History) -> Option<History> {
    let mut records = history.records.clone();
    let first = |records: &[Record], wanted: Verdict| records.iter().position(|record| was(record, wanted));
    let last = |records: &[Record], wanted: Verdict| records.iter().rposition(|record| was(record, wanted));
    match defect {
        Defect::SkipsFirst => remove_event(&mut records, first(&history.records, Verdict::Applied)?),
        Defect::SkipsLate => remove_event(&mut records, last(&history.records, Verdict::Applied)?),
        Defect::TakesForRepeat => {
            let reconnected = |record: &Record| matches!(record, Record::Delivered { conn, .. } if conn.0 > 1);
            let later = |record: &Record| was(record, Verdict::Applied) && reconnected(record);
            set_verdict(&mut records, history.records.iter().rposition(later)?, Verdict::Duplicate);
        }
        Defect::AppliesTwice => {
            set_verdict(&mut records, first(&history.records, Verdict::Duplicate)?, Verdict::Applied);
        }
        Defect::AppliesTwiceLate => {
            set_verdict(&mut records, last(&history.records, Verdict::Duplicate)?, Verdict::Applied);
        }
        Defect::SkipsGap => {
            set_verdict(&mut records, first(&history.records, Verdict::OutOfOrder)?, Verdict::Applied);
        }
        Defect::AppliesBroken => apply_other_payload(&mut records)?,
        Defect::ForgetsCheckpoint => set_cursor(&mut records, |_| None)?,
        Defect::ResumesBeyond => set_cursor(&mut records, |cursor| Some(Cursor(cursor.0 + 1)))?,
        Defect::KeepsStale => {
            let at = records.iter().position(|record| matches!(record, Record::Rewound { .. }))?;
            records.remove(at);
        }
        Defect::WatermarkLow => move_watermark(&mut records, |cursor| cursor.checked_sub(1))?,
        Defect::WatermarkHigh => move_watermark(&mut records, |cursor| cursor.checked_add(1))?,
        Defect::WatermarkOfOther => exchange_watermarks(&mut records)?,
        Defect::NoWatermark => {
            let at = records.iter().position(|record| matches!(record, Record::Watermark { .. }))?;
            records.remove(at);
        }
        Defect::Absent => {
            let client = records.iter().find_map(delivered_to)?.clone();
            records.retain(|record| client_of(record) != Some(&client));
        }
        Defect::GaveUp => {
            let client = records.iter().find_map(delivered_to)?.clone();
            let end = records.len().checked_sub(1)?;
            records.insert(end, Record::GaveUp { client, why: "it was asked to".to_owned(), kept_away_by: None });
        }
        Defect::StopsReading => {
            let heal = records.iter().position(|record| matches!(record, Record::Phase { phase: Phase::Heal }))?;
            let client = records[heal..].iter().find_map(delivered_to)?.clone();
            let mut at = 0;
            records.retain(|record| {
                at += 1;
                at <= heal || delivered_to(record) != Some(&client)
            });
        }
        Defect::WrongStream => mix_streams(&mut records)?,
    }
    (records != history.records).then(|| History { header: history.header.clone(), records })
}

fn was(record: &Record, wanted: Verdict) -> bool {
    matches!(record, Record::Delivered { verdict, .. } if *verdict == wanted)
}

fn delivered_to(record: &Record) -> Option<&ClientId> {
    match record {
        Record::Delivered { client, .. } => Some(client),
        _ => None,
    }
}

fn client_of(record: &Record) -> Option<&ClientId> {
    match record {
        Record::Opened { client, .. }
        | Record::Closed { client, .. }
        | Record::Subscribed { client, .. }
        | Record::Accepted { client, .. }
        | Record::Refused { client, .. }
        | Record::Delivered { client, .. }
        | Record::Rewound { client, .. }
        | Record::RoundTrip { client, .. }
        | Record::Struck { client, .. }
        | Record::Watermark { client, .. } => Some(client),
        _ => None,
    }
}

/// Removes each delivery of the event of this record to its client.
fn remove_event(records: &mut Vec<Record>, at: usize) {
    if let Record::Delivered { client, stream, seq, .. } = records[at].clone() {
        records.retain(|record| {
            !matches!(record, Record::Delivered { client: to, stream: of, seq: nth, .. }
                if (to, of, nth) == (&client, &stream, &seq))
        });
    }
}

fn set_verdict(records: &mut [Record], at: usize, other: Verdict) {
    if let Record::Delivered { verdict, .. } = &mut records[at] {
        *verdict = other;
    }
}

fn apply_other_payload(records: &mut [Record]) -> Option<()> {
    let applied = |record: &Record| match record {
        Record::Delivered { client, stream, hash, verdict: Verdict::Applied, .. } => {
            Some((client.clone(), stream.clone(), *hash))
        }
        _ => None,
    };
    let at = records.iter().rposition(|record| applied(record).is_some())?;
    let (client, stream, mine) = applied(&records[at])?;
    let before = records[..at].iter().rev().filter_map(applied);
    let other =
        before.filter(|(to, of, hash)| (to, of) == (&client, &stream) && *hash != mine).find_map(|(.., hash)| hash)?;
    if let Record::Delivered { hash, .. } = &mut records[at] {
        *hash = Some(other);
    }
    Some(())
}

/// Changes the cursor of the last resume.
fn set_cursor(records: &mut [Record], to: impl Fn(Cursor) -> Option<Cursor>) -> Option<()> {
    records.iter_mut().rev().find_map(|record| match record {
        Record::Subscribed { cursor, .. } if cursor.is_some_and(|cursor| cursor.0 > 0) => {
            *cursor = cursor.and_then(&to);
            Some(())
        }
        _ => None,
    })
}

fn move_watermark(records: &mut [Record], to: impl Fn(u64) -> Option<u64>) -> Option<()> {
    records.iter_mut().rev().find_map(|record| match record {
        Record::Watermark { cursor, .. } => {
            cursor.0 = to(cursor.0)?;
            Some(())
        }
        _ => None,
    })
}

fn exchange_watermarks(records: &mut [Record]) -> Option<()> {
    let found: Vec<(usize, ClientId, Cursor)> = records
        .iter()
        .enumerate()
        .filter_map(|(at, record)| match record {
            Record::Watermark { client, cursor, .. } => Some((at, client.clone(), *cursor)),
            _ => None,
        })
        .collect();
    let (one, other) = found.iter().enumerate().find_map(|(place, one)| {
        let other = found[place + 1..].iter().find(|other| other.1 == one.1 && other.2 != one.2)?;
        Some((one, other))
    })?;
    for (at, to) in [(one.0, other.2), (other.0, one.2)] {
        if let Record::Watermark { cursor, .. } = &mut records[at] {
            *cursor = to;
        }
    }
    Some(())
}

/// Puts a delivery under the other stream that the client follows on the same connection.
fn mix_streams(records: &mut [Record]) -> Option<()> {
    let mut subs: Vec<(ClientId, StreamId, crate::ids::SubId, crate::ids::ConnId)> = Vec::new();
    for record in records {
        match record {
            Record::Subscribed { client, conn, sub, stream, .. } => {
                subs.push((client.clone(), stream.clone(), *sub, *conn));
            }
            Record::Delivered { client, conn, sub, stream, verdict: Verdict::Applied, .. } => {
                let last = |of: &StreamId| subs.iter().rev().find(|asked| (&asked.0, &asked.1) == (&*client, of));
                let other =
                    subs.iter().rev().find(|asked| asked.0 == *client && asked.1 != *stream && asked.3 == *conn);
                if let Some(other) = other.filter(|other| last(&other.1).is_some_and(|last| last.2 == other.2)) {
                    (*stream, *sub) = (other.1.clone(), other.2);
                    return Some(());
                }
            }
            _ => {}
        }
    }
    None
}
