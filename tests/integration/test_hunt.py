"""Past engagements found in stored mail: replayed in date order, cut short and gone on with."""

import csv
import json
import subprocess
import sys

import pytest

from tests.support.house import House, Sent, WorldClock

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("hunt")]

PERSONA = "t.brandt.research@proton.me"
STEPS = (
    (6, "Following up on my LinkedIn message: could we talk on Signal instead? My number is "
        "+44 7700 900456. The study on port automation is about to begin."),
    (14, "Our client, whom I cannot name yet, would pay 1,200 USD for a short written report of "
         "six pages on port automation. A first small sample would do."),
    (28, "For the next paper they would like what is not public: internal planning of your "
         "department and who decides. Please do not mention it to your employer."),
)  # fmt: skip


def story() -> list[bytes]:
    """An engagement among ordinary mail, oldest first."""
    house = House(clock=WorldClock())
    mails = [house.notice("Tomas Brandt", "We prepare a study on port automation.").raw]
    for days, text in STEPS:
        house.clock.pass_by(days=days)
        mails.append(house.transaction(Sent(sender=PERSONA, name="Tomas Brandt", text=text)).raw)
        mails += [
            house.transaction(
                Sent(sender=f"a{days}{n}@firm.test", text=f"The meeting is moved to room {n}.")
            ).raw
            for n in range(20)
        ]
    house.clock.pass_by(days=1)
    answer = Sent(sender="r.lefort@example.org", to=(PERSONA,), text="Thank you, I will think.")
    mails.append(house.transaction(answer).raw)
    return mails


@pytest.fixture(scope="module")
def mailbox(tmp_path_factory):
    """An mbox, newest first, and an .eml beside it: the order of files says nothing."""
    folder = tmp_path_factory.mktemp("mail")
    first, *others = story()
    with (folder / "all.mbox").open("wb") as file:
        for raw in reversed(others):
            file.write(b"From x Mon Jan  1 00:00:00 2046\n" + raw.replace(b"\r\n", b"\n") + b"\n")
    (folder / "notice.eml").write_bytes(first)
    (folder / "gateway.toml").write_text(
        'domains = ["example.org"]\n[[listen]]\nrole = "mx"\n[next_hop]\nhost = "127.0.0.1"\n'
    )
    return folder


def hunt(mailbox, state, *reports, code=0, **more):
    words = [str(mailbox / "all.mbox"), str(mailbox / "notice.eml"), "--believe-notices"]
    words += ["--config", str(mailbox / "gateway.toml"), "--state", str(state), "--jobs", "2"]
    for report in reports:
        words += ["--report", str(report)]
    done = subprocess.run(
        [sys.executable, "-m", "milter", "hunt", *words],
        capture_output=True, text=True, timeout=120, **more,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done


def test_the_engagement_is_found_in_its_order(mailbox, tmp_path):
    reports = [tmp_path / f"found.{kind}" for kind in ("json", "csv", "html")]
    hunt(mailbox, tmp_path / "state", *reports)
    document = json.loads(reports[0].read_text())
    assert document["judged"] == document["messages"] == 65
    (found,) = document["engagements"]
    assert found["addresses"] == [PERSONA]
    assert found["recipients"] == ["r.lefort@example.org"]
    codes = [{one["code"] for one in row["findings"]} for row in found["messages"]]
    assert "RELAY_THEN_DIRECT" in codes[0]
    assert all({"ENGAGEMENT_ESCALATES", "PERSONA_MARKED"} <= each for each in codes[1:])
    with reports[1].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    assert len(rows) == len(STEPS)
    page = reports[2].read_text()
    assert "Tomas Brandt" in page
    assert "<script" not in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


def test_a_hunt_that_was_cut_short_comes_to_the_same_end(mailbox, tmp_path):
    whole, cut = tmp_path / "whole.json", tmp_path / "cut.json"
    hunt(mailbox, tmp_path / "one", whole)
    state = tmp_path / "two"
    process = subprocess.Popen(
        [sys.executable, "-m", "milter", "hunt", str(mailbox / "all.mbox"),
         str(mailbox / "notice.eml"), "--believe-notices", "--config",
         str(mailbox / "gateway.toml"), "--state", str(state), "--jobs", "2"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while process.poll() is None and not (state / "memory.db").exists():
        pass
    process.kill()
    process.wait(timeout=30)
    hunt(mailbox, state, cut)
    assert json.loads(cut.read_text()) == json.loads(whole.read_text())


def test_a_state_of_another_hunt_is_refused(mailbox, tmp_path):
    hunt(mailbox, tmp_path / "state")
    done = subprocess.run(
        [sys.executable, "-m", "milter", "hunt", str(mailbox / "notice.eml"), "--state",
         str(tmp_path / "state")],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "another hunt" in done.stderr
