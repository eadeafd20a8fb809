# SPDX-License-Identifier: MIT
"""In MicroPython: growth_stream.py FILE LIST verifies a signed file block by block against a trust list; prints the us that it
took and the most bytes of heap in use, looked at after each MB."""

import gc
import sys
import time

from agent.formats.signedfile import SignedFileSink
from agent.trust.rules import Trust
from hal.device import crypto

BLOCK = 16384
LOOK = 64  # blocks

native = crypto()
with open(sys.argv[2], "rb") as file:
    trust = Trust(native, itl=file.read())
sink = SignedFileSink(native, 1 << 30)
block = bytearray(BLOCK)
view = memoryview(block)
most = spent = number = 0
sink.begin(None)
with open(sys.argv[1], "rb") as file:
    while True:
        began = time.ticks_us()
        count = file.readinto(block)
        if not count:
            break
        sink.write(view[:count])
        spent += time.ticks_diff(time.ticks_us(), began)
        number += 1
        if number % LOOK == 1:
            gc.collect()
            most = max(most, gc.mem_alloc())
began = time.ticks_us()
decision = trust.decide_file("load.sgn", sink.finish())
spent += time.ticks_diff(time.ticks_us(), began)
if not decision.accepted:
    raise SystemExit(decision.text)
print(spent, most)
