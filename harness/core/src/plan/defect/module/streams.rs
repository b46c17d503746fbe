//! Defects of streams, events, keys, policies, checkpoints and connections.
#![allow(missing_docs, reason = "the names say it")]

use super::super::defects;

defects! { Place::Module;

    // Keys.
    /// A key is forgotten once 64 further events were written.
    "key-window-of-64", Key, stateful;
    /// A key is forgotten once 500 further events were written.
    "key-window-of-500", Key, stateful;
    /// A key is forgotten once 2,000 further events were written.
    "key-window-of-2000", Key, stateful;
    /// The key of a pruned event is forgotten.
    "key-forgotten-after-pruning", Key, stateful;
    /// From the second prune of a stream on, the keys of its pruned events are forgotten.
    "keys-dropped-by-second-prune", Key, stateful;
    /// After a change of its policy, a stream forgets each key once it comes again.
    "keys-dropped-by-policy-change", Key, stateful;
    /// Keys are kept in memory only: a restart forgets them.
    "key-forgotten-after-restart", Restart, stateful;
    /// A key is forgotten after four seconds.
    "key-forgotten-after-4s", Key, stateful;
    /// A key is known only 250 ms after its event, so a repeat that comes at once is written.
    "key-known-late", Key, stateful;
    /// The second repeat of a publish is written again.
    "third-repeat-is-written", Key, stateful;
    /// Keys that differ in case only are one key.
    "key-ignores-case", Key, stateful;
    /// Keys that differ in spaces at their ends are one key.
    "key-trimmed", Key, stateful;
    /// Keys are compared by their first 64 bytes.
    "key-cut-at-64", Key, stateful;
    /// Keys are compared by their first 255 bytes.
    "key-cut-at-255", Key, stateful;
    /// Keys that differ in Unicode form only are one key.
    "key-composed", Key, stateful;
    /// A stream's id and the key are joined without a separator, so two pairs can share a key.
    "key-joined-to-stream", Key, stateful;
    /// A key belongs to all streams instead of one.
    "key-shared-by-streams", Key, stateful;
    /// Keys are compared by a checksum of 16 bits.
    "key-checksum", Key, stateful;
    /// Another key with an equal payload is taken for a repeat.
    "one-key-per-payload", Key, stateful;
    /// An equal payload in another stream is taken for a repeat.
    "one-key-per-payload-in-all-streams", Key, stateful;
    /// A key whose payload was refused once conflicts with a right payload.
    "refused-key-is-burnt", Key, stateful;

    // Conflicts and repeats.
    /// Another payload under the key of a pruned event is taken for a repeat.
    "conflict-accepted-after-pruning", Answer, stateful;
    /// Another payload of the same length is taken for a repeat.
    "conflict-accepted-of-same-length", Answer;
    /// Payloads are compared by their first 64 KiB.
    "conflict-accepted-beyond-64-kib", Answer, stateful;
    /// `"1"` and `1` are one payload for a repeat.
    "conflict-accepted-of-another-type", Answer;
    /// Null and missing are one for a repeat.
    "conflict-accepted-with-nulls", Answer;
    /// Another payload under a key is taken for a repeat once 100 further events were written.
    "conflict-accepted-after-100", Answer, stateful;
    /// The second conflict of a key is taken for a repeat.
    "conflict-accepted-second-time", Answer, stateful;
    /// After a restart, the first conflict of a key is taken for a repeat.
    "conflict-accepted-after-restart", Restart, stateful;
    /// Another payload under the key of the newest event replaces its payload.
    "conflict-replaces-the-newest", Payload, stateful;
    /// A repeat with another spelling is refused as a conflict.
    "repeat-compared-as-text", Answer, stateful;
    /// A repeat of a pruned event is refused as a conflict.
    "repeat-refused-after-pruning", Answer, stateful;
    /// A repeat gives the row another commit time.
    "repeat-is-stamped-again", Field, stateful;
    /// A repeat with another spelling rewrites the row's payload.
    "repeat-is-spelled-again", Payload, stateful;
    /// A repeat changes the row's key.
    "repeat-marks-the-key", Field, stateful;
    /// A repeat of a pruned event raises the head.
    "repeat-of-a-pruned-event-takes-a-seq", Seq, stateful;
    /// A conflict is refused with the code `conflict`.
    "other-code-for-conflicts", Answer;
    /// A wrong expected seq is refused with the code `idempotency_conflict`.
    "other-code-for-sequences", Answer;

    // Expected seqs and given hashes.
    /// The expected seq is checked before the key, so a repeat is refused.
    "expected-before-key", Answer, stateful;
    /// The expected seq is ignored.
    "expected-ignored", Answer;
    /// An expected seq below the next one is accepted.
    "stale-expected-accepted", Answer, stateful;
    /// The expected seq of a stream's first event is ignored.
    "expected-ignored-on-empty-streams", Answer, stateful;
    /// The expected seq is compared in its lowest 8 bits.
    "expected-compared-as-u8", Answer, stateful;
    /// The first expected seq after a start is ignored.
    "expected-ignored-after-restart", Restart, stateful;
    /// The expected seq is compared with the head instead of the next seq.
    "expected-is-head", Answer;
    /// A wrong payload hash is accepted.
    "given-hash-ignored", Answer;
    /// A wrong payload hash is accepted once a stream has 100 events.
    "given-hash-ignored-after-100", Answer, stateful;
    /// A given payload hash in upper case is accepted.
    "given-hash-compared-in-lower-case", Answer;
    /// Of a given payload hash, only the first half is compared.
    "given-hash-compared-by-prefix", Answer, stateful;

    // Seqs and rows.
    /// After 255 events, the seqs of a stream begin again at 1.
    "seq-counted-as-u8", Seq, stateful;
    /// The seq 201 is skipped.
    "seq-skipped-after-200", Seq, stateful;
    /// The seqs of a stream begin again at 1 once all of its events were pruned.
    "seq-begins-again-when-empty", Seq, stateful;
    /// The first event after a restart gets the seq of the last one.
    "seq-reused-after-restart", Restart, stateful;
    /// A refused payload takes a seq.
    "refusal-takes-a-seq", Seq, stateful;
    /// The stream's row does not show its 256th event before the next one.
    "head-row-lags-at-256", Seq, stateful;
    /// The 201st event of a stream is not written.
    "event-lost-at-201", Loss, stateful;
    /// The first event after 1.5 seconds without one is not written.
    "event-lost-after-idle", Loss, stateful;
    /// The first event of a stream after a restart is not written.
    "event-lost-after-restart", Restart, stateful;
    /// Each 8th event of the third stream of a database is not written.
    "event-lost-of-third-stream", Loss, stateful;
    /// The third of three events that come to two streams in turn is not written.
    "event-lost-when-interleaved", Loss, stateful;
    /// An event with 64 KiB of payload or more is not written.
    "event-lost-of-64-kib", Loss;
    /// The 100th event of a stream becomes visible with the next one.
    "event-held-at-100", Order, stateful;
    /// The 75th event of a stream is deleted when the 150th comes, but retained by the stream's row.
    "old-event-lost-at-150", Loss, stateful;
    /// Events are deleted after four seconds, but retained by the stream's row.
    "events-expire-after-4s", Loss, stateful;
    /// The 200th event of a stream has two rows.
    "two-rows-at-200", Duplicate, stateful;
    /// Each 60th event of a stream is written to another stream too.
    "event-copied-to-another-stream", Duplicate, stateful;
    /// Each 64th event rewrites the row of the event before.
    "event-before-rewritten-at-64", Duplicate, stateful;
    /// The 127th and 128th event of a stream exchange their payloads.
    "payloads-exchanged-at-128", Payload, stateful;
    /// An event gets the payload of the event before, if both have one length.
    "payload-cached-by-length", Payload, stateful;
    /// After the 100th event of a stream, the commit time stands still.
    "commit-time-stands-after-100", Field, stateful;
    /// The commit time is in seconds instead of microseconds.
    "commit-time-in-seconds", Field;
    /// Each 64th event of a stream has the commit time of an hour ago.
    "commit-time-of-an-hour-ago-at-64", Field, stateful;
    /// After the 100th event of a stream, `confirmed_read` is false.
    "unconfirmed-after-100", Field, stateful;
    /// The row's key is cut at 64 bytes.
    "row-key-cut-at-64", Field, stateful;
    /// The row's key is in lower case.
    "row-key-in-lower-case", Field, stateful;
    /// Each 64th row of a stream has the key of the event before.
    "row-key-of-the-event-before-at-64", Field, stateful;
    /// Each 128th row of a stream has the payload hash of the event before.
    "hash-of-the-event-before-at-128", Field, stateful;
    /// The payload hash is computed over the text as it came.
    "hash-over-text", Field, stateful;
    /// The hash of a payload beyond 4,096 bytes is computed over the text as it came.
    "hash-over-text-beyond-4096", Field, stateful;
    /// After the 64th event of a stream, payload hashes are in upper case.
    "hash-in-upper-case-after-64", Field, stateful;

    // Payloads.
    /// Integers beyond 2^53 are rounded to doubles.
    "integers-rounded", Payload;
    /// Numbers keep 15 digits.
    "numbers-of-15-digits", Payload;
    /// Fractions keep single precision.
    "numbers-of-single-precision", Payload;
    /// A large number with an exponent becomes an integer.
    "exponents-written-out", Payload;
    /// Spaces at the end of a string are lost.
    "strings-trimmed", Payload;
    /// Strings are cut at 255 bytes.
    "strings-cut-at-255", Payload;
    /// Strings are cut at 4,096 bytes.
    "strings-cut-at-4096", Payload;
    /// Strings are cut at 65,535 bytes.
    "strings-cut-at-65535", Payload;
    /// Strings are brought to one Unicode form.
    "strings-composed", Payload;
    /// CRLF in a string becomes LF.
    "crlf-is-lf", Payload;
    /// NUL, DEL, U+2028 and the byte order mark are removed from strings.
    "controls-removed", Payload;
    /// Marks of writing direction are removed from strings.
    "bidi-removed", Payload;
    /// `<` and `>` in a string are escaped as in HTML.
    "html-escaped", Payload;
    /// A time in UTC loses its `Z`.
    "dates-without-zone", Payload;
    /// A string that looks like a number or a word becomes that.
    "numbers-from-strings", Payload;
    /// An empty string becomes null.
    "empty-string-is-null", Payload;
    /// The keys of objects become lower case.
    "keys-in-lower-case", Payload;
    /// Keys in camelCase become snake_case.
    "keys-in-snake-case", Payload;
    /// A dot in a key becomes an underscore.
    "keys-without-dots", Payload;
    /// Spaces at the ends of keys are lost.
    "keys-trimmed", Payload;
    /// The keys of objects are brought to one Unicode form.
    "keys-composed", Payload;
    /// Members that are null are dropped.
    "nulls-dropped", Payload;
    /// Members that are empty objects or arrays are dropped.
    "empty-containers-dropped", Payload;
    /// A member `__proto__` is dropped.
    "proto-dropped", Payload;
    /// Members of an object after the 32nd are dropped.
    "members-beyond-32-dropped", Payload;
    /// Members of an object after the 255th are dropped.
    "members-beyond-255-dropped", Payload;
    /// Members of an object after the 1,000th are dropped.
    "members-beyond-1000-dropped", Payload;
    /// A payload that is no object and no array is put into an object.
    "bare-values-wrapped", Payload;
    /// Of members with one key, the first is stored, and nothing is refused.
    "duplicate-keys-accepted", Answer;
    /// A lone surrogate is replaced instead of refused.
    "lone-surrogates-replaced", Answer;
    /// A number beyond the range of a double is replaced instead of refused.
    "large-numbers-clamped", Answer;
    /// Text behind the payload is ignored instead of refused.
    "trailing-text-ignored", Answer;
    /// A payload that is not JSON is stored as null.
    "no-json-is-null", Answer;
    /// A payload beyond 64 KiB is refused.
    "payload-refused-beyond-64-kib", Answer;
    /// A payload beyond 1 MiB is refused.
    "payload-refused-beyond-1-mib", Answer;
    /// A payload deeper than 128 is refused.
    "depth-refused-beyond-128", Answer;

    // Policies and pruning.
    /// A change of retention resets the replay budget.
    "policy-resets-budget", Policy, stateful;
    /// A change of the replay budget resets retention.
    "policy-resets-retention", Policy, stateful;
    /// A policy is set for all streams of the class.
    "policy-set-for-the-class", Policy, stateful;
    /// The replay budget of a stream with events does not change.
    "budget-changed-on-empty-streams-only", Policy, stateful;
    /// The retention of a stream with events does not change.
    "retention-changed-on-empty-streams-only", Policy, stateful;
    /// A lower retention prunes with the next event instead of at once.
    "retention-lowered-late", Policy, stateful;
    /// Retention is kept in 8 bits.
    "retention-kept-as-u8", Policy, stateful;
    /// A restart forgets the retention of a stream.
    "retention-forgotten-after-restart", Restart, stateful;
    /// The replay budget is kept in 8 bits.
    "budget-kept-as-u8", Policy, stateful;
    /// The replay budget is kept in 16 bits.
    "budget-kept-as-u16", Policy, stateful;
    /// A replay budget of 0 is taken for none.
    "budget-of-0-is-none", Policy, stateful;
    /// All streams get the class of runs.
    "class-by-prefix", Stream, stateful;
    /// One event more than the retention is kept.
    "one-event-too-many-kept", Policy, stateful;
    /// Events are pruned when 16 are too many.
    "pruned-in-batches-of-16", Policy, stateful;
    /// A retention of 1 keeps no event.
    "one-too-many-pruned-at-retention-1", Policy, stateful;
    /// From the 50th prune of a stream on, one event too many is pruned.
    "one-too-many-pruned-after-50", Policy, stateful;
    /// A higher retention lowers the retention floor, though the events are gone.
    "floor-falls-when-retention-rises", Stale, stateful;
    /// From the second prune of a stream on, the retention floor is one too low.
    "floor-low-after-second-prune", Stale, stateful;
    /// The retention floor is one too low if the retention is 1.
    "floor-stands-at-retention-1", Stale, stateful;
    /// A prune raises the retention floor of all streams of the class.
    "floor-of-the-class", Stale, stateful;
    /// A prune also deletes events of streams whose ids begin with this one's.
    "prunes-streams-with-the-same-beginning", Loss, stateful;
    /// A prune up to the head leaves the newest event.
    "prune-leaves-one", Policy, stateful;
    /// A prune leaves the event that it names.
    "prune-is-exclusive", Policy;
    /// A prune raises the retention floor and leaves the events.
    "prune-leaves-the-rows", Policy;
    /// A prune up to a seq that is gone lowers the retention floor.
    "prune-back-lowers-the-floor", Stale, stateful;
    /// A prune beyond the head is refused.
    "prune-beyond-head-refused", Answer, stateful;

    // The stale check.
    /// Only the first five streams of a resume are checked.
    "stale-check-of-five-streams", Stale, stateful;
    /// Only the last stream of a resume is checked.
    "stale-check-of-the-last-stream", Stale, stateful;
    /// The cursor 0 is never stale.
    "cursor-0-never-stale", Stale, stateful;
    /// A cursor of a stream without retained events is never stale.
    "empty-stream-never-stale", Stale, stateful;
    /// From the fourth resume of a stream on, nothing is checked.
    "stale-unchecked-after-third-resume", Stale, stateful;
    /// A resume of an unknown stream is accepted.
    "unknown-stream-accepted", Answer;
    /// A resume of an unknown stream is refused as stale.
    "unknown-stream-is-stale", Answer;
    /// A refusal for an unknown stream names the known ones too.
    "known-streams-forbidden-too", Answer, stateful;
    /// A resume without a stream is accepted.
    "empty-resume-accepted", Answer;
    /// Of two cursors for one stream, the last one counts.
    "last-of-two-cursors-counts", Answer;
    /// Of several stale streams, a refusal names only the first.
    "only-the-first-stale-named", Stale, stateful;
    /// The second stale stream of a refusal has the other reason.
    "reason-of-second-stream-swapped", Stale, stateful;
    /// The replay budget is checked before the retention floor.
    "budget-before-floor", Stale, stateful;
    /// After a change of its policy, a stream replays one event less than its budget.
    "budget-exclusive-after-change", Stale, stateful;
    /// The lags of all streams of a resume count together.
    "budget-of-all-streams", Stale, stateful;
    /// A lag counts retained events only.
    "budget-counts-what-is-kept", Stale, stateful;
    /// A lag is counted in 8 bits.
    "lag-counted-as-u8", Stale, stateful;
    /// The retention floor is that of the first resume since the start.
    "floor-cached-in-memory", Stale, stateful;
    /// The head is that of the first resume since the start.
    "head-cached-in-memory", Stale, stateful;
    /// The head of the second stale stream of a refusal is one too low.
    "head-of-second-stale-low", Field, stateful;
    /// The snapshot plan of a refusal is always empty.
    "stale-reply-without-snapshots", Field, stateful;
    /// A refusal names another quality of service.
    "stale-reply-of-another-tier", Field, stateful;
    /// A refusal does not require a full resync.
    "no-full-resync", Field;
    /// A snapshot plan names another format.
    "other-snapshot-format", Field;

    // Checkpoints and connections.
    /// A checkpoint may go back.
    "checkpoint-goes-back", Checkpoint, stateful;
    /// A checkpoint may go back if its durable offset is higher.
    "checkpoint-goes-back-with-a-higher-offset", Checkpoint, stateful;
    /// The durable offset of a checkpoint may go back.
    "checkpoint-offset-goes-back", Checkpoint, stateful;
    /// A checkpoint beyond the head is accepted.
    "checkpoint-beyond-head-accepted", Checkpoint, stateful;
    /// A checkpoint beyond the head is written as the head.
    "checkpoint-cut-at-head", Checkpoint, stateful;
    /// The same checkpoint again is refused.
    "checkpoint-repeat-refused", Checkpoint, stateful;
    /// A checkpoint moves those of all clients of the stream.
    "checkpoint-of-all-clients", Checkpoint, stateful;
    /// From the third checkpoint of a client on, none is written.
    "checkpoint-not-written-after-second", Checkpoint, stateful;
    /// After a restart, the first checkpoint of a client may go back.
    "checkpoint-forgotten-after-restart", Restart, stateful;
    /// The row of a connection stays when the connection ends.
    "connection-row-stays", Field;
    /// From the fourth connection that ends on, rows of connections stay.
    "connection-row-stays-after-third", Field, stateful;
    /// A connection has no row.
    "connection-row-late", Field;
    /// An identity has one row for all of its connections.
    "connections-counted-by-identity", Field, stateful;
    /// The end of a connection removes the rows of all connections of its identity.
    "disconnect-ends-all-of-an-identity", Field, stateful;

    // Streams.
    /// Stream ids that differ in case only are one stream.
    "stream-ignores-case", Stream, stateful;
    /// Stream ids that differ in `-` and `_` are one stream.
    "stream-mixes-dashes", Stream, stateful;
    /// Stream ids are compared by their first 64 bytes.
    "stream-cut-at-64", Stream, stateful;
    /// Stream ids that differ in Unicode form only are one stream.
    "stream-composed", Stream, stateful;
}
