"""Keywords we announce, parameters we take, the trace field we add."""

from dataclasses import replace
from email import message_from_bytes
from email.policy import SMTP

import pytest

from milter.listen.esmtp import announced, parse_parameters, smaller_size, verbatim
from milter.listen.received import count_received, received_field
from milter.mail.address import parse_path
from milter.mail.envelope import Connection, Envelope, Recipient, Transaction
from tests.support.front import NOW, TRANSACTION_ID


@pytest.mark.parametrize(
    ("theirs", "size"),
    [("10", 10), ("0", 100), ("", 100), ("1000", 100), ("nonsense", 100), ("-5", 100), ("9" * 21, 100)],
)  # fmt: skip
def test_the_smaller_size_counts(theirs: str, size: int) -> None:
    assert smaller_size(theirs, 100) == size


def test_only_what_we_carry_is_announced() -> None:
    next_hop = {
        "SIZE": "7",
        "DSN": "",
        "CHUNKING": "",
        "AUTH": "PLAIN",
        "X-ODD": "",
        "STARTTLS": "",
    }
    assert announced(next_hop, 100) == {"PIPELINING": "", "SIZE": "7", "DSN": ""}
    assert announced({}, 100) == {"PIPELINING": ""}


def test_parameters_keep_their_letters() -> None:
    parameters = parse_parameters(b" Envid=QQ+2B  ret=Hdrs X-y-z ")
    assert list(parameters) == ["ENVID", "RET", "X-Y-Z"]
    assert verbatim(parameters) == (b"Envid=QQ+2B", b"ret=Hdrs", b"X-y-z")


@pytest.mark.parametrize(
    "rest", [b"=x", b"-a=b", b"a=", b"a=b=c", b"a b=c A=d", b"a\x07", b"a=\x7f"]
)
def test_no_parameters(rest: bytes) -> None:
    with pytest.raises(ValueError):
        parse_parameters(rest)


@pytest.mark.parametrize(
    ("raw", "count"),
    [
        (b"", 0),
        (b"Received: x\r\n", 1),
        (b"RECEIVED: x\r\nreceived: y\r\n\r\nReceived: z\r\n", 2),
        (b"\r\nReceived: in the body\r\n", 0),
        (b"X-Received: x\r\nReceived-SPF: pass\r\n\r\n", 0),
    ],
)
def test_received_fields_are_counted_in_the_header_only(raw: bytes, count: int) -> None:
    assert count_received(raw) == count


def _transaction(helo: str, *recipients: bytes, **connection: object) -> Transaction:
    peer = Connection(client_ip="192.0.2.1", helo=helo)
    paths = [parse_path(b"<" + r + b">", smtputf8=True)[0] for r in recipients]
    return Transaction(
        transaction_id=TRANSACTION_ID,
        role="mx",
        received_at=NOW,
        connection=replace(peer, **connection),  # type: ignore[arg-type]
        envelope=Envelope(
            reverse_path=parse_path(b"<>", smtputf8=False)[0],
            recipients=tuple(Recipient(path=path) for path in paths),
        ),
        raw=b"",
    )


@pytest.mark.parametrize(
    ("transaction", "words"),
    [
        (_transaction("mail.example.net", b"b@example.org"), ["from mail.example.net", "for <b@example.org>;"]),
        (_transaction("[192.0.2.1]", b"Postmaster"), ["from [192.0.2.1] ", "for <Postmaster>"]),
        (_transaction("x (evil) by y", b"b@example.org"), ["from unknown (unknown [192.0.2.1])"]),
        (_transaction("x;y", b"b@example.org"), ["from unknown "]),
        (_transaction("x", b"b@example.org", client_ip="2001:db8::1"), ["[IPv6:2001:db8::1]"]),
        (_transaction("x", b"b@example.org", client_ip="unknown"), ["(unknown [unknown])"]),
        (_transaction("x", b"b@example.org", protocol="SMTP"), [" with SMTP id"]),
        (_transaction("x", b"b@example.org", tls=True), [" with ESMTPS id"]),
        (_transaction("x", b"b@example.org", protocol="LMTP odd"), [" with ESMTP id"]),
    ],
)  # fmt: skip
def test_received_field(transaction: Transaction, words: list[str]) -> None:
    field = received_field(transaction, "mx.example.org").decode("ascii")
    assert field.endswith("\r\n")
    assert field.count("\r\n") == field.count("\r\n\t") + 1
    flat = field.replace("\r\n\t", " ")
    for word in [*words, f"id {TRANSACTION_ID}", "; Wed, 04 Mar 2026 05:06:07 +0000"]:
        assert word in flat
    parsed = message_from_bytes(field.encode() + b"\r\nbody\r\n", policy=SMTP)
    assert parsed.keys() == ["Received"]


@pytest.mark.parametrize(
    "recipients", [(b"b@example.org", b"c@example.org"), ("é@example.org".encode(),)]
)
def test_received_field_names_a_recipient_only_where_it_tells_nobody(
    recipients: tuple[bytes, ...],
) -> None:
    field = received_field(_transaction("x", *recipients), "mx.example.org")
    assert b"for " not in field
