"""The mirror of a follow-up: an old colleague who writes after a network's notification, honestly.

The same name, free mail, a word about the network and no offer: memory may say that it follows the
notification, and the whole must not be marked, in any language. Beside each stands what a persona of
that name writes, whom the same memory follows.
"""

import tomllib
from pathlib import Path
from typing import Final

import pytest

from milter.mail.verdict import Action
from tests.support.history_stores import EVERY_STORE, opened
from tests.support.house import TAGGED, House, Sent, WorldClock

# Where the rules tell a post that was seen from a talk that goes on.
TOLD_APART: Final = ("en", "fr", "de", "es", "ru", "ar")
PAIRS: Final = tomllib.loads(Path(__file__).with_name("old_colleagues.toml").read_text("utf-8"))


@pytest.fixture
async def house(tmp_path):
    clock = WorldClock()
    async with opened(EVERY_STORE[0], tmp_path, clock) as history:
        yield House(history, clock)


def codes(assessment) -> set[str]:
    return {row.finding.code for row in assessment.verdict.findings}


async def judged(house: House, name: str, text: str, *, notice: str = ""):
    """A mail from free mail, three days after that notification."""
    if notice:
        await house.receive_notice(name, notice)
        house.clock.pass_by(days=3)
    return await house.receive(Sent(sender="someone.77@gmail.com", name=name, text=text))


@pytest.mark.parametrize("language", [*PAIRS])
async def test_an_old_colleague_is_not_marked(house, language):
    pair = PAIRS[language]
    got = await judged(
        house, pair["name"], pair["colleague"], notice="It would be good to be in touch."
    )
    assert got.verdict.label not in TAGGED
    assert [one.action for one in got.dispositions] == [Action.DELIVER]


@pytest.mark.parametrize("language", TOLD_APART)
async def test_to_have_seen_a_post_is_no_second_factor(house, language):
    pair = PAIRS[language]
    got = await judged(house, pair["name"], pair["colleague"], notice="Let us be in touch.")
    assert not {"RELAY_THEN_DIRECT", "CLAIM_WITHOUT_TRACE"} & codes(got)


@pytest.mark.parametrize("language", [*PAIRS])
async def test_an_old_colleague_without_a_notification_is_not_marked(house, language):
    pair = PAIRS[language]
    got = await judged(house, pair["name"], pair["colleague"])
    assert got.verdict.label not in TAGGED
    assert [one.action for one in got.dispositions] == [Action.DELIVER]


@pytest.mark.parametrize("language", PAIRS)
async def test_a_persona_of_that_name_is_followed(house, language):
    pair = PAIRS[language]
    got = await judged(
        house, pair["name"], pair["persona"], notice="It would be good to be in touch."
    )
    assert "RELAY_THEN_DIRECT" in codes(got)
