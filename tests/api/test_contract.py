"""Every schema, property, enum and limit of the contract has its counterpart in the models."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import yaml

import thymia_api
from thymia_api import _requests

CONTRACT = yaml.safe_load((Path(__file__).parents[1] / "contract" / "thymia-openapi.yaml").read_text("utf-8"))
SCHEMAS: dict[str, Any] = CONTRACT["components"]["schemas"]
LIMITS = ("minLength", "maxLength", "maxItems", "minimum", "maximum", "format", "default")
ENUMS = sorted(name for name, schema in SCHEMAS.items() if "enum" in schema)
OBJECTS = sorted(name for name, schema in SCHEMAS.items() if "enum" not in schema)

# Formats that only responses have: ids stay plain text, so that a change of their form does no harm.
TOLERATED = {("UploadRunCreated", "id"), ("ActivityRunCreated", "id"), ("ModelRun", "id")}


def _resolve(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Follow references, merge `allOf`, and look through `anyOf` with null."""
    while "$ref" in schema:
        schema = {
            **definitions[schema["$ref"].rsplit("/", 1)[1]],
            **{k: v for k, v in schema.items() if k != "$ref"},
        }
    merged = {"properties": {}, "required": []}
    for part in schema.get("allOf", ()):
        part = _resolve(part, definitions)
        merged["properties"] |= part.get("properties", {})
        merged["required"] += part.get("required", [])
    if "allOf" in schema:
        return merged
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    if len(options) == 1:
        return _resolve({**schema, "anyOf": [], **options[0]}, definitions)
    return schema


def _get_model(name: str) -> Any:
    # What both kinds of run have in common is never built by itself, and so it's not offered.
    return _requests.RunCreate if name == "RunCreate" else getattr(thymia_api, name)


@pytest.mark.parametrize("name", ENUMS)
def test_enums_have_the_members_of_the_contract(name: str) -> None:
    enum = _get_model(name)
    assert issubclass(enum, StrEnum)
    assert [member.value for member in enum] == SCHEMAS[name]["enum"]


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_have_the_properties_and_required_fields_of_the_contract(name: str) -> None:
    contract = _resolve(SCHEMAS[name], SCHEMAS)
    ours = _get_model(name).model_json_schema(by_alias=True, mode="validation")
    assert set(ours["properties"]) == set(contract["properties"])
    assert set(ours.get("required", [])) == set(contract.get("required", []))


@pytest.mark.parametrize("name", OBJECTS)
def test_limits_and_formats_are_those_of_the_contract(name: str) -> None:
    contract = _resolve(SCHEMAS[name], SCHEMAS)
    ours = _get_model(name).model_json_schema(by_alias=True, mode="validation")
    for field, promised in contract["properties"].items():
        promised = _resolve(promised, SCHEMAS)
        found = _resolve(ours["properties"][field], ours.get("$defs", {}))
        for limit in LIMITS:
            if limit not in promised or (limit == "format" and (name, field) in TOLERATED):
                continue
            assert found.get(limit) == promised[limit], (name, field, limit)
        if promised.get("type") == "array" and "items" in promised:
            items = _resolve(promised["items"], SCHEMAS)
            our_items = _resolve(found["items"], ours.get("$defs", {}))
            # A list with one entry in its enum is written as a constant.
            our_values = our_items.get("enum", [our_items["const"]] if "const" in our_items else None)
            assert our_values == items.get("enum"), (name, field)


def test_every_field_says_the_type_that_the_contract_says() -> None:
    wrong = []
    for name in OBJECTS:
        contract = _resolve(SCHEMAS[name], SCHEMAS)
        ours = _get_model(name).model_json_schema(by_alias=True, mode="validation")
        for field, promised in contract["properties"].items():
            kinds = _resolve(promised, SCHEMAS).get("type")
            kinds = [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"]
            found = _resolve(ours["properties"][field], ours.get("$defs", {}))
            options = [found, *(_resolve(option, ours.get("$defs", {})) for option in found.get("anyOf", []))]
            if not {option.get("type") for option in options} & set(kinds):
                wrong.append((name, field))
    assert wrong == []


def test_every_server_of_the_contract_is_a_region() -> None:
    from thymia_api._config import BASE_URLS

    assert [server["url"] for server in CONTRACT["servers"]] == list(BASE_URLS.values())


def test_the_key_goes_into_the_header_of_the_contract() -> None:
    scheme = CONTRACT["components"]["securitySchemes"]["ApiKeyHeader"]
    assert (scheme["in"], scheme["name"]) == ("header", thymia_api.API_KEY_HEADER)


def test_every_operation_of_the_contract_is_a_call_of_the_client() -> None:
    from thymia_api import _wire

    user = {"user_label": "p", "date_of_birth": "1990-01-01", "birth_sex": "UNKNOWN"}
    run_id = "11111111-2222-3333-4444-555555555555"
    calls = [
        _wire.call_account(),
        _wire.call_upload_run(thymia_api.UploadRunCreate(user=user, language="en")),
        _wire.call_activity_run(thymia_api.ActivityRunCreate(user=user, language="en")),
        _wire.call_run(run_id),
    ]
    ours = {(call.method, call.path, call.answer.__name__) for call in calls}
    promised = set()
    for path, operations in CONTRACT["paths"].items():
        for method, operation in operations.items():
            answer = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
            promised.add((method.upper(), path.replace("{model_run_id}", run_id), answer.rsplit("/", 1)[1]))
    assert ours == promised
