"""schemathesis with the real service: generated requests, and sequences of them. A file of its own runs in parallel."""

import pytest

from support.long_form import IS_LONG
from support.schemathesis_run import run_schemathesis


@pytest.mark.parametrize("mode", ["positive", "negative"] if IS_LONG else ["positive"])
def test_the_service_follows_its_specification_for_generated_requests(loopback_only, mode):
    run_schemathesis(loopback_only, "fuzzing,stateful", mode)
