"""The client of phoenix.py with one defect, by its name: what a gate must find. `python3 wrong.py DEFECT`."""

import os
import sys
import time

from lines import say
from phoenix import Client


class Loses(Client):
    """It advances past the fifth event without applying it."""

    def apply(self, topic, seq, payload):
        if seq == 5:
            self.cursors[topic] = seq
        else:
            super().apply(topic, seq, payload)


class LosesTheLast(Client):
    """It forgets what it received last before it is asked."""

    def apply(self, topic, seq, payload):
        if seq < 12:
            super().apply(topic, seq, payload)
        else:
            self.cursors[topic] = seq

    def store(self, topic, seq):
        if seq < 12:
            super().store(topic, seq)


class AppliesTwice(Client):
    """It applies a duplicate again."""

    def take(self, topic, seq, payload):
        if seq == 4 and self.cursors.get(topic, 0) >= 3:
            say("applied", stream=topic, seq=seq, payload=payload)
        super().take(topic, seq, payload)


class Swaps(Client):
    """It applies the sixth event before the fifth."""

    def apply(self, topic, seq, payload):
        if seq == 5:
            self.kept, self.cursors[topic] = payload, seq
            return
        super().apply(topic, seq, payload)
        if seq == 6:
            say("applied", stream=topic, seq=5, payload=self.kept)


class ChangesPayload(Client):
    """It applies another payload than the one that came."""

    def apply(self, topic, seq, payload):
        super().apply(topic, seq, {"changed": True} if seq == 5 else payload)


class Invents(Client):
    """It says that it applied an event that never came."""

    def apply(self, topic, seq, payload):
        super().apply(topic, seq, payload)
        if seq == 5:
            say("applied", stream=topic, seq=1_000_000_000_000)


class ResumesFromBefore(Client):
    """It resumes from two events before its checkpoint."""

    def subscribe(self):
        kept = self.cursors
        self.cursors = {topic: max(seq - 2, 0) for topic, seq in kept.items()}
        super().subscribe()
        self.cursors = kept


class ResumesFromStart(Client):
    """It resumes without a cursor."""

    def subscribe(self):
        kept, self.cursors = self.cursors, {}
        super().subscribe()
        self.cursors = kept


class ResumesAhead(Client):
    """It resumes from one event after the last one that it applied."""

    def subscribe(self):
        self.cursors = {topic: seq + 1 for topic, seq in self.cursors.items()}
        super().subscribe()


class StoresBeforeApply(Client):
    """It stores how far it came before it applies the event."""

    def take(self, topic, seq, payload):
        if seq > self.cursors.get(topic, 0):
            self.store(topic, seq)
        super().take(topic, seq, payload)


class ForgetsToStore(Client):
    """It says that it stored a checkpoint, and keeps an older one."""

    def store(self, topic, seq):
        if seq % 4 == 1:
            super().store(topic, seq)
        else:
            say("checkpoint", stream=topic, seq=seq)


class Hammers(Client):
    """It reconnects at once, for ever."""

    def wait(self):
        return 0.0


class HammersEvenly(Client):
    """It waits as long before each attempt."""

    def wait(self):
        return 0.04


class Garbles(Client):
    """It prints what is no line of the protocol."""

    def apply(self, topic, seq, payload):
        super().apply(topic, seq, payload)
        if seq == 5:
            print("applied five", flush=True)


class Exits(Client):
    """It ends in the middle."""

    def apply(self, topic, seq, payload):
        super().apply(topic, seq, payload)
        if seq == 5:
            sys.exit(7)


class Hangs(Client):
    """It stops working, and stays."""

    def apply(self, topic, seq, payload):
        super().apply(topic, seq, payload)
        while seq == 5:
            time.sleep(60)


class Floods(Client):
    """It says the same without end."""

    def apply(self, topic, seq, payload):
        super().apply(topic, seq, payload)
        while seq == 5:
            say("duplicate", stream=topic, seq=1)


class FloodsALine(Client):
    """It writes a line that does not end."""

    def apply(self, topic, seq, payload):
        super().apply(topic, seq, payload)
        while seq == 5:
            sys.stdout.write("x" * 65536)


class ClosesItsOutput(Client):
    """It closes its standard output, and stays."""

    def apply(self, topic, seq, payload):
        super().apply(topic, seq, payload)
        if seq == 5:
            os.close(1)
            time.sleep(600)


def name_of(defect):
    return "".join("-" + char.lower() if char.isupper() else char for char in defect.__name__).strip("-")


DEFECTS = {name_of(defect): defect for defect in Client.__subclasses__()}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in DEFECTS:
        sys.exit(f"give one of these defects: {', '.join(DEFECTS)}")
    DEFECTS[sys.argv[1]]().run()
