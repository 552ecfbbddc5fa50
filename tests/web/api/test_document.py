"""The API keeps to its document, whatever is sent: proven by Schemathesis."""

import json
import os
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from canary.web.api.app import OPERATIONS
from tests.web.building import Builder

EXAMPLES = int(os.environ.get("CANARY_EXAMPLES", "8"))
QUIET = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def schema(app: Flask) -> Any:
    return schemathesis.openapi.from_wsgi("/openapi.json", app)


def test_document_names_every_operation(app: Flask) -> None:
    told = json.loads(app.test_client().get("/openapi.json").data)
    assert told["openapi"] == "3.1.0"
    named = {(path, method.upper()) for path, one in told["paths"].items() for method in one}
    assert named == {(one.path, one.method) for one in OPERATIONS}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("name", [one.name for one in OPERATIONS])
def test_operation_keeps_to_the_document(
    schema: Any, name: str, mode: GenerationMode, headers: dict[str, str], build: Builder
) -> None:
    """Valid calls are taken, others refused, and every answer is one the document names."""
    build.reporter()
    operation = schema.find_operation_by_id(name)

    @given(case=operation.as_strategy(generation_mode=mode))
    @QUIET
    def run(case: Any) -> None:
        case.call_and_validate(headers=headers)

    run()
