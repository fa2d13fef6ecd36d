"""The ARC seal on what leaves: when, as what, over what; and as edits like any other."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from milter.act.plan import Acted, ActOptions
from milter.act.seal import SealOptions
from milter.authentication.seal import SealKey
from milter.authentication.signatures import verify_arc
from milter.mail.dns import Question
from milter.mail.edit import InsertField, SealOutcome, remove_edits
from milter.mail.message import scan_header
from milter.mail.reading import ArcChain, AuthResult, Reading
from milter.mail.verdict import Action, Mode
from tests.support.signing import MESSAGE, answers, found, record, rsa_key, sign
from tests.support.suites import seal_once
from tests.unit.act.by_hand import Laid
from tests.unit.act.test_plan import OPTIONS, TOP, act, message, reading

OLD = SealKey(domain="gate.example", selector="old", private=rsa_key(2048, 1))
NEW = SealKey(domain="gate.example", selector="new", private=rsa_key(2048))
SEAL = SealOptions(keys=((date(2027, 1, 1), NEW), (date(2026, 1, 1), OLD)))
DNS = {
    Question("old._domainkey.gate.example", "TXT"): found(record(rsa_key(2048, 1))),
    Question("new._domainkey.gate.example", "TXT"): found(record(rsa_key(2048))),
    Question("seal1._domainkey.gate.example", "TXT"): found(record(rsa_key(2048))),
    **answers(rsa_key(2048)),
}
THEN = datetime(2026, 6, 1, tzinfo=UTC)
RESULTS = (
    AuthResult(
        method="dkim",
        result="pass",
        authserv_id="",
        properties=(("header", "d", "signer.example"),),
    ),
    AuthResult(method="spf", result="fail", authserv_id="", reason='a "quoted"; reason'),
    AuthResult(method="arc", result="none", authserv_id=""),
)


def sealed(
    laid: Laid,
    *,
    options: ActOptions = OPTIONS,
    seal: SealOptions | None = SEAL,
    seen: Reading | None = None,
    verified: tuple[AuthResult, ...] | None = RESULTS,
    at: datetime = THEN,
    action: Action = Action.ANNOTATE,
) -> Acted:
    seen = seen or replace(reading(laid), arc=ArcChain())
    told = replace(options, seal=seal)
    acted = act(laid, options=told, seen=seen, action=action)
    after = acted.sealed(told, reading=seen, verified=verified, received_at=at)
    assert remove_edits(after.raw, after.edits) == laid.raw
    assert after.parts == acted.parts
    return after


def chain(raw: bytes) -> ArcChain:
    return verify_arc(raw, scan_header(raw), DNS, unix_time=int(THEN.timestamp()))


def test_an_edited_message_is_sealed_and_the_seal_verifies() -> None:
    acted = sealed(message())
    assert acted.seal is SealOutcome.SEALED
    found_chain = chain(acted.raw)
    assert (found_chain.result, found_chain.reason) == ("pass", "")
    (one,) = found_chain.sets
    assert (one.domain, one.authserv_id) == ("gate.example", "mx.example.org")
    assert [(each.method, each.result) for each in one.results] == [
        ("dkim", "pass"), ("spf", "fail"), ("arc", "none"),
    ]  # fmt: skip
    assert one.results[1].reason == 'a "quoted"; reason'
    assert acted.raw.startswith(b"ARC-Seal: i=1; ")
    assert max(map(len, acted.raw.partition(b"\r\n\r\n")[0].split(b"\r\n"))) <= 200


def test_it_is_over_what_leaves() -> None:
    acted = sealed(message())
    assert b"X-Lurewall-Verdict" in acted.raw
    assert chain(acted.raw.replace(b"Hello", b"Hullo")).result == "fail"
    assert chain(b"From: x@bank.example\r\n" + acted.raw).result == "fail"
    # What servers behind us add or take out is not in it.
    assert chain(b"Received: from us\r\n" + acted.raw).result == "pass"
    without = acted.raw.replace(b"\r\nX-Lurewall-Id: t-1", b"")
    assert without != acted.raw
    assert chain(without).result == "pass"


def test_the_fields_are_edits_on_top_of_all_others() -> None:
    acted = sealed(message())
    inserts = [edit for edit in acted.edits if isinstance(edit, InsertField)]
    assert [edit.name for edit in inserts[:3]] == [
        b"ARC-Seal", b"ARC-Message-Signature", b"ARC-Authentication-Results",
    ]  # fmt: skip
    assert [edit.index for edit in inserts] == list(range(len(inserts)))
    assert acted.forged_fields == 2


def test_only_what_an_edit_breaks_is_sealed_unless_all_is_wanted() -> None:
    delivered = sealed(message(), action=Action.DELIVER)
    assert delivered.seal is SealOutcome.NOT_EDITED
    assert b"ARC-Seal" not in delivered.raw
    wanted = sealed(message(), action=Action.DELIVER, seal=replace(SEAL, seals_all=True))
    assert wanted.seal is SealOutcome.SEALED
    assert chain(wanted.raw).result == "pass"
    tagged = sealed(message(), options=replace(OPTIONS, banner=False, subject_tag="[offer]"))
    assert tagged.seal is SealOutcome.SEALED
    assert chain(tagged.raw).result == "pass"


@pytest.mark.parametrize("seals_all", [False, True])
def test_observe_mode_seals_nothing(seals_all: bool) -> None:
    options = replace(OPTIONS, mode=Mode.OBSERVE, observe_header=True)
    acted = sealed(message(), options=options, seal=replace(SEAL, seals_all=seals_all))
    assert acted.seal is SealOutcome.NOT_WANTED
    assert b"ARC-" not in acted.raw


def test_without_configuration_nothing_is_sealed() -> None:
    assert sealed(message(), seal=None).seal is SealOutcome.NOT_WANTED


@pytest.mark.parametrize(
    ("day", "selector"),
    [(date(2026, 1, 1), b"s=old"), (date(2026, 12, 31), b"s=old"), (date(2027, 1, 1), b"s=new")],
)
def test_the_newest_key_whose_day_has_come_is_used(day: date, selector: bytes) -> None:
    acted = sealed(message(), at=datetime(day.year, day.month, day.day, tzinfo=UTC))
    assert acted.raw.partition(b"X-Lurewall")[0].count(selector) == 2


def test_before_the_first_day_there_is_no_key() -> None:
    acted = sealed(message(), at=datetime(2025, 12, 31, tzinfo=UTC))
    assert acted.seal is SealOutcome.NO_KEY
    assert b"ARC-" not in acted.raw


def with_chain(hops: int, damage: bytes = b"") -> Laid:
    """A message for a banner that comes with a chain of `hops`."""
    raw = sign(MESSAGE, rsa_key(2048))
    for _ in range(hops):
        raw = seal_once(raw, NEW_AS_SEAL1, DNS, edit=b"Hello edited")
    fields = (
        raw[: raw.index(b"DKIM-Signature")].replace(damage, b"x")
        if damage
        else raw[: raw.index(b"DKIM-Signature")]
    )
    return message(top=fields + TOP)


NEW_AS_SEAL1 = SealKey(domain="gate.example", selector="seal1", private=rsa_key(2048))


def test_a_chain_that_came_is_continued_with_what_it_was_found_to_be() -> None:
    laid = with_chain(2)
    came = ArcChain(result="pass", instances=2)
    acted = sealed(laid, seen=replace(reading(laid), arc=came))
    assert acted.seal is SealOutcome.SEALED
    assert acted.raw.startswith(b"ARC-Seal: i=3; a=rsa-sha256; cv=pass; ")
    found_chain = chain(acted.raw)
    assert (found_chain.result, found_chain.instances) == ("pass", 3)


def test_a_chain_that_failed_is_sealed_once_as_failed_and_never_again() -> None:
    laid = with_chain(1)
    acted = sealed(laid, seen=replace(reading(laid), arc=ArcChain(result="fail", instances=1)))
    assert acted.seal is SealOutcome.SEALED_AS_FAILED
    assert b"ARC-Seal: i=2; a=rsa-sha256; cv=fail; " in acted.raw
    closed = chain(acted.raw)
    assert (closed.result, closed.is_closed, closed.instances) == ("fail", True, 2)
    again = Laid(acted.raw, ())
    seen = replace(reading(again), arc=closed)
    more = sealed(again, seen=seen, seal=replace(SEAL, seals_all=True))
    assert more.seal is SealOutcome.CHAIN_CLOSED
    assert more.raw.count(b"ARC-Seal:") == 2


def test_a_reader_cannot_claim_a_chain_that_is_not_there_or_has_no_form() -> None:
    claimed = ArcChain(result="pass", instances=7)
    laid = message()
    acted = sealed(laid, seen=replace(reading(laid), arc=claimed))
    assert acted.raw.startswith(b"ARC-Seal: i=1; a=rsa-sha256; cv=none; ")
    broken = message(top=b"ARC-Seal: i=4; nonsense\r\n" + TOP)
    acted = sealed(broken, seen=replace(reading(broken), arc=claimed))
    assert acted.seal is SealOutcome.SEALED_AS_FAILED
    assert acted.raw.startswith(b"ARC-Seal: i=5; a=rsa-sha256; cv=fail; ")


def test_fifty_sets_are_the_end() -> None:
    laid = message(top=b"ARC-Seal: i=50; nonsense\r\n" + TOP)
    acted = sealed(laid, seen=replace(reading(laid), arc=ArcChain(result="fail", instances=50)))
    assert acted.seal is SealOutcome.CHAIN_CLOSED


def test_behind_another_filter_its_results_are_recorded() -> None:
    laid = message()
    seen = replace(reading(laid), auth_results=RESULTS)
    acted = sealed(laid, seen=seen, verified=None)
    assert acted.seal is SealOutcome.SEALED
    assert [one.method for one in chain(acted.raw).newest_results] == ["dkim", "spf", "arc"]


def test_a_chain_is_continued_behind_another_filter_only_if_that_verified_it() -> None:
    laid = with_chain(1)
    for results, expected in (
        ((AuthResult(method="arc", result="pass", authserv_id=""),), SealOutcome.SEALED),
        ((AuthResult(method="arc", result="fail", authserv_id=""),), SealOutcome.SEALED_AS_FAILED),
        ((AuthResult(method="arc", result="odd", authserv_id=""),), SealOutcome.NOT_VERIFIED),
        (RESULTS[:2], SealOutcome.NOT_VERIFIED),
    ):
        seen = replace(reading(laid), auth_results=results)
        assert sealed(laid, seen=seen, verified=None).seal is expected


def test_nothing_is_vouched_for_that_nobody_found() -> None:
    assert sealed(message(), verified=None).seal is SealOutcome.NOT_VERIFIED
    assert sealed(message(), verified=()).seal is SealOutcome.NOT_VERIFIED


def test_a_file_with_bare_line_feeds_and_an_mbox_line_keeps_both() -> None:
    raw = b"From someone Sat Nov 28\nFrom: a@b.example\nSubject: s\n\nHello\n"
    acted = sealed(Laid(raw, ()), seal=replace(SEAL, seals_all=True))
    assert acted.seal is SealOutcome.SEALED
    assert acted.raw.startswith(b"From someone Sat Nov 28\nARC-Seal: i=1; ")
    assert b"\r" not in acted.raw
    assert chain(acted.raw).result == "pass"


def test_private_keys_are_in_no_representation() -> None:
    assert "RSAPrivateKey" not in repr(SEAL)
