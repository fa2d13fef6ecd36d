"""A fault planted into the making of an edit never leaves: the mail goes out with fields only.

Both proofs are the real ones. Each fault stands for a class: octets that change without any edit, an
edit that takes something away, one in the wrong part, one that cuts a part, one without a banner.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from milter.act import insert, render
from milter.act.sites import Site
from milter.act.transfer import Words, placed
from milter.mail.edit import BannerOutcome, Edit, SpliceBody, apply_edits
from milter.mail.reading import Facts, IntegrityReport
from milter.ports import Examined
from milter.read.integrity import verify
from milter.read.message_reader import read_message
from tests.unit.test_pipeline import TAG, Readers, run, transaction

HEADER = (
    b"From: x@gmail.com\r\nTo: a@org.test\r\nSubject: s\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
)
BODY = (
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello there, an offer.\r\n--b\r\n"
    b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    b"JVBERi0xLjcK\r\n--b--\r\n"
)
RAW = HEADER + BODY


class ProvingReaders(Readers):
    """Readers that find the places of this mail, and whose second look is the real one."""

    async def examine(self, raw: bytes, facts: Facts, deadline: float) -> Examined:
        examined = await super().examine(raw, facts, deadline)
        sites = read_message(raw, facts).edit_sites
        return replace(examined, reading=replace(examined.reading, edit_sites=sites))

    async def verify(
        self, original: bytes, edited: bytes, facts: Facts, deadline: float
    ) -> IntegrityReport:
        self.verified += 1
        return verify(original, edited, facts)


def octets_changed(edited: bytes) -> bytes:
    return edited.replace(b"JVBERi0xLjcK", b"JVBERi0xLjdK")


def last_part_lost(edited: bytes) -> bytes:
    return edited[: edited.index(b"--b\r\nContent-Type: application/pdf")] + b"--b--\r\n"


def end_lost(edited: bytes) -> bytes:
    return edited[:-4]


def takes_away(edit: SpliceBody) -> SpliceBody:
    return replace(edit, removed=b"Hello")


def in_the_wrong_part(edit: SpliceBody) -> SpliceBody:
    return replace(edit, start=RAW.index(b"JVBERi"))


def in_the_middle_of_a_word(edit: SpliceBody) -> SpliceBody:
    return replace(edit, start=RAW.index(b"llo there"), removed=b"l")


def cuts_the_part(edit: SpliceBody) -> SpliceBody:
    return replace(edit, octets=edit.octets + b"--b\r\n\r\n")


def without_a_banner(edit: SpliceBody) -> SpliceBody:
    return replace(edit, octets=b"Hello again.\r\n")


async def assert_nothing_of_it_leaves() -> Readers:
    readers = ProvingReaders(TAG)
    _, planned = await run(readers, what=replace(transaction(), raw=RAW))
    (_, acted), *_ = planned.acted
    assert acted.banner is BannerOutcome.INTEGRITY
    assert acted.problem
    raw = planned.plan.groups[0].raw
    assert raw.endswith(b"\r\n" + RAW)
    assert b"X-Lurewall-Integrity: body=untouched; banner=integrity\r\n" in raw
    return readers


@pytest.mark.parametrize("fault", [octets_changed, last_part_lost, end_lost])
async def test_octets_that_change_without_an_edit(
    fault: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(raw: bytes, edits: Sequence[Edit]) -> bytes:
        edited = apply_edits(raw, edits)
        return fault(edited) if any(isinstance(edit, SpliceBody) for edit in edits) else edited

    monkeypatch.setattr(render, "apply_edits", faulty)
    readers = await assert_nothing_of_it_leaves()
    assert readers.verified == 0


@pytest.mark.parametrize(
    "fault",
    [takes_away, in_the_wrong_part, in_the_middle_of_a_word, cuts_the_part, without_a_banner],
)
async def test_edits_that_do_more_than_insert_a_banner(
    fault: Callable[[SpliceBody], SpliceBody], monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(raw: bytes, site: Site, words: Words) -> SpliceBody | BannerOutcome:
        edit = placed(raw, site, words)
        assert isinstance(edit, SpliceBody)
        return fault(edit)

    monkeypatch.setattr(insert, "placed", faulty)
    readers = await assert_nothing_of_it_leaves()
    assert readers.verified == 1


async def test_without_a_fault_the_banner_is_in() -> None:
    readers = ProvingReaders(TAG)
    _, planned = await run(readers, what=replace(transaction(), raw=RAW))
    assert b"[lw:" in planned.plan.groups[0].raw
    assert (planned.acted[0][1].banner, planned.acted[0][1].problem) == (BannerOutcome.INSERTED, "")
