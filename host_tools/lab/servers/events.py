# SPDX-License-Identifier: MIT
"""The requests that the servers saw: in memory, and as JSON lines in a file for people and scripts."""

import json
import threading
import time


class EventLog:
    """A list of events, each a dict with at least `time` (seconds since 1970), `service`, `node` and `what`.

    Safe to use from the servers' threads. `listener` is called with each event, in the thread that saw it.
    """

    def __init__(self, path=None, listener=None):
        self._events = []
        self._condition = threading.Condition()
        self._file = open(path, "a", buffering=1, encoding="utf-8") if path else None
        self._listener = listener

    def add(self, service, node, what, **details):
        """Note an event."""
        event = {"time": round(time.time(), 3), "service": service, "node": node, "what": what, **details}
        with self._condition:
            self._events.append(event)
            if self._file:
                self._file.write(json.dumps(event) + "\n")
            self._condition.notify_all()
        if self._listener:
            self._listener(event)

    def __iter__(self):
        with self._condition:
            return iter(list(self._events))

    def __len__(self):
        return len(self._events)

    def __getitem__(self, index):
        with self._condition:
            return self._events[index]

    def matching(self, **wanted):
        """The events whose details are all as `wanted`."""
        return [event for event in self if all(event.get(name) == value for name, value in wanted.items())]

    def wait_for(self, timeout=5.0, **wanted):
        """The first event that matches, waiting up to `timeout` seconds for it; None if none came."""
        deadline = time.monotonic() + timeout
        with self._condition:
            while True:
                for event in self._events:
                    if all(event.get(name) == value for name, value in wanted.items()):
                        return event
                if not self._condition.wait(max(0.0, deadline - time.monotonic())) and time.monotonic() >= deadline:
                    return None

    def close(self):
        """Close the file, if there is one."""
        if self._file:
            self._file.close()
            self._file = None
