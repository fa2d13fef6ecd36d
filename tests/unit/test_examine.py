"""What an examination gives beyond reading and language, which have tests of their own."""

from milter.authentication.seal import SealKey
from milter.examine import examine
from milter.mail.reading import ArcChain, Defect, Facts
from milter.readers.frames import (
    REQUEST_HEAD_BYTES,
    RequestKind,
    decode_facts,
    decode_reading,
    encode_request,
    encode_value,
)
from tests.support.signing import MESSAGE, answers, found, record, rsa_key, sign
from tests.support.suites import SEAL_NAME, seal_once

HTML = (
    b"From: a@example.net\r\nSubject: links\r\nContent-Type: text/html\r\n\r\n"
    b'<a href="https://Jobs.Firm.test:8443/1">one</a> <a href="https://jobs.firm.test/2">two</a>'
    b'<a href="mailto:a@example.net">three</a> <a href="http://other.test?q=//x">four</a>\r\n'
)


def test_each_host_that_links_lead_to_is_named_once():
    assert examine(HTML, Facts()).link_hosts == ("jobs.firm.test", "other.test")


def test_line_ends_are_looked_at_unless_they_were_checked_before():
    raw = b"Subject: a\r\n\r\none\ntwo\r\n"
    assert Defect.BARE_LINE_END in examine(raw, Facts()).defects
    assert Defect.BARE_LINE_END not in examine(raw, Facts(lines_checked=True)).defects


def test_signatures_are_verified_where_that_is_asked_for():
    assert (examine(MESSAGE, Facts()).dkim, examine(MESSAGE, Facts()).arc) == ((), None)
    nothing = examine(MESSAGE, Facts(verify_signatures=True))
    assert [result.result for result in nothing.dkim] == ["none"]
    assert nothing.arc == ArcChain()
    assert "signatures" in dict(nothing.elapsed_seconds)


def test_signatures_and_their_keys_cross_the_border_of_the_process_whole():
    key = rsa_key(2048)
    dns = {SEAL_NAME: found(record(key)), **answers(key)}
    seal_key = SealKey(domain="gate.example", selector="seal1", private=key)
    raw = seal_once(sign(MESSAGE, key), seal_key, dns)
    facts = Facts(verify_signatures=True, key_answers=tuple(dns.items()), unix_time=1_800_000_000)
    frame = encode_request(1, RequestKind.EXAMINE, facts, (raw,), 1.0)
    told = decode_facts(frame[REQUEST_HEAD_BYTES:])
    assert told == facts
    reading = decode_reading(encode_value(examine(raw, told)))
    assert [result.result for result in reading.dkim] == ["pass"]
    assert ("header", "d", "signer.example") in reading.dkim[0].properties
    assert reading.arc is not None
    assert (reading.arc.result, reading.arc.sealers) == ("pass", ("gate.example",))
    assert reading.arc.newest_results[0].method == "spf"
