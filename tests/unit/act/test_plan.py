"""What is done to a message for each mode, disposition and kind of mail."""

from dataclasses import replace
from email import message_from_bytes

import pytest

from milter.act.plan import Acted, ActOptions, act_on
from milter.mail.analysis import Analysis
from milter.mail.edit import BannerOutcome, SpliceBody, remove_edits
from milter.mail.finding import Evidence, Finding, Source
from milter.mail.reading import AuthResult, HeaderFacts, Protection, Reading
from milter.mail.verdict import Action, Disposition, Label, Mode, Verdict, WeighedFinding
from tests.unit.act.by_hand import TEXTS, TOP, Laid, Leaf, Multipart, content, html, lay, plain

KEY = b"a key of the test"
OPTIONS = ActOptions(
    mode=Mode.ENFORCE,
    texts=TEXTS,
    banner_key=KEY,
    own_authserv_id="mx.example.org",
    contact="the security office (security@example.org)",
)
FORGED = b"X-Lurewall-Verdict: clean\r\nAuthentication-Results: mx.example.org; dmarc=pass\r\n"
EVIDENCE = Evidence(source=Source.BODY, part="1", start=0, end=9, text="+49 170 1234567")
VERDICT = Verdict(
    label=Label.LURE,
    score_db=27.0,
    probability=0.09,
    findings=(
        WeighedFinding(
            finding=Finding(code="OFFPLATFORM", check="language", evidence=(EVIDENCE,)),
            family="channel",
            weight_db=6,
            summary="asks to continue elsewhere",
        ),
    ),
)


def message(top: bytes = FORGED + TOP) -> Laid:
    children = (plain("Hello\r\n"), html("<body>", "Hello</body>"))
    return lay(Multipart(b"alternative", b"b1", children, fields=top))


def reading(laid: Laid, **changes: object) -> Reading:
    header = HeaderFacts(subject="A small study")
    base = Reading(size_bytes=len(laid.raw), header=header, edit_sites=laid.claims)
    return replace(base, **changes)  # type: ignore[arg-type]


def act(
    laid: Laid,
    *,
    options: ActOptions = OPTIONS,
    action: Action = Action.ANNOTATE,
    verdict: Verdict = VERDICT,
    seen: Reading | None = None,
    language: str = "en",
    examined: bool = True,
) -> Acted:
    acted = act_on(
        laid.raw,
        reading=(seen or reading(laid)) if examined else None,
        verdict=verdict,
        disposition=Disposition(
            action=action, rule="default", recipients=(), banner_language=language
        ),
        transaction_id="t-1",
        reasons=("OFFPLATFORM=+6.0",),
        options=options,
    )
    assert remove_edits(acted.raw, acted.edits) == laid.raw
    assert acted.problem == ""
    return acted


def test_annotated_mail() -> None:
    acted = act(message())
    edited = message_from_bytes(acted.raw)
    assert edited.keys()[:5] == [
        "X-Lurewall-Verdict",
        "X-Lurewall-Score",
        "X-Lurewall-Reasons",
        "X-Lurewall-Id",
        "X-Lurewall-Integrity",
    ]
    assert edited.get_all("X-Lurewall-Verdict") == ["lure; disposition=annotate; mode=enforce"]
    assert "Authentication-Results" not in edited
    assert acted.forged_fields == 2
    assert acted.edits_body
    assert acted.banner is BannerOutcome.INSERTED
    assert b"+49 170 123[-]4567" in acted.raw
    assert acted.raw.count(b"[lw:") == 1
    assert acted.raw.count(b'class="lw-') == 1


def test_delivered_mail_gets_fields_only() -> None:
    laid = message()
    acted = act(laid, action=Action.DELIVER)
    assert acted.raw.endswith(laid.raw[len(FORGED) :])
    assert not acted.edits_body
    assert acted.banner is BannerOutcome.NOT_WANTED
    assert b"X-Lurewall-Integrity: body=untouched; banner=not_wanted\r\n" in acted.raw


def test_observe_mode_only_removes_what_is_forged() -> None:
    laid = message()
    observe = replace(OPTIONS, mode=Mode.OBSERVE, subject_tag="[outside]")
    acted = act(laid, options=observe)
    assert acted.raw == laid.raw[len(FORGED) :]
    assert acted.forged_fields == 2


def test_observe_mode_may_show_its_verdict() -> None:
    laid = message()
    observe = replace(OPTIONS, mode=Mode.OBSERVE, observe_header=True)
    acted = act(laid, options=observe)
    assert acted.raw.startswith(b"X-Lurewall-Verdict: lure; disposition=annotate; mode=observe\r\n")
    assert acted.raw.endswith(laid.raw[len(FORGED) :])


@pytest.mark.parametrize("mode", Mode)
def test_forged_fields_go_in_every_mode_from_every_mail(mode: Mode) -> None:
    for action in Action:
        acted = act(message(), options=replace(OPTIONS, mode=mode), action=action)
        assert b"dmarc=pass" not in acted.raw
        assert b"X-Lurewall-Verdict: clean\r\n" not in acted.raw


@pytest.mark.parametrize("action", [Action.QUARANTINE, Action.REJECT])
def test_what_is_held_is_annotated_for_its_release(action: Action) -> None:
    acted = act(message(), action=action)
    assert acted.edits_body
    if action is Action.QUARANTINE:
        assert b"Please ask before you answer this mail" in acted.raw


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"edit_sites": (), "protection": Protection.SIGNED}, BannerOutcome.SIGNED),
        ({"edit_sites": (), "protection": Protection.ENCRYPTED}, BannerOutcome.ENCRYPTED),
        ({"edit_sites": (), "protection": Protection.INLINE_PGP}, BannerOutcome.INLINE_PGP),
        ({"edit_sites": ()}, BannerOutcome.NO_SITE),
        ({"edit_sites": (), "unsafe_to_edit": "malformed"}, BannerOutcome.MALFORMED),
        ({"edit_sites": (), "unsafe_to_edit": "an unknown word"}, BannerOutcome.NO_SITE),
    ],
)
def test_headers_only_where_a_body_must_not_be_touched(
    changes: dict[str, object], outcome: BannerOutcome
) -> None:
    laid = message(top=TOP)
    acted = act(laid, seen=reading(laid, **changes))
    assert acted.banner is outcome
    assert acted.raw.endswith(laid.raw)
    assert not any(isinstance(edit, SpliceBody) for edit in acted.edits)


def test_signed_mail_gets_its_fields_at_the_very_top_whatever_a_reader_claims() -> None:
    tree = Multipart(
        b"signed; protocol=x",
        b"b1",
        (plain("Hello\r\n"), Leaf(content(b"application/pgp-signature"), b"sig\r\n")),
        fields=TOP,
    )
    laid = lay(tree)
    acted = act(laid)
    assert acted.raw.startswith(b"X-Lurewall-Verdict:")
    assert acted.raw.endswith(laid.raw)
    assert acted.banner is BannerOutcome.SIGNED


def test_a_message_that_no_reader_could_examine() -> None:
    laid = message(top=TOP)
    degraded = replace(VERDICT, label=Label.CLEAN, findings=(), degraded=("examination: crash",))
    acted = act(laid, examined=False, verdict=degraded)
    assert acted.banner is BannerOutcome.NOT_EXAMINED
    assert b"degraded=examination: crash" in acted.raw.replace(b"\r\n ", b" ")
    assert acted.raw.endswith(laid.raw)


def test_banners_can_be_turned_off() -> None:
    acted = act(message(), options=replace(OPTIONS, banner=False))
    assert acted.banner is BannerOutcome.NOT_WANTED
    assert not acted.edits_body


def test_the_tag_stands_in_the_subject_of_annotated_mail_only() -> None:
    options = replace(OPTIONS, subject_tag="[outside]")
    assert b"\r\nSubject: [outside] A small study\r\n" in act(message(), options=options).raw
    delivered = act(message(), options=options, action=Action.DELIVER)
    assert b"\r\nSubject: A small study\r\n" in delivered.raw


def test_the_banner_speaks_the_language_of_the_recipient() -> None:
    acted = act(message(), language="fr")
    assert b'lang="fr"' in acted.raw
    assert b"Ce message vient de l'ext=C3=A9rieur" in acted.raw
    unknown = act(message(), language="eo")
    assert b'lang="en"' in unknown.raw


def test_an_edit_that_could_not_be_proved_becomes_headers_only() -> None:
    laid = message()
    fallen_back = act(laid).headers_only("edited_text")
    assert fallen_back.problem == "edited_text"
    assert fallen_back.banner is BannerOutcome.INTEGRITY
    assert fallen_back.raw.endswith(laid.raw[len(FORGED) :])
    assert b"X-Lurewall-Integrity: body=untouched; banner=integrity\r\n" in fallen_back.raw
    assert remove_edits(fallen_back.raw, fallen_back.edits) == laid.raw


def test_a_message_passes_twice_and_stays_the_same() -> None:
    laid = message()
    once = act(laid)
    again = lay(Multipart(b"alternative", b"b1", (plain("Hello\r\n"),), fields=TOP))
    assert again.raw != once.raw
    claims = tuple(
        replace(
            claim,
            header_end=once.raw.index(b"\r\n\r\n", once.raw.index(media)) + 2,
            body_start=once.raw.index(b"\r\n\r\n", once.raw.index(media)) + 4,
            body_end=once.raw.index(b"\r\n--b1", once.raw.index(media)),
            insert_at=once.raw.index(b"\r\n\r\n", once.raw.index(media)) + 4 + length,
        )
        for claim, media, length in zip(
            laid.claims, (b"text/plain", b"text/html"), (0, len(b"<body>")), strict=True
        )
    )
    twice = act(Laid(once.raw, claims))
    assert twice.banner is BannerOutcome.ALREADY_THERE
    fields_once, _, body_once = once.raw.partition(b"\r\n\r\n")
    fields_twice, _, body_twice = twice.raw.partition(b"\r\n\r\n")
    assert body_twice == body_once
    assert fields_twice.count(b"X-Lurewall-") == fields_once.count(b"X-Lurewall-")


def test_the_key_is_not_in_a_representation() -> None:
    assert "a key of the test" not in repr(OPTIONS)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_file_keeps_its_line_ends(line_end: bytes) -> None:
    raw = line_end.join([b"From: a@example.net", b"Subject: s", b"", b"Hello", b""])
    seen = Reading(size_bytes=len(raw), header=HeaderFacts(), analysis=Analysis(language="en"))
    acted = act(Laid(raw), seen=seen)
    assert (b"\r\n" in acted.raw) is (line_end == b"\r\n")


RESULTS = (
    AuthResult(
        method="dmarc",
        result="fail",
        authserv_id="mx.example.org",
        properties=(("header", "from", "example.com"),),
    ),
)
OURS = b"Authentication-Results: mx.example.org; dmarc=fail header.from=example.com\r\n"


@pytest.mark.parametrize(
    ("mode", "observe_header", "action", "verified", "top"),
    [
        (Mode.ENFORCE, False, Action.ANNOTATE, RESULTS, OURS),
        (Mode.ENFORCE, False, Action.DELIVER, RESULTS, OURS),
        (Mode.ENFORCE, False, Action.QUARANTINE, RESULTS, OURS),
        (Mode.ANNOTATE, False, Action.DELIVER, RESULTS, OURS),
        (Mode.OBSERVE, True, Action.ANNOTATE, RESULTS, OURS),
        (Mode.ENFORCE, False, Action.DELIVER, (), b"Authentication-Results: mx.example.org; none\r\n"),
        # Where we did not verify, a field of ours would compete with that of who did.
        (Mode.ENFORCE, False, Action.DELIVER, None, b"X-Lurewall-Verdict: "),
        (Mode.OBSERVE, False, Action.ANNOTATE, RESULTS, TOP),
    ],
)  # fmt: skip
def test_results_of_our_own_stand_on_top_and_forged_ones_are_gone(
    mode, observe_header, action, verified, top
):
    laid = message()
    acted = act_on(
        laid.raw,
        reading=reading(laid),
        verdict=VERDICT,
        disposition=Disposition(action=action, rule="r", recipients=()),
        transaction_id="t1",
        reasons=(),
        options=replace(OPTIONS, mode=mode, observe_header=observe_header),
        verified=verified,
    )
    assert acted.raw.startswith(top)
    assert b"dmarc=pass" not in acted.raw
    assert acted.raw.count(b"Authentication-Results") == top.count(b"Authentication-Results")
