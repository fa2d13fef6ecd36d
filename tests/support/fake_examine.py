"""An examination that behaves as its message says: the first line of the message is an order."""

import ctypes
import os
import time

from milter.mail.reading import Facts, HeaderFacts, IntegrityReport, Reading

_templates_warmed = 0


def warm() -> None:
    global _templates_warmed
    _templates_warmed += 1


def warm_fails() -> None:
    raise ImportError("no model")


def examine(raw: bytes, facts: Facts) -> Reading:
    order = raw.split(b"\r\n", 1)[0].decode()
    if order.startswith("unless text only: "):
        order = "ok" if facts.text_only else order.removeprefix("unless text only: ")
    _obey(order)
    return Reading(
        size_bytes=len(raw),
        header=HeaderFacts(subject=str(os.getpid())),
        text_only=facts.text_only,
    )


def verify(original: bytes, edited: bytes, facts: Facts) -> IntegrityReport:
    order = original.split(b"\r\n", 1)[0].decode()
    _obey(order)
    return IntegrityReport(
        problem="" if original == edited else "changed",
        detail=str(facts.text_only),
        parts=os.getpid(),
    )


def _obey(order: str) -> None:
    match order.split():
        case ["hang"]:
            while True:
                time.sleep(60)
        case ["spin"]:
            while True:
                pass
        case ["abort"]:
            os.abort()
        case ["segfault"]:
            ctypes.string_at(0)
        case ["exit"]:
            os._exit(0)
        case ["exception"]:
            raise ValueError("secret content of a mail")
        case ["memory"]:
            held = [bytearray(1 << 20) for _ in range(1 << 20)]
            raise AssertionError(len(held))
        case ["print"]:
            os.write(1, b"secret content of a mail\n")
            os.write(2, b"secret content of a mail\n")
        case ["slow", seconds]:
            time.sleep(float(seconds))
        case ["speak", octets]:
            _speak(bytes.fromhex(octets))
        case ["open", count]:
            for _ in range(int(count)):
                os.open(os.devnull, os.O_RDONLY)
        case _:
            pass


def _speak(octets: bytes) -> None:
    """Say something to the front that the protocol does not foresee."""
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, octets)
        except OSError:
            continue
    time.sleep(60)
