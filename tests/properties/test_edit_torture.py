"""Real hostile mail: a banner where it can be, and every other octet as it was."""

import pytest

from milter.mail.edit import remove_edits
from milter.read.integrity import verify
from milter.read.message_reader import read_message
from tests.properties.test_edit_messages import FACTS, act
from tests.support import corpora

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(bool(corpora.why_not()), reason=corpora.why_not() or "present"),
]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_torture_mail_is_edited_exactly_or_not_at_all(language: str) -> None:
    edited = 0
    for name, octets in corpora.torture():
        raw = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        acted = act(raw, read_message(raw, FACTS).edit_sites, language)
        assert acted.problem == "", name
        assert remove_edits(acted.raw, acted.edits) == raw, name
        if acted.edits_body:
            edited += 1
            report = verify(raw, acted.raw, FACTS)
            assert (report.problem, report.detail) == ("", ""), name
    assert edited > 500
