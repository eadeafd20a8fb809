# SPDX-License-Identifier: MIT
"""Boot images: kernel and root file system of one board in one signed file that U-Boot checks and starts (FIT).

mkimage writes and signs it. The phone's own reader, agent/formats/fit.py, reads it back.
"""

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from agent.errors import Malformed
from agent.formats import fit as reader
from host_tools.image import fat, programs
from host_tools.image.errors import ImageError

TREE = """/dts-v1/;
/ {{
    description = "{name}";
    #address-cells = <1>;
    phonetrust,format = <{format}>;
    phonetrust,board = "{board}";
    phonetrust,version = "{version}";
    phonetrust,software = "{software}";
    images {{
        kernel {{
            description = "Linux {kernel_version}";
            data = /incbin/("kernel");
            type = "kernel"; arch = "arm64"; os = "linux"; compression = "gzip";
            load = <{address:#x}>; entry = <{address:#x}>;
            hash-1 {{ algo = "sha256"; }};
        }};
        ramdisk {{
            description = "root file system";
            data = /incbin/("ramdisk");
            type = "ramdisk"; arch = "arm64"; os = "linux"; compression = "none";
            hash-1 {{ algo = "sha256"; }};
        }};
    }};
    configurations {{
        default = "conf";
        conf {{
            kernel = "kernel"; ramdisk = "ramdisk";
            signature {{ algo = "sha256,rsa{bits}"; key-name-hint = "{hint}"; sign-images = "kernel", "ramdisk"; }};
        }};
    }};
}};
"""


@dataclasses.dataclass
class Facts:
    """What a boot image is for, and what is in it. name: of the load, "phonetrust-rpi3-0.2.0"; version: "0.2.0"; software:
    version with the digest of the phone's own programs; kernel: version of Linux; address: where it is unpacked to."""

    name: str
    board: str
    version: str
    software: str
    kernel: str
    address: int


def make(tools, facts, kernel, ramdisk, key):
    """A signed boot image's bytes. tools: folder of mkimage; kernel (gzipped) and ramdisk: bytes; key: keys.ImageKey."""
    for text in (facts.name, facts.board, facts.version, facts.software, facts.kernel):
        if not re.fullmatch(r"[A-Za-z0-9._+~-]+", text):
            raise ImageError(f"{text!r} cannot stand in a boot image")
    tree = TREE.format(
        name=facts.name, board=facts.board, version=facts.version, software=facts.software, bits=key.bits, hint=key.hint,
        kernel_version=facts.kernel, address=facts.address, format=reader.THIS_FORMAT,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "image.its").write_text(tree)
        (folder / "kernel").write_bytes(kernel)
        (folder / "ramdisk").write_bytes(ramdisk)
        keys = key_folder(folder / "keys", key)
        run(tools / "mkimage", "-q", "-f", folder / "image.its", "-k", keys, "-r", folder / "image.fit")
        return (folder / "image.fit").read_bytes()


def key_folder(folder, key):
    """A folder with the key under the name that mkimage looks for; links, so that no second copy of it is left."""
    folder.mkdir(mode=0o700)
    (folder / f"{key.hint}.key").symlink_to((key.folder / "image.key").resolve())
    (folder / f"{key.hint}.crt").symlink_to((key.folder / "image.crt").resolve())
    return folder


def trust(tools, tree, keys):
    """A device tree's bytes with the public `keys` (keys.ImageKey): U-Boot then starts only what one of them signed."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path = folder / "tree.dtb"
        path.write_bytes(tree)
        for key in keys:
            certificates = folder / key.hint
            certificates.mkdir()
            (certificates / f"{key.hint}.crt").write_bytes(key.pem)
            algorithm = f"sha256,rsa{key.bits}"
            run(tools / "fdt_add_pubkey", "-a", algorithm, "-k", certificates, "-n", key.hint, "-r", "conf", path)
        # By default U-Boot wants the signatures of all required keys.
        programs.run("fdtput", "-t", "s", path, "/signature", "required-mode", "any")
        return path.read_bytes()


def signed_by(tools, image, tree):
    """Whether a key of the device tree's bytes signed this boot image, checked by U-Boot's own program."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "image").write_bytes(image)
        (folder / "tree").write_bytes(tree)
        command = [tools / "fit_check_sign", "-f", folder / "image", "-k", folder / "tree"]
        done = subprocess.run([str(word) for word in command], capture_output=True, check=False)
        return done.returncode == 0


def parse(image):
    """A boot image's bytes (more may follow) -> agent.formats.fit.Fit. ImageError where it is no boot image."""
    size = int.from_bytes(image[4:8], "big") if image[:4] == reader.MAGIC.to_bytes(4, "big") else len(image)
    try:
        return reader.Fit(lambda offset, count: image[offset : offset + count], min(size, len(image)))
    except Malformed as error:
        raise ImageError(str(error)) from error


def facts_of(found):
    """The Facts of a parsed image. ImageError where one is missing."""
    try:
        texts = [found.text(path) for path in (reader.NAME, reader.BOARD, reader.VERSION, "/phonetrust,software")]
        kernel, address = found.text("/images/kernel/description"), found.number("/images/kernel/load")
    except Malformed as error:
        raise ImageError(str(error)) from error
    if None in texts or kernel is None or address is None:
        raise ImageError("the boot image does not say what it is")
    name, board, version, software = texts
    return Facts(name, board, version, software, kernel.removeprefix("Linux "), address)


def part(image, found, name):
    """The bytes of "kernel" or "ramdisk"."""
    try:
        offset, length = found.properties[f"/images/{name}/data"]
    except KeyError as error:
        raise ImageError(f"the boot image has no {name}") from error
    return image[offset : offset + length]


def run(program, *arguments):
    """Run one of U-Boot's tools. ImageError with its last line of complaint."""
    if not pathlib.Path(program).is_file():
        raise ImageError(f"{program}: is missing; `make clean` and build anew")
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    if shutil.which("dtc", path=path) is None:
        raise ImageError("dtc is not on this machine: it is in Debian's package device-tree-compiler")
    done = subprocess.run(
        [str(program), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, "PATH": path, "LC_ALL": "C.UTF-8", "SOURCE_DATE_EPOCH": str(fat.TIME)},
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        raise ImageError(f"{pathlib.Path(program).name} failed: {said[-1] if said else done.returncode}")
