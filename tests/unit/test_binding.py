# SPDX-License-Identifier: MIT
"""The binding between Python and C, on both Pythons: a wrong call is an exception and never reaches the library."""

import os

from hal.native import ABI, FUNCTIONS, NativeCrypto
from tests.helpers.agent.both import MICROPYTHON, raises, temporary_path

if MICROPYTHON:
    from hal import device

    def binding():
        return device.crypto_binding()
else:
    from hal.host.library import Binding, library_path

    def binding():
        return Binding(library_path())


WRONG = (TypeError, ValueError)


def functions():
    """All functions of a binding by name."""
    made = binding()
    made.declare(FUNCTIONS)
    return dict((name, made.function(name, result, kinds)) for name, result, kinds in FUNCTIONS)


def test_the_number_of_arguments_is_checked():
    calls = functions()
    assert calls["abi"]() == ABI
    for name, _, kinds in FUNCTIONS:
        for count in range(len(kinds) + 3):
            if count != len(kinds):
                raises(TypeError, calls[name], *[0] * count)


def test_the_kind_of_each_argument_is_checked():
    digest = functions()["digest"]
    good = [2, b"abc", 3, 0, 0, bytearray(64), 64]
    assert digest(*good) == 32
    wrong = {
        0: ("2", None, 1 << 31, -(1 << 31) - 1, 2.5, b""),
        1: ("abc", 3, None, [97]),
        2: (-1, 1 << 64, None, "3", b""),
        5: (b"0" * 64, "out", None, 5),
        6: (-1, None),
    }
    for place in wrong:
        for value in wrong[place]:
            arguments = list(good)
            arguments[place] = value
            raises(WRONG, digest, *arguments)
    assert digest(*good) == 32


def test_a_handle_is_what_c_gave():
    calls = functions()
    handle = calls["digest_new"](2)
    assert calls["digest_new"](99) is None
    assert calls["digest_update"](handle, b"abc", 3) == 0
    for wrong in (None, b"handle", "handle", bytearray(200)):
        raises(WRONG, calls["digest_update"], wrong, b"abc", 3)
    calls["digest_free"](handle)


def test_pointers_that_are_always_null_take_nothing_else():
    calls = functions()
    out = bytearray(2560)
    assert calls["make_key"](2, 256, None, None, out, len(out)) > 60
    for wrong in (5, b"x", "x"):
        raises(WRONG, calls["make_key"], 2, 256, wrong, None, out, len(out))


def test_text_comes_back_as_text():
    assert functions()["error_name"](-2) == "malformed"


class OtherInterface:
    """A library of another version."""

    def declare(self, functions):
        pass

    def function(self, name, result, arguments):
        return lambda: ABI + 1


def test_a_library_with_another_interface_is_refused():
    error = raises(OSError, NativeCrypto, OtherInterface())
    assert error.args[0] == 8


def test_a_missing_library_and_a_file_that_is_no_library():
    path = temporary_path()
    with open(path, "w") as file:
        file.write("no library")
    for wrong in (path, path + ".so", "/"):
        if MICROPYTHON:
            raises(OSError, device.crypto, wrong)
        else:
            raises(OSError, Binding, wrong)
    os.remove(path)
