"""Who wrote a mail, and whether it goes on from a talk: as the reading says it."""

import pytest

from milter.check.engagement.direct_mail import direct_mail
from milter.mail.analysis import Analysis, Entity, Intent
from milter.mail.finding import Finding, Source
from milter.mail.reading import HeaderFacts, NamedMailbox, Reading
from tests.support.house import House, Sent
from tests.unit.check.test_identity import KNOWN


def person(name: str, source: Source, start: int) -> Entity:
    return Entity(
        type="person", text=name, value=name, platform="", source=source, part="1",
        start=start, end=start + len(name),
    )  # fmt: skip


def direct(shown: str = "", entities=(), intents=(), codes=()):
    sender = NamedMailbox(display_name=shown, address="d@free.test", domain="free.test")
    reading = Reading(
        size_bytes=1,
        header=HeaderFacts(header_from=(sender,)),
        analysis=Analysis(language="en", entities=tuple(entities), intents=tuple(intents)),
    )
    transaction = House().transaction(Sent(sender="d@free.test", text="x", signs=False))
    found = tuple(Finding(code=code, check="language") for code in codes)
    made = direct_mail(transaction, reading, KNOWN, found)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("shown", "entities", "writers"),
    [
        ("Daria Kamau", [("Olga Smirnova", Source.BODY, 40)], ("Daria Kamau",)),
        ("Daria", [("Daria Kamau", Source.SIGNATURE, 90)], ("Daria", "Daria Kamau")),
        ("", [("Olga Smirnova", Source.BODY, 5), ("Daria Kamau", Source.BODY, 90)], ("Daria Kamau",)),
        ("", [("Daria Kamau", Source.QUOTED, 90)], ()),
        ("d@free.test", [("Daria Kamau", Source.BODY, 90)], ("d@free.test", "Daria Kamau")),
    ],
)  # fmt: skip
def test_writers(shown, entities, writers) -> None:
    made = direct(shown, [person(*one) for one in entities])
    assert made.writers == writers


@pytest.mark.parametrize(
    ("attributes", "only_saw"),
    [(("saw",), True), (("continues", "saw"), False), (("continues",), False), ((), False)],
)
def test_to_have_seen_a_post_is_no_talk(attributes, only_saw) -> None:
    intent = Intent(label="platform_claim", strength=2, evidence=(), attributes=attributes)
    assert direct("Daria Kamau", intents=[intent]).only_saw is only_saw
    assert not direct("Daria Kamau").only_saw
