"""A client of a Phoenix lane, driven by `cutover` (docs/CLIENTS.md)."""

import json
import os
import select
import sys
import time
import urllib.parse

from lines import Program
from websocket import WebSocket


class Client(Program):
    def __init__(self):
        super().__init__()
        self.ws, self.ref, self.tries, self.retry_at = None, 0, 0, 0.0

    def connect(self):
        url, self.ref = urllib.parse.urlsplit(self.opened["url"]), 0
        query = urllib.parse.urlencode({"vsn": "2.0.0", **self.opened["params"]})
        self.ws = WebSocket(url.hostname, url.port, f"{url.path}?{query}")
        self.push("phx_join", self.opened["join"])
        self.subscribe()

    def push(self, event, payload):
        self.ref += 1
        self.ws.send(json.dumps(["1", str(self.ref), self.opened["channel"], event, payload]))

    def subscribe(self):
        topics = self.opened["streams"]
        resume = {topic: self.cursors[topic] for topic in topics if topic in self.cursors}
        self.push("sync:subscribe", {"topics": topics, "resume_after": resume})

    def received(self, event, payload):
        if event == "sync:update_batch":
            for update in payload["updates"]:
                self.take(update["topic"], update["watermark"], update["payload"])
                self.tries = 0
        elif event == "phx_reply" and payload["status"] == "error":
            if payload["response"].get("code") != "stale_cursor":
                raise OSError(f"refused: {payload['response']}")
            for stale in payload["response"]["stale_topics"]:
                self.start_anew(stale["topic"], "stale_cursor")
            self.subscribe()
        elif event in ("phx_error", "phx_close"):
            raise OSError(event)

    def drop(self):
        if self.ws:
            self.ws.close()
        self.ws = None

    def wait(self):
        """Seconds before the next attempt: twice as many each time."""
        self.tries += 1
        return min(0.02 * 2**self.tries, 2.0)

    def step(self, ready):
        if self.ws and self.ws.sock in ready:
            self.ws.read()
        for message in self.ws.messages() if self.ws else ():
            self.received(*json.loads(message)[3:5])
        if self.opened and not self.ws and time.monotonic() >= self.retry_at:
            self.connect()

    def run(self):
        while True:
            pause = max(self.retry_at - time.monotonic(), 0) if self.opened and not self.ws else None
            ready, _, _ = select.select([0] + ([self.ws.sock] if self.ws else []), [], [], pause)
            try:
                self.step(ready)
            except OSError as error:
                print(error, file=sys.stderr)
                self.drop()
                self.retry_at = time.monotonic() + self.wait()
            if 0 in ready:
                data = os.read(0, 65536)
                if not data:
                    return
                self.told(data)


if __name__ == "__main__":
    Client().run()
