"""Loopback ports for the servers that tests start: each is given once, and to one test process.

A server listens on its port some time after it was chosen, and leaves it while it is started anew.
In that time no other server of the tests may be given the port, in this process or in another.
"""

import os
import secrets
import socket

# Below the ports that Linux gives to outgoing connections: one of those could take a port that was
# free a moment ago before the server that shall have it is up.
_PORTS = range(20_000, 32_000)


def _ports_of_this_process() -> list[int]:
    """The share of this test process among those that run side by side, in a random order."""
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ports = list(_PORTS[number % count :: count])
    secrets.SystemRandom().shuffle(ports)
    return ports


_left = _ports_of_this_process()


def free_port() -> int:
    """A port that nobody listens on and that was not given before."""
    while True:
        port = _left.pop()
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
