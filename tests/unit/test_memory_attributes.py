# SPDX-License-Identifier: MIT
"""An element of thousands of attributes, for a phone of 512 KB; in an interpreter of its own, as other phones leave pieces."""

from tests.helpers.agent.both import temporary_path
from tests.helpers.agent.memory_phone import boot, make_hal, make_phone

HEAP = "448k"  # and 64 KB to spare
ALONE = True
IMAGE = True
PYTHONS = ("micropython",)
PLAIN = "SEP00270DC01C92.cnf.xml"


def test_an_attribute_by_attribute_configuration():
    path = temporary_path()
    with open(path, "wb") as file:
        file.write(b"<device><a ")
        for number in range(6000):
            file.write(b"b%d='' " % number)
        file.write(b"/></device>")
    phone = make_phone(make_hal({PLAIN: path}))
    boot(phone)
    decision = phone.history.decisions[-1]
    assert (decision.kind, decision.accepted, decision.reason) == (PLAIN, False, "bad-configuration")
    assert "offset 8: a malformed start tag, or a tag with too many attributes" in decision.text
