"""What every program has: the lines to and from `cutover` (docs/CLIENTS.md), and a cursor for each stream in a file."""

import json
import os


def say(kind, **members):
    print(json.dumps({"type": kind, **members}), flush=True)


class Program:
    """A client has connect(), which subscribes from `cursors`, and drop(). It gives what comes to take()."""

    def __init__(self):
        self.opened, self.cursors, self.said = None, {}, b""

    def told(self, data):
        """Takes what came on the standard input."""
        *lines, self.said = (self.said + data).split(b"\n")
        for line in map(json.loads, lines):
            if line["type"] == "open":
                self.opened, self.file = line, os.path.join(line["data_dir"], "cursors.json")
                if not self.cursors and os.path.exists(self.file):
                    self.cursors = json.load(open(self.file))
            elif line["type"] == "ping":
                say("pong", id=line["id"])
            elif line["type"] == "close":
                self.opened = None
                self.drop()
                say("closed")

    def take(self, stream, seq, payload):
        """Applies the next event, drops one that was applied, and refuses one before which others are missing."""
        last = self.cursors.get(stream)
        if last is not None and seq <= last:
            say("duplicate", stream=stream, seq=seq)
        elif last is not None and seq > last + 1:
            raise OSError(f"{stream} goes from {last} to {seq}")  # A new connection resumes from what was applied.
        else:
            self.apply(stream, seq, payload)
            self.store(stream, seq)

    def apply(self, stream, seq, payload):
        self.cursors[stream] = seq
        say("applied", stream=stream, seq=seq, payload=payload)

    def store(self, stream, seq):
        with open(self.file + ".new", "w") as new:
            json.dump(self.cursors, new)
        os.replace(self.file + ".new", self.file)
        say("checkpoint", stream=stream, seq=seq)

    def start_anew(self, stream, reason):
        self.cursors.pop(stream, None)
        say("rebootstrap", stream=stream, reason=reason)
