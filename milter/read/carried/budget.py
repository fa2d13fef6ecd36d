"""What reading the attachments of one message may cost, all parts together.

Each piece of work asks before it begins; what is refused is left out and its part is named as
not looked into. The deadline is monotonic and lies well below the time after which the reader is
killed: a partial answer is worth more than a second attempt that reads no attachment at all.

Failure: never raises; a refusal is False.
"""

import time
from dataclasses import dataclass
from typing import Final

SECONDS: Final = 2.0
ASIDE_SECONDS: Final = 1.0
MAX_DEPTH: Final = 4
MAX_CHARS: Final = 300_000
MAX_PART_OCTETS: Final = 20_000_000
MAX_IMAGE_PIXELS: Final = 25_000_000


@dataclass(slots=True, kw_only=True)
class Budget:
    """What is left. `octets` counts what is read and unpacked, `chars` what is said."""

    deadline: float
    octets: int = 60_000_000
    chars: int = MAX_CHARS
    pixels: int = 60_000_000
    images: int = 30
    pages: int = 20
    renderings: int = 8
    asides: int = 3
    parts: int = 100

    @classmethod
    def of_message(cls, chars: int = MAX_CHARS) -> "Budget":
        """The whole budget, from now on; `chars` if the message may not even say so much."""
        return cls(deadline=time.monotonic() + SECONDS, chars=max(0, min(chars, MAX_CHARS)))

    def has_time(self) -> bool:
        """Is the deadline still ahead?"""
        return time.monotonic() < self.deadline

    def take_part(self, octets: int) -> bool:
        """One more part, or file within a part, of this size."""
        if octets > min(MAX_PART_OCTETS, self.octets) or self.parts <= 0 or not self.has_time():
            return False
        self.parts -= 1
        self.octets -= octets
        return True

    def take_image(self) -> bool:
        """One more image, of whatever size."""
        self.images -= 1
        return self.images >= 0 and self.has_time()

    def take_pixels(self, count: int) -> bool:
        """So many pixels to decode and search."""
        if count > min(MAX_IMAGE_PIXELS, self.pixels) or not self.has_time():
            return False
        self.pixels -= count
        return True

    def take_page(self) -> bool:
        """The text of one more page."""
        self.pages -= 1
        return self.pages >= 0 and self.has_time()

    def take_aside(self) -> float:
        """The seconds that one more file may take which may never end; 0 for none."""
        self.asides -= 1
        left = self.deadline - time.monotonic()
        return max(0.0, min(left, ASIDE_SECONDS)) if self.asides >= 0 else 0.0

    def take_rendering(self) -> bool:
        """One more page as an image."""
        self.renderings -= 1
        return self.renderings >= 0 and self.has_time()
