# SPDX-License-Identifier: MIT
"""The HTTP client under hypothesis: a whole answer arrives whole, and no server does harm."""

from hypothesis import given
from hypothesis import strategies as st

from agent.fetch.errors import FetchError
from agent.fetch.http import HEAD_LIMIT
from tests.helpers.agent.http_world import CUT, Fetch, chunked, response

LIMIT = 3000
DEADLINE = 20000
WORDS = [
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 404 x\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"Content-Length: ",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"\r\n",
    b"\n",
    b": ",
    b"5\r\nabcde\r\n",
    b"0\r\n\r\n",
    b"ffffffff\r\n",
    b"x" * 2000,
    b"y" * (HEAD_LIMIT + 1),
]


class Strict:
    """A sink that allows no more than it was told of."""

    def __init__(self, limit):
        self._limit = limit
        self._announced = None
        self.data = b""

    def begin(self, size):
        assert size is None or 0 <= size <= self._limit
        self._announced = size
        self.data = b""

    def write(self, block):
        self.data += bytes(block)
        assert len(self.data) <= (self._limit if self._announced is None else self._announced)


def pieces(data, cuts):
    """The data cut at these places."""
    at = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[start:end] for start, end in zip(at, at[1:], strict=False) if start < end]


@given(
    st.binary(max_size=LIMIT),
    st.lists(st.integers(0, 1 << 20), max_size=8),
    st.lists(st.integers(0, 1 << 20), max_size=8),
    st.integers(0, 2),
)
def test_a_whole_file_arrives_whole(body, cuts, chunk_cuts, framing):
    if framing == 0:
        answer = response(body)
    elif framing == 1:
        answer = chunked(*pieces(body, chunk_cuts))
    else:
        answer = response(body, length=False)
    fetch = Fetch([*pieces(answer, cuts), b""], LIMIT, sink=Strict(LIMIT))
    assert fetch.run() == len(body)
    assert fetch.sink.data == body


@given(
    st.lists(st.tuples(st.integers(0, 4000), st.one_of(st.sampled_from(WORDS), st.binary(max_size=60))), max_size=12),
    st.sampled_from([b"", None, CUT]),
)
def test_a_server_that_says_anything(steps, ending):
    time = 0
    played = []
    for delay, content in steps:
        time += delay
        played.append((time, content or b"?"))
    fetch = Fetch([*played, (time, ending)], LIMIT, deadline=DEADLINE, sink=Strict(LIMIT))
    start = fetch.clock.monotonic()
    try:
        assert fetch.run() == len(fetch.sink.data)
    except FetchError as error:
        assert error.cause and error.reason in ("not-found", "too-large", "bad-transfer", "no-server")
    assert fetch.clock.monotonic() - start <= DEADLINE


@given(st.binary(max_size=300), st.data())
def test_a_response_that_was_damaged_on_its_way(body, data):
    answer = bytearray(data.draw(st.sampled_from([response(body), chunked(body, body), response(body, length=False)])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(answer) - 1))
        change = data.draw(st.integers(0, 2))
        if change == 0:
            answer[at] = data.draw(st.integers(0, 255))
        elif change == 1:
            del answer[at:]
        else:
            answer[at:at] = data.draw(st.sampled_from(WORDS))
        if not answer:
            break
    fetch = Fetch([bytes(answer), b""], LIMIT, sink=Strict(LIMIT))
    try:
        fetch.run()
    except FetchError as error:
        assert error.cause
