"""Listening sockets are bound all or none, and those that stay are handed on."""

import socket

import pytest

from milter.app.sockets import AddressUnavailable, ListenAddress, bind, bind_all

ANY = ListenAddress(host="127.0.0.1", port=0)


def at(listener: socket.socket) -> ListenAddress:
    host, port = listener.getsockname()[:2]
    return ListenAddress(host=host, port=port)


def test_held_sockets_are_handed_on_as_they_are() -> None:
    with bind(ANY) as held:
        sockets = bind_all([at(held)], {at(held): held})
        assert sockets == {at(held): held}


def test_all_or_none_are_bound_and_held_ones_stay_open() -> None:
    with bind(ANY) as held, bind(ANY) as other, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = at(probe)
        probe.close()
        with pytest.raises(AddressUnavailable, match="address already in use"):
            bind_all([at(held), free, at(other)], {at(held): held})
        assert held.fileno() >= 0
        with bind(free) as again:
            assert at(again) == free


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
def test_an_address_that_is_not_ours_is_named(host: str) -> None:
    with pytest.raises(AddressUnavailable, match=host):
        bind(ListenAddress(host=host, port=0))


def test_ipv6_addresses_are_written_in_brackets() -> None:
    assert str(ListenAddress(host="::1", port=25)) == "[::1]:25"
    assert str(ListenAddress(host="127.0.0.1", port=25)) == "127.0.0.1:25"
