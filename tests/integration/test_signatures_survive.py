"""What somebody else signed verifies after us: S/MIME and PGP as it leaves, DKIM without our edit.

The verifiers are openssl, gpg and dkimpy; keys are made in the test. Each verifier first shows that
it would see a changed octet.
"""

import os
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import dkim
import pytest

from milter.act.plan import Acted, act_on
from milter.mail.edit import BannerOutcome, InsertField, remove_edits
from milter.mail.reading import HeaderFacts, Reading
from milter.mail.verdict import Action, Disposition
from tests.properties.test_edit_messages import OPTIONS, VERDICT, act_as_read
from tests.support.shapes import Shape, shape
from tests.support.signing import DOMAIN, SELECTOR, pem, public_text, rsa_key

MISSING = [name for name in ("openssl", "gpg") if not shutil.which(name)]
needs_commands = [
    pytest.mark.servers,
    pytest.mark.skipif(
        bool(MISSING) and os.environ.get("CI") != "true", reason=f"not installed: {MISSING}"
    ),
]
TOP = b"From: Rosa <rosa@signer.example>\r\nTo: staff@example.org\r\nSubject: signed\r\n"
ENTITY = (
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    b"\r\nAn offer, signed.  =\r\n=C3=A9\r\n\r\n-- =20\r\nRosa\r\n"
)


def run(*command: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, input=given, capture_output=True, check=False, timeout=60)


def acted_on(raw: bytes) -> Acted:
    return act_as_read(raw, "fr")


@pytest.fixture(scope="module")
def smime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key and a certificate that signs itself."""
    folder = tmp_path_factory.mktemp("smime")
    made = run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem", "-days", "30",
        "-subj", "/CN=Rosa/emailAddress=rosa@signer.example",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return folder


def smime_message(folder: Path, *options: str) -> bytes:
    signed = run(
        "openssl", "cms", "-sign", "-signer", f"{folder}/cert.pem", "-inkey", f"{folder}/key.pem",
        "-crlfeol", "-binary", *options, given=ENTITY,
    )  # fmt: skip
    assert signed.returncode == 0, signed.stderr
    lines = signed.stdout.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return TOP + lines


def smime_verifies(folder: Path, raw: bytes) -> bool:
    verified = run(
        "openssl", "cms", "-verify", "-CAfile", f"{folder}/cert.pem", "-purpose", "any", given=raw
    )
    return verified.returncode == 0


class TestSmime:
    pytestmark = needs_commands

    @pytest.mark.parametrize("options", [(), ("-nodetach",)], ids=["clear", "opaque"])
    def test_signed_mail_verifies_as_it_leaves(self, smime: Path, options: tuple[str, ...]) -> None:
        raw = smime_message(smime, *options)
        assert smime_verifies(smime, raw)
        assert not smime_verifies(smime, changed(raw))
        acted = acted_on(raw)
        assert acted.banner is BannerOutcome.SIGNED
        assert acted.raw.startswith(b"X-Lurewall-Verdict: lure")
        assert b"[outside] signed" in acted.raw
        assert smime_verifies(smime, acted.raw)

    def test_signed_mail_with_a_list_footer_around_it(self, smime: Path) -> None:
        signed = smime_message(smime).removeprefix(TOP).removeprefix(b"MIME-Version: 1.0\r\n")
        raw = (
            TOP + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=list\r\n\r\n"
            b"--list\r\n" + signed + b"\r\n--list\r\nContent-Type: text/plain\r\n\r\n"
            b"a footer of the list\r\n--list--\r\n"
        )
        acted = acted_on(raw)
        assert acted.banner is BannerOutcome.SIGNED
        assert acted.raw.startswith(b"X-Lurewall-Verdict: lure")
        inner = acted.raw.split(b"--list\r\n")[1].removesuffix(b"\r\n")
        assert smime_verifies(smime, inner)

    def test_encrypted_mail_opens_as_it_leaves(self, smime: Path) -> None:
        sealed = run("openssl", "cms", "-encrypt", "-aes128", f"{smime}/cert.pem", given=ENTITY)
        raw = TOP + sealed.stdout.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        acted = acted_on(raw)
        assert acted.banner is BannerOutcome.ENCRYPTED
        opened = run(
            "openssl", "cms", "-decrypt", "-inkey", f"{smime}/key.pem", "-recip",
            f"{smime}/cert.pem", given=acted.raw,
        )  # fmt: skip
        assert opened.stdout.replace(b"\r\n", b"\n") == ENTITY.replace(b"\r\n", b"\n")


def changed(raw: bytes) -> bytes:
    """One octet within what is signed is another one."""
    for word, other in ((b"An offer", b"An Offer"), (b"MII", b"MIJ")):
        if word in raw:
            return raw.replace(word, other, 1)
    position = raw.index(b"\r\n\r\n") + 400
    return (
        raw[:position]
        + (b"A" if raw[position : position + 1] != b"A" else b"B")
        + raw[position + 1 :]
    )


@pytest.fixture(scope="module")
def gnupg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of gpg with one key."""
    home = tmp_path_factory.mktemp("pgp")
    home.chmod(0o700)
    made = gpg(home, "--passphrase", "", "--quick-gen-key", "rosa@signer.example", "default")
    assert made.returncode == 0, made.stderr
    return home


def gpg(home: Path, *options: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return run(
        "gpg", "--homedir", str(home), "--batch", "--no-tty", "--trust-model", "always", *options,
        given=given,
    )  # fmt: skip


class TestPgp:
    pytestmark = needs_commands

    def test_clear_signed_text_verifies_as_it_leaves(self, gnupg: Path) -> None:
        signed = gpg(gnupg, "--clearsign", given=b"An offer, signed.\n").stdout
        body = signed.replace(b"\n", b"\r\n")
        raw = TOP + b"Content-Type: text/plain; charset=us-ascii\r\n\r\n" + body
        assert gpg(gnupg, "--verify", given=body).returncode == 0
        assert gpg(gnupg, "--verify", given=changed(body)).returncode != 0
        acted = acted_on(raw)
        assert acted.banner is BannerOutcome.INLINE_PGP
        left = acted.raw.partition(b"\r\n\r\n")[2]
        assert gpg(gnupg, "--verify", given=left).returncode == 0

    def test_pgp_mime_verifies_as_it_leaves(self, gnupg: Path, tmp_path: Path) -> None:
        signature = gpg(gnupg, "--detach-sign", "--armor", given=ENTITY).stdout
        raw = (
            TOP + b"MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b; micalg=pgp-sha512;"
            b' protocol="application/pgp-signature"\r\n\r\n--b\r\n' + ENTITY + b"\r\n--b\r\n"
            b"Content-Type: application/pgp-signature; name=signature.asc\r\n\r\n"
            + signature.replace(b"\n", b"\r\n") + b"--b--\r\n"
        )  # fmt: skip
        acted = acted_on(raw)
        assert acted.banner is BannerOutcome.SIGNED
        signed = acted.raw.split(b"--b\r\n")[1].removesuffix(b"\r\n")
        (tmp_path / "signature").write_bytes(signature)
        arguments = ("--verify", str(tmp_path / "signature"), "-")
        assert gpg(gnupg, *arguments, given=signed).returncode == 0
        assert gpg(gnupg, *arguments, given=changed(signed)).returncode != 0

    def test_pgp_mime_opens_as_it_leaves(self, gnupg: Path) -> None:
        options = ("--encrypt", "--armor", "--recipient", "rosa@signer.example")
        sealed = gpg(gnupg, *options, given=ENTITY).stdout.replace(b"\n", b"\r\n")
        raw = (
            TOP + b"Content-Type: multipart/encrypted; boundary=b; protocol=application/pgp-encrypted"
            b"\r\n\r\n--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b\r\n"
            b"Content-Type: application/octet-stream\r\n\r\n" + sealed + b"--b--\r\n"
        )  # fmt: skip
        acted = acted_on(raw)
        assert acted.banner is BannerOutcome.ENCRYPTED
        left = acted.raw.partition(b"octet-stream\r\n\r\n")[2]
        assert gpg(gnupg, "--decrypt", given=left).stdout == ENTITY


@cache
def record() -> bytes:
    return f"v=DKIM1; k=rsa; p={public_text(rsa_key(1024))}".encode()


def signed_by_dkim(raw: bytes, canonical: tuple[bytes, bytes]) -> bytes:
    headers = [b"from", b"to", b"subject", b"mime-version", b"content-type"]
    field = dkim.sign(
        raw, SELECTOR.encode(), DOMAIN.encode(), pem(rsa_key(1024)), canonicalize=canonical,
        include_headers=headers,
    )  # fmt: skip
    return field + raw


def dkim_verifies(raw: bytes) -> bool:
    return bool(dkim.verify(raw, dnsfunc=lambda _name, timeout=5: record(), minkey=1024))


def signable(first: int, last: int) -> list[Shape]:
    """Shapes that a signer would take: a header of fields, lines with CRLF, From and Subject."""
    odd = ("mbox line", "line feeds only", "junk in header", "forged fields", "two content types")
    shapes = [shape(number) for number in range(first, last)]
    return [one for one in shapes if one.damage not in odd]


@pytest.mark.parametrize(
    "canonical", [(b"relaxed", b"relaxed"), (b"simple", b"simple")], ids=["relaxed", "simple"]
)
def test_dkim_verifies_once_our_edits_are_taken_out(canonical: tuple[bytes, bytes]) -> None:
    edited = 0
    for one in signable(0, 150):
        raw = signed_by_dkim(one.raw, canonical)
        assert dkim_verifies(raw), one.name
        acted = acted_on(raw)
        assert dkim_verifies(remove_edits(acted.raw, acted.edits)), one.name
        # Fields on top change nothing that was signed; a tag or a banner does.
        only_adds = all(isinstance(edit, InsertField) and not edit.start for edit in acted.edits)
        assert dkim_verifies(acted.raw) is only_adds, one.name
        edited += acted.edits_body
    assert edited > 50


def test_dkim_verifies_as_it_leaves_where_only_fields_are_added() -> None:
    delivered = Disposition(action=Action.DELIVER, rule="default", recipients=())
    for one in signable(150, 250):
        raw = signed_by_dkim(one.raw, (b"simple", b"simple"))
        acted = act_on(
            raw, reading=Reading(size_bytes=len(raw), header=HeaderFacts()), verdict=VERDICT,
            disposition=delivered, transaction_id="t-1", reasons=("CODE=+7.0",),
            options=replace(OPTIONS, subject_tag=""),
        )  # fmt: skip
        assert acted.raw.startswith(b"X-Lurewall-Verdict")
        assert dkim_verifies(acted.raw), one.name
