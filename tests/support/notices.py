"""Notifications of professional networks, made anew in the form of real ones; all people invented."""

from tests.support.house import US, Sent

INMAIL = "email_hire_inmail_initial_single_01"
_SIGNED = ("X-LinkedIn-Class", "X-LinkedIn-Template")


def linkedin(
    name: str,
    text: str,
    *,
    subject: str = "A question about your work",
    to: str = US,
    headline: str = "",
    template: str = INMAIL,
    thread: str = "2-abc123",
) -> Sent:
    """A recruiter's message as the network relays it."""
    lines = [
        subject,
        "",
        name,
        *([headline] if headline else []),
        f"Reply: https://www.linkedin.com/messaging/thread/{thread}/?trk=eml-{template}",
        "",
        text,
        "",
        "----------------------------------------",
        "",
        "This email was intended for R. Lefort (Metrologist at National Standards Laboratory)",
        f"Unsubscribe: https://www.linkedin.com/comm/psettings/email-unsubscribe?trk=eml-{template}",
        "© 2026 LinkedIn Ireland Unlimited Company",
    ]
    return Sent(
        sender="inmail-hit-reply@linkedin.com",
        name=f"{name} via LinkedIn",
        text="\n".join(lines),
        to=(to,),
        subject=subject,
        fields=(
            ("Reply-To", "<5f0c2d1e-0b1a-4c7e-9d52-aa31f2a0c001@reply.linkedin.com>"),
            ("X-LinkedIn-Class", "INMAIL"),
            ("X-LinkedIn-Template", template),
        ),
        signed_too=_SIGNED,
    )
