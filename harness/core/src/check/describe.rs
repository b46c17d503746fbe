//! A finding in people's words, for the terminal and the summary. Judging never reads these.

use super::{Finding, Witness};

impl Finding {
    /// One line without a period: where, what, and which records bear it out.
    pub fn describe(&self) -> String {
        let mut line = String::new();
        if let Some(lane) = self.lane {
            line.push_str(&format!("{lane}: "));
        }
        line.push_str(&self.sentence());
        if let Some(path) = &self.witness.path {
            line.push_str(&format!(", at {path}"));
        }
        if let (Some(expected), Some(got)) = (&self.witness.expected, &self.witness.got) {
            line.push_str(&format!(" (expected {expected}; got {got})"));
        }
        line.push_str(&borne_out(&self.witness));
        line
    }

    fn sentence(&self) -> String {
        let client = self
            .client
            .as_ref()
            .map_or("a client".to_owned(), |client| format!("client {client}"));
        let stream = self
            .stream
            .as_ref()
            .map_or("a stream".to_owned(), |stream| stream.to_string());
        let event = match (self.seq, self.witness.through) {
            (Some(first), Some(last)) => format!("events {first} to {last} of {stream}"),
            (Some(seq), None) => format!("event {seq} of {stream}"),
            (None, _) => stream.clone(),
        };
        let op = self
            .witness
            .op
            .map_or("an operation".to_owned(), |op| format!("operation {op}"));
        let fault = self
            .witness
            .fault
            .as_ref()
            .map_or("a fault".to_owned(), |fault| format!("fault {fault}"));
        match self.reason.as_str() {
            "never-delivered" => format!("{event} was acknowledged and never reached {client}"),
            "acknowledged-but-not-written" => {
                format!("{op} on {stream} was acknowledged, and its payload never showed up")
            }
            "applied-twice" => format!("{client} applied {event} twice"),
            "appended-twice" => format!("{event} is an event that was published once and stands in the stream twice"),
            "repeated-publish-appended" => {
                format!("{op} repeated a publish to {stream} and was given a seq of its own")
            }
            "repeated-publish-taken-for-new" => {
                format!("{op} repeated a publish to {stream} and was taken for a new one")
            }
            "delivered-after-a-later-one" => format!("{event} came to {client} after a later one"),
            "skipped" => format!("{event} was skipped on the way to {client}"),
            "skipped-at-start" => format!("{event} was skipped when {client} subscribed"),
            "copy-missing" => format!("{event} came to {client} in one kind of message and not in the other"),
            "replay-cut-short" => format!("{event} had not come when {client} was told that its replay was complete"),
            "delivered-on-one-lane-only" => format!("{event} never reached {client}; the other lane delivered it"),
            "perhaps-never-written" => {
                format!("{event} never reached {client}, and nobody knows whether it was written")
            }
            "not-what-was-published" => format!("{event} came to {client} with another payload than was published"),
            "not-canonical" => format!("{event} came to {client} with a payload that has no canonical form"),
            "declared-otherwise" => format!("{event} came to {client} with a declared hash that is not its payload's"),
            "never-published" => format!("{event} came to {client} and was never published"),
            "before-published" => format!("{event} came to {client} before it was published"),
            "another-streams-event" => format!("{client} was delivered another stream's event as {event}"),
            "not-subscribed" => format!("{client} was delivered {event} and never subscribed to it"),
            "stale-accepted" => format!("a stale cursor of {client} on {stream} was accepted"),
            "refused-without-cause" => format!("a resume of {client} on {stream} was refused without cause"),
            "bootstrap-refused" => format!("a bootstrap of {client} on {stream} was refused as stale"),
            "pruned-delivered" => format!("a bootstrap of {client} on {stream} was given what retention had pruned"),
            "wrong-reason" => format!("a stale cursor of {client} on {stream} was refused for the wrong reason"),
            "wrong-fields" => format!("the refusal of {client}'s cursor on {stream} tells wrong numbers"),
            "not-listed" => format!("a stale cursor of {client} on {stream} was refused and not named"),
            "refused-otherwise" => format!("a subscription of {client} to {stream} was refused"),
            "delivered-though-refused" => {
                format!("{client} was refused on {stream} and was delivered events all the same")
            }
            "no-rebootstrap" => format!("{client} was refused on {stream} and did not bootstrap anew"),
            "behind-head" => format!("{client} ended behind the head of {stream}"),
            "stuck" => format!(
                "{client} asked for event {} of {stream} again and again and never got it",
                first(self)
            ),
            "ahead-of-head" => {
                format!("{client} ended beyond the head of {stream}, and what comes next will be skipped")
            }
            "wrong-head" => format!("{client} was told a head of {stream} that it can't have had"),
            "frame-seq" => format!("{client} got a frame of {stream} that names another seq than the batch in it"),
            "frame-topic" => format!("{client} got a frame of {stream} that names another topic than the batch in it"),
            "head-below-event" => format!("{client} got {event} in a batch whose head lies below it"),
            "never-complete" => {
                format!("{client} was answered behind {event}, whose batch said that there was more to replay")
            }
            "no-watermark" => format!("nobody knows how far {client} came in {stream}"),
            "head-went-back" => format!("the head of {stream} went back when the server restarted"),
            "never-delivered-again" => format!("{event} was known before the server died and never delivered again"),
            "seq-reused" => format!("{event} was given to another publish after the server died"),
            "refused" => format!("{op} on {stream} was refused"),
            "acknowledged-at-another-seq" => format!("{op} on {stream} was acknowledged at another seq"),
            "taken-for-a-repeat" => format!("{op} on {stream} was new and was taken for a repeated one"),
            "accepted-a-conflict" => format!("{op} on {stream} was to be refused and was acknowledged"),
            "refused-with-another-code" => format!("{op} on {stream} was refused with another code"),
            "answered-without-seq" => format!("{op} on {stream} was acknowledged without a seq"),
            "never-answered" => format!("nobody knows how {op} on {stream} ended"),
            "never-sent" => format!("{op} on {stream} was never sent"),
            "interrupted" => "the history ends before the run did".to_owned(),
            "does-not-fit" => {
                let what = self.witness.got.as_deref().unwrap_or("a record does not fit");
                format!("the recorded history is not valid: {what}; this is no fault of the lane")
            }
            "foreign-history" => "the history is of another scenario or seed".to_owned(),
            "fault-did-not-fire" => format!("{fault} never fired"),
            "toxic-did-not-strike" => format!("{fault} never struck a connection"),
            "vacuous" => "the run saw too little to prove anything".to_owned(),
            "timed-out" => {
                let what = self.witness.expected.as_deref().unwrap_or("something");
                format!("the driver gave up waiting for {what}")
            }
            "checker-panicked" => {
                let said = self.witness.got.as_deref().unwrap_or("nothing");
                format!("the checker {} failed of itself and said: {said}", self.checker)
            }
            other => format!("{other}: {event}"),
        }
    }
}

fn first(finding: &Finding) -> String {
    finding.seq.map_or("?".to_owned(), |seq| seq.to_string())
}

fn borne_out(witness: &Witness) -> String {
    let mut text = String::new();
    if !witness.records.is_empty() {
        let records: Vec<String> = witness
            .records
            .iter()
            .map(|record| format!("{}#{}", record.lane, record.record))
            .collect();
        text.push_str(&format!(" [{}]", records.join(", ")));
    }
    if witness.repeats > 0 {
        text.push_str(&format!(", and {} more like it", witness.repeats));
    }
    text
}
