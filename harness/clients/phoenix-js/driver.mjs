// Drives the official client of Phoenix Channels, npm `phoenix`, unmodified: it reconnects and joins again by itself.

import { Socket } from "phoenix";
import WebSocket from "ws";
import { Cursors, run, say } from "./lines.mjs";

let cursors, socket, channel, told;

function open(line) {
  told = line;
  cursors ??= new Cursors(line.data_dir);
  socket = new Socket(line.url.replace(/\/websocket$/, ""), { params: line.params, transport: WebSocket });
  channel = socket.channel(line.channel, line.join);
  channel.on("sync:update_batch", ({ updates }) => {
    for (const { topic, watermark, payload } of updates) {
      if (!cursors.take(topic, watermark, payload)) return resume();
    }
  });
  socket.connect();
  // The client joins again after each reconnect, and this comes after each join.
  channel.join().receive("ok", subscribe).receive("error", (why) => console.error("join", why));
}

// Events are missing: the next connection resumes from what was applied.
function resume() {
  socket.conn?.close(4000);
}

function subscribe() {
  const known = told.streams.filter((topic) => cursors.of(topic) !== undefined);
  const resume_after = Object.fromEntries(known.map((topic) => [topic, cursors.of(topic)]));
  channel.push("sync:subscribe", { topics: told.streams, resume_after }).receive("error", (refusal) => {
    if (refusal.code !== "stale_cursor") return say("error", { message: `refused: ${refusal.code}` });
    for (const { topic } of refusal.stale_topics) {
      say("rebootstrap", { stream: topic, reason: refusal.code });
      cursors.store(topic, undefined);
    }
    subscribe();
  });
}

function close() {
  return new Promise((done) => socket.disconnect(done));
}

run({ open, close });
