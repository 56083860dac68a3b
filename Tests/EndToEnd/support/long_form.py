"""The figures of tests with a short and a long form: CONNECTD_LONG=1 (`make lifecycle`) runs the long form."""

import os

IS_LONG = os.environ.get("CONNECTD_LONG", "") not in ("", "0")


def figure(short, long):
    return long if IS_LONG else short
