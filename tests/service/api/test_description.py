"""The service does what its own description says: requests made from it, right and wrong ones, by schemathesis."""

import contextlib

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from starlette.testclient import TestClient

CASES = 5  # of each operation, right ones and wrong ones; `make bench-reliability` tries thousands
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
)


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_the_service_keeps_to_its_description(client: TestClient, mode: schemathesis.GenerationMode) -> None:
    description = schemathesis.openapi.from_asgi("/openapi.json", client.app)
    tried = 0
    for found in description.get_all_operations():
        operation = found.ok()

        @settings(max_examples=CASES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode))
        def try_one(case: schemathesis.Case) -> None:
            nonlocal tried
            tried += 1
            case.call_and_validate(checks=CHECKS)

        with contextlib.suppress(Unsatisfiable):  # where nothing can be wrong: an operation without parameters, or with any id
            try_one()
    assert tried >= 7 * CASES  # operations that can be asked wrongly
