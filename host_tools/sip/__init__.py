# SPDX-License-Identifier: MIT
"""A SIP stack on the PC that uses the phone's key: baresip of Debian trixie (host_tools/setup/sip-phone.sh)."""
