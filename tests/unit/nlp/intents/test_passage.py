"""What a long text says in places far apart does not add up; what stands on one page does."""

from nlp.analysis import ReadableText, TextSegment
from nlp.pipeline import analyse

ASK = "A partner of ours would pay 2,000 USD for a short paper of six pages."
SECRET = "There is no need to mention this to your employer."
MOVE = "Please write to me on Signal, my username is desk.41."
FILLER = "The committee met on Tuesday and looked at the plans for the garden behind the hall. "


def labels(body: str) -> set[str]:
    segment = TextSegment(source="body", part="1", text=body)
    return {intent.label.value for intent in analyse(ReadableText(segments=(segment,))).intents}


def test_one_page_adds_up():
    found = labels("\n\n".join((ASK, FILLER * 5, SECRET, FILLER * 5, MOVE)))
    assert {"paid_report", "secrecy", "offplatform"} <= found


def test_far_apart_does_not_add_up():
    found = labels("\n\n".join((ASK, FILLER * 60, SECRET, FILLER * 60, MOVE)))
    assert len({"paid_report", "secrecy", "offplatform"} & found) == 1
