"""Tell systemd how the service is (sd_notify(3)); silent where there is no systemd."""

import os
import socket
import time


def notify(*states: str) -> None:
    """Send states such as `READY=1`; an init that does not listen is no reason to stop."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            connection.connect(address)
            connection.sendall("\n".join(states).encode())
    except OSError:
        return


def reloading() -> str:
    """The state that Type=notify-reload asks for: the time stamp tells this reload from others."""
    return f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}"
