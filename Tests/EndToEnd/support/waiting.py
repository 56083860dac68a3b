"""Waits for conditions. A test continues when its condition is true, and otherwise fails with a description of it."""

import time
from collections.abc import Callable


def wait_until(condition: Callable, timeout: float, what: str | Callable[[], str], pause: float = 0.01):
    """Calls `condition` until its value is true, and returns that value.

    A refused or closed connection counts as "not yet". After `timeout` seconds the test fails with `what`, which says
    what was waited for: a text, or a function that makes it then (for instance of a log).
    """
    end = time.monotonic() + timeout
    while True:
        problem = None
        try:
            if value := condition():
                return value
        except (OSError, EOFError) as error:
            problem = error
        if time.monotonic() > end:
            text = what if isinstance(what, str) else what()
            raise AssertionError(f"not within {timeout:g} s: {text}" + (f" ({problem!r})" if problem else ""))
        time.sleep(pause)
