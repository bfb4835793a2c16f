"""Time and chance: conditions are polled with a deadline, and randomness has one printed seed."""

import os
import random
import threading
import time

SEED = os.environ.get("SEED") or str(int.from_bytes(os.urandom(6), "big"))


def seeded(story: str) -> random.Random:
    """A generator for one story; the same SEED gives every story the same numbers again."""
    print(f"SEED={SEED} ({story})")
    return random.Random(f"{SEED}:{story}")


def pause(seconds: float) -> None:
    """The breath between two looks of a poll, never a wait for something to have happened."""
    threading.Event().wait(seconds)


def eventually(condition, seconds: float = 5.0, what: str = "condition", every: float = 0.02):
    """Polls until `condition()` is truthy and returns that value; fails loudly at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what} (last value: {value!r})")
        pause(every)
