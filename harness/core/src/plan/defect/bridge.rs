//! The defects that the bridge can be started with.
#![allow(missing_docs, reason = "the names say it")]

use super::defects;

defects! { Place::Bridge;
/// An event gets another id whenever the bridge makes it again.
AnotherId => "bridge-makes-another-id", Duplicate, stateful;
/// A row that the bridge had read before it was killed is not sent afterwards.
ForgetsWhatItRead => "bridge-forgets-what-it-read", Loss, stateful;
/// An event that the relay refused for a while is not sent again.
ForgetsRefused => "bridge-forgets-what-was-refused", Loss, stateful;
/// A row is marked as sent before the relay answers, and its event is sent once only.
MarksEarly => "bridge-marks-before-the-answer", Loss, stateful;
/// An event that the relay blocks stops the bridge.
StopsAtBlocked => "bridge-stops-at-what-is-blocked", Liveness, stateful;
/// Of the rows that wait, the newest one is sent first.
NewestFirst => "bridge-sends-the-newest-first", Order, stateful;
/// The payload is written anew, with a blank behind each colon.
RewritesPayload => "bridge-rewrites-payloads", Payload;
/// An event has the signature of another one.
WrongSignature => "bridge-signs-another-event", Field;
/// A row is marked with the id of the event before.
MarksWithAnotherId => "bridge-marks-with-another-id", Field, stateful;
}
