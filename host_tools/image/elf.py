# SPDX-License-Identifier: MIT
"""Which shared libraries a program of the packages needs, so that the image gets those and no others."""

import re

from host_tools.image import programs
from host_tools.image.errors import ImageError


def libraries(program, folders):
    """-> {library name: its file} of all that `program` needs, directly or not, looked for in `folders`."""
    found = {}
    waiting = needed(program)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        for folder in folders:
            if (folder / name).is_file():
                found[name] = (folder / name).resolve()
                break
        else:
            raise ImageError(f"{program.name} needs {name}, which none of the packages has")
        waiting.extend(needed(found[name]))
    return found


def needed(program):
    """Names of the libraries that one ELF file asks for."""
    dynamic = programs.run("readelf", "--dynamic", "--wide", program).decode()
    return re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic)
