# SPDX-License-Identifier: MIT
"""Runs tests/unit modules inside MicroPython: run_micropython.py MODULE [TEST...] (all tests without names).

tests/conftest.py starts it and reads its result lines: "##result " and a JSON object with name, ok, milliseconds and
the traceback. Output of the tests is between these lines. Exit status 1 where one failed.
PHONETRUST_TEST_SOFTWARE names a file to map into memory, whose agent and hal are then tested.
By hand: MICROPYPATH=. host_tools/setup/micropython tests/unit/run_micropython.py test_tlv
"""

import io
import json
import os
import sys
import time


def run(name, test):
    """Run one test; its result as a dict."""
    start = time.ticks_ms()
    text = ""
    try:
        test()
    except Exception as error:
        stream = io.StringIO()
        sys.print_exception(error, stream)
        text = stream.getvalue()
    took = time.ticks_diff(time.ticks_ms(), start)
    return {"name": name, "ok": not text, "milliseconds": took, "text": text}


def main(arguments):
    """Run a module's tests in the order of their names; the exit status."""
    software = os.getenv("PHONETRUST_TEST_SOFTWARE")
    if software:
        from boards.start import mount

        mount(software)
    name = "tests.unit." + arguments[0]
    __import__(name)
    module = sys.modules[name]
    tests = arguments[1:] or [each for each in sorted(dir(module)) if each.startswith("test_")]
    failed = 0
    for each in tests:
        result = run(each, getattr(module, each))
        failed += not result["ok"]
        print("##result " + json.dumps(result))
    return 1 if failed else 0


sys.exit(main(sys.argv[1:]))
