"""Sockets are bound all or none, and a plan takes from the settings what concerns processes."""

import socket
from pathlib import Path

import pytest

from milter.app.service import plan_service
from milter.app.sockets import AddressUnavailable, ListenAddress, bind, bind_all
from milter.observe.maillog import Addresses
from milter.settings.load import ConfigurationError

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


def test_a_plan_is_made_of_the_settings(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("t0ken\n")
    octets = f"""
        domains = ["example.org"]
        state_dir = "{tmp_path}"
        fronts = 3
        drain_seconds = 7
        [[listen]]
        role = "mx"
        port = 10025
        [next_hop]
        host = "inner.example.org"
        [admin]
        port = 9999
        token_file = "{token}"
        [mail_log]
        addresses = "hash"
    """.encode()
    plan = plan_service(octets, "gateway.toml", address_key=b"k")
    assert plan.configuration == octets
    assert plan.listeners == {"127.0.0.1:10025": ListenAddress(host="127.0.0.1", port=10025)}
    assert plan.admin == ListenAddress(host="127.0.0.1", port=9999)
    assert plan.admin_token == "t0ken"
    assert (plan.fronts, plan.drain_seconds) == (3, 7.0)
    assert plan.mail_log.addresses is Addresses.HASH
    assert plan.mail_log.address_key == b"k"
    assert len(plan.configuration_hash) == 12


def test_a_wrong_configuration_is_refused_whole() -> None:
    with pytest.raises(ConfigurationError):
        plan_service(b"fronts = -1", "gateway.toml")
