"""The sandbox against the contract file, with requests that schemathesis makes up from it."""

from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.sandbox.servers import KEY, SandboxProcess

CONTRACT = Path(__file__).parents[1] / "contract" / "thymia-openapi.yaml"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    ignored_auth,
]

# The contract's prose is stricter than its schema: local times carry no timezone, though the format
# `date-time` demands one, and the names of a run's tags are unique.
schemathesis.openapi.format("date-time", st.datetimes().map(lambda time: time.isoformat()))
schema = schemathesis.openapi.from_path(CONTRACT)


def _keep_one_tag_of_each_name(body):
    tags = body.get("tags") if isinstance(body, dict) else None
    if isinstance(tags, list) and all(isinstance(tag, dict) and isinstance(tag.get("name"), str) for tag in tags):
        body["tags"] = list({tag["name"]: tag for tag in tags}.values())


@pytest.fixture(scope="module")
def sandbox():
    """A server without faults."""
    with SandboxProcess("--processing-seconds", "0") as started:
        yield started


@schema.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_the_contracts(case, sandbox):
    """Status, media type and body fit the contract, valid requests are taken, malformed ones refused, no 5xx."""
    _keep_one_tag_of_each_name(case.body)
    response = case.call(base_url=sandbox.url, headers={"x-api-key": KEY})
    case.validate_response(response, checks=CHECKS, headers={"x-api-key": KEY})
