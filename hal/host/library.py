# SPDX-License-Identifier: MIT
"""The binding of libphonetrust on CPython for hal/native.py, by cffi in ABI mode, which needs no compiler on the PC.

Importing cffi and reading the declarations takes 30 to 50 ms, so both happen only when the library is opened.
"""

import os
import platform
from pathlib import Path

ENVIRONMENT = "PHONETRUST_LIBRARY"

# A handle has its own type, because cffi would accept bytes for a void * of C.
C_TYPES = {
    "i": "int",
    "n": "size_t",
    "h": "struct handle *",
    "b": "const uint8_t *",
    "o": "void *",
    "z": "void *",
    "s": "const char *",
    "v": "void",
}


def library_path():
    """The path of libphonetrust: $PHONETRUST_LIBRARY, else the file that `make native` builds. It need not exist."""
    named = os.environ.get(ENVIRONMENT)
    if named:
        return Path(named)
    return Path(__file__).resolve().parent.parent.parent / "build" / "native" / platform.machine() / "libphonetrust.so"


class Binding:
    """The binding for the library at `path`. Raises OSError if the library is missing or cannot be loaded."""

    def __init__(self, path):
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(2, "no such library", str(path))
        import cffi

        self._ffi = cffi.FFI()
        self._library = self._ffi.dlopen(str(path))
        self._ffi.cdef("struct handle;")
        self._declared = {}

    def declare(self, functions):
        """Declare functions: [(name, result, arguments)]. They are declared together, because each call of cffi's parser takes
        time. Functions that another part of the HAL has declared already are left out."""
        wanted = {
            name: f"{C_TYPES[result]} phonetrust_{name}({', '.join(C_TYPES[kind] for kind in kinds) or 'void'});"
            for name, result, kinds in functions
            if name not in self._declared
        }
        self._ffi.cdef("".join(wanted.values()))
        self._declared.update(wanted)

    def function(self, name, result, arguments):
        """A callable for one function, as hal/native.py describes it. Raises OSError if the library has no such function."""
        ffi, null, from_buffer = self._ffi, self._ffi.NULL, self._ffi.from_buffer
        try:
            raw = getattr(self._library, "phonetrust_" + name)
        except AttributeError as error:
            raise OSError(8, f"not libphonetrust, or an old one: {error}") from None
        readers = [index for index, kind in enumerate(arguments) if kind == "b"]
        writers = [index for index, kind in enumerate(arguments) if kind == "o"]
        nulls = [index for index, kind in enumerate(arguments) if kind == "z"]
        count = len(arguments)

        # cffi itself refuses numbers out of range and arguments of a wrong type.
        def call(*values):
            if len(values) != count:
                raise TypeError(f"phonetrust_{name} takes {count} arguments, not {len(values)}")
            values = list(values)
            try:
                for index in readers:
                    if type(values[index]) is not bytes:
                        values[index] = from_buffer("uint8_t[]", values[index])
                for index in writers:
                    values[index] = from_buffer("uint8_t[]", values[index], True)
                for index in nulls:
                    if values[index] is not None:
                        raise TypeError(f"phonetrust_{name}: argument {index} is always None")
                    values[index] = null
                return raw(*values)
            except BufferError as error:
                raise TypeError(f"phonetrust_{name}: {error}") from None
            except OverflowError as error:
                raise ValueError(f"phonetrust_{name}: {error}") from None

        if result == "s":
            return lambda *values: ffi.string(call(*values)).decode()  # pyright: ignore[reportAttributeAccessIssue]
        if result == "h":

            def handle(*values):
                found = call(*values)
                return None if found == null else found

            return handle
        return call
