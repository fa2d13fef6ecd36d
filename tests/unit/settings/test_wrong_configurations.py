"""Each wrong configuration is refused with file, key and what would be right; all at once."""

import os
import socket
from datetime import date
from itertools import takewhile

import pytest

from milter.settings import ConfigurationError, load_settings
from milter.settings.name_servers import parse_name_server
from milter.settings.rules import environment_problems, rule_problems
from milter.settings.shipped import shipped_text

LISTEN = '[[listen]]\nrole = "before_queue"\nport = 0\n'
NEXT_HOP = '[next_hop]\nhost = "127.0.0.1"\nport = 2525\n'
MILTER = LISTEN.replace("before_queue", "milter") + "release_to = 'in.example:25'\n"
ADMIN = "[admin]\nport = 0\n"
GOOD = LISTEN + NEXT_HOP + ADMIN


def problems_of(text: str) -> list[tuple[str, str, bool]]:
    try:
        loaded = load_settings(text.encode(), source="gateway.toml")
    except ConfigurationError as error:
        found = error.problems
    else:
        found = loaded.warnings
    assert all(problem.file == "gateway.toml" for problem in found)
    return [(problem.key, problem.message, problem.is_warning) for problem in found]


def test_the_smallest_good_file_loads():
    assert all(warning for _, _, warning in problems_of(GOOD))


def test_a_milter_that_only_observes_needs_no_place_to_release_to():
    text = LISTEN.replace("before_queue", "milter") + ADMIN
    assert all(warning for _, _, warning in problems_of(text))


def test_behind_a_milter_alone_no_next_hop_is_needed():
    assert all(warning for _, _, warning in problems_of(MILTER + ADMIN))
    settings = load_settings((MILTER + ADMIN).encode(), source="x").settings
    assert (settings.outgoing_hop.host, settings.outgoing_hop.port) == ("in.example", 25)
    assert settings.listen[0].socket_mode == 0o660


def test_the_shipped_file_loads_and_states_the_defaults():
    shipped = load_settings(shipped_text("gateway.toml").encode(), source="gateway.toml").settings
    smallest = load_settings(
        b'[[listen]]\nrole="before_queue"\nxforward_from=["127.0.0.0/8","::1/128"]\n'
        b'[next_hop]\nhost="127.0.0.1"\nport=10026\n',
        source="x",
    ).settings
    assert shipped == smallest


WRONG = {
    "unknown key": ("mod = 'observe'\n" + GOOD, "mod", "unknown key"),
    "unknown key in a table": (
        GOOD + "[limits]\nmesage_bytes = 5\n",
        "limits.mesage_bytes",
        "unknown",
    ),
    "wrong type": ("fronts = 'two'\n" + GOOD, "fronts", "'two'"),
    "wrong type in a list": ("domains = [5]\n" + GOOD, "domains[0]", "5"),
    "missing next hop": (LISTEN, "next_hop", "missing"),
    "no listener": ("listen = []\n" + NEXT_HOP, "listen", "at least 1"),
    "mx without domains": (GOOD.replace("before_queue", "mx"), "domains", "list yours"),
    "enforce without contact": ("mode = 'enforce'\n" + GOOD, "contact", "write an address"),
    "contact is no address": ("contact = 'me'\n" + GOOD, "contact", "form"),
    "trusted authserv-id is ours": (
        "hostname = 'mx.org.test'\ntrusted_authserv_ids = ['MX.org.test']\n" + GOOD,
        "trusted_authserv_ids[0]",
        "our own",
    ),
    "trusted authserv-id pattern takes ours in": (
        "hostname = 'mx.org.test'\ntrusted_authserv_ids = ['*.org.test']\n" + GOOD,
        "trusted_authserv_ids[0]",
        "our own",
    ),
    "name server by name": (
        GOOD + "[authentication]\nnameservers = ['192.0.2.1', 'ns.org.test']\n",
        "authentication.nameservers[1]",
        "no IP address",
    ),
    "name server with a bad port": (
        GOOD + "[authentication]\nnameservers = ['[::1]:99999']\n",
        "authentication.nameservers[0]",
        "usable port",
    ),
    "verify is none of the words": (
        GOOD + "[authentication]\nverify = 'sometimes'\n",
        "authentication.verify",
        "'auto'",
    ),
    "more look-ups than may be": (
        GOOD + "[authentication]\nlookups = 5000\n",
        "authentication.lookups",
        "200",
    ),
    "overlapping policy rows": (
        GOOD + "[[policy]]\nname='a'\nrecipients=['org.test']\n"
        "[[policy]]\nname='b'\nrecipients=['x@org.test']\n",
        "policy[1].recipients",
        "can never match: row 'a'",
    ),
    "policy row after everybody": (
        GOOD + "[[policy]]\nname='all'\n[[policy]]\nname='b'\nrecipients=['org.test']\n",
        "policy[1].recipients",
        "can never match",
    ),
    "policy name twice": (
        GOOD + "[[policy]]\nname='a'\nrecipients=['one.test']\n"
        "[[policy]]\nname='a'\nrecipients=['two.test']\n",
        "policy[1].name",
        "twice",
    ),
    "hold below tag": (
        GOOD + "[[policy]]\nname='a'\nannotate_from_db=30\nquarantine_from_db=20\n",
        "policy[0].quarantine_from_db",
        "below",
    ),
    "allow row without owner": (
        GOOD + "[[allow]]\nname='a'\nheader_from=['c.test']\nexpires=2030-01-01\n",
        "allow[0].owner",
        "missing",
    ),
    "allow row without expiry": (
        GOOD + "[[allow]]\nname='a'\nheader_from=['c.test']\nowner='me'\n",
        "allow[0].expires",
        "missing",
    ),
    "allow row for everybody": (
        GOOD + "[[allow]]\nname='a'\nheader_from=['*']\nowner='me'\nexpires=2030-01-01\n",
        "allow[0].header_from",
        "not everybody",
    ),
    "negative limit": (GOOD + "[limits]\nrecipients = -1\n", "limits.recipients", "greater than 0"),
    "limit on memory below one message": (
        GOOD + "[limits]\nbytes_in_flight = 1000\n",
        "limits.bytes_in_flight",
        "larger",
    ),
    "bad network": (
        LISTEN + "xforward_from = ['10.0.0.0/33']\n" + NEXT_HOP,
        "listen[0].xforward_from[0]",
        "192.0.2.0/24",
    ),
    "bad regular expression": (
        GOOD + "[[policy]]\nname='a'\nrecipients=['re:(x']\n",
        "policy[0].recipients",
        "regular expression",
    ),
    "bad recipient": (
        GOOD + "[[policy]]\nname='a'\nrecipients=['a b@c']\n",
        "policy[0].recipients",
        "no address",
    ),
    "missing recipient list": (
        GOOD + "[[policy]]\nname='a'\nrecipients=['file:/nowhere/list']\n",
        "policy[0].recipients",
        "cannot read",
    ),
    "unknown weight code": (GOOD + "[weights]\nOFF_PLATFORM = 5\n", "weights", "no finding code"),
    "weight over 10 dB": (GOOD + "[weights]\nOFFPLATFORM = 11\n", "weights", "over 10 dB"),
    "missing weights file": (
        "weights_file = '/nowhere.toml'\n" + GOOD,
        "weights_file",
        "cannot read",
    ),
    "unknown banner language": (
        GOOD + "[annotate]\nlanguage = 'xx'\n",
        "annotate.language",
        "must be one of",
    ),
    "report link that is no https": (
        GOOD + "[annotate]\nreport_url = 'http://x.test'\n",
        "annotate.report_url",
        "form",
    ),
    "milter holds without release_to": (
        "mode = 'enforce'\ncontact = 'a@org.test'\n"
        + LISTEN.replace("before_queue", "milter")
        + NEXT_HOP,
        "listen[0].release_to",
        "host:port",
    ),
    "release_to without a port": (
        MILTER.replace("in.example:25", "in.example") + NEXT_HOP,
        "listen[0].release_to",
        "form",
    ),
    "a Unix socket for SMTP": (
        LISTEN + "socket = '/run/x.sock'\n" + NEXT_HOP,
        "listen[0].socket",
        "role milter",
    ),
    "socket mode that is no mode": (
        MILTER + "socket_mode = 'rw-rw----'\n" + NEXT_HOP,
        "listen[0].socket_mode",
        "octal",
    ),
    "socket mode as a number": (
        MILTER + "socket_mode = 660\n" + NEXT_HOP,
        "listen[0].socket_mode",
        "octal",
    ),
    "what is for milters at another role": (
        LISTEN + "hold_with = 'mta'\n" + NEXT_HOP,
        "listen[0].hold_with",
        "is for role milter",
    ),
    "milter that should normalise": (
        MILTER + "bare_line_ends = 'normalise'\n" + NEXT_HOP,
        "listen[0].bare_line_ends",
        "not for role milter",
    ),
    "two servers to release to": (
        MILTER + MILTER.replace("port = 0", "port = 1").replace("in.example", "other.example"),
        "listen[1].release_to",
        "in.example:25",
    ),
    "milter with XCLIENT": (
        MILTER + "xclient_from = ['127.0.0.1/32']\n" + NEXT_HOP,
        "listen[0].xclient_from",
        "not for role milter",
    ),
    "TLS required, no certificate": (
        LISTEN + "require_tls = true\n" + NEXT_HOP,
        "listen[0].require_tls",
        "name both files",
    ),
    "certificate without key": (
        LISTEN + "tls_certificate = '/x.pem'\n" + NEXT_HOP,
        "listen[0].tls_key",
        "belong together",
    ),
    "verified TLS to an address": (
        LISTEN + NEXT_HOP + "tls = 'verify'\n",
        "next_hop.host",
        "name in the certificate",
    ),
    "before_queue slower than Postfix waits": (
        LISTEN + NEXT_HOP + "end_of_data_seconds = 100.0\n",
        "next_hop.end_of_data_seconds",
        "smtpd_proxy_timeout",
    ),
    "missing banners file": (
        GOOD + "[annotate]\nbanners_file = '/nowhere.toml'\n",
        "annotate.banners_file",
        "cannot read",
    ),
    "not TOML": ("mode = \n", "(file)", "TOML"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_configuration(name):
    text, key, says = WRONG[name]
    matching = [p for p in problems_of(text) if p[0] == key and says in p[1] and not p[2]]
    assert matching, problems_of(text)


def test_not_utf8():
    with pytest.raises(ConfigurationError, match="UTF-8"):
        load_settings(b'mode = "\xff"', source="gateway.toml")


def test_all_errors_at_once():
    text = "mod = 1\nfronts = 0\n" + GOOD + "[limits]\nerrors = -1\n"
    assert {key for key, _, _ in problems_of(text)} == {"mod", "fronts", "limits.errors"}


def test_inner_hop_not_declared_to_trust_us_is_a_warning():
    text = "mode = 'annotate'\n" + GOOD
    assert ("inner_hop_trusts_us", True) in {(key, warn) for key, _, warn in problems_of(text)}
    trusting = "inner_hop_trusts_us = true\n" + text
    assert "inner_hop_trusts_us" not in {key for key, _, _ in problems_of(trusting)}


def test_missing_banner_language(tmp_path):
    """Banners of one's own lay over the shipped ones; a language that is not there is said."""
    file = tmp_path / "banners.toml"
    file.write_text("[languages.xx]\ntitle = 'x'\n")
    text = GOOD + f"[annotate]\nbanners_file = '{file}'\n"
    found = [p for p in problems_of(text) if p[0] == "annotate.banners_file" and not p[2]]
    assert found
    assert any("languages.xx" in p[1] for p in found)


def test_past_allow_row_is_a_warning():
    text = GOOD + "[[allow]]\nname='a'\nheader_from=['c.test']\nowner='me'\nexpires=2026-01-01\n"
    settings = load_settings(text.encode(), source="x").settings
    before = rule_problems(settings, source="x", today=date(2025, 12, 31))
    after = rule_problems(settings, source="x", today=date(2026, 1, 2))
    assert "allow[0].expires" not in {p.key for p in before}
    assert "allow[0].expires" in {p.key for p in after if p.is_warning}


def machine_says(text: str) -> dict[str, str]:
    settings = load_settings(text.encode(), source="x").settings
    return {p.key: p.message for p in environment_problems(settings, source="x")}


def test_a_usable_machine_has_no_problem(tmp_path):
    assert machine_says(f"state_dir = '{tmp_path}/state'\n" + GOOD) == {}


def test_port_in_use(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = f"state_dir = '{tmp_path}'\n" + GOOD.replace("port = 0", f"port = {port}", 1)
        assert "in use" in machine_says(text)["listen[0].port"]


@pytest.fixture
def unprivileged():
    """Be somebody for whom modes count, for the length of a test."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_quarantine_folder_not_writable(tmp_path, unprivileged):
    os.seteuid(os.getuid())
    folder = tmp_path / "q"
    folder.mkdir(mode=0o555)
    # Pytest's own folders only: the folder for all temporary files is everybody's.
    above = takewhile(lambda place: "pytest" in place.as_posix(), tmp_path.parents)
    for place in (tmp_path, *above):
        place.chmod(0o755)
    if os.getuid() == 0:
        os.seteuid(65534)
    text = GOOD + f"[quarantine]\nfolder = '{folder}'\n"
    assert "not writable" in machine_says(f"state_dir = '{tmp_path}'\n" + text)["quarantine.folder"]


def test_quarantine_folder_is_a_file(tmp_path):
    (tmp_path / "q").write_text("")
    text = GOOD + f"[quarantine]\nfolder = '{tmp_path}/q'\n"
    found = machine_says(f"state_dir = '{tmp_path}'\n" + text)
    assert "no folder" in found["quarantine.folder"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (
            "[authentication]\nverify = 'never'\ntrusted_arc_sealers = ['relay.test']\n",
            "authentication.trusted_arc_sealers",
        ),
        ("[authentication]\nverify = 'always'\n", "trusted_authserv_ids"),
    ],
)
def test_settings_of_authentication_without_effect_are_told(text, key):
    found = problems_of("trusted_authserv_ids = ['edge.org.test']\n" + GOOD + text)
    assert [one for one in found if one[0] == key and one[2] and "no effect" in one[1]]


@pytest.mark.parametrize(
    ("mode", "annotate", "told"),
    [
        ("observe", "banner = true", True),
        ("annotate", "banner = false", True),
        ("annotate", "banner = true", False),
    ],
)
def test_a_notice_that_nobody_would_get_is_told(mode, annotate, told):
    text = f"[annotate]\nnotice_for_protected = true\n{annotate}\n"
    found = problems_of(f"mode = '{mode}'\n" + GOOD + text)
    assert any(one[0] == "annotate.notice_for_protected" and one[2] for one in found) is told


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.53", ("192.0.2.53", 53)),
        ("2001:db8::53", ("2001:db8::53", 53)),
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("[::1]:5353", ("::1", 5353)),
        ("[::1]", ("::1", 53)),
    ],
)
def test_name_servers_as_people_write_them(text, server):
    assert parse_name_server(text) == server


@pytest.mark.parametrize("text", ["", "ns.test", "127.0.0.1:", "127.0.0.1:0", "[::1", "[::1]5353"])
def test_what_is_no_name_server_is_refused(text):
    with pytest.raises(ValueError):
        parse_name_server(text)
