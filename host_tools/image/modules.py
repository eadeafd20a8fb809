# SPDX-License-Identifier: MIT
"""The kernel modules that a board needs, with all that those need, and the index by which modprobe loads them."""

import lzma
import pathlib
import tempfile

from host_tools.image import programs
from host_tools.image.errors import ImageError


def collect(packages, version, wanted):
    """-> {path in the image: bytes} for the `wanted` modules of this kernel, unpacked, and their modules.dep."""
    files = {}
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        base = root / "lib/modules" / version
        for module in closure(packages, version, wanted):
            content = module.read_bytes()
            if module.suffix == ".xz":
                content = lzma.decompress(content)
            inside = module.relative_to(packages / "lib/modules" / version).with_name(module.name.removesuffix(".xz"))
            (base / inside).parent.mkdir(parents=True, exist_ok=True)
            (base / inside).write_bytes(content)
            files[f"lib/modules/{version}/{inside}"] = content
        for listing in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
            (base / listing).write_bytes((packages / "lib/modules" / version / listing).read_bytes())
        programs.run("depmod", "-b", root, version)
        for listing in ("modules.dep", "modules.alias", "modules.softdep", "modules.builtin"):
            files[f"lib/modules/{version}/{listing}"] = (base / listing).read_bytes()
    return files


def closure(packages, version, wanted):
    """The files of the `wanted` modules and of all they depend on, each once, in the order of loading."""
    found = []
    for module in wanted:
        try:
            shown = programs.run("modprobe", "-d", packages, "-S", version, "--show-depends", module).decode()
        except ImageError as error:
            raise ImageError(f"the kernel {version} has no module '{module}' ({error})") from error
        for line in shown.splitlines():
            kind, _, path = line.partition(" ")
            path = pathlib.Path(path.split()[0]) if kind == "insmod" else None
            if path is not None and path not in found:
                found.append(path)
    return found
