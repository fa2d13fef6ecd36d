"""Names as notices show them, without what is no name."""

import pytest

from milter.read.notices.persona import member_name
from milter.read.notices.platforms import table

LINKEDIN = table().by_domain["linkedin.com"]


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        ("Mara Quell", "Mara Quell"),
        ("Mara Quell via LinkedIn", "Mara Quell"),
        ("Mara Quell über LinkedIn", "Mara Quell"),
        ("Mara Quell par LinkedIn", "Mara Quell"),
        ("Mara Quell (LinkedIn経由)", "Mara Quell"),
        ("林若溪（通过领英）", "林若溪"),
        ("Mara Quell, CPA", "Mara Quell"),
        ("Mara Quell, M.Sc., PMP®", "Mara Quell"),
        ("Mara Quell PhD", "Mara Quell"),
        ("Quell, Mara", "Quell, Mara"),
        ("Mara Quell (She/Her)", "Mara Quell"),
        ("Mara Quell (elle/la)", "Mara Quell"),
        ("林若溪 (Roxy) Lin", "林若溪 (Roxy) Lin"),
        ("🚀 Mara Quell 👩🏽‍💻", "Mara Quell"),
        ("Mara ✨ Quell | ", "Mara Quell"),
        ("  Mara   Quell ", "Mara Quell"),
        ("MARA QUELL", "MARA QUELL"),
        ("Li MA", "Li MA"),
        ("می‌ترا", "می‌ترا"),
        ("\u2068Mara Quell\u2069", "Mara Quell"),
        ("\u200fליאת\u200f קוול", "ליאת קוול"),
        ("LinkedIn", ""),
        ("LinkedIn Messages", ""),
        ("LinkedIn Job Alerts", ""),
        ("领英", ""),
        ("", ""),
    ],
)
def test_the_name_is_left(shown, name):
    assert member_name(shown, LINKEDIN) == name
