# SPDX-License-Identifier: MIT
"""The phone's trust service for Python programs: TrustClient (docs/service.md). Needs nothing but the standard library,
so that trust_client.py can be copied into any program."""

from host_tools.client.trust_client import (
    AgentError,
    AgentGone,
    Decision,
    RequestRefused,
    TrustClient,
    Unsupported,
)

__all__ = ["AgentError", "AgentGone", "Decision", "RequestRefused", "TrustClient", "Unsupported"]
