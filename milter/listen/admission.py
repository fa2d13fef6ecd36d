"""Who may connect, and how many octets of messages may be in memory at once.

One `Admission` serves all listeners of a process. It decides before any work is done; the listener
answers 421 4.7.0 or 452 4.3.1. Addresses of an MTA of our own are not counted one by one: all of
its mail comes from one address.
"""

from collections import Counter
from dataclasses import dataclass

from milter.listen.peers import network_of
from milter.listen.refusal import RefusalReason


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionLimits:
    """Connections at the same time, and octets of messages in memory over all connections."""

    connections: int = 500
    connections_per_address: int = 50
    connections_per_network: int = 100
    bytes_in_flight: int = 500_000_000


class Admission:
    """Counts what is there now; nothing in here grows beyond the connections that are open."""

    def __init__(self, limits: AdmissionLimits) -> None:
        self._limits = limits
        self._connections = 0
        self._of_address: Counter[str] = Counter()
        self._of_network: Counter[str] = Counter()
        self._bytes = 0

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        return self._connections

    @property
    def bytes_in_flight(self) -> int:
        """Octets of messages in memory now."""
        return self._bytes

    def enter(self) -> bool:
        """Count a connection; False, and not counted, if there are too many."""
        if self._connections >= self._limits.connections:
            return False
        self._connections += 1
        return True

    def leave(self) -> None:
        """The end of a connection that entered."""
        self._connections -= 1

    def enter_address(self, address: str) -> RefusalReason | None:
        """Count a client by address and by network prefix; a reason, and not counted, if full."""
        network = network_of(address)
        if self._of_address[address] >= self._limits.connections_per_address:
            return RefusalReason.CONNECTIONS_OF_ADDRESS
        if self._of_network[network] >= self._limits.connections_per_network:
            return RefusalReason.CONNECTIONS_OF_NETWORK
        self._of_address[address] += 1
        self._of_network[network] += 1
        return None

    def leave_address(self, address: str) -> None:
        """The end of a connection whose address was counted."""
        for counter, key in ((self._of_address, address), (self._of_network, network_of(address))):
            counter[key] -= 1
            if counter[key] <= 0:
                del counter[key]

    def reservation(self) -> "Reservation":
        """An empty share of the octets in flight."""
        return Reservation(self)

    def _grow(self, octets: int) -> bool:
        if self._bytes + octets > self._limits.bytes_in_flight:
            return False
        self._bytes += octets
        return True


class Reservation:
    """One message's share of the octets in flight."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._bytes = 0

    def grow_to(self, octets: int) -> bool:
        """Make sure of at least so many octets; False, and nothing changes, if there is no room."""
        more = octets - self._bytes
        if more <= 0:
            return True
        if not self._admission._grow(more):
            return False
        self._bytes = octets
        return True

    def release(self) -> None:
        """Give everything back."""
        self._admission._grow(-self._bytes)
        self._bytes = 0
