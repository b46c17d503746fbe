"""A client of a Phoenix lane, driven by `cutover` (docs/CLIENTS.md): it applies events in order, each once, stores how
far it came, and resumes from there."""

import json, os, select, sys, time, urllib.parse  # noqa: E401
from websocket import WebSocket


class Client:
    def __init__(self):
        self.opened, self.ws, self.cursors, self.ref, self.tries, self.retry_at = None, None, {}, 0, 0, 0.0

    def say(self, kind, **more):
        print(json.dumps({"type": kind, **more}), flush=True)

    def told(self, line):
        if line["type"] == "open":
            self.opened, self.file, self.retry_at = line, os.path.join(line["data_dir"], "cursors.json"), 0.0
            if not self.cursors and os.path.exists(self.file):
                self.cursors = json.load(open(self.file))
        elif line["type"] == "ping":
            self.say("pong", id=line["id"])
        elif line["type"] == "close":
            self.opened = None
            self.drop()
            self.say("closed")

    def drop(self):
        if self.ws:
            try:
                self.ws.close()
            except OSError:
                pass
        self.ws = None

    def push(self, event, payload):
        self.ref += 1
        self.ws.send(json.dumps(["1", str(self.ref), self.opened["channel"], event, payload]))

    def connect(self):
        url, self.ref = urllib.parse.urlsplit(self.opened["url"]), 0
        query = urllib.parse.urlencode({"vsn": "2.0.0", **self.opened["params"]})
        self.ws = WebSocket(url.hostname, url.port, f"{url.path}?{query}")
        self.push("phx_join", self.opened["join"])
        self.subscribe()

    def subscribe(self):
        topics = self.opened["streams"]
        resume = {topic: self.cursors[topic] for topic in topics if topic in self.cursors}
        self.push("sync:subscribe", {"topics": topics, "resume_after": resume})

    def received(self, event, payload):
        if event == "phx_reply" and payload["status"] == "error":
            if payload["response"].get("code") != "stale_cursor":
                raise OSError(f"refused: {payload['response']}")
            for stale in payload["response"]["stale_topics"]:
                self.say("rebootstrap", stream=stale["topic"], reason="stale_cursor")
                self.cursors.pop(stale["topic"], None)
            self.subscribe()
        elif event in ("phx_error", "phx_close"):
            raise OSError(event)
        elif event == "sync:update_batch":
            for update in payload["updates"]:
                self.take(update["topic"], update["watermark"], update["payload"])

    def take(self, topic, seq, payload):
        last = self.cursors.get(topic)
        if last is not None and seq <= last:
            self.say("duplicate", stream=topic, seq=seq)
        elif last is not None and seq > last + 1:
            raise OSError(f"{topic} goes from {last} to {seq}")  # The next connection resumes from what was applied.
        else:
            self.apply(topic, seq, payload)
            self.store(topic, seq)

    def apply(self, topic, seq, payload):
        self.tries, self.cursors[topic] = 0, seq
        self.say("applied", stream=topic, seq=seq, payload=payload)

    def store(self, topic, seq):
        with open(self.file + ".new", "w") as new:
            json.dump(self.cursors, new)
        os.replace(self.file + ".new", self.file)
        self.say("checkpoint", stream=topic, seq=seq)

    def wait(self):
        """Seconds before the next attempt: twice as many each time."""
        self.tries += 1
        return min(0.02 * 2 ** self.tries, 2.0)

    def run(self):
        said = b""
        while True:
            pause = max(self.retry_at - time.monotonic(), 0) if self.opened and not self.ws else None
            ready, _, _ = select.select([0] + ([self.ws.sock] if self.ws else []), [], [], pause)
            try:
                if self.ws and self.ws.sock in ready:
                    self.ws.read()
                for message in self.ws.messages() if self.ws else ():
                    self.received(*json.loads(message)[3:5])
                if self.opened and not self.ws and time.monotonic() >= self.retry_at:
                    self.connect()
            except OSError as error:
                print(error, file=sys.stderr)
                self.drop()
                self.retry_at = time.monotonic() + self.wait()
            if 0 in ready:
                more = os.read(0, 65536)
                if not more:
                    return
                *lines, said = (said + more).split(b"\n")
                for line in lines:
                    self.told(json.loads(line))


if __name__ == "__main__":
    Client().run()
