"""Listening on the path of a Unix socket: rights, dead sockets, and what is in the way."""

import os
import socket
import stat
from pathlib import Path

import pytest

from milter.app.sockets import (
    AddressUnavailable,
    ListenAddress,
    bind,
    bind_all,
    bound_to,
    close_others,
)


def test_a_socket_has_the_mode_that_was_asked_for(tmp_path: Path):
    path = tmp_path / "milter.sock"
    with bind(ListenAddress(path=str(path), mode=0o620)) as listener:
        assert stat.S_IMODE(path.stat().st_mode) == 0o620
        assert bound_to(listener) == str(path)
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(path))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a socket to another group")
def test_a_socket_belongs_to_the_group(tmp_path: Path):
    path = tmp_path / "milter.sock"
    with bind(ListenAddress(path=str(path), group="mail")):
        assert path.group() == "mail"


def test_a_dead_socket_is_replaced_and_a_living_one_is_not(tmp_path: Path):
    path = tmp_path / "milter.sock"
    address = ListenAddress(path=str(path))
    bind(address).close()
    with bind(address), pytest.raises(AddressUnavailable, match="in use"):
        bind(address)


def test_a_socket_whose_owner_is_busy_is_in_use(tmp_path: Path):
    """Asked in the ordinary way it would let us wait for ever."""
    path = str(tmp_path / "milter.sock")
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as first:
        busy.bind(path)
        busy.listen(0)
        first.connect(path)
        with pytest.raises(AddressUnavailable, match="in use"):
            bind(ListenAddress(path=path))


def test_a_reload_gives_the_socket_that_is_kept_its_new_rights(tmp_path: Path):
    path = tmp_path / "milter.sock"
    old = ListenAddress(path=str(path), mode=0o600)
    with bind(old) as listener:
        new = ListenAddress(path=str(path), mode=0o666)
        assert bind_all([new], {old: listener}) == {new: listener}
        assert stat.S_IMODE(path.stat().st_mode) == 0o666
        close_others({old: listener}, kept={new: listener})
        assert listener.fileno() >= 0
        with pytest.raises(AddressUnavailable, match="no-such-group"):
            bind_all([ListenAddress(path=str(path), group="no-such-group")], {old: listener})


def test_a_file_in_the_way_stays(tmp_path: Path):
    path = tmp_path / "milter.sock"
    path.write_text("precious")
    with pytest.raises(AddressUnavailable, match="no socket"):
        bind(ListenAddress(path=str(path)))
    assert path.read_text() == "precious"


def test_an_unknown_group_and_a_missing_folder_are_said(tmp_path: Path):
    with pytest.raises(AddressUnavailable, match="nobody-has-this"):
        bind(ListenAddress(path=str(tmp_path / "a.sock"), group="nobody-has-this"))
    with pytest.raises(AddressUnavailable, match=r"b\.sock"):
        bind(ListenAddress(path=str(tmp_path / "missing" / "b.sock")))
