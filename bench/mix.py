"""The invented mail of the benchmark: four kinds, the same octets for the same seed.

60 % newsletters (text and HTML, about 60 kB, fifty links), 20 % plain, 10 % with attachments (about
260 kB), 10 % recruiter mail (most honest, one in five a lure); one in ten French; DKIM-signed by
the caller. Sentences are drawn from the lists below: the words are dull on purpose.
"""

import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

Sign = Callable[[bytes], bytes]
SHARES: Final = {"newsletter": 60, "plain": 20, "attachment": 10, "recruiter": 10}

_SUBJECTS: Final = ("harbour", "garden", "kitchen", "library", "bicycle", "orchard", "museum", "river",
    "bakery", "theatre", "workshop", "station", "market", "studio", "island", "forest")  # fmt: skip
_DEEDS: Final = ("opens its doors", "shows new work", "changes its hours", "adds a second room",
    "invites families", "repairs the roof", "looks back on the year", "asks for your opinion",
    "plans a summer fair", "welcomes volunteers", "sells tickets online", "extends the season")  # fmt: skip
_DETAILS: Final = ("after months of work by the team", "with free entry on Sundays",
    "thanks to members and sponsors", "and there is more to come in autumn",
    "while the old building stays open", "as visitors had wished for years",
    "with guided tours twice a day", "including a small exhibition upstairs",
    "for readers who like long walks", "at prices that stay as they were",
    "although the weather did not help", "so bring friends and good shoes")  # fmt: skip
_SUBJECTS_FR: Final = ("le port", "le jardin", "la cuisine", "la bibliothèque", "le verger", "le musée",
    "la boulangerie", "le théâtre", "l'atelier", "le marché", "la gare", "la forêt")  # fmt: skip
_DEEDS_FR: Final = ("ouvre ses portes", "change ses horaires", "agrandit la salle",
    "invite les familles", "répare le toit", "cherche des bénévoles", "vend ses billets en ligne",
    "prépare la fête de l'été", "prolonge la saison")  # fmt: skip
_DETAILS_FR: Final = ("après des mois de travaux", "avec entrée libre le dimanche",
    "grâce aux membres et aux partenaires", "comme les visiteurs le souhaitaient",
    "avec deux visites guidées par jour", "aux mêmes prix qu'avant",
    "malgré la météo de la semaine", "pour ceux qui aiment marcher")  # fmt: skip
_GIVEN: Final = (
    "Emily",
    "Mathieu",
    "Wei",
    "Noor",
    "Olga",
    "Thiago",
    "Priya",
    "Kwame",
    "Lars",
    "Lucía",
)
_FAMILY: Final = ("Foster", "Gagnon", "Zhang", "Khalil", "Kovalenko", "Souza", "Iyer", "Mensah",
    "Hansen", "Rojas")  # fmt: skip
_PLAIN: Final = ("The minutes of Tuesday are in the shared folder.", "Could you look at the figures?",
    "The printer on the third floor works again.", "We moved the review to Thursday at ten.",
    "Thanks for the quick answer.", "The invoice came back with a new number.",
    "I shall be on leave from Friday.", "Please bring the signed form to the desk.",
    "The train was late, so we began without the slides.", "Let us keep the date as it is.")  # fmt: skip
_HONEST: Final = (
    "We are hiring a senior engineer for our plant in Leeds; permanent contract, 62,000 a year.",
    "The process has two interviews and takes about three weeks.",
    "You find the full description and the form on our careers page.",
    "Reference {n} was posted last week and closes at the end of the month.",
    "If this is not for you, no answer is needed and we shall not write again.",
    "The team has nine people and works with suppliers in four countries.",
)  # fmt: skip
_LURE: Final = (
    "As mentioned on LinkedIn, a partner of ours would pay 900 euros for a short paper.",
    "I cannot name the client yet, they value what does not reach the press.",
    "Shall we go on over WhatsApp? My number is +44 7700 900{n}.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """One mail of the benchmark: what kind it is, and its octets with CRLF."""

    kind: str
    raw: bytes


def mix(count: int, sign: Sign, *, seed: int = 1) -> list[Sample]:
    """`count` mails in a shuffled order with the shares above."""
    chance = random.Random(seed)
    kinds = [kind for kind, share in SHARES.items() for _ in range(count * share // 100)]
    kinds += ["plain"] * (count - len(kinds))
    chance.shuffle(kinds)
    return [_sample(chance, number, kind, sign) for number, kind in enumerate(kinds)]


def of_kind(kind: str, count: int, sign: Sign, *, seed: int = 2) -> list[Sample]:
    """`count` mails of one kind."""
    chance = random.Random(seed)
    return [_sample(chance, number, kind, sign) for number in range(count)]


def _sample(chance: random.Random, number: int, kind: str, sign: Sign) -> Sample:
    return Sample(kind, sign(_BUILDERS[kind](chance, number).as_bytes(policy=SMTP)))


def _message(chance: random.Random, number: int, subject: str, domain: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    given, family = chance.choice(_GIVEN), chance.choice(_FAMILY)
    message["Received"] = (
        f"from out{number % 7}.{domain} (out{number % 7}.{domain} [192.0.2.{number % 250 + 1}])"
        f" by mx.example.org with ESMTPS id {number:08x}; Tue, 03 Nov 2026 09:{number % 60:02d}:11 +0000"
    )
    message["From"] = f"{given} {family} <{given.lower().replace('í', 'i')}@{domain}>"
    message["To"] = f"staff{number % 90}@example.org"
    message["Subject"] = subject
    message["Date"] = f"Tue, 03 Nov 2026 09:{number % 60:02d}:09 +0000"
    message["Message-ID"] = f"<{number:06d}.{chance.getrandbits(48):012x}@{domain}>"
    return message


def _sentence(chance: random.Random, *, french: bool = False) -> str:
    if french:
        words = (chance.choice(_SUBJECTS_FR), chance.choice(_DEEDS_FR), chance.choice(_DETAILS_FR))
        text = f"{words[0]} {words[1]} {words[2]}."
        return text[0].upper() + text[1:]
    return f"The {chance.choice(_SUBJECTS)} {chance.choice(_DEEDS)} {chance.choice(_DETAILS)}."


def _paragraph(chance: random.Random, sentences: int, *, french: bool = False) -> str:
    return " ".join(_sentence(chance, french=french) for _ in range(sentences))


_CELL: Final = (
    "font-family:Helvetica,Arial,sans-serif;font-size:15px;line-height:22px;color:#333333"
)


def _newsletter(chance: random.Random, number: int) -> EmailMessage:
    french = number % 10 == 0
    domain = "letters.example.net"
    message = _message(chance, number, _sentence(chance, french=french), domain)
    message["List-Unsubscribe"] = f"<https://{domain}/u/{number}>"
    plain: list[str] = []
    blocks: list[str] = []
    for place in range(chance.randint(26, 44)):
        title = _sentence(chance, french=french)
        body = _paragraph(chance, chance.randint(2, 5), french=french)
        link = f"https://{domain}/c/{number}/{place}?u={chance.getrandbits(120):030x}&s=mail"
        plain += [title.upper(), body, link, ""]
        blocks.append(
            f'<tr><td align="left" valign="top" style="padding:12px 24px;{_CELL}">\n'
            f'<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">'
            f'<tr><td width="180"><a href="{link}" target="_blank"><img src="https://{domain}/i/'
            f'{place}.jpg" width="180" height="120" alt="{title}" style="display:block;border:0">'
            f'</a></td><td style="padding-left:16px;{_CELL}"><h2 style="margin:0 0 8px;font-size:'
            f'19px;color:#111111">{title}</h2><p style="margin:0 0 10px">{body}</p>'
            f'<a href="{link}&amp;b=1" style="color:#0a5ca8;text-decoration:underline">'
            f"{'Lire la suite' if french else 'Read on'}</a></td></tr></table></td></tr>\n"
        )
    head = (
        "<style>@media only screen and (max-width:600px){.c{width:100%!important}}"
        "a{color:#0a5ca8}.p{display:none;font-size:0}</style>"
    )
    html = (
        f"<html><head><meta charset=utf-8><title>{plain[0]}</title>{head}</head><body "
        f'style="margin:0;background:#f2f2f2"><div class="p">{plain[1][:90]}</div><table width="100%" '
        f'bgcolor="#f2f2f2"><tr><td align="center"><table class="c" width="640" bgcolor="#ffffff">'
        f"{''.join(blocks)}</table></td></tr></table></body></html>"
    )
    message.set_content("\n".join(plain), cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message


def _plain(chance: random.Random, number: int) -> EmailMessage:
    french = number % 10 == 0
    message = _message(chance, number, f"Re: {chance.choice(_PLAIN)}", "example.com")
    body = [chance.choice(_PLAIN) for _ in range(chance.randint(3, 9))]
    if french:
        body = [_sentence(chance, french=True) for _ in body]
    quoted = [f"> {_paragraph(chance, 2, french=french)}" for _ in range(chance.randint(3, 9))]
    text = "\n".join([*body, "", "On Mon, 2 Nov 2026 at 17:02, staff wrote:", *quoted, ""])
    message.set_content(text)
    return message


def _attachment(chance: random.Random, number: int) -> EmailMessage:
    message = _plain(chance, number)
    message.replace_header("Subject", "Documents")
    for kind, subtype, name, size in (
        ("application", "pdf", "terms.pdf", 90_000),
        ("image", "png", "plan.png", 60_000),
        ("application", "zip", "sheets.zip", 40_000),
    ):
        octets = zlib.compress(chance.randbytes(size), 1)
        message.add_attachment(octets, maintype=kind, subtype=subtype, filename=name)
    return message


def _recruiter(chance: random.Random, number: int) -> EmailMessage:
    is_lure = number % 5 == 0
    domain = "gmail.com" if is_lure else "careers.example.com"
    message = _message(chance, number, "An opening that may suit you", domain)
    said: Sequence[str] = _LURE if is_lure else chance.sample(_HONEST, 5)
    lines = [line.format(n=f"{number % 1000:03d}") for line in said]
    greeting = f"Dear {chance.choice(_GIVEN)},"
    text = "\n\n".join([greeting, *lines, _paragraph(chance, 6), "Kind regards"])
    message.set_content(text)
    paragraphs = "".join(f"<p>{line}</p>" for line in text.split("\n\n"))
    message.add_alternative(f"<html><body>{paragraphs}</body></html>", subtype="html")
    return message


_BUILDERS: Final[dict[str, Callable[[random.Random, int], EmailMessage]]] = {
    "newsletter": _newsletter,
    "plain": _plain,
    "attachment": _attachment,
    "recruiter": _recruiter,
}
