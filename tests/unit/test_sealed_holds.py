"""A mail of several policies: each copy sealed over its own octets, also one that is released late."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from milter.act.seal import SealOptions
from milter.adapters.memory import EmptyHistory
from milter.app.from_settings import pipeline_options
from milter.authentication.results import parse_results
from milter.authentication.seal import SealKey, key_record
from milter.authentication.signatures import verify_arc
from milter.check.authentication import AuthenticationOptions, Authenticator
from milter.examine import examine, verify
from milter.judge.policy import Row
from milter.mail.dns import Question
from milter.mail.finding import CheckOutcome, CheckStatus, Finding
from milter.mail.message import field_value, scan_header
from milter.mail.verdict import Action, Mode
from milter.pipeline import Pipeline
from milter.ports import Examined
from tests.support.signing import MESSAGE, answers, found, record, rsa_key, sign
from tests.support.zone import FakeResolver
from tests.unit.test_pipeline import HOLD, settings, transaction

CAME = datetime(2027, 1, 14, 15, 0, 5, tzinfo=UTC)
OURS = SealKey(domain="gate.example", selector="ours", private=rsa_key(2048, 2))
RAW = sign(
    MESSAGE.replace(b"\r\n\r\n", b"\r\nAuthentication-Results: us.test; dmarc=fail\r\n\r\n", 1),
    rsa_key(2048),
)
ZONE = {
    "key1._domainkey.signer.example": [f"TXT {record(rsa_key(2048)).decode()}"],
    "_dmarc.signer.example": ["TXT v=DMARC1; p=reject"],
}
KEYS = {
    **answers(rsa_key(2048)),
    Question(key_record(OURS)[0], "TXT"): found(key_record(OURS)[1].encode()),
}


class Clock:
    def now(self):
        return CAME

    def monotonic(self):
        return time.monotonic()


class Readers:
    """The reader's own code, in this process; whatever it reads is a lure that is held."""

    async def examine(self, raw, facts, deadline):
        outcome = CheckOutcome(
            check="language",
            status=CheckStatus.DONE,
            findings=tuple(Finding(code=code, check="language") for code in HOLD),
        )
        return Examined(reading=replace(examine(raw, facts), outcomes=(outcome,)))

    async def verify(self, original, edited, facts, deadline):
        return verify(original, edited, facts)


async def planned():
    options = pipeline_options(
        settings(),
        banner_key=b"k",
        mode=Mode.ENFORCE,
        seal=SealOptions(keys=((date(2026, 1, 1), OURS),)),
    )
    told = Row(
        name="tag only",
        annotate_from_db=20.0,
        quarantine_from_db=35.0,
        matches=lambda one: b"tag" in one.path.raw,
        at_most=Action.ANNOTATE,
        language="fr",
    )
    options = replace(
        options,
        act=replace(options.act, own_authserv_id="us.test"),
        facts=replace(options.facts, own_authserv_id="us.test"),
        policy=replace(options.policy, rows=(told, *options.policy.rows)),
    )
    clock = Clock()
    authenticator = Authenticator(
        resolver=FakeResolver(ZONE),
        clock=clock,
        options=AuthenticationOptions(authserv_id="us.test"),
    )
    pipeline = Pipeline(
        examiner=Readers(), history=EmptyHistory(), clock=clock, options=options,
        authenticator=authenticator,
    )  # fmt: skip
    what = replace(transaction("tag@org.test", "hold@org.test"), raw=RAW, received_at=CAME)
    return (await pipeline.plan(what, await pipeline.assess(what))).plan


@pytest.mark.parametrize("days", [0, 29])
async def test_every_copy_has_a_seal_and_results_that_are_true_when_it_is_released(days):
    plan = await planned()
    (group,), (hold,) = plan.groups, plan.holds
    assert hold.raw == RAW
    assert group.raw != hold.release_raw
    then = int((CAME + timedelta(days=days)).timestamp())
    for raw in (group.raw, hold.release_raw):
        header = scan_header(raw)
        chain = verify_arc(raw, header, KEYS, unix_time=then)
        assert (chain.result, chain.reason, chain.sealers) == ("pass", "", ("gate.example",))
        (field,) = header.named(b"authentication-results")
        results = parse_results(field_value(raw, field).decode())
        words = {one.method: one.result for one in results}
        assert words == {"dkim": "pass", "spf": "none", "dmarc": "pass", "arc": "none"}
        assert {one.method: one.result for one in chain.newest_results} == words
