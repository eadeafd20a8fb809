# SPDX-License-Identifier: MIT
"""Makes loads/ anew, with new keys that nobody keeps: python -m tests.vectors_own.make_loads

Small loads for the board rpi3 with everything that a real one has (signed file, FIT, its signature) but a system that runs.
maker.der and spare.der are the certificates of the image keys that tests give the phone; stranger signed one load.

new.sgn     phonetrust-rpi3-0.2.0, of three pieces of flash    spare.sgn   phonetrust-rpi3-0.3.0, by the spare key
old.sgn     phonetrust-rpi3-0.0.9, below the floor             stranger.sgn, board.sgn, inside.sgn, format.sgn, text.sgn:
            phonetrust-rpi3-0.2.0 by another key; of another board; of another name inside; of format 2; no image at all
itl.tlv     of a cluster; NAME.cnf.xml.sgn: configurations of that cluster for SEP00270DC01C92 that name a load
"""

import random
import tempfile
from pathlib import Path

from host_tools.image import board as boards
from host_tools.image import bootloader, fit, keys, load
from host_tools.lab.model.keys import KeyMaker, make_identity
from host_tools.lab.writers import files as signed_files

FOLDER = Path(__file__).resolve().parent / "loads"
NAME = "phonetrust-rpi3-0.2.0"
CONFIGURATION = "SEP00270DC01C92.cnf.xml.sgn"
TIMESTAMP = 1767225600  # 2026-01-01
CONFIGURATIONS = {
    "none": "<loadInformation></loadInformation>",
    "same": "<loadInformation>phonetrust-rpi3-0.1.0</loadInformation>",
    "new": "<loadInformation>phonetrust-rpi3-0.2.0</loadInformation>",
    "spare": "<loadInformation>phonetrust-rpi3-0.3.0</loadInformation>",
    "old": "<loadInformation>phonetrust-rpi3-0.0.9</loadInformation>",
    "board": "<loadInformation>phonetrust-rpi4-0.2.0</loadInformation>",
    "strange": "<loadInformation>sip88xx.14-2-1-0101-1</loadInformation>",
    "server": "<loadInformation>phonetrust-rpi3-0.2.0</loadInformation><loadServer>192.0.2.2</loadServer>",
    "bad-server": "<loadInformation>phonetrust-rpi3-0.2.0</loadInformation><loadServer>a b</loadServer>",
}


def main():
    """Write the files."""
    tools = bootloader.tools(boards.TOP, print)
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        names = ("maker", "spare", "stranger")
        maker, spare, stranger = (keys.new(Path(folder) / name, f"test {name}") for name in names)
        big, small = random.Random(1).randbytes(130000), random.Random(2).randbytes(3000)

        def image(version, board="rpi3", name=None, key=maker, kernel=small):
            facts = fit.Facts(name or load.name("rpi3", version), board, version, f"{version}+test", "6.12", 0x00200000)
            return fit.make(tools, facts, kernel, small[:1000], key)

        good = image("0.2.0")
        at = fit.parse(good).properties["/phonetrust,format"][0]
        other_format = good[:at] + b"\0\0\0\2" + good[at + 4 :]
        files = {
            "new": load.sign(NAME, image("0.2.0", kernel=big), maker),
            "spare": load.sign("phonetrust-rpi3-0.3.0", image("0.3.0", key=spare), spare),
            "old": load.sign("phonetrust-rpi3-0.0.9", image("0.0.9"), maker),
            "stranger": load.sign(NAME, image("0.2.0", key=stranger), stranger),
            "board": load.sign(NAME, image("0.2.0", board="rpi4"), maker),
            "inside": load.sign(NAME, image("0.4.0", name="phonetrust-rpi3-0.4.0"), maker),
            "format": load.sign(NAME, other_format, maker),
            "text": load.sign(NAME, b"no boot image, however long it may be and whoever signed it", maker),
        }
        for name, data in files.items():
            (FOLDER / f"{name}.sgn").write_bytes(data)
        sast = make_identity("loads-recovery", KeyMaker().rsa())
        tftp = make_identity("loads-tftp", KeyMaker().rsa())
        records = [signed_files.record(sast.certificate, signed_files.SAST)]
        records += [signed_files.record(tftp.certificate, signed_files.CCM_TFTP)]
        itl = signed_files.trust_list(signed_files.ITL_NAME, sast, records, TIMESTAMP)
        (FOLDER / "itl.tlv").write_bytes(itl)
        for number, (name, lines) in enumerate(CONFIGURATIONS.items(), 1):
            body = f"<device><fullConfig>true</fullConfig>{lines}</device>".encode()
            signed = signed_files.signed_file(CONFIGURATION, body, tftp, TIMESTAMP + number)
            (FOLDER / f"{name}.cnf.xml.sgn").write_bytes(signed)
        for name, key in (("maker", maker), ("spare", spare)):
            (FOLDER / f"{name}.der").write_bytes(key.der)


if __name__ == "__main__":
    main()
