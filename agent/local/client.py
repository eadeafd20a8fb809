# SPDX-License-Identifier: MIT
"""One client of the service: its connection, its requests one after the other, and the events that wait for it.

Two tasks serve a client. One task reads, so that it sees the end of the connection while the other task works on an answer
and writes it. The input, the waiting events and the time that a client may take to read an answer all have limits."""

import asyncio

from agent.local import requests
from agent.local.json_pieces import pieces

OUTPUT_PIECE = 2048  # bytes that are collected before they go to the client's socket
EVENTS_LIMIT = 131072  # bytes of events that may wait for a client
WRITE_TIME = 10000  # ms that a client may take to read one piece
_INPUT = 1024  # bytes read at once


class Gone(Exception):
    """The client has closed its connection, or reads too slowly."""


class Client:
    """Serves one client. stream: a local stream of the HAL. number: a number that no other connection has. act: async;
    act(client, request) returns a dictionary for the answer, and its ValueError, OSError and MemoryError become errors in the
    answer. clock: of the HAL."""

    def __init__(self, stream, number, act, clock):
        self.stream = stream
        self.number = number
        self.subscribed = False
        self.postponed_until = 0  # ms of the clock; a restart waits for this client until then
        self._act = act
        self._clock = clock
        self._input = b""
        self._events = []
        self._events_size = 0
        self._news = asyncio.Event()  # set when a request or an event waits
        self._room = asyncio.Event()  # set when the input has room again
        self._refusal = None
        self._reader = None
        self._worker = None

    async def run(self, greeting, refusal=None):
        """Write `greeting` (a dictionary), and serve the client until its connection ends. With a `refusal` (an error), only
        write that error and close the connection."""
        try:
            if refusal is not None:
                await self._write(_failed(refusal))
                return
            self._worker = asyncio.current_task()
            self._reader = asyncio.create_task(self._read())
            await self._write(greeting)
            await self._work()
        except (Gone, OSError):
            pass
        finally:
            if self._reader is not None and not self._reader.done():
                self._reader.cancel()
            self.stream.close()

    def tell(self, event):
        """Queue an event for the client. Returns False if too many bytes wait; the caller then ends the client."""
        line = b"".join([piece.encode() for piece in pieces(event)]) + b"\n"
        if self._events and self._events_size + len(line) > EVENTS_LIMIT:
            return False
        self._events.append(line)
        self._events_size += len(line)
        self._news.set()
        return True

    def end(self):
        """End the client's tasks and close its connection."""
        if self._worker is not None:
            self._worker.cancel()

    # Reading

    async def _read(self):
        """Fill the input. A line over the limit gets an error as its answer; the end of the connection ends the client's work."""
        buffer = bytearray(_INPUT)
        try:
            while True:
                count = await self.stream.read_into(buffer)
                if count == 0:
                    break
                self._input += bytes(memoryview(buffer)[:count])
                end = self._input.find(b"\n")
                if (len(self._input) if end < 0 else end) > requests.LINE_LIMIT:
                    self._refusal = requests.too_long()
                    self._news.set()
                    return
                self._news.set()
                while len(self._input) > requests.LINE_LIMIT:
                    self._room.clear()
                    await self._room.wait()
        except OSError:
            pass
        self._worker.cancel()

    def _take_line(self):
        """The next complete line, or None."""
        end = self._input.find(b"\n")
        if end < 0:
            return None
        line = self._input[:end]
        self._input = self._input[end + 1 :]
        self._room.set()
        return line

    # Answering

    async def _work(self):
        while True:
            while self._events:
                line = self._events.pop(0)
                self._events_size -= len(line)
                await self._write_bytes(line)
            line = self._take_line()
            if line is not None:
                await self._answer(line)
            elif self._refusal is not None:
                await self._write({"ok": False, "error": self._refusal})
                return
            elif not self._events:
                self._news.clear()
                await self._news.wait()

    async def _answer(self, line):
        try:
            request = requests.parse(line)
        except ValueError as error:
            self._refusal = str(error)
            self._input = b""
            return
        answer = {"id": request.get("id")}
        try:
            answer.update(await self._act(self, request))
            answer["ok"] = True
        except (ValueError, MemoryError, OSError) as error:
            answer.update(_failed(error))
        await self._write(answer)

    async def _write(self, value):
        output = b""
        for piece in pieces(value):
            output += piece.encode()
            if len(output) > OUTPUT_PIECE:
                await self._write_bytes(output)
                output = b""
        await self._write_bytes(output + b"\n")

    async def _write_bytes(self, data):
        try:
            await self.stream.write(data, self._clock.monotonic() + WRITE_TIME)
        except OSError:
            raise Gone()


def _failed(error):
    """The parts of an answer that reports an error. `reason` is a code of agent/trust/reasons.py for errors that a program may
    want to recognize."""
    answer = {"ok": False, "error": str(error) or "this phone does not have enough memory for it"}
    if isinstance(error, requests.Busy):
        answer["reason"] = error.reason
    return answer
