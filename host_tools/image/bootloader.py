# SPDX-License-Identifier: MIT
"""U-Boot for a board: built from Debian's source package with our fragment and our start script, kept in build/u-boot.

The same source, fragment, script and layout give the same bytes. The keys that U-Boot believes are not in it. They are in
the device tree (host_tools/image/fit.py, trust), which the board's firmware hands to U-Boot.
"""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from host_tools.image import fat, programs
from host_tools.image.errors import ImageError

SOURCES = pathlib.Path(__file__).parent / "uboot"
# The words of the stored environment that count ("w": may be taken from there); boot.cmd describes them.
WORDS = ("slot", "upgrade_available", "bootcount", "rolled_back")
# Definitions that Kconfig has no line for. A card behind PCI must be there before the environment is read from it.
DEFINES = {"qemu_arm64_defconfig": "-DCONFIG_SYS_EARLY_PCI_INIT"}
SECTOR = 512
TOOLS_FRAGMENT = "# CONFIG_LOCALVERSION_AUTO is not set\n# CONFIG_TOOLS_MKEFICAPSULE is not set\n"
CROSS = "aarch64-linux-gnu-"
VERSION = "2025.01"  # host_tools/setup/fetch-uboot.sh takes no other
TOOLS = ("mkimage", "fdt_add_pubkey", "fit_check_sign")


def tools(top, report):
    """The folder of U-Boot's programs for the PC (TOOLS). ImageError where they cannot be built."""
    return _kept(top, "tools-only_defconfig", TOOLS_FRAGMENT, "tools-only", TOOLS, report)


def build(board, top, report):
    """U-Boot's bytes for `board` (its [uboot] and [image]). ImageError where it cannot be built."""
    name = board.uboot.configuration
    fragment = "".join((SOURCES / file).read_text() for file in ("fragment.config", f"{name}.config"))
    folder = _kept(top, name, fragment + layout_fragment(board), "u-boot.bin", ("../u-boot.bin",), report)
    return (folder / "u-boot.bin").read_bytes()


def _kept(top, configuration, fragment, target, results, report):
    """The folder in build/u-boot with the results of this build; it is built where it is missing."""
    source = top / "build/u-boot/source"
    if not (source / ".fetched").is_file():
        _fetch(top, report)
    key = hashlib.sha256()
    defines = DEFINES.get(configuration, "")
    for part in ((source / ".fetched").read_text(), configuration, fragment, CROSS, *results, *defines.split()):
        key.update(part.encode() + b"\0")
    kept = top / "build/u-boot" / f"{configuration}-{key.hexdigest()[:12]}"
    if not kept.is_dir():
        report(f"building U-Boot ({target})")
        _build(source, configuration, fragment, defines, target, results, kept)
    return kept


def layout_fragment(board):
    """The lines of the configuration that follow from the board's layout."""
    copies = board.image.environment_offsets()
    command = start_command(board).replace("\\", "\\\\").replace('"', '\\"')
    return (
        f"CONFIG_SYS_MMC_ENV_DEV={board.uboot.card}\n"
        f"CONFIG_ENV_OFFSET={copies[0]:#x}\nCONFIG_ENV_OFFSET_REDUND={copies[1]:#x}\n"
        f'CONFIG_BOOTCOMMAND="{command}"\n'
    )


def start_command(board):
    """boot.cmd as one line, with the board's numbers."""
    first, second = board.image.slot_offsets()
    values = {
        "SLOT_A": f"{first // SECTOR:x}",
        "SLOT_B": f"{second // SECTOR:x}",
        "DEVICE": str(board.uboot.card),
        "ADDRESS": f"{board.uboot.address:x}",
        "LIMIT": f"{board.image.slot_size():#x}",
    }
    lines = (SOURCES / "boot.cmd").read_text().splitlines()
    line = " ".join(text.strip() for text in lines if text.strip() and not text.startswith("#"))
    return re.sub(r"@(\w+)@", lambda found: values[found[1]], line)


def _fetch(top, report):
    report("fetching the source of U-Boot")
    done = subprocess.run(
        [top / "host_tools/setup/fetch-uboot.sh"], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise ImageError(f"the source of U-Boot could not be fetched: {said[-1]}")


def _build(source, configuration, fragment, defines, target, results, kept):
    for program in (f"{CROSS}gcc", "make", "bison", "flex", "bc"):
        programs.find(program)
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=f".{kept.name}.") as name:
        folder = pathlib.Path(name)
        output = folder / "output"
        (folder / "fragment").write_text(fragment)
        _make(source, output, configuration, defines)
        with open(output / ".config", "a", encoding="utf-8") as file:
            file.write(fragment)  # the last line about a symbol counts
        _make(source, output, "olddefconfig", defines)
        _check_configuration(output / ".config", fragment)
        _make(source, output, target, defines)
        finished = folder / "finished"
        finished.mkdir()
        for result in results:
            built = output / "tools" / result
            shutil.copy(built, finished / built.name)
        try:
            finished.rename(kept)
        except OSError:  # another build was quicker
            if not kept.is_dir():
                raise


def _make(source, output, target, defines):
    source, output = (
        source.resolve(),
        output.resolve(),
    )  # make passes such paths on; -ffile-prefix-map removes them from the result
    words = ",".join(f"{word}:sw" for word in WORDS)
    names = f"-ffile-prefix-map={output}=. -ffile-prefix-map={source}=."
    command = [
        programs.find("make"), "-s", "-C", source, f"O={output}", f"CROSS_COMPILE={CROSS}", "NO_PYTHON=1", "LOCALVERSION=",
        f'KCPPFLAGS={defines} -DCFG_ENV_FLAGS_LIST_STATIC=\\"{words}\\" {names}',
        f"-j{os.cpu_count() or 1}", target,
    ]  # fmt: skip
    environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    environment |= {"LC_ALL": "C.UTF-8", "TZ": "UTC", "SOURCE_DATE_EPOCH": str(fat.TIME)}
    done = subprocess.run(
        [str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, env=environment, check=False
    )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        told = [line for line in said if "error" in line.lower() or "***" in line] or said[-1:] or ["make failed"]
        raise ImageError(f"U-Boot could not be built: {told[0].strip()}")


def _check_configuration(path, fragment):
    """Check that each line of the fragment arrived, because Kconfig silently drops what it does not know."""
    found = set(path.read_text().splitlines())
    for line in fragment.splitlines():
        if line.startswith("# CONFIG_") and line.endswith(" is not set"):
            name = line.split()[1]
            if any(other.startswith(f"{name}=") for other in found):
                raise ImageError(f"U-Boot's configuration: {name} could not be switched off")
        elif line.startswith("CONFIG_") and line not in found:
            raise ImageError(f"U-Boot's configuration did not take: {line[:120]}")
