"""schemathesis with the real service: examples of the specification, and values at the limits of its schemas."""

from support.schemathesis_run import run_schemathesis


def test_the_service_accepts_what_its_specification_admits(loopback_only):
    run_schemathesis(loopback_only, "examples,coverage", "positive")


def test_the_service_refuses_what_its_specification_forbids(loopback_only):
    run_schemathesis(loopback_only, "coverage", "negative")
