"""The same mails through the SMTP proxy and through MTAs with the milter: the same judgement.

One gateway with both listeners judges each mail three times: as SMTP proxy between a client and the
sink, and as milter of a Postfix and of a Sendmail before sinks. Verdict fields, dispositions per
recipient and octets at the sinks must be equal, but for:

- X-Lurewall-Id, which names the transaction;
- the MTA's own Received field, which stands below our fields and above those of the mail (the proxy
  in role before_queue adds none: the Postfix behind it does);
- what Postfix changes in any mail, without us: it is told not to (`message_drop_headers`, line
  lengths), so that the octets can be compared;
- what Sendmail changes in any mail: it quotes names with a dot in address fields, closes a multipart
  that the sender left open, and takes trace fields and others of real mail away; there the octets
  are compared for the mails of our own only.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from milter.demo.inner_server import Delivered
from tests.support import corpora, postfix, sendmail
from tests.support.client import Peer
from tests.support.gateway import Gateway, eventually, gateway
from tests.support.inner import inner_server
from tests.support.kept import held_mails
from tests.support.mta_message import MtaMessage
from tests.support.ports import free_port
from tests.support.varied import varied

pytestmark = [
    pytest.mark.servers,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("milter"),
    pytest.mark.skipif(bool(postfix.why_not()), reason=postfix.why_not()),
]

# Each mail comes several times in an order of the day: what came before must not weigh.
ALONE = '\n[history]\nstore = "none"\n'
POLICY = """
[[policy]]
name = "tag"
recipients = ["tagged.example.org"]
at_most = "annotate"

[annotate]
subject_tag = "[unusual]"
"""
# As if nothing but a filter were between client and next hop.
TRANSPARENT = {
    "local_header_rewrite_clients": "",
    "smtp_line_length_limit": "0",
    "message_drop_headers": "",
    "disable_mime_output_conversion": "yes",
}
_ID = re.compile(rb"(?m)^X-Lurewall-Id: \w+\r\n")
_OF_THE_MTA = re.compile(rb"^Received: from client\.test .*\r\n(?:[ \t].*\r\n)*", re.MULTILINE)
_OURS = re.compile(rb"(?m)^X-Lurewall-[^\r]*\r\n(?:[ \t][^\r]*\r\n)*")
_QUOTED = re.compile(rb'(?m)^(From|To|Reply-To): "([^"\r]*)"')
# What an event of the mail log says of the judgement, and not of the transaction.
JUDGED = (
    "label", "score_db", "findings", "degraded", "language", "intended", "banner", "header_from",
    "reverse_path", "size_bytes", "authentication", "fates", "reply_code",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """One gateway, the doors to it by name, and what came out behind each."""

    gateway: Gateway
    doors: dict[str, int]
    sinks: dict[str, list[Delivered]]

    def send(self, front: str, mails: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """Each mail to one recipient who gets it tagged and one for whom it may be held."""
        replies = []
        with Peer(self.doors[front], timeout=120) as peer:
            peer.hello()
            for name, raw in mails:
                to = [f"{name}@tagged.example.org", f"{name}@{front}.held.example.org"]
                replies.append(peer.send(raw, to=to, sender="p.renn@gmail.com")[:3])
        return replies


@contextmanager
def both_fronts(folder: Path) -> Iterator[Both]:
    with ExitStack() as stack:
        names = ("before_queue", "postfix", *(() if sendmail.why_not() else ("sendmail",)))
        sinks = {name: stack.enter_context(inner_server()) for name in names}
        port = free_port()
        more = f'[[listen]]\nrole = "milter"\nport = {port}\n'
        more += f'release_to = "127.0.0.1:{sinks["postfix"].port}"\n'
        top = 'trusted_authserv_ids = ["edge.demo.test"]'
        running = stack.enter_context(
            gateway(
                folder, inner_port=sinks["before_queue"].port, top=top, more=more + POLICY + ALONE
            )
        )
        settings = {
            **TRANSPARENT,
            "default_transport": f"smtp:[127.0.0.1]:{sinks['postfix'].port}",
            "smtpd_milters": f"inet:127.0.0.1:{port}",
        }
        doors = {
            "before_queue": running.port,
            "postfix": stack.enter_context(postfix.postfix("mta", settings=settings)).port,
        }
        if "sendmail" in sinks:
            ours = sendmail.Filter(socket=sendmail.inet(port))
            mta = stack.enter_context(sendmail.sendmail(sinks["sendmail"].port, ours))
            doors["sendmail"] = mta.port
        yield Both(
            gateway=running,
            doors=doors,
            sinks={name: sink.messages for name, sink in sinks.items()},
        )


def compare(
    both: Both, mails: Sequence[tuple[str, bytes]], *, changed_by: tuple[str, ...] = ()
) -> list[str]:
    """Send all through every door; names of doors and mails that became something else there.

    `changed_by` names doors whose octets are not to be compared.
    """
    replies = {front: both.send(front, mails) for front in both.doors}
    results = {front: became(both, front, mails) for front in both.doors}
    different = []
    for front in both.doors:
        assert replies[front] == replies["before_queue"]
        for name, _raw in mails:
            proxied, filtered = results["before_queue"][name], results[front][name]
            if front in changed_by:
                filtered |= {key: proxied[key] for key in ("tagged", "other")}
            if proxied != filtered:
                different.append(f"{front} {name}")
                print(front, name, *explained(proxied, filtered), sep="\n  ")
    return different


def became(both: Both, front: str, mails: Sequence[tuple[str, bytes]]) -> dict[str, dict]:
    """By name of the mail: octets that arrived per recipient, octets that are held, judgement."""
    for name, _ in mails:
        wait_for(both, front, name)
    held = held_mails(both.gateway)
    events = {
        event["recipients"][-1].partition("@")[0]: event
        for event in both.gateway.events("message")
        if event["recipients"][-1].endswith(f"@{front}.held.example.org")
    }
    results = {}
    for name, _raw in mails:
        tagged, other = f"{name}@tagged.example.org", f"{name}@{front}.held.example.org"
        results[name] = {
            "tagged": octets(both, front, tagged),
            "other": octets(both, front, other),
            "held": held.get(other, []),
            "fields": [_OURS.findall(raw) for raw in octets(both, front, tagged)],
            **{key: events[name][key] for key in JUDGED},
        }
    return results


def wait_for(both: Both, front: str, name: str) -> None:
    wanted = f"{name}@tagged.example.org".encode()
    eventually(lambda: any(wanted in one.recipients for one in both.sinks[front]))


def octets(both: Both, front: str, recipient: str) -> list[bytes]:
    """What arrived, without the id of the transaction and what is the MTA's own."""
    found = [one.raw for one in both.sinks[front] if recipient.encode() in one.recipients]
    found = [_OF_THE_MTA.sub(b"", _ID.sub(b"", raw), count=1) for raw in found]
    if front == "sendmail":
        found = [_QUOTED.sub(rb"\1: \2", raw).removesuffix(b"--lost--\r\n") for raw in found]
    return found


def explained(proxied: dict, filtered: dict) -> Iterator[str]:
    for key, value in proxied.items():
        if value != filtered[key]:
            yield f"{key}: {str(value)[:400]} / {str(filtered[key])[:400]}"


def test_varied_mails_are_judged_and_edited_alike(tmp_path):
    mails = list(varied())
    assert len(mails) >= 60
    with both_fronts(tmp_path) as both:
        assert compare(both, mails) == []
        labels = {event["label"] for event in both.gateway.events("message")}
        assert {"lure", "scam", "clean"} <= labels
        assert sum(bool(kept) for kept in held_mails(both.gateway).values()) >= 20


def real_mails() -> list[tuple[str, bytes]]:
    """Torture and everyday mail that can travel by SMTP: CRLF, neither bare CR nor NUL.

    A line among the header fields that is none ends the header for Postfix, which puts an empty line
    before it; such mails are left out.
    """
    picked = list(corpora.torture())[3::64]
    for name, count in (("list_mail", 10), ("phishing_pot", 10), ("spamassassin", 10)):
        picked += corpora.messages(name, count)
    mails = []
    for number, (_name, raw) in enumerate(picked):
        raw = re.sub(rb"\AFrom [^\n]*\n", b"", raw).replace(b"\r\n", b"\n")
        sent = raw.replace(b"\n", b"\r\n")
        if b"\r" not in raw and b"\0" not in raw and MtaMessage.of(sent).raw() == sent:
            mails.append((f"real{number}", sent))
    return mails


@pytest.mark.corpora
@pytest.mark.skipif(bool(corpora.why_not()), reason=corpora.why_not())
def test_real_mails_are_judged_and_edited_alike(tmp_path):
    mails = real_mails()
    assert len(mails) >= 60
    with both_fronts(tmp_path) as both:
        assert compare(both, mails, changed_by=("sendmail",)) == []
