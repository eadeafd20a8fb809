# SPDX-License-Identifier: MIT
"""Clients, servers and keys for the tests of TLS."""
