"""Strict in what is sent, tolerant in what is received."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from thymia_api import (
    BIOMARKERS,
    BUCKET_LEVELS,
    SCORE_FIELDS,
    Account,
    ActivityRunCreate,
    DataType,
    ErrorCode,
    InvalidInputError,
    ModelRun,
    RunStatus,
    Section,
    Tag,
    UnreadableResponseError,
    UploadRunCreate,
    UploadRunCreated,
    User,
)

USER: dict[str, Any] = {"user_label": "p-01", "date_of_birth": date(1990, 8, 1), "birth_sex": "FEMALE"}
TAG = {"name": "site", "value": "a"}


def _make(**changes: Any) -> UploadRunCreate:
    return UploadRunCreate(**{"user": USER, "language": "en-GB", **changes})


def test_values_at_every_documented_limit_are_accepted() -> None:
    tags = [{"name": f"{index:02}".ljust(40, "x"), "value": "v" * 100} for index in range(20)]
    run = _make(user={**USER, "user_label": "😀" * 50}, tags=tags)
    assert len(run.tags) == 20
    assert run.user.user_label == "😀" * 50


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"user": {**USER, "user_label": "x" * 51}}, "user.user_label"),
        ({"user": {**USER, "user_label": ""}}, "user.user_label"),
        ({"user": {**USER, "user_label": "\ud800"}}, "user.user_label"),
        ({"user": {**USER, "user_label": 7}}, "user.user_label"),
        ({"user": {**USER, "birth_sex": "female"}}, "user.birth_sex"),
        ({"user": {**USER, "date_of_birth": "1990-13-01"}}, "user.date_of_birth"),
        ({"user": {**USER, "date_of_birth": 631152000}}, "user.date_of_birth"),
        ({"user": {**USER, "date_of_birth": datetime(1990, 1, 1)}}, "user.date_of_birth"),
        ({"user": {"user_label": "x", "birth_sex": "MALE"}}, "user.date_of_birth"),
        ({"user": {**USER, "name": "Ann"}}, "user.name"),
        ({"language": "de-DE"}, "language"),
        ({"language": None}, "language"),
        ({"accent": "GB"}, "accent"),
        ({"tags": [TAG] * 21}, "tags"),
        ({"tags": [{"name": "x" * 41, "value": ""}]}, "tags.0.name"),
        ({"tags": [TAG, {"name": "b", "value": "x" * 101}]}, "tags.1.value"),
        ({"tags": [TAG, {**TAG, "value": "b"}]}, "tags"),
        ({"delete_data": "yes"}, "delete_data"),
        ({"data_to_delete": ["RESULTS"], "delete_data": True}, "data_to_delete.0"),
        ({"data_to_delete": ["RECORDINGS"]}, "data_to_delete"),
        ({"sleep_tme": "2026-01-01T00:00:00"}, "sleep_tme"),
    ],
)
def test_a_value_outside_the_limits_is_refused_with_its_field_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        _make(**changes)
    assert field in [issue.field for issue in caught.value.issues]
    assert f"{field}: " in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("name", ["sleep_time", "wake_time", "recording_time"])
@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2))),
        "2026-01-01T06:00:00Z",
        "2026-01-01T06:00:00+01:00",
        "2026-01-01",
        date(2026, 1, 1),
        1767225600,
        "soon",
    ],
)
def test_times_with_a_zone_and_things_that_are_no_time_of_day_are_refused(name: str, moment: Any) -> None:
    with pytest.raises(InvalidInputError, match=f"^{name}: must be"):
        _make(**{name: moment})


@pytest.mark.parametrize("moment", [datetime(2026, 1, 1, 6, 30, 15, 999_999), "2026-01-01T06:30:15.9"])
def test_local_times_go_out_in_whole_seconds_without_a_zone(moment: Any) -> None:
    assert _make(recording_time=moment).to_wire()["recordingTime"] == "2026-01-01T06:30:15"


def test_the_wire_form_has_wire_names_and_nothing_that_was_not_given() -> None:
    assert _make(accent=None, tags=[]).to_wire() == {
        "user": {"userLabel": "p-01", "dateOfBirth": "1990-08-01", "birthSex": "FEMALE"},
        "language": "en-GB",
    }
    full = ActivityRunCreate(
        user=User(**USER),
        language="en",
        accent="KE",
        sleep_time="2026-01-01T23:00",
        wake_time=datetime(2026, 1, 2, 7),
        tags=[Tag(**TAG)],
        delete_data=True,
        data_to_delete=[DataType.RECORDINGS],
        activity_type="reading",
    )
    assert full.to_wire() == {
        "user": {"userLabel": "p-01", "dateOfBirth": "1990-08-01", "birthSex": "FEMALE"},
        "language": "en",
        "accent": "KE",
        "sleepTime": "2026-01-01T23:00:00",
        "wakeTime": "2026-01-02T07:00:00",
        "tags": [TAG],
        "deleteData": True,
        "dataToDelete": ["RECORDINGS"],
        "activityType": "reading",
    }
    assert ActivityRunCreate(**full.to_wire()) == full


def test_a_request_cannot_be_changed_after_its_checks() -> None:
    with pytest.raises(ValidationError):
        _make().language = "en"


RUN = {
    "id": "r1",
    "status": "HIBERNATING",
    "createdAt": "2026-01-01T10:00:00.5+02:00",
    "runAt": "2026-01-01T08:00:01",
    "completedAt": "yesterday",
    "errorCode": "ERR_NEW",
    "warnings": ["LOUD"],
    "fresh": {"deep": [1]},
    "results": {
        "sections": [
            {"startSecs": 0, "finishSecs": 12.5, "distress": {"value": 0.33, "spread": 2}, "joy": {"value": 1}}
        ]
    },
}


def test_unknown_statuses_codes_and_fields_survive_and_the_body_is_kept_verbatim() -> None:
    body = json.dumps(RUN, indent=3)
    run = ModelRun.from_body(body)
    assert run.body == body
    assert (run.status, run.error_code) == ("HIBERNATING", "ERR_NEW")
    assert not run.has_known_status
    assert run.model_extra == {"fresh": {"deep": [1]}}
    assert run.results is not None
    assert run.results.sections[0].model_extra == {"joy": {"value": 1}}
    wire = run.to_wire()
    assert wire["fresh"] == RUN["fresh"]
    assert wire["results"] == RUN["results"]
    assert pickle.loads(pickle.dumps(run)) == run
    assert pickle.loads(pickle.dumps(run)).body == body


def test_known_values_become_enum_members() -> None:
    run = ModelRun.from_body('{"id": "r", "status": "COMPLETE_ERROR", "errorCode": "ERR_INTERNAL"}')
    assert run.status is RunStatus.COMPLETE_ERROR
    assert run.error_code is ErrorCode.INTERNAL
    assert run.has_known_status


def test_api_times_are_utc_and_one_that_cannot_be_read_is_none() -> None:
    run = ModelRun.from_body(json.dumps(RUN))
    assert run.created_at == datetime(2026, 1, 1, 8, 0, 0, 500_000, tzinfo=UTC)
    assert run.run_at == datetime(2026, 1, 1, 8, 0, 1, tzinfo=UTC)
    assert run.completed_at is None
    assert "yesterday" in run.body


@pytest.mark.parametrize(
    ("status", "is_final"),
    [("CREATED", False), ("RUNNING", False), ("COMPLETE_OK", True), ("COMPLETE_ERROR", True), ("NEW", True)],
)
def test_a_run_is_final_when_it_is_neither_created_nor_running(status: str, is_final: bool) -> None:
    run = ModelRun(id="r", status=status)
    assert run.is_final is is_final
    assert run.is_ok is (status == "COMPLETE_OK")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("", "body"),
        ('{"id": "r", "sta', "body"),
        ("[]", "body"),
        ('{"id": "r"}', "status"),
        ('{"id": "r", "status": "RUNNING", "results": {"sections": [{"startSecs": 0}]}}', "finish_secs"),
        (
            '{"id":"r","status":"COMPLETE_OK","results":{"sections":'
            '[{"startSecs":0,"finishSecs":1,"stress":{"value":NaN}}]}}',
            "stress.value",
        ),
    ],
)
def test_a_body_that_breaks_the_contract_is_kept_and_the_break_is_named(body: str, named: str) -> None:
    with pytest.raises(UnreadableResponseError, match=named) as caught:
        ModelRun.from_body(body)
    assert caught.value.body == body
    assert caught.value.__context__ is None


def test_a_repr_shows_no_link_no_transcript_and_no_unknown_field() -> None:
    created = UploadRunCreated(id="r", recordingUploadUrl="https://s/x?sig=123", token="t-456")
    section = Section(startSecs=0, finishSecs=1, transcript="my secret")
    shown = repr(created) + repr(section) + str(created)
    assert not [secret for secret in ("123", "456", "my secret") if secret in shown]
    assert created.recording_upload_url.endswith("123")


def test_an_account_lists_its_features() -> None:
    account = Account.from_body('{"id": "a", "features": ["x", "y"], "plan": "gold"}')
    assert account.features == ("x", "y")


def test_the_eleven_scores_of_a_section_are_found_by_the_names_of_the_biomarkers() -> None:
    assert [biomarker.name for biomarker in BIOMARKERS] == [
        "mental_strain",
        "distress",
        "stress",
        "exhaustion",
        "sleep_propensity",
        "low_self_esteem",
    ]
    assert len(SCORE_FIELDS) == len(set(SCORE_FIELDS)) == 11
    assert set(SCORE_FIELDS) == set(Section.model_fields) - {"start_secs", "finish_secs", "transcript"}
    section = Section(startSecs=0, finishSecs=1, uniformDistress={"value": 0.2}, distress={"value": 0.33})
    assert section.scores == {**dict.fromkeys(SCORE_FIELDS), "uniform_distress": 0.2, "distress": 0.33}
    assert BUCKET_LEVELS == (0.0, 0.33, 0.66, 1.0)
