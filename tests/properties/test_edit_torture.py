"""Real hostile mail: a banner where it can be, and every other octet as it was.

Where the standard library's parser reads a message in another way than most receivers do, its
second opinion is of that other reading; each such message is named here, with the reason.
"""

from collections import Counter

import pytest

from milter.mail.edit import remove_edits
from milter.read.integrity import verify
from tests.properties.test_edit_messages import FACTS, act_as_read
from tests.properties.test_edit_shapes import assert_readable
from tests.support import corpora
from tests.support.second_parser import compare

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(bool(corpora.why_not()), reason=corpora.why_not() or "present"),
    pytest.mark.filterwarnings("ignore"),
]

_FOLDED = "it keeps the line end of a boundary that is folded, and sees one part"
_RAW = "it shows base64 that misses an octet as it stands"
_HEADER_ENDS = "it ends the header at a line that others read as a field"
OTHER_READINGS = {
    "testmsgs_multi-clen.msg.eml": _FOLDED,
    "testmsgs_multi-simple.msg.eml": _FOLDED,
    "testin_multi-clen.msg.eml": _FOLDED,
    "testin_multi-digest.msg.eml": _FOLDED,
    "testin_multi-simple.msg.eml": _FOLDED,
    "m0021.txt.eml": _FOLDED,
    "extra-base64-character.raw.eml": _RAW,
    "bad_transfer_encoding.mail": _RAW,
    "testmsgs_obsolete.msg.eml": _HEADER_ENDS,
    "malformed_019.eml": _HEADER_ENDS,
}


@pytest.mark.parametrize("language", ["en", "zh-hans", "ru"])
def test_torture_mail_is_edited_exactly_or_not_at_all(language: str) -> None:
    edited: Counter[bool] = Counter()
    for name, octets in corpora.torture():
        raw = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        acted = act_as_read(raw, language)
        edited[acted.edits_body] += 1
        assert acted.problem == "", name
        assert remove_edits(acted.raw, acted.edits) == raw, name
        if acted.edits_body:
            report = verify(raw, acted.raw, FACTS)
            assert (report.problem, report.detail) == ("", ""), name
        if name.endswith(tuple(OTHER_READINGS)):
            continue
        try:
            changed = compare(raw, acted.raw)
            assert len(changed) == sum(part.outcome.is_edit for part in acted.parts)
            for old, new in changed:
                assert_readable(old, new)
        except AssertionError as failure:
            raise AssertionError(f"{name}: {failure}") from failure
    assert edited[True] >= 0.79 * edited.total()
