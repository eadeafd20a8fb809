# SPDX-License-Identifier: MIT
"""The fleet: a CSV file of phones, read row by row, so that memory is the same for ten phones and for a million.
Columns are separated by commas, or by semicolons or tabs, as the first line has them.

    device,model,itl,ctl,servers,online,batch
    SEP00270DC01C92,8861,old/ITLFile.tlv,,1 2,yes,A

Only `device` is needed. itl, ctl: a file, or its SHA-256, SHA-1 or MD5 as hexadecimal digits; empty: the phone has none;
a fleet without a column itl holds what the cluster hands out at the beginning. servers: numbers of the nodes that the phone
reaches, beginning with the node that it fetches from; empty: all. online: yes or no. batch: any word that plans name."""

import csv
import hashlib
import itertools
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from host_tools.plan.errors import PlanError

COLUMNS = ("device", "model", "itl", "ctl", "servers", "online", "batch")
AS_PUBLISHED = "*"  # in place of a list: the list that the cluster hands out at the beginning
_DEVICE = re.compile(r"SEP[0-9A-F]{12}")
_DIGESTS = {32: "md5", 40: "sha1", 64: "sha256"}
_HEX = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}")
_YES = {"": True, "yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
LARGEST_LIST = 1 << 20  # bytes of a file that may be a list; phones take much less
LONGEST = 4096  # characters of a row
_SEPARATORS = ",;\t"  # of columns, as programs for tables write them
_UNREADABLE = re.compile("[\udc80-\udcff]")  # bytes that are no UTF-8, as "surrogateescape" shows them
_UTF16 = ("\udcff\udcfe", "\udcfe\udcff")  # how a file in UTF-16 begins


class FleetError(Exception):
    """The fleet cannot be read at all; the text says why."""


@dataclass(frozen=True)
class Row:
    """A phone, with its text of each column."""

    line: int
    device: str
    model: str
    itl: str
    ctl: str
    servers: tuple
    online: bool
    batch: str


def rows(path, bad):
    """Yields the Rows of a fleet. bad(line, text): a row with a mistake, which is left out; the rest is read.

    A second row with the same device is such a mistake; a file on disk keeps the names meanwhile. FleetError."""
    try:
        if Path(path).is_fifo():
            raise FleetError("this is a pipe; a fleet is read twice, so it must be a file")
        with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            lines = _lines(file, bad)
            first = next(lines, "")
            separator = next((mark for mark in _SEPARATORS if mark in first), ",")
            reader = csv.reader(itertools.chain([first], lines), delimiter=separator)
            header = [name.strip().lower() for name in next(reader, [])]
            _check_header(header)
            with _Names() as names:
                for cells in reader:
                    if not any(cell.strip() for cell in cells):
                        continue
                    try:
                        row = _row(reader.line_num, header, cells)
                        before = names.add(row.device, row.line)
                        if before is not None:
                            raise ValueError(f"{row.device} is in line {before} already")
                    except ValueError as error:
                        bad(reader.line_num, str(error))
                        continue
                    yield row
    except OSError as error:
        raise FleetError(error.strerror or str(error)) from None
    except ValueError as error:  # the path has a NUL
        raise FleetError(str(error)) from None
    except csv.Error as error:
        raise FleetError(f"this is no CSV file: {error}") from None


def _lines(file, bad):
    """The lines of a file. A line without an end does not fill the memory. A bad line goes to `bad` and comes out empty."""
    number = 0
    while line := file.readline(LONGEST):
        number += 1
        if len(line) == LONGEST and not line.endswith(("\n", "\r")):
            raise FleetError(f"line {number} is longer than {LONGEST} characters; this is no fleet")
        wrong = None
        if not line.isascii() and _UNREADABLE.search(line):
            wrong = "it has bytes that are not UTF-8; save the fleet as UTF-8"
        elif line.count('"') % 2:
            wrong = "a quotation mark is not closed in this line"
        if wrong and number == 1:
            raise FleetError(
                "this is UTF-16; save the fleet as UTF-8" if line.startswith(_UTF16) else f"line 1: {wrong}"
            )
        if wrong:
            bad(number, wrong)
        yield "\n" if wrong else line


def _check_header(header):
    if "device" not in header:
        raise FleetError(f"the first line must name the columns, at least device; there are: {', '.join(COLUMNS)}")
    unknown = [name for name in header if name not in COLUMNS]
    if unknown:
        raise FleetError(f"the column {unknown[0]!r} is unknown; there are: {', '.join(COLUMNS)}")
    if len(set(header)) != len(header):
        raise FleetError("a column is there twice")


def _row(line, header, cells):
    if len(cells) != len(header):
        raise ValueError(f"it has {len(cells)} cells, and there are {len(header)} columns")
    cell = dict(zip(header, [text.strip() for text in cells], strict=True))
    device = cell["device"].upper()
    if not _DEVICE.fullmatch(device):
        raise ValueError(f"{cell['device']!r} is no device name such as SEP00270DC01C92")
    online = _YES.get(cell.get("online", "").lower())
    if online is None:
        raise ValueError(f"online is {cell['online']!r}, not yes or no")
    servers = cell.get("servers", "").split()
    if not all(
        server.isascii() and server.isdigit() and len(server) < 3 and 0 < int(server) < 100 for server in servers
    ):
        raise ValueError(f"servers is {cell['servers']!r}, not numbers of nodes such as 1 2")
    itl, ctl = cell.get("itl", AS_PUBLISHED), cell.get("ctl", AS_PUBLISHED)
    return Row(line, device, cell.get("model", ""), itl, ctl, tuple(map(int, servers)), online, cell.get("batch", ""))


class _Names:
    """The names that were read, in a temporary file of SQLite."""

    def __enter__(self):
        self._base = sqlite3.connect("", isolation_level=None)  # "": a temporary file on disk
        self._base.execute("PRAGMA cache_size = -2000")
        self._base.execute("PRAGMA journal_mode = OFF")
        self._base.execute("PRAGMA synchronous = OFF")
        self._base.execute("CREATE TABLE names (name TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")
        self._base.execute("BEGIN")
        return self

    def add(self, name, line):
        """Note a name -> the earlier line that has it, or None."""
        done = self._base.execute("INSERT OR IGNORE INTO names VALUES (?, ?)", (name, line))
        if done.rowcount:
            return None
        return self._base.execute("SELECT line FROM names WHERE name = ?", (name,)).fetchone()[0]

    def __exit__(self, *_):
        self._base.close()


class Lists:
    """Known trust lists by file and by checksum. folder: of known lists, or None. base: the folder of the fleet's files.
    Raises PlanError if the folder cannot be read."""

    def __init__(self, folder, base):
        self._base = Path(base)
        self._known = {}
        self._by_text = {}
        if folder and not Path(folder).is_dir():
            raise PlanError(f"{folder}: there is no such folder of known lists")
        for path in sorted(Path(folder).rglob("*")) if folder else ():
            if path.is_file() and path.stat().st_size <= LARGEST_LIST:
                content = path.read_bytes()
                for digest in _DIGESTS.values():
                    self._known[hashlib.new(digest, content, usedforsecurity=False).hexdigest()] = content

    def find(self, text):
        """The bytes of a list by the text of its cell; None for an empty cell. ValueError says what is wrong."""
        if text in ("", "-"):
            return None
        if text not in self._by_text:
            self._by_text[text] = self._find(text)
        found = self._by_text[text]
        if isinstance(found, str):
            raise ValueError(found)
        return found

    def _find(self, text):
        digits = text.lower().removeprefix("sha256:").removeprefix("sha1:").removeprefix("md5:").replace(":", "")
        if _HEX.fullmatch(digits):
            return self._known.get(
                digits, f"no known list has the checksum {text}; put the list into the folder of --lists"
            )
        try:
            if (self._base / text).is_fifo():
                return f"the list {text} is no file"
            with open(self._base / text, "rb") as file:
                content = file.read(LARGEST_LIST + 1)
        except (OSError, ValueError) as error:
            return f"the list {text} cannot be read: {getattr(error, 'strerror', None) or error}"
        return content if len(content) <= LARGEST_LIST else f"the list {text} has more than {LARGEST_LIST} bytes"
