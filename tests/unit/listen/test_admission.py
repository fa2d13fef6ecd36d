"""Counts of connections and octets, and addresses in one spelling."""

from ipaddress import ip_network

import pytest

from milter.listen.admission import Admission, AdmissionLimits
from milter.listen.peers import canonical_address, listed, network_of
from milter.listen.refusal import RefusalReason


def test_nothing_is_left_behind_by_those_who_have_gone() -> None:
    admission = Admission(AdmissionLimits(connections_per_address=1))
    assert admission.enter_address("192.0.2.1") is None
    assert admission.enter_address("192.0.2.1") is RefusalReason.CONNECTIONS_OF_ADDRESS
    admission.leave_address("192.0.2.1")
    assert admission.enter_address("192.0.2.1") is None


def test_a_reservation_grows_only_where_there_is_room_and_is_given_back_once() -> None:
    admission = Admission(AdmissionLimits(bytes_in_flight=10))
    first, second = admission.reservation(), admission.reservation()
    assert first.grow_to(6)
    assert not second.grow_to(5)
    assert second.grow_to(4)
    assert first.grow_to(3)
    assert admission.bytes_in_flight == 10
    first.release()
    first.release()
    assert admission.bytes_in_flight == 4
    assert second.grow_to(10)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.254", True),
        ("192.0.2.1", "192.0.3.1", False),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("unknown", "unknown", True),
        ("unknown", "192.0.2.1", False),
    ],
)
def test_networks(one: str, other: str, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same


@pytest.mark.parametrize(
    ("address", "spelling"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0::1", "2001:db8::1"),
    ],
)
def test_one_spelling(address: str, spelling: str) -> None:
    assert canonical_address(address) == spelling


def test_listed() -> None:
    networks = (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))
    assert listed("192.0.2.9", networks)
    assert listed("2001:db8::9", networks)
    assert not listed("198.51.100.1", networks)
    assert not listed("unknown", networks)
    assert not listed("192.0.2.9", ())
