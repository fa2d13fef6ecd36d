"""Replies: classes agree, our own stay short and bland."""

import pytest

from milter.mail import reply as replies
from milter.mail.reply import OwnReply, Reply, own_reply, with_transaction_id
from milter.wire.smtp_text import format_reply

TABLE = {name: value for name, value in vars(replies).items() if isinstance(value, Reply)}


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_reply_of_ours_is_ascii_and_short_and_of_one_class(name: str) -> None:
    reply = TABLE[name]
    wire = format_reply(reply)
    assert wire.isascii()
    assert len(wire) <= 512
    if reply.code != 354:
        assert isinstance(reply, OwnReply)
        assert reply.enhanced[0] == str(reply.code)[0]


@pytest.mark.parametrize(("code", "enhanced"), [(451, "5.3.0"), (250, "4.0.0"), (550, "")])
def test_classes_must_agree(code: int, enhanced: str) -> None:
    with pytest.raises(ValueError):
        own_reply(code, enhanced, "text")


def test_long_text_is_cut_and_the_id_still_fits() -> None:
    reply = own_reply(550, "5.7.1", "x" * 1000)
    assert len(format_reply(reply)) == 512
    marked = with_transaction_id(reply, "0123456789abcdef")
    assert len(format_reply(marked)) == 512
    assert marked.lines[0].endswith(b" (0123456789abcdef)")
    assert marked.enhanced == "5.7.1"
    assert with_transaction_id(marked, "0123456789abcdef") == marked


@pytest.mark.parametrize(
    ("line", "enhanced"),
    [(b"2.1.0 Ok", "2.1.0"), (b"5.7.26", "5.7.26"), (b"Ok", ""), (b"3.1.0 x", ""), (b"", "")],
)
def test_enhanced_code_of_a_next_hop(line: bytes, enhanced: str) -> None:
    assert Reply(code=250, lines=(line,)).enhanced == enhanced
    assert Reply(code=250, lines=()).enhanced == ""


@pytest.mark.parametrize(
    ("code", "positive", "transient", "permanent"),
    [(250, 1, 0, 0), (354, 1, 0, 0), (421, 0, 1, 0), (451, 0, 1, 0), (550, 0, 0, 1)],
)
def test_classes(code: int, positive: int, transient: int, permanent: int) -> None:
    reply = Reply(code=code, lines=(b"x",))
    assert (reply.is_positive, reply.is_transient, reply.is_permanent) == (
        positive,
        transient,
        permanent,
    )
