"""Sealed files open only whole, under their own name, with their own key."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milter.adapters.hold_files import shared_tail
from milter.adapters.sealed_file import SealBroken, SealingKey, read_sealed, write_sealed

KEY = SealingKey(bytes(range(32)))
CHUNK = 1 << 20


def sealed(*sections: tuple[int, bytes], name: str = "name") -> bytes:
    file = io.BytesIO()
    write_sealed(file, KEY, name, sections)
    return file.getvalue()


def opened(octets: bytes, kind: int, name: str = "name", key: SealingKey = KEY) -> bytes:
    return read_sealed(io.BytesIO(octets), key, name, kind)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_any_size_comes_back(size: int) -> None:
    content = bytes(size)
    octets = sealed((1, content), (2, b"second"), (3, content))
    assert opened(octets, 1) == content
    assert opened(octets, 2) == b"second"
    assert opened(octets, 3) == content


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=4), st.data())
def test_a_changed_octet_never_goes_unnoticed(contents: list[bytes], data: st.DataObject) -> None:
    octets = bytearray(sealed(*enumerate(contents)))
    place = data.draw(st.integers(0, len(octets) - 1))
    octets[place] ^= data.draw(st.integers(1, 255))
    noticed = False
    for kind, content in enumerate(contents):
        try:
            assert opened(bytes(octets), kind) == content
        except SealBroken:
            noticed = True
    assert noticed


@given(st.binary(max_size=300), st.integers(0, 400))
def test_a_cut_file_never_opens(content: bytes, keep: int) -> None:
    octets = sealed((1, content))
    with pytest.raises(SealBroken):
        opened(octets[: min(keep, len(octets) - 1)], 1)


def test_chunks_cannot_be_reordered_dropped_or_ended_early() -> None:
    content = b"a" * CHUNK + b"b" * CHUNK + b"c" * CHUNK
    octets = sealed((1, content))
    head, step = octets[:37], CHUNK + 16
    first, second, third = (octets[37 + step * at : 37 + step * (at + 1)] for at in range(3))
    shorter = head[:29] + (2 * CHUNK).to_bytes(8, "big")
    for forged in (head + second + first + third, head + first + third, shorter + first + second):
        with pytest.raises(SealBroken):
            opened(forged, 1)


@pytest.mark.parametrize(
    ("name", "key", "words"),
    [
        ("other", KEY, "changed"),
        ("name", SealingKey(bytes(32)), "another key"),
    ],
)
def test_name_and_key_must_fit(name: str, key: SealingKey, words: str) -> None:
    with pytest.raises(SealBroken, match=words):
        opened(sealed((1, b"x")), 1, name=name, key=key)


def test_a_section_cannot_stand_for_another() -> None:
    octets = bytearray(sealed((1, b"x")))
    octets[28] = 2
    with pytest.raises(SealBroken, match="changed"):
        opened(bytes(octets), 2)


def test_what_is_no_sealed_file_is_said() -> None:
    for octets in (b"", b"LWS1", b"Subject: x\r\n\r\nlong enough to be one"):
        with pytest.raises(SealBroken, match="not a sealed file"):
            opened(octets, 1)


@given(st.binary(max_size=30), st.binary(max_size=30), st.integers(0, 3), st.binary(max_size=9))
def test_a_shared_tail_is_shared(head: bytes, other: bytes, blocks: int, rest: bytes) -> None:
    tail = (rest or b"z") * 4096 * blocks
    first, second = head + tail, other + tail
    length = shared_tail(first, second)
    assert length >= len(tail) // 4096 * 4096
    assert first[len(first) - length :] == second[len(second) - length :]
