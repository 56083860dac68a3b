"""schemathesis with the real service: generated requests, and sequences of them. A file of its own runs in parallel."""

from support.schemathesis_run import run_schemathesis


def test_the_service_follows_its_specification_for_generated_requests(loopback_only):
    run_schemathesis(loopback_only, "fuzzing,stateful")
