"""Invented sample mails for `lurewall demo`: honest ones and three kinds of lure.

Every name, organisation, address and number is made up. They bear no Date: the demo dates them, and
the honest senders sign them, as it sends them (`senders`).
Failure: none; the bytes are constants.
"""

import base64
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

RECIPIENT = "r.lefort@example.org"
FOLLOW_UP_ID = "<follow.up@gmail.com>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One mail of the demo, and what a reader of the demo should look for.

    `signed_by` is the domain whose signature goes on top, or ''.
    """

    name: str
    reverse_path: str
    raw: bytes
    signed_by: str = ""

    def dated(self, at: datetime) -> bytes:
        """The mail as it is sent at that time."""
        return f"Date: {format_datetime(at)}\r\n".encode("ascii") + self.raw


def _mail(headers: str, body: str) -> bytes:
    text = headers.strip("\n") + "\n\n" + body.lstrip("\n")
    return text.encode("utf-8").replace(b"\n", b"\r\n")


_HONEST_RECRUITER = _mail(
    f"""
From: Maude Pelletier <m.pelletier@corvane-talent.test>
To: R. Lefort <{RECIPIENT}>
Subject: Senior metrology engineer, Ottawa (ref. CT-2291)
Message-ID: <2291.a@corvane-talent.test>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit
""",
    """
Hello,

I recruit for Halden Optics, a maker of interferometers in Ottawa. They have opened a permanent
position as senior metrology engineer, reporting to the head of calibration. The range is 98,000 to
115,000 CAD plus pension, three days on site.

The full posting is at https://jobs.corvane-talent.test/CT-2291. If it interests you, we could talk
for twenty minutes on Thursday or Friday; please use the calendar on that page.

Maude Pelletier
Corvane Talent Inc., Gatineau, +1 819 555 0142
""",
)

_PLATFORM_NOTICE = _mail(
    f"""
From: Daria Kamau via LinkedIn <inmail-hit-reply@linkedin.com>
Reply-To: Daria Kamau <0f6d1c7e@reply.linkedin.com>
To: R. Lefort <{RECIPIENT}>
Subject: Your talk on optical clocks
Message-ID: <118.77@mailb.prod.linkedin.com>
X-LinkedIn-Class: INMAIL
X-LinkedIn-Template: email_hire_inmail_initial_single_01
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit
""",
    """
Your talk on optical clocks

Daria Kamau
Reply: https://www.linkedin.com/messaging/thread/2-demo/

I listened to your talk on optical clocks and enjoyed the part on drift. I collect speakers for a
seminar series at our institute and would like to hear about your next public lecture.

This email was intended for R. Lefort (metrologist).
""",
)

_FOLLOW_UP = _mail(
    f"""
From: Daria Kamau <daria.k.consult@gmail.com>
To: R. Lefort <{RECIPIENT}>
Subject: Re: our exchange
Message-ID: {FOLLOW_UP_ID}
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii
Content-Transfer-Encoding: 7bit
""",
    """
Hi, as I wrote on LinkedIn, let us continue on WhatsApp, I rarely open this inbox:
+44 7700 900123. I will explain the project there.

Daria
""",
)

_PAID_REPORT = _mail(
    f"""
From: Strategy Desk <office.strategydesk@proton.me>
To: R. Lefort <{RECIPIENT}>
Subject: Short paper, honorarium
Message-ID: <paper.1@proton.me>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="=_demo_alt"
""",
    """
--=_demo_alt
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Dear Dr Lefort,

I came across your profile and your years inside the national time-keeping programme. A partner of
ours would like a short paper of six to eight pages on where the programme is heading. The
honorarium is 2,000 USD per paper, paid in cash or USDT as you like, and more for exclusive
content.

I cannot name the end client at this stage. They value what is not in the press: internal
planning, budget drafts, who decides. One small sample first; if it fits, two papers a month.

Please write to me on Signal rather than to your office address, my username is desk.41. There is
no need to mention this to your employer.

--=_demo_alt
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<html><body style=3D"font-family:sans-serif"><p>Dear Dr Lefort,</p>
<p>I came across your profile and your years inside the national time-keeping programme. A partner
of ours would like a short paper of six to eight pages on where the programme is heading. The
honorarium is 2,000 USD per paper, paid in cash or USDT as you like, and more for exclusive
content.</p>
<p>I cannot name the end client at this stage. They value what is not in the press: internal
planning, budget drafts, who decides. One small sample first; if it fits, two papers a month.</p>
<p>Please write to me on Signal rather than to your office address, my username is desk.41. There
is no need to mention this to your employer.</p></body></html>

--=_demo_alt--
""",
)

_TASK_SCAM = _mail(
    f"""
From: HR Onboarding <hr.team.onboarding@outlook.com>
To: R. Lefort <{RECIPIENT}>
Subject: Votre candidature est =?utf-8?q?retenue_imm=C3=A9diatement?=
Message-ID: <task.9@outlook.com>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit
""",
    """
Bonjour,

Vous êtes retenu sans entretien pour un travail à distance de trente minutes par jour : noter des
fiches produits et compléter des tâches d'optimisation. Gain de 150 à 400 € par jour, versé en USDT
après un petit dépôt remboursable.

Ajoutez notre responsable sur Telegram : @onboard_desk_fr pour confirmer aujourd'hui.
""",
)

_NEWSLETTER = _mail(
    f"""
From: Metrology Society <news@metrology-society.test>
To: R. Lefort <{RECIPIENT}>
Subject: November letter: how fake recruiters approach researchers
Message-ID: <nov.2026@metrology-society.test>
List-Id: <letter.metrology-society.test>
List-Unsubscribe: <https://metrology-society.test/u/77>
Precedence: bulk
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit
""",
    """
In this letter: the spring conference, two new standards, and a warning.

Security services report that fake recruiters offer researchers money for reports, ask to move to
WhatsApp or WeChat, and never name the client. If you receive such a message, do not reply and
tell your security officer.

You receive this letter as a member. Unsubscribe: https://metrology-society.test/u/77
""",
)

_SIGNATURE = base64.encodebytes(bytes(range(256)) * 5).decode("ascii")
_SMIME = _mail(
    f"""
From: Notary Office <office@notary-valmont.test>
To: R. Lefort <{RECIPIENT}>
Subject: Signed copy of your deed
Message-ID: <deed.5@notary-valmont.test>
MIME-Version: 1.0
Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256;
 boundary="=_demo_signed"
""",
    f"""
--=_demo_signed
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 7bit

The signed copy is ready. Please collect it at our office before Friday.

--=_demo_signed
Content-Type: application/pkcs7-signature; name=smime.p7s
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename=smime.p7s

{_SIGNATURE}
--=_demo_signed--
""",
)

SAMPLES = (
    Sample(
        name="honest recruiter",
        reverse_path="m.pelletier@corvane-talent.test",
        raw=_HONEST_RECRUITER,
        signed_by="corvane-talent.test",
    ),
    Sample(
        name="platform notification",
        reverse_path="bounce@bounce.linkedin.com",
        raw=_PLATFORM_NOTICE,
        signed_by="linkedin.com",
    ),
    Sample(
        name="lure: follow-up of the notification, from free mail",
        reverse_path="daria.k.consult@gmail.com",
        raw=_FOLLOW_UP,
    ),
    Sample(
        name="lure: paid report",
        reverse_path="office.strategydesk@proton.me",
        raw=_PAID_REPORT,
    ),
    Sample(
        name="lure: task scam (French)",
        reverse_path="hr.team.onboarding@outlook.com",
        raw=_TASK_SCAM,
    ),
    Sample(
        name="newsletter that warns",
        reverse_path="bounce@metrology-society.test",
        raw=_NEWSLETTER,
        signed_by="metrology-society.test",
    ),
    Sample(
        name="S/MIME-signed mail",
        reverse_path="office@notary-valmont.test",
        raw=_SMIME,
        signed_by="notary-valmont.test",
    ),
)
