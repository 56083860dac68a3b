"""schemathesis with the real service: examples of the specification, and values at the limits of its schemas."""

from support.schemathesis_run import run_schemathesis


def test_the_service_follows_its_specification(loopback_only):
    run_schemathesis(loopback_only, "examples,coverage")
