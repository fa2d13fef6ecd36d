"""Edits as values: they fit one message only, apply in order, and can be undone."""

import pytest

from milter.mail.edit import (
    BannerOutcome,
    EditError,
    InsertField,
    RemoveField,
    ReplaceField,
    SpliceBody,
    apply_edits,
    remove_edits,
)

RAW = b"A: 1\r\nX: forged\r\nSubject: s\r\n\r\nbody\r\n"
EDITS = (
    InsertField(index=0, start=0, name=b"X-New", value=b" v"),
    RemoveField(name=b"x", occurrence=1, start=6, removed=b"X: forged\r\n"),
    ReplaceField(name=b"Subject", occurrence=1, start=25, removed=b" s", value=b" [t] s"),
    SpliceBody(part="1", start=31, removed=b"bo", octets=b"new bo"),
)


def test_apply_and_remove() -> None:
    edited = apply_edits(RAW, EDITS)
    assert edited == b"X-New: v\r\nA: 1\r\nSubject: [t] s\r\n\r\nnew body\r\n"
    assert remove_edits(edited, EDITS) == RAW


@pytest.mark.parametrize(
    "edits",
    [
        EDITS[::-1],
        (EDITS[1], EDITS[1]),
        (SpliceBody(part="1", start=len(RAW) + 1, removed=b"", octets=b"x"),),
        (SpliceBody(part="1", start=0, removed=b"B", octets=b"x"),),
    ],
)
def test_edits_that_do_not_fit_are_refused(edits: tuple[SpliceBody, ...]) -> None:
    with pytest.raises(EditError):
        apply_edits(RAW, edits)


def test_edits_that_are_not_there_are_not_undone() -> None:
    with pytest.raises(EditError):
        remove_edits(RAW, EDITS)


def test_an_insertion_at_the_very_end_fits() -> None:
    edit = SpliceBody(part="1", start=len(RAW), removed=b"", octets=b"x")
    assert remove_edits(apply_edits(RAW, (edit,)), (edit,)) == RAW


def test_only_some_outcomes_change_octets() -> None:
    assert {outcome for outcome in BannerOutcome if outcome.is_edit} == {
        BannerOutcome.INSERTED,
        BannerOutcome.RELABELLED,
        BannerOutcome.REENCODED,
        BannerOutcome.FALLBACK_TEXT,
    }
