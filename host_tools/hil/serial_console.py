# SPDX-License-Identifier: MIT
"""labgrid's serial console, recorded."""

import attr
from labgrid.driver import SerialDriver
from labgrid.factory import target_factory

from host_tools.hil.record import Recorded


@target_factory.reg_driver
@attr.s(eq=False)
class RecordedSerialDriver(Recorded, SerialDriver):
    """A SerialDriver whose console goes to build/hil/console-TARGET.log."""
