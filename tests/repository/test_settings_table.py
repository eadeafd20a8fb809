# SPDX-License-Identifier: MIT
"""docs/phone.md has the settings of a phone as agent/settings.py has them.

With PHONETRUST_WRITE_DOCS=1 the table is written anew (make docs)."""

import json
import os
import re
from pathlib import Path

from agent.settings import KEYS

PAGE = Path(__file__).resolve().parents[2] / "docs/phone.md"
TABLE = re.compile(r"(?<=\| key \| default \| what it is for \|\n\| --- \| --- \| --- \|\n)(?:\|.*\n)+")


def row(key):
    """The row of one setting; the example only if it is another value than the default."""
    _, default, example, purpose = KEYS[key]
    usual = "(must be given)" if default is None else f"`{json.dumps(default)}`"
    such = "" if example == default else f"; such as `{json.dumps(example)}`"
    return f"| `{key}` | {usual} | {purpose}{such} |\n"


def test_the_page_of_the_phone_has_the_settings():
    page = PAGE.read_text()
    wanted = "".join(map(row, KEYS))
    if os.environ.get("PHONETRUST_WRITE_DOCS"):
        page = TABLE.sub(lambda _: wanted, page, count=1)
        PAGE.write_text(page)
    assert TABLE.findall(page) == [wanted], "the table of docs/phone.md is not that of agent/settings.py: make docs"
