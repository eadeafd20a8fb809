# SPDX-License-Identifier: MIT
"""What unit tests need on both Pythons: `from tests.helpers.agent.both import ...`.

A unit test is a plain function test_*() with bare asserts, without pytest: CPython runs it under pytest, MicroPython
under run_micropython.py. A test module may set HEAP = "512k" (MicroPython's heap, its -X heapsize), TIMEOUT = 300
(seconds for the whole file there), ALONE = True (each of its tests gets an interpreter of its own, because an earlier test
leaves the heap in a state that differs from run to run), IMAGE = True (agent and hal as an image has them: bytecode that is
mapped into memory, not in the heap) and PYTHONS = ("cpython",) or ("micropython",) for one Python only.
"""

import os
import sys

MICROPYTHON = sys.implementation.name == "micropython"
ROOT = __file__.rsplit("/tests/", 1)[0]

_paths = [0]


def crypto():
    """The crypto part of this Python's HAL: libphonetrust on MicroPython; on CPython as PHONETRUST_CRYPTO says."""
    if MICROPYTHON:
        from hal.device import crypto as make
    else:
        from hal.host import crypto as make
    return make()


def raises(error, call, *args, **kw):
    """Call it and return the exception of class `error` that it must raise; other exceptions pass through."""
    try:
        value = call(*args, **kw)
    except error as found:
        return found
    raise AssertionError("no %s, but a result: %r" % (error.__name__, value))


def run(coroutine):
    """The result of a coroutine over the fake HAL, whose awaitables finish at once: no loop is needed for it."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    raise AssertionError("this coroutine really waits; a test of that kind needs a loop of asyncio")


def vector(name, folder="vectors"):
    """The bytes of a file in tests/vectors, or in another folder of tests/."""
    with open("%s/tests/%s/%s" % (ROOT, folder, name), "rb") as file:
        return file.read()


def own_vector(name):
    """The bytes of a file in tests/vectors_own."""
    with open(ROOT + "/tests/vectors_own/" + name, "rb") as file:
        return file.read()


def temporary_path():
    """A new path at each call, where no file is yet, in a folder that is removed after the tests."""
    folder = os.getenv("PHONETRUST_TEST_FOLDER")
    assert folder, "PHONETRUST_TEST_FOLDER names the folder for temporary files; tests/conftest.py sets it"
    while True:
        _paths[0] += 1
        path = "%s/%s-%d" % (folder, sys.implementation.name, _paths[0])
        try:
            os.stat(path)  # each MicroPython starts counting anew
        except OSError:
            return path
