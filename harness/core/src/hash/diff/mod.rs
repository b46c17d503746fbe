//! Where two vectors differ: a merge of both, event by event, that keeps one event of each at a time.
//!
//! Two events differ where their hashes do, or where both keep their payload and the payloads do (a file was edited).
//! The first divergence, in order of stream, client and seq, is reported down to the value; all are counted.

mod report;
mod value;

pub use report::{Counts, DiffReport, Divergence, DivergenceKind, EventSide, StreamCounts};
pub use value::{ValueDivergence, first_difference};

use std::cmp::Ordering;
use std::io::BufRead;

use super::canonical::{CanonicalError, Canonicalizer};
use super::vector::{Event, VectorError, VectorErrorKind, VectorReader};

/// Compares two vector files, with the names that errors and the report are to call them.
///
/// Both are read to their ends, whatever the first divergence, so that a bad line anywhere is an error.
///
/// # Errors
/// What [`VectorReader`] says of either; a payload without a canonical form, where it had to be looked at.
pub fn diff_named(a_name: &str, a: impl BufRead, b_name: &str, b: impl BufRead) -> Result<DiffReport, VectorError> {
    let a = VectorReader::new(a_name, a)?;
    let b = VectorReader::new(b_name, b)?;
    Merge::new(DiffReport::new(a_name, b_name)).run(a, b)
}

struct Merge {
    report: DiffReport,
    canonicalizer: Canonicalizer,
}

impl Merge {
    fn new(report: DiffReport) -> Self {
        Self { report, canonicalizer: Canonicalizer::new() }
    }

    fn run(
        mut self,
        mut a: VectorReader<impl BufRead>,
        mut b: VectorReader<impl BufRead>,
    ) -> Result<DiffReport, VectorError> {
        let mut more_a = a.advance()?;
        let mut more_b = b.advance()?;
        while more_a || more_b {
            let (event_a, event_b) = (a.event().filter(|_| more_a), b.event().filter(|_| more_b));
            let order = match (&event_a, &event_b) {
                (Some(event_a), Some(event_b)) => event_a.compare_place(event_b),
                (Some(_), None) => Ordering::Less,
                (None, _) => Ordering::Greater,
            };
            match order {
                Ordering::Less => self.only_in_a(event_a),
                Ordering::Greater => self.only_in_b(event_b),
                Ordering::Equal => self.in_both(&a, event_a, &b, event_b)?,
            }
            if order.is_le() {
                self.report.events_a += 1;
                more_a = a.advance()?;
            }
            if order.is_ge() {
                self.report.events_b += 1;
                more_b = b.advance()?;
            }
        }
        Ok(self.report)
    }

    fn only_in_a(&mut self, event: Option<Event<'_>>) {
        let Some(event) = event else { return };
        if self.report.count(DivergenceKind::MissingInB, event.stream) {
            let a = Some(EventSide::of(&event));
            self.report.first = Some(Divergence::at(DivergenceKind::MissingInB, &event, a, None));
        }
    }

    fn only_in_b(&mut self, event: Option<Event<'_>>) {
        let Some(event) = event else { return };
        if self.report.count(DivergenceKind::MissingInA, event.stream) {
            let b = Some(EventSide::of(&event));
            self.report.first = Some(Divergence::at(DivergenceKind::MissingInA, &event, None, b));
        }
    }

    fn in_both(
        &mut self,
        a: &VectorReader<impl BufRead>,
        event_a: Option<Event<'_>>,
        b: &VectorReader<impl BufRead>,
        event_b: Option<Event<'_>>,
    ) -> Result<(), VectorError> {
        let (Some(event_a), Some(event_b)) = (event_a, event_b) else {
            return Ok(());
        };
        let same_hash = event_a.hash == event_b.hash;
        let same_payload = match (event_a.payload, event_b.payload) {
            // Only a file that was edited gets past the first comparison.
            (Some(text_a), Some(text_b)) if same_hash => {
                text_a == text_b || self.canonical(a, text_a)? == self.canonical(b, text_b)?
            }
            _ => true,
        };
        if same_hash && same_payload {
            self.report.equal += 1;
            return Ok(());
        }
        if self.report.count(DivergenceKind::HashMismatch, event_a.stream) {
            self.report.first = Some(self.mismatch(a, &event_a, b, &event_b)?);
        }
        Ok(())
    }

    fn mismatch(
        &mut self,
        a: &VectorReader<impl BufRead>,
        event_a: &Event<'_>,
        b: &VectorReader<impl BufRead>,
        event_b: &Event<'_>,
    ) -> Result<Divergence, VectorError> {
        let (mut side_a, mut side_b) = (EventSide::of(event_a), EventSide::of(event_b));
        let text_a = self.looked_at(a, event_a, &mut side_a)?;
        let text_b = self.looked_at(b, event_b, &mut side_b)?;
        let mut divergence = Divergence::at(DivergenceKind::HashMismatch, event_a, Some(side_a), Some(side_b));
        if let (Some(text_a), Some(text_b)) = (text_a, text_b) {
            divergence.value = first_difference(&text_a, &text_b);
        }
        Ok(divergence)
    }

    /// The event's payload in canonical form; notes what it hashes to where that is not what is stated.
    fn looked_at(
        &mut self,
        source: &VectorReader<impl BufRead>,
        event: &Event<'_>,
        side: &mut EventSide,
    ) -> Result<Option<Vec<u8>>, VectorError> {
        let Some(payload) = event.payload else { return Ok(None) };
        let (text, hash, _) =
            self.canonicalizer.canonical_and_hash(payload.as_bytes()).map_err(|error| payload_error(source, error))?;
        side.payload_hash = Some(hash).filter(|hash| *hash != event.hash);
        Ok(Some(text.to_vec()))
    }

    fn canonical(&mut self, source: &VectorReader<impl BufRead>, payload: &str) -> Result<Vec<u8>, VectorError> {
        let mut text = Vec::new();
        self.canonicalizer.canonicalize(payload.as_bytes(), &mut text).map_err(|error| payload_error(source, error))?;
        Ok(text)
    }
}

fn payload_error(source: &VectorReader<impl BufRead>, error: CanonicalError) -> VectorError {
    source.error(VectorErrorKind::Payload(Box::new(error)))
}
