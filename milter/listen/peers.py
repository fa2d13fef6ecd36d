"""Addresses of peers: one spelling each, the networks they belong to, the lists they are on."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Networks = tuple[IPv4Network | IPv6Network, ...]


def canonical_address(address: str) -> str:
    """One spelling of an address; IPv4 that a dual-stack socket shows as IPv6 is IPv4 again.

    Raises ValueError for what is no address.
    """
    client = ip_address(address)
    mapped = client.ipv4_mapped if isinstance(client, IPv6Address) else None
    return str(mapped or client)


def listed(address: str, networks: Networks) -> bool:
    """True if the address is in one of the networks; what is no address is in none."""
    if not networks:
        return False
    try:
        client = ip_address(address)
    except ValueError:
        return False
    return any(client in network for network in networks)


def network_of(address: str) -> str:
    """The /24 or /64 of an address, which one owner may hold; what is no address, itself."""
    try:
        client = ip_address(address)
    except ValueError:
        return address
    prefix, bits = (24, 32) if isinstance(client, IPv4Address) else (64, 128)
    return f"{client.version}/{int(client) >> (bits - prefix):x}"
