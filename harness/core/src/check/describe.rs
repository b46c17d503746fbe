//! A finding in people's words, for the terminal and the summary. Judging never reads these.

use super::Finding;
use crate::text::{code_points, visible};

impl Finding {
    /// One line without a period: where and what, with what was expected and what came.
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
            line.push_str(&format!(" (expected {}; got {}", visible(expected), visible(got)));
            if let Some(points) = code_points(expected, got) {
                line.push_str(&format!("; they differ {points}"));
            }
            line.push(')');
        }
        if self.witness.repeats > 0 {
            line.push_str(&format!(", and {} more like it", self.witness.repeats));
        }
        line
    }

    /// What the lane did, in a sentence without a period that fits every finding of this reason.
    pub fn summary(&self) -> String {
        match (self.lane, deed(&self.reason)) {
            (Some(lane), Some(deed)) => format!("the {lane} lane {deed}"),
            (Some(lane), None) => format!("on the {lane} lane {}", self.sentence()),
            (None, _) => self.sentence(),
        }
    }

    fn sentence(&self) -> String {
        let client = self.client.as_ref().map_or("a client".to_owned(), |client| format!("client {client}"));
        let stream = self.stream.as_ref().map_or("a stream".to_owned(), |stream| stream.to_string());
        let event = match (self.seq, self.witness.through) {
            (Some(first), Some(last)) => format!("events {first} to {last} of {stream}"),
            (Some(seq), None) => format!("event {seq} of {stream}"),
            (None, _) => stream.clone(),
        };
        let was = if self.witness.through.is_some() { "were" } else { "was" };
        let op = self.witness.op.map_or("an operation".to_owned(), |op| format!("operation {op}"));
        let fault = self.witness.fault.as_ref().map_or("a fault".to_owned(), |fault| format!("fault {fault}"));
        match self.reason.as_str() {
            "unearned-claim" => "the lane saw no part of a row of the matrix that the scenario claims".to_owned(),
            "never-delivered" => format!("{event} {was} acknowledged and never reached {client}"),
            "acknowledged-but-not-written" => {
                format!("{op} on {stream} was acknowledged and not written")
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
            "skipped" => format!("{event} {was} skipped on the way to {client}"),
            "skipped-at-start" => format!("{event} {was} skipped when {client} subscribed"),
            "not-live" => format!("{event} did not come live to {client}, which had to ask again of itself"),
            "dead-tail" => {
                format!("{event} {was} acknowledged and did not come live to {client}, whose connection is open")
            }
            "proof-cut-short" => format!("the connection of {client} ended before {event} could prove {stream} alive"),
            "proof-unanswered" => {
                format!(
                    "{event} did not come live to {client}, and no heartbeat was answered since it was acknowledged"
                )
            }
            "not-asked" => format!("{client} had no connection on which {event} could prove {stream} alive"),
            "too-many-copies" => format!("{client} was sent {event} more often than the contract says"),
            "foreign-stream" => format!("{client} was sent an event of a stream that this run does not have"),
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
            "stuck" => format!("{client} asked for event {} of {stream} again and again and never got it", first(self)),
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
            "never-delivered-again" => format!("{event} {was} known before the server died and never delivered again"),
            "kill-not-at-once" => "a kill that was to fall at once waited, so that it shows nothing".to_owned(),
            "reads-not-confirmed" => {
                "the server was killed at once after reads that it had not confirmed, so that it promised nothing"
                    .to_owned()
            }
            "seq-reused" => format!("{event} {was} given to another publish after the server died"),
            "refused" => format!("{op} on {stream} was refused"),
            "acknowledged-at-another-seq" => format!("{op} on {stream} was acknowledged at another seq"),
            "taken-for-a-repeat" => format!("{op} on {stream} was new and was taken for a repeated one"),
            "accepted-a-conflict" => format!("{op} on {stream} was to be refused and was acknowledged"),
            "refused-with-another-code" => format!("{op} on {stream} was refused with another code"),
            "answered-without-seq" => format!("{op} on {stream} was acknowledged without a seq"),
            "never-answered" => format!("nobody knows how {op} on {stream} ended"),
            "put-off" => {
                let which = match self.witness.op {
                    Some(_) => format!("{op} on {stream} did not get through"),
                    None => "an attempt to publish did not get through, and a later one did".to_owned(),
                };
                format!("{which}: {}", got(self))
            }
            "no-connection" => format!("{client} could not keep a connection: {}", got(self)),
            "never-tried" => format!("{client} was never told to connect"),
            "gave-up" => format!("{client} gave up: {}", got(self)),
            "unreadable" => format!("{client} could not read what came: {}", got(self)),
            "our-limit" => format!("a limit of ours kept {client} from what came: {}", got(self)),
            "few" | "many" => format!("connections ended that nothing planned: {}", got(self)),
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

fn got(finding: &Finding) -> &str {
    finding.witness.got.as_deref().unwrap_or("nothing was told")
}

fn first(finding: &Finding) -> String {
    finding.seq.map_or("?".to_owned(), |seq| seq.to_string())
}

/// What a lane did where all findings are of one reason. What is not a lane's deed has no words here: the finding's own
/// sentence stands for it.
fn deed(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "never-delivered" => "acknowledged events that never reached a client",
        "acknowledged-but-not-written" => "acknowledged publishes that it never wrote",
        "appended-twice" => "holds events twice that were published once",
        "repeated-publish-appended" => "appended repeated publishes again",
        "repeated-publish-taken-for-new" => "took repeated publishes for new ones",
        "delivered-after-a-later-one" => "delivered events after later ones",
        "skipped" => "skipped events on their way to a client",
        "skipped-at-start" => "skipped events when a client subscribed",
        "not-live" => "left events out of its live tail until a client asked again",
        "dead-tail" => "sends live updates no more, though its replays and snapshots work",
        "too-many-copies" => "sent events more often than the contract says",
        "foreign-stream" => "sent events of streams that the run does not have",
        "copy-missing" => "delivered events in one kind of message and not in the other",
        "replay-cut-short" => "called replays complete before all events had come",
        "delivered-on-one-lane-only" => "never delivered events that the other lane delivered",
        "not-what-was-published" => "delivered other payloads than were published",
        "not-canonical" => "delivered payloads that have no canonical form",
        "declared-otherwise" => "declared hashes that are not those of its payloads",
        "never-published" => "delivered events that were never published",
        "before-published" => "delivered events before they were published",
        "another-streams-event" => "delivered events of one stream in another",
        "not-subscribed" => "delivered events that a client never subscribed to",
        "stale-accepted" => "accepted stale cursors",
        "refused-without-cause" => "refused resumes without cause",
        "bootstrap-refused" => "refused bootstraps as stale",
        "pruned-delivered" => "delivered what retention had pruned",
        "wrong-reason" => "refused stale cursors for the wrong reason",
        "wrong-fields" => "told wrong numbers when it refused stale cursors",
        "not-listed" => "refused stale cursors and did not name them",
        "refused-otherwise" => "refused subscriptions",
        "delivered-though-refused" => "delivered events after it had refused the subscription",
        "behind-head" => "left clients behind the head",
        "stuck" => "never delivered events that clients asked for again and again",
        "ahead-of-head" => "left clients beyond its head",
        "wrong-head" => "named heads that it can't have had",
        "frame-seq" => "sent frames that name another seq than the batch in them",
        "frame-topic" => "sent frames that name another topic than the batch in them",
        "head-below-event" => "sent batches whose head lies below their events",
        "never-complete" => "answered resumes before their replay was complete",
        "head-went-back" => "lost the end of a stream when it restarted",
        "never-delivered-again" => "lost events when its server died",
        "seq-reused" => "gave seqs of lost events to others after its server died",
        "refused" => "refused publishes",
        "acknowledged-at-another-seq" => "acknowledged publishes at other seqs",
        "taken-for-a-repeat" => "took new publishes for repeated ones",
        "accepted-a-conflict" => "acknowledged publishes that conflict with earlier ones",
        "refused-with-another-code" => "refused publishes with another code",
        "answered-without-seq" => "acknowledged publishes without a seq",
        "never-answered" => "never answered operations",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
