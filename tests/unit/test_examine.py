"""What an examination gives beyond reading and language, which have tests of their own."""

from milter.examine import examine
from milter.mail.reading import Defect, Facts

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
