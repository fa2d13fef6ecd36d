"""One pretext, reworded and under several names, to twelve people of ours; and its honest twins."""

from collections import Counter

import pytest

from nlp.sketch import BANDS
from tests.support.office import Office, strengths, told

ALL = ("SAME_TEXT_TO_STAFF", "PERSONA_TO_STAFF", "HANDLE_OF_SEVERAL")
STAFF = [f"p{number}" for number in range(12)]
NAMES = ["Anna Keller", "Wei Zhang", "Pierre Dubois", "Olga Sokolova", "Tom Baker", "Priya Nair"]
# Slots have three wordings each; message n takes wording n, n+1, n+2 ... in turn.
ENGLISH = """
Dear {who},

{I came across|I have just read|I was shown} your profile and was {impressed by|struck by|taken with} your
{years|long experience|record} in naval propulsion. I work for {a consulting firm|an advisory company|a small think tank}
in {place} and we have {an opportunity|an offer|a project} for a specialist like you. Our client, who prefers to
{remain unnamed|stay in the background|be left unnamed} for now, needs {short|brief|concise} written reports on
{industry trends|the direction of the market|where the industry goes}. Each report is paid {amount}.
{Let us continue|I suggest that we go on|Please write to me} on {reach}, as I {seldom|rarely|hardly ever} read this mailbox.

{Best regards|Kind regards|With best wishes}
{name}
"""
GERMAN = """
Guten Tag {who},

{ich bin auf Ihr Profil gestoßen|ich habe gerade Ihr Profil gelesen|mir wurde Ihr Profil gezeigt} und war
{beeindruckt|sehr angetan|überrascht} von Ihrer {langen Erfahrung|Laufbahn|jahrelangen Arbeit} bei Schiffsantrieben.
Ich arbeite für {eine Beratungsfirma|ein kleines Institut|eine Agentur} in {place}, und wir haben
{ein Angebot|eine Aufgabe|ein Projekt} für einen Fachmann wie Sie. Unser Kunde, der vorerst
{ungenannt bleiben möchte|nicht genannt werden will|ungenannt bleibt}, braucht {kurze|knappe|kleine} schriftliche Berichte über
{Trends der Branche|die Richtung des Marktes|den Weg der Branche}. Jeder Bericht wird mit {amount} bezahlt.
{Lassen Sie uns weiterschreiben|Ich schlage vor, wir schreiben weiter|Bitte schreiben Sie mir} auf {reach}, dieses Postfach
lese ich {selten|kaum|fast nie}.

{Mit freundlichen Grüßen|Freundliche Grüße|Beste Grüße}
{name}
"""
REACH = ["WhatsApp +65 8123 45{0:02}", "Telegram @expert_desk{0}", "Signal +44 7700 9001{0:02}"]
PLACES = ["Singapore", "London", "Toronto", "Vilnius"]
AMOUNTS = ["2,000 USD", "900 EUR", "1,500 GBP"]


def worded(template: str, number: int, who: str = "Dr Martin") -> str:
    """The wording of message `number`, all names and ways to answer its own."""
    named = {
        "who": who,
        "name": NAMES[number % len(NAMES)],
        "place": PLACES[number % len(PLACES)],
        "amount": AMOUNTS[number % len(AMOUNTS)],
        "reach": REACH[number % len(REACH)].format(number),
    }
    text, slot = template, number
    while "{" in text:
        start, end = text.index("{"), text.index("}")
        told_apart = text[start + 1 : end].split("|")
        chosen = named.get(told_apart[0]) or told_apart[slot % len(told_apart)]
        slot += len(told_apart) > 1 and start % 2 + 1
        text = text[:start] + chosen + text[end + 1 :]
    return text


@pytest.mark.parametrize("template", [ENGLISH, GERMAN], ids=["en", "de"])
async def test_a_campaign_of_twelve_is_seen_from_the_third_message_on(template):
    office = Office()
    found = []
    for number, person in enumerate(STAFF):
        name = NAMES[number % len(NAMES)]
        verdict = await office.receive(
            worded(template, number), person, day=number * 2, name=name,
            sender=f"{name.split()[0].lower()}{number}@gmail.com",
        )  # fmt: skip
        found.append((strengths(verdict, *ALL), verdict))
    seen = [codes.get("SAME_TEXT_TO_STAFF", 0) for codes, _ in found]
    assert seen[:2] == [0, 0]
    assert all(strength == 2 for strength in seen[4:])
    assert all("HANDLE_OF_SEVERAL" not in codes for codes, _ in found)  # each had its own
    text, part, note = told(found[-1][1], "SAME_TEXT_TO_STAFF")
    first = 1 + (int(text[8:10]) - 2) // 2  # every other day from 2 March
    assert text == f"2026-03-{first * 2:02} the same text to another of our people"
    assert part == f"<m{first}@gmail.com>"
    assert "others of our people since 2026-03-" in note
    assert "other senders" in note
    assert not any(person in f"{text} {note}" for person in STAFF)


SEMINAR = """
Dear colleague,

The Institute of Marine Engineering invites you to its public spring seminar on hull design on 14 May in Rotterdam.
Speakers come from four universities, the programme and the registration form are on our web site
https://seminar.example/spring, and participation is free of charge. Lunch is served at noon in the main hall.

With kind regards
Lena Vos, seminar office
"""
HEADHUNTER = """
Dear {who},

I am a recruiter with Harbour Search in Hamburg. Your profile on LinkedIn caught my eye. For our client, a named shipyard,
Werft Nord GmbH, I am looking for a senior naval architect, permanent position in Kiel, salary 85,000 to 95,000 EUR,
start in June. The posting is at https://harbour-search.example/jobs/4711. Would you be open to a short call this week?

Kind regards
Jonas Brandt, Harbour Search
"""
QUESTIONNAIRE = """
Dear colleagues,

Personnel is preparing the training plan for next year and asks every engineer to fill in the questionnaire on the intranet
until Friday: which skills do you use, which tools do you miss, which courses would help you in your present work?
It takes ten minutes and your line manager will talk about the results with you in January.

Thank you
Ruth Kaiser, personnel
"""
NEWSLETTER = """
Hello {who},

Our spring release brings the faster solver, a new mesh editor and better reports. Your licence includes all of it, and the
update is in your customer portal at https://meshsoft.example/portal. On 3 June we show the new functions in a free web
seminar. If you have any question, answer this mail and our support will get in touch with you.

Your MeshSoft team
"""


async def circular(text, to, sender):
    """The verdict on the last of the mails that somebody writes to some of our people."""
    office = Office()
    for number, person in enumerate(STAFF[:to]):
        verdict = await office.receive(
            text.replace("{who}", f"Mr {person}"), person, sender=sender, name="", day=number / 24
        )
    return verdict


@pytest.mark.parametrize(
    ("text", "to", "sender", "expected"),
    [
        (SEMINAR, 12, "office@seminar.example", {}),
        # Hardly any lure reads like it, so of its text nothing is remembered.
        pytest.param(
            HEADHUNTER, 5, "j.brandt@harbour-search.example", {"PERSONA_TO_STAFF": 1},
            marks=pytest.mark.xfail(
                strict=True, reason="not read as surely honest: its text is remembered"
            ),
        ),
        (QUESTIONNAIRE, 12, "personnel@org.test", {}),
        (NEWSLETTER, 12, "team@meshsoft.example", {}),
    ],
    ids=["seminar", "headhunter", "questionnaire", "newsletter"],
)  # fmt: skip
async def test_an_honest_circular_is_no_campaign(text, to, sender, expected):
    verdict = await circular(text, to, sender)
    assert strengths(verdict, *ALL) == expected
    assert verdict.label == "clean"


async def test_a_questionnaire_to_staff_is_clean():
    verdict = await circular(QUESTIONNAIRE, 12, "personnel@org.test")
    assert verdict.label == "clean"
    assert strengths(verdict, *ALL).keys() <= {"PERSONA_TO_STAFF"}


async def test_a_headhunter_who_writes_to_several_of_us_is_clean():
    verdict = await circular(HEADHUNTER, 5, "j.brandt@harbour-search.example")
    assert verdict.label == "clean"
    assert max(strengths(verdict, *ALL).values(), default=0) <= 1


async def test_the_same_text_from_a_firm_that_stands_by_it_is_found_weakly():
    office = Office()
    for number, person in enumerate(STAFF[:5]):
        verdict = await office.receive(
            worded(ENGLISH, 0), person, sender="j.brandt@harbour-search.example", name="",
            day=number / 24,
        )  # fmt: skip
    assert strengths(verdict, "SAME_TEXT_TO_STAFF") == {"SAME_TEXT_TO_STAFF": 1}


async def test_a_message_to_a_group_is_one_and_leaves_few_marks():
    office = Office()
    await office.receive(worded(ENGLISH, 0), *STAFF[:10])
    sizes = Counter(len(marks) for marks in office.store.marks.values())
    assert sizes[2] >= BANDS  # of the text; the address and the handle have all ten
    assert set(sizes) == {2, 10}
    verdict = await office.receive(worded(ENGLISH, 0), STAFF[11], day=3, sender="w@gmail.com")
    assert "SAME_TEXT_TO_STAFF" not in strengths(verdict, *ALL)


IN_THREE_LANGUAGES = (
    "Dear Dr Martin, I came across your profile. Our client, who prefers to remain unnamed for now, needs short"
    " written reports. Each report is paid 2,000 USD. Let us continue on WhatsApp: +65 8123 4567, this mailbox"
    " I seldom read.",
    "Sehr geehrter Herr Dr. Weber, ich bin auf Ihr Profil gestoßen. Unser Kunde, der vorerst ungenannt bleiben"
    " möchte, braucht kurze schriftliche Berichte. Jeder Bericht wird mit 2.000 USD bezahlt. Lassen Sie uns auf"
    " WhatsApp weiterschreiben: +65 8123 4567, dieses Postfach lese ich selten.",
    "Bonjour Monsieur Petit, j'ai consulté votre profil. Notre client, qui souhaite rester anonyme pour l'instant,"
    " a besoin de courts rapports écrits. Chaque rapport est payé 2 000 USD. Continuons sur WhatsApp :"
    " +65 8123 4567, je lis rarement cette boîte.",
)


async def test_translations_with_one_number_are_one_campaign():
    office = Office()
    for number, text in enumerate(IN_THREE_LANGUAGES):
        verdict = await office.receive(
            text, STAFF[number], day=number, sender=f"{number}x@gmail.com", name=NAMES[number]
        )
    assert strengths(verdict, *ALL) == {
        "SAME_TEXT_TO_STAFF": 2,
        "PERSONA_TO_STAFF": 1,
        "HANDLE_OF_SEVERAL": 2,
    }
