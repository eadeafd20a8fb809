# SPDX-License-Identifier: MIT
"""A lab cluster: publisher and subscribers with TFTP, TVS, CAPF and an application server, kept in one folder.

Start with :class:`host_tools.lab.model.cluster.Cluster`; :mod:`host_tools.lab.commands.app` is the command line over it.
"""
