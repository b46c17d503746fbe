// The lines between a driver of an official client and `cutover` (docs/CLIENTS.md), and the file of its cursors.

import { readFileSync, renameSync, writeFileSync, writeSync, existsSync, openSync, fsyncSync, closeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

// Words must be out before what follows from them, so that this does not return before the pipe has the line.
export function say(type, more = {}) {
  let rest = Buffer.from(JSON.stringify({ type, ...more }) + "\n");
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

export class Cursors {
  constructor(dir) {
    this.file = join(dir, "cursors.json");
    this.seqs = existsSync(this.file) ? JSON.parse(readFileSync(this.file, "utf8")) : {};
  }

  of(stream) {
    return this.seqs[stream];
  }

  store(stream, seq) {
    if (seq === undefined) delete this.seqs[stream];
    else this.seqs[stream] = seq;
    writeFileSync(`${this.file}.new`, JSON.stringify(this.seqs));
    const file = openSync(`${this.file}.new`, "r");
    fsyncSync(file);
    closeSync(file);
    renameSync(`${this.file}.new`, this.file);
    if (seq !== undefined) say("checkpoint", { stream, seq });
  }

  // Applies an event, or says why not. False where events are missing before it.
  take(stream, seq, payload) {
    const last = this.of(stream);
    if (last !== undefined && seq <= last) say("duplicate", { stream, seq });
    else if (last !== undefined && seq > last + 1) return false;
    else {
      say("applied", { stream, seq, payload });
      this.store(stream, seq);
    }
    return true;
  }
}

// `driver` has open(line) and close(). A ping is answered once what came before it is handled.
export function run(driver) {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", async (text) => {
    const line = JSON.parse(text);
    if (line.type === "open") driver.open(line);
    else if (line.type === "ping") setImmediate(() => say("pong", { id: line.id }));
    else if (line.type === "close") {
      await driver.close();
      say("closed");
    }
  });
  lines.on("close", () => process.exit(0));
}
