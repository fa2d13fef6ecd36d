"""`python -m bench.signatures`: what a signature costs, ours beside dkimpy's, per kind of mail.

Milliseconds of this machine (the best of several rounds, one core) and the ratio, which is what can
be compared elsewhere. Keys are known and parsed, as after the first mail of a domain; `first` is
with all memory of keys cleared. Exit code 1 if a signature of a 60 kB mail takes over 0.5 ms.
"""

import sys
import time
from base64 import b64encode
from collections.abc import Callable
from functools import partial

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bench.mix import of_kind
from milter.authentication import keys
from milter.authentication.canonical import CanonicalForms
from milter.authentication.seal import SealKey, seal
from milter.authentication.signatures import key_questions, verify_arc, verify_dkim
from milter.mail.dns import Answer, AnswerStatus, Question
from milter.mail.message import scan_header

AIM_MS = 0.5
_MAILS = 10
_ROUNDS = 7
_DOMAIN, _SELECTOR = b"bench.example", b"b1"


def main() -> int:
    """Print the table; 1 if the aim is missed."""
    private = rsa.generate_private_key(65537, 2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    record = b"v=DKIM1; k=rsa; p=" + b64encode(public)
    name = f"{_SELECTOR.decode()}._domainkey.{_DOMAIN.decode()}"
    answers = {Question(name, "TXT"): Answer(status=AnswerStatus.FOUND, records=(record,))}
    seal_key = SealKey(domain=_DOMAIN.decode(), selector=_SELECTOR.decode(), private=private)

    def signed(raw: bytes) -> bytes:
        field: bytes = dkim.sign(
            raw, _SELECTOR, _DOMAIN, pem, canonicalize=(b"relaxed", b"relaxed")
        )
        return field + raw

    print(f"{'mail':<26}{'kB':>6}{'ours ms':>10}{'first ms':>10}{'dkimpy ms':>11}{'ratio':>7}")
    worst = 0.0
    for kind in ("newsletter", "plain", "attachment"):
        mails = [sample.raw for sample in of_kind(kind, _MAILS, signed)]
        for count in (1, 3):
            raws = mails if count == 1 else [signed(signed(raw)) for raw in mails]
            ours = _best(raws, lambda raw: verify_dkim(raw, scan_header(raw), answers)) / count
            first = _best(raws, lambda raw: _first(raw, answers)) / count
            theirs = _best(raws, partial(_dkimpy, record=record, count=count)) / count
            size = sum(map(len, raws)) / len(raws) / 1000
            print(
                f"{f'{kind}, {count} signed':<26}{size:>6.0f}{ours:>10.3f}{first:>10.3f}"
                f"{theirs:>11.3f}{theirs / ours:>7.1f}"
            )
            if kind == "newsletter" and count == 1:
                worst = ours
    raws = [sample.raw for sample in of_kind("newsletter", _MAILS, signed)]
    sealed = [_sealed(_sealed(raw, seal_key, answers), seal_key, answers) for raw in raws]
    print(
        f"chain of two, newsletter  {_best(sealed, lambda raw: verify_arc(raw, scan_header(raw), answers)):.3f} ms"
    )
    print(
        f"sealing a newsletter      {_best(raws, lambda raw: _sealed(raw, seal_key, answers, 'none')):.3f} ms"
    )
    print(
        f"questions of a newsletter {_best(raws, lambda raw: key_questions(raw, scan_header(raw))):.3f} ms"
    )
    print(f"{worst:.3f} ms a signature of a newsletter, the aim is {AIM_MS} ms")
    return worst > AIM_MS


def _best(raws: list[bytes], work: Callable[[bytes], object]) -> float:
    """Milliseconds a mail in the best round."""
    rounds = []
    for _ in range(_ROUNDS):
        started = time.process_time()
        for raw in raws:
            work(raw)
        rounds.append(time.process_time() - started)
    return min(rounds) / len(raws) * 1000


def _first(raw: bytes, answers: dict[Question, Answer]) -> None:
    keys._read_record.cache_clear()
    results = verify_dkim(raw, scan_header(raw), answers)
    assert all(one.result == "pass" for one in results)


def _dkimpy(raw: bytes, record: bytes, count: int) -> None:
    verifier = dkim.DKIM(raw)
    assert all(
        verifier.verify(number, dnsfunc=lambda name, timeout=5: record) for number in range(count)
    )


def _sealed(raw: bytes, key: SealKey, answers: dict[Question, Answer], status: str = "") -> bytes:
    header = scan_header(raw)
    found = status or verify_arc(raw, header, answers, forms=CanonicalForms(raw, header)).result
    fields = seal(raw, header, status=found, results=b"bench.example; none", key=key, unix_time=1)
    return b"".join(name + b":" + value + b"\r\n" for name, value in fields) + raw


if __name__ == "__main__":
    sys.exit(main())
