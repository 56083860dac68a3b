"""schemathesis with the real service: examples of the specification, and values at the limits of its schemas.

Requests that the specification forbids take long to generate, so only the long form has them. In the short form,
test_schema_and_service.py compares such requests.
"""

import pytest

from support.long_form import IS_LONG
from support.schemathesis_run import run_schemathesis


@pytest.mark.parametrize(
    "phases,mode", [("examples,coverage", "positive"), *([("coverage", "negative")] if IS_LONG else [])]
)
def test_the_service_follows_its_specification(loopback_only, phases, mode):
    run_schemathesis(loopback_only, phases, mode)
