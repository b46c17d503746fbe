// Drives the official client of SpacetimeDB, npm `spacetimedb`, unmodified. It does not reconnect, so that is done here.

import { Cursors, run, say } from "../phoenix-js/lines.mjs";
import { DbConnection } from "./module.mjs";

// The client tells on its console what it does, and standard output is for lines alone.
console.log = console.info = console.debug = console.error;

let cursors, told, connection, timer;
let tries = 0;

function open(line) {
  told = line;
  cursors ??= new Cursors(line.data_dir);
  connect();
}

function connect() {
  const builder = DbConnection.builder().withUri(told.url).withDatabaseName(told.database).withCompression("none");
  if (told.token) builder.withToken(told.token);
  connection = builder
    .onConnect((conn) => follow(conn).catch(() => drop(conn)))
    .onDisconnect(retry)
    .onConnectError(retry)
    .build();
}

// What an earlier connection still tells is nothing any more.
function retry(conn) {
  if (conn !== connection || !told) return;
  clearTimeout(timer);
  timer = setTimeout(() => told && connect(), Math.min(20 * 2 ** ++tries, 2000));
}

// A new connection resumes from what was applied.
function drop(conn) {
  conn.disconnect();
}

async function follow(conn) {
  const known = told.streams.filter((stream) => cursors.of(stream) !== undefined);
  const resumed = known.map((streamId) => ({ streamId, resumeAfter: BigInt(cursors.of(streamId)) }));
  if (resumed.length > 0) {
    await conn.reducers.resumeStream({ cursors: resumed }).catch((error) => start_anew(error, known));
  }
  const rows = [];
  conn.db.syncEvent.onInsert((_, row) => {
    // A table has no order: the rows of a message are taken by their seq.
    if (rows.push(row) === 1) queueMicrotask(() => take(conn, rows.splice(0)));
  });
  const queries = told.streams.map((stream) => {
    const name = stream.replaceAll("'", "''");
    return `SELECT * FROM sync_event WHERE stream_id = '${name}' AND seq > ${cursors.of(stream) ?? 0}`;
  });
  conn
    .subscriptionBuilder()
    .onError((_, error) => say("error", { message: `refused: ${error?.message}` }))
    .subscribe(queries);
}

function start_anew(error, known) {
  const refusal = JSON.parse(error.message);
  if (refusal.code !== "stale_cursor") throw error;
  const named = (refusal.stale_topics ?? []).map((stale) => stale.topic ?? stale.stream_id);
  for (const stream of known.filter((stream) => named.length === 0 || named.includes(stream))) {
    say("rebootstrap", { stream, reason: refusal.code });
    cursors.store(stream, undefined);
  }
}

function take(conn, rows) {
  if (conn !== connection) return;
  rows.sort((a, b) => Number(a.seq - b.seq));
  for (const row of rows) {
    if (!cursors.take(row.streamId, Number(row.seq), JSON.parse(row.payload))) return drop(conn);
    tries = 0;
  }
}

async function close() {
  const conn = connection;
  told = connection = undefined;
  clearTimeout(timer);
  conn?.disconnect();
}

run({ open, close });
