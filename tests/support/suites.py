"""Cases for verifiers of signatures: the public ARC suite, and messages that we sign ourselves.

Keys of foreign messages are facts of their suites: what stood in the DNS of those who wrote them.
"""

from collections.abc import Iterator

import yaml

from milter.authentication.seal import SealKey, seal
from milter.authentication.signatures import key_questions, verify_arc
from milter.mail.dns import Answer, AnswerStatus, Question
from milter.mail.message import scan_header
from tests.support import corpora
from tests.support.second_opinion import Case
from tests.support.signing import (
    MESSAGE,
    NAME,
    NAMES,
    answers,
    ed25519_key,
    found,
    record,
    rsa_key,
    sign,
)

ARC_SUITE = corpora.ROOT / "torture" / "arc_test_suite"
SEAL_NAME = Question("seal1._domainkey.gate.example", "TXT")
MAIL_DKIM_KEYS = {
    # The keys of 1024 bits of Mail::DKIM's corpus; the others have 512 or 768.
    "selector1._domainkey.messiah.edu": (
        "k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDhMlYqwtUA9UrrDcNp/IMtdFnytggDl5oIAzJ55oWz"
        "PILZE7eX4hLdP6WperHm1WJ9M32XsiKrr4TDbWfp4WjGWBnXf8QMi+WlDuEFOvwVRC/uWy+sAiEf3VcBR5KjGvDovPnG"
        "SnW8uDntSOY4HlkTJF/BTWnk29zKmlGyGnw9mQIDAQAB"
    ),
    "s1024._domainkey.yahoo.com": (
        "k=rsa; t=y; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDrEee0Ri4Juz+QfiWYui/E9UGSXau/2P8LjnTD8V"
        "4Unn+2FAZVGE3kL23bzeoULYv4PeleB3gfmJiDJOKU3Ns5L4KJAUUHjFwDebt0NP+sBK0VKeTATL2Yr/S3bT/xhy+1xtj4"
        "RkdV7fVxTn56Lb4udUnwuxK4V5b5PdOKj/+XcwIDAQAB; n=A 1024 bit key;"
    ),
    "beta._domainkey.gmail.com": (
        "t=y; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC69TURXN3oNfz+G/m3g5rt4P6nsKmVgU1D6cw2X6Bn"
        "xKJNlQKm10f8tMx6P6bN7juTR1BeD8ubaGqtzm2rWK4LiMJqhoQcwQziGbK1zp/MkdXZEWMCflLY6oUITrivK7JNOLXtZb"
        "dxJG2y/RAHGswKKyVhSP9niRsZF/IBr5p8uQIDAQAB"
    ),
    "jakla2._domainkey.ijs.si": (
        "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCvWSehCSmnxlhzM+P1Ai+7CgzeAcvkL3RdoHFq8JwtpKN3"
        "iLnp/s1yRwE/heAi4QQXxDRdlB0bJm5NxZOsckzK7tJM8EdkebMjyXeKOzBKoJaOIlsx4WC2qHqORB0RLqm4lqJFYZJpUy"
        "pEpskeAGy7WBG7a+1hOlir9+Tf9xtOkwIDAQAB"
    ),
    "shan._domainkey.vmt2.cis.att.net": (
        "v=DKIM1; k=rsa; h=sha1:sha256:sha512; g=*; s=*; p=MHwwDQYJKoZIhvcNAQEBBQADawAwaAJhALSQ1y/+tHT1d"
        "9XvpiVap4Z+GFaydEmDgfC48m3wLLmDqfKBADWYIqrCnfKPvZPzGYzo+aJMEiAOTtiNxPWYToiTfJlTpn2YyEEz6OUIXw0u"
        "c+NfEQviN4QQr0jVX9yRjwIDAQAB"
    ),
}


def arc_suite() -> Iterator[tuple[str, Case, str]]:
    """Name, case and what the suite wants ('' where it leaves that open) of each validation test."""
    path = ARC_SUITE / "tests_arc-draft-validation-tests.yml"
    if not path.is_file():
        return
    for group in yaml.safe_load_all(path.read_text("utf-8")):
        dns = {
            Question(name.lower(), "TXT"): found(text.replace("\n", "").encode())
            for name, text in (group.get("txt-records") or {}).items()
        }
        for name, test in group["tests"].items():
            raw = test["message"].encode().replace(b"\n", b"\r\n")
            wanted = "none" if test["cv"] is None else test["cv"].lower()
            yield name, with_all_answers(raw, dns), wanted


def mail_dkim_corpus() -> Iterator[tuple[str, Case]]:
    """Mail::DKIM's own messages, with the keys that are known."""
    dns = {Question(name, "TXT"): found(text.encode()) for name, text in MAIL_DKIM_KEYS.items()}
    for path in sorted((corpora.ROOT / "torture" / "mail-dkim").glob("*.eml")):
        yield path.name.removesuffix(".txt.eml"), with_all_answers(path.read_bytes(), dns)


def with_all_answers(raw: bytes, dns: dict[Question, Answer]) -> Case:
    """A case in whose DNS nothing else exists."""
    questions = key_questions(raw, scan_header(raw))
    absent = Answer(status=AnswerStatus.NO_NAME)
    return Case(raw=raw, dns={**dns, **{one: absent for one in questions if one not in dns}})


def signed_by_us() -> Iterator[tuple[str, Case]]:
    """DKIM of every shape that we know, right and wrong."""
    key, small, other = rsa_key(2048), rsa_key(1024), rsa_key(2048, 1)
    dns = answers(key)
    for canonical in ("simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"):
        for name, one in (("rsa2048", key), ("rsa1024", small), ("ed25519", ed25519_key())):
            raw = sign(MESSAGE, one, canonical=canonical)
            yield f"{name} {canonical}", Case(raw=raw, dns=answers(one))
            yield f"{name} {canonical} body", Case(raw=raw + b"x\r\n", dns=answers(one))
            changed = raw.replace(b"Date: Thu", b"Date: Fri")
            yield f"{name} {canonical} header", Case(raw=changed, dns=answers(one))
    odd = MESSAGE.replace(b"A Person", b"J\xc3\xbcrgen").replace(b"Hello", b"H\xff\x00llo")
    bare = MESSAGE.replace(b"\r\n\r\nHello", b"\r\nX-Empty:\r\nX-Spaces: \t \r\n\r\nHello")
    shapes = {
        "eight bits": sign(odd, key),
        "empty fields": sign(bare, key, names=f"{NAMES}:x-empty:x-spaces"),
        "empty body": sign(MESSAGE.partition(b"Hello")[0], key),
        "empty body simple": sign(MESSAGE.partition(b"Hello")[0], key, canonical="simple/simple"),
        "only empty lines": sign(MESSAGE.partition(b"Hello")[0] + b"\r\n \r\n\r\n", key),
        "oversigned": sign(MESSAGE, key, names=f"{NAMES}:from:subject:to"),
        "names in capitals": sign(MESSAGE, key, names=NAMES.upper()),
        "two signatures": sign(sign(MESSAGE, key), key, canonical="simple/simple"),
        "signed signature": sign(sign(MESSAGE, key), key, names=f"{NAMES}:dkim-signature"),
        "identity": sign(MESSAGE, key, tags=" i=a@sub.signer.example;"),
        "foreign identity": sign(MESSAGE, key, tags=" i=a@other.example;"),
        "expired": sign(MESSAGE, key, tags=" t=1600000000; x=1700000000;"),
        "times": sign(MESSAGE, key, tags=" t=1700000000; x=1900000000;"),
        "x before t": sign(MESSAGE, key, tags=" t=1900000000; x=1850000000;"),
        "sha1": sign(MESSAGE, key, algorithm="rsa-sha1"),
        "unknown algorithm": sign(MESSAGE, key, algorithm="rsa-sha3"),
        "version 2": sign(MESSAGE, key, version="v=2; "),
        "no version": sign(MESSAGE, key, version=""),
        "from not signed": sign(MESSAGE, key, names="to:subject"),
        "length of nothing": sign(MESSAGE, key, length=0),
        "length of all": sign(MESSAGE, key, length=len(MESSAGE)),
        "appended": sign(MESSAGE, key, length=20) + b"more\r\n",
        "second from": b"From: x@bank.example\r\n" + sign(MESSAGE, key),
        "second from oversigned": b"From: x@bank.example\r\n"
        + sign(MESSAGE, key, names=f"{NAMES}:from"),
        "second subject": b"Subject: x\r\n" + sign(MESSAGE, key),
        "duplicate tag": sign(MESSAGE, key, tags=" d=signer.example;"),
        "unknown tag": sign(MESSAGE, key, tags=" r=y; zz=1;"),
        "no tag list": sign(MESSAGE, key, tags=" nothing;"),
        "empty names": sign(MESSAGE, key, names="from::to"),
        "other query": sign(MESSAGE, key, tags=" q=http;"),
    }
    yield from ((name, Case(raw=raw, dns=dns)) for name, raw in shapes.items())
    raw = sign(MESSAGE, key)
    records = {
        "another key": found(record(other)),
        "no record": Answer(status=AnswerStatus.NO_NAME),
        "failing dns": Answer(status=AnswerStatus.FAILED),
        "revoked": found(b"v=DKIM1; p="),
        "testing": found(record(key, "t=y; ")),
        "strict": found(record(key, "t=s; ")),
        "for sha1": found(record(key, "h=sha1; ")),
        "for both": found(record(key, "h=sha1:sha256; ")),
        "for tlsrpt": found(record(key, "s=tlsrpt; ")),
        "for mail": found(record(key, "s=email; ")),
        "another kind": found(record(ed25519_key())),
        "version 3": found(record(key).replace(b"DKIM1", b"DKIM3")),
        "no version": found(record(key).removeprefix(b"v=DKIM1; ")),
        "spf": found(b"v=spf1 -all"),
        "notes": found(record(key, "n=a note; ")),
    }
    for name, answer in records.items():
        yield f"record {name}", Case(raw=raw, dns={NAME: answer})
    strict = sign(MESSAGE, key, tags=" i=a@sub.signer.example;")
    yield "strict subdomain", Case(raw=strict, dns=answers(key, "t=s; "))


def sealed_by_us(hops: int = 4) -> Iterator[tuple[str, Case]]:
    """Chains that we sealed, each hop after an edit; and chains that were damaged or closed."""
    key = SealKey(domain="gate.example", selector="seal1", private=rsa_key(2048))
    dns = {SEAL_NAME: found(record(rsa_key(2048))), **answers(rsa_key(2048))}
    raw = sign(MESSAGE, rsa_key(2048))
    for hop in range(1, hops + 1):
        raw = seal_once(raw, key, dns, edit=b"Hello edited")
        yield f"pass {hop}", Case(raw=raw, dns=dns)
        yield f"body after {hop}", Case(raw=raw + b"x\r\n", dns=dns)
        changed = raw.replace(b"spf=pass", b"spf=fail", 1)
        yield f"results after {hop}", Case(raw=changed, dns=dns)
        yield f"added from after {hop}", Case(raw=b"From: x@bank.example\r\n" + raw, dns=dns)
        other = {**dns, SEAL_NAME: found(record(rsa_key(2048, 1)))}
        yield f"another key after {hop}", Case(raw=raw, dns=other)
        yield f"no key after {hop}", Case(raw=raw, dns={**dns, SEAL_NAME: found()})
    broken = raw + b"an edit that nobody sealed\r\n"
    yield "closed", Case(raw=seal_once(broken, key, dns, edit=b"Hello edited"), dns=dns)


def seal_once(
    raw: bytes, key: SealKey, dns: dict[Question, Answer], *, edit: bytes = b"Hello"
) -> bytes:
    """What leaves a hop that verifies, edits and seals."""
    chain = verify_arc(raw, scan_header(raw), dns, unix_time=1_800_000_000)
    raw = raw.replace(b"Hello", edit, 1)
    fields = seal(
        raw,
        scan_header(raw),
        status=chain.result,
        results=(
            b"gate.example; spf=pass smtp.mailfrom=signer.example;\r\n\t"
            b"dkim=pass header.d=signer.example; arc=" + chain.result.encode()
        ),
        key=key,
        unix_time=1_790_000_000,
    )
    return b"".join(name + b":" + value + b"\r\n" for name, value in fields) + raw
