# SPDX-License-Identifier: MIT
"""What an administrator asks about trust lists: are they healthy, and what differs between two lists?"""
