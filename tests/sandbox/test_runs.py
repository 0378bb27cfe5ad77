"""Creating runs and asking for them: the contract's answers, limits and errors."""

import uuid

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.sandbox.clients import TestClient
from tests.sandbox.recordings import encode, make_speech
from tests.sandbox.servers import ACTIVITY_RUNS, BODY, RUNS, USER, wait_for
from thymia_api import SANDBOX_FEATURE

SCORES = {
    "mentalStrain", "distress", "stress", "exhaustion", "sleepPropensity", "lowSelfEsteem", "uniformDistress",
    "uniformStress", "uniformExhaustion", "uniformSleepPropensity", "uniformLowSelfEsteem",
}  # fmt: skip


def test_a_recording_goes_from_created_to_scores(make_client):
    """CREATED until the upload, RUNNING while it is processed, then COMPLETE_OK with eleven scores."""
    client = make_client(processing_seconds=0.5)
    created = client.post(RUNS, json=BODY).json()
    path = f"{RUNS}/{created['id']}"
    run = client.get(path).json()
    assert (run["status"], run["runAt"], run["results"]) == ("CREATED", None, None)
    assert client.put(created["recordingUploadUrl"], content=encode(make_speech(16))).status_code == 200
    run = client.get(path).json()
    assert run["status"] == "RUNNING"
    assert run["runAt"] is not None
    assert run["completedAt"] is None
    run = wait_for(client, created["id"])
    assert run["status"] == "COMPLETE_OK"
    assert run["completedAt"] > run["runAt"]
    (section,) = run["results"]["sections"]
    assert {name for name in section if isinstance(section[name], dict)} == SCORES
    assert "sandbox transcript" in section["transcript"].lower()
    assert "synthetic" in section["transcript"]
    assert section["finishSecs"] == pytest.approx(16, abs=0.1)


def test_the_account_says_that_it_is_the_sandbox(client):
    """The feature by which an app tells synthetic scores from real ones is listed."""
    assert SANDBOX_FEATURE in client.get("/v1/account").json()["features"]


@pytest.mark.parametrize("headers", [{"x-api-key": ""}, {"x-api-key": "wrong"}, {"x-api-key": "test-key2"}])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/account"), ("POST", RUNS), ("POST", ACTIVITY_RUNS), ("GET", f"{RUNS}/{uuid.UUID(int=1)}")],
)
def test_without_the_right_key_every_operation_answers_401(client, method, path, headers):
    """The key is asked for before anything else is looked at."""
    answer = client.request(method, path, headers=headers, content=b"not json")
    assert answer.status_code == 401
    assert answer.headers["x-thymia-sandbox"] == "synthetic-scores"


def test_an_unknown_run_answers_404_and_a_malformed_id_422(client):
    """As documented; the 422 in the documented shape."""
    assert client.get(f"{RUNS}/{uuid.uuid4()}").status_code == 404
    answer = client.get(f"{RUNS}/not-a-uuid")
    assert answer.status_code == 422
    assert set(answer.json()["detail"][0]) == {"loc", "msg", "type"}
    assert answer.json()["detail"][0]["loc"] == ["path", "model_run_id"]


INVALID = {
    "label too long": ({"user": {**USER, "userLabel": "x" * 51}}, ["body", "user", "userLabel"]),
    "label empty": ({"user": {**USER, "userLabel": ""}}, ["body", "user", "userLabel"]),
    "label a number": ({"user": {**USER, "userLabel": 5}}, ["body", "user", "userLabel"]),
    "snake case": ({"user": {**USER, "userLabel": None, "user_label": "x"}}, ["body", "user", "userLabel"]),
    "no such day": ({"user": {**USER, "dateOfBirth": "1990-02-30"}}, ["body", "user", "dateOfBirth"]),
    "birth sex": ({"user": {**USER, "birthSex": "male"}}, ["body", "user", "birthSex"]),
    "language": ({"language": "de"}, ["body", "language"]),
    "accent null": ({"accent": None}, ["body", "accent"]),
    "sleep time with timezone": ({"sleepTime": "2026-01-01T23:00:00Z"}, ["body", "sleepTime"]),
    "wake time with offset": ({"wakeTime": "2026-01-01T07:00:00+01:00"}, ["body", "wakeTime"]),
    "wake time a date": ({"wakeTime": "2026-01-01"}, ["body", "wakeTime"]),
    "wake time impossible": ({"wakeTime": "2026-01-01T25:00:00"}, ["body", "wakeTime"]),
    "21 tags": ({"tags": [{"name": str(n), "value": ""} for n in range(21)]}, ["body", "tags"]),
    "same tag twice": ({"tags": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]}, ["body", "tags"]),
    "tag name": ({"tags": [{"name": "x" * 41, "value": ""}]}, ["body", "tags", 0, "name"]),
    "tag value": ({"tags": [{"name": "x", "value": "y" * 101}]}, ["body", "tags", 0, "value"]),
    "delete text": ({"deleteData": "true"}, ["body", "deleteData"]),
    "data to delete": ({"dataToDelete": ["RESULTS"]}, ["body", "dataToDelete", 0]),
}


@pytest.mark.parametrize("path", [RUNS, ACTIVITY_RUNS])
@pytest.mark.parametrize(("change", "place"), INVALID.values(), ids=INVALID.keys())
def test_what_breaks_a_documented_limit_answers_422_naming_the_field(client, path, change, place):
    """In the documented shape, with the place of the field, and without an echo of what was sent."""
    answer = client.post(path, json={**BODY, **change})
    assert answer.status_code == 422
    issues = answer.json()["detail"]
    assert [issue["loc"] for issue in issues] == [place]
    assert all(set(issue) == {"loc", "msg", "type"} for issue in issues)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"\xff"', b'{"user": "\\ud800"}', b"[" * 100_000])
def test_a_body_that_is_no_json_object_answers_422(client, content):
    """Whatever bytes come in, the answer is in the documented shape."""
    answer = client.post(RUNS, content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body"]


def test_a_huge_json_body_is_refused(client):
    """No more than a megabyte is read into memory."""
    body = {**BODY, "padding": "x" * 1_100_000}
    assert client.post(RUNS, json=body).status_code == 413


def test_everything_at_its_limit_is_taken(client):
    """Limits are inclusive, unknown fields are ignored, any text is text."""
    body = {
        "user": {"userLabel": "é" * 50, "dateOfBirth": "1990-01-01", "birthSex": "INTERSEX"},
        "language": "ja-JP",
        "accent": "KE",
        "sleepTime": "2026-01-01T23:00:00",
        "wakeTime": "2026-01-02T07:00:00.123456",
        "recordingTime": "2026-01-02T09:00",
        "tags": [{"name": f"{n:040}", "value": "\u0000'\"<b>🙂" * 14} for n in range(20)],
        "deleteData": True,
        "dataToDelete": ["RECORDINGS"],
        "someday": {"new": 1},
    }
    created = client.post(RUNS, json=body)
    assert created.status_code == 200
    run = client.get(f"{RUNS}/{created.json()['id']}").json()
    assert (run["userLabel"], run["deleteData"]) == ("é" * 50, True)


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/nothing", "/docs", "/openapi.json", "/_sandbox/runs"])
def test_paths_outside_the_contract_answer_404_with_the_mark(client, path):
    """The debug route too, unless it was asked for."""
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["x-thymia-sandbox"] == "synthetic-scores"


def test_the_debug_route_needs_the_key_and_counts_executions(make_client):
    """With `inspect`, `/_sandbox/runs` proves how often a recording was taken in and executed."""
    client = make_client(inspect=True)
    assert client.get("/_sandbox/runs", headers={"x-api-key": "no"}).status_code == 401
    created = client.post(RUNS, json=BODY).json()
    client.put(created["recordingUploadUrl"], content=b"no recording")
    wait_for(client, created["id"])
    (run,) = client.get("/_sandbox/runs").json()["runs"]
    assert (run["nUploads"], run["nExecutionsStarted"], run["nExecutions"]) == (1, 1, 1)
    assert [event["event"] for event in run["log"]] == ["created", "uploaded", "execution_started", "executed"]


def test_an_error_inside_the_sandbox_is_a_marked_500(make_client, monkeypatch):
    """Even an answer that nobody planned says that it comes from the sandbox."""
    client = make_client()
    app: FastAPI = client.app
    monkeypatch.setattr(app.state.sandbox.state, "load_run", lambda run_id: 1 / 0)
    calm = TestClient(app, raise_server_exceptions=False, headers=client.headers)
    answer = calm.get(f"{RUNS}/{uuid.uuid4()}")
    assert (answer.status_code, answer.headers["x-thymia-sandbox"]) == (500, "synthetic-scores")


def test_mounted_under_a_path_the_urls_in_answers_carry_it(make_client):
    """Upload URL and activity link work as they are, under a mount, without a lifespan."""
    outer = Starlette(routes=[Mount("/sandbox", app=make_client().app)])
    client = TestClient(outer, headers={"x-api-key": "test-key"}, base_url="http://heliograph.test:8501")
    created = client.post(f"/sandbox{RUNS}", json=BODY).json()
    assert created["recordingUploadUrl"].startswith("http://heliograph.test:8501/sandbox/recordings/")
    assert client.put(created["recordingUploadUrl"], content=b"x").status_code == 200
    link = client.post(f"/sandbox{ACTIVITY_RUNS}", json=BODY).json()["activityLink"]
    assert link.startswith("http://heliograph.test:8501/sandbox/activity/")
    assert client.get(link).status_code == 200


def test_a_public_address_replaces_the_requests_own(make_client):
    """Behind a proxy the URLs in answers are the ones that callers can reach."""
    client = make_client(public_url="https://lab.example/thymia/")
    url = client.post(RUNS, json=BODY).json()["recordingUploadUrl"]
    assert url.startswith("https://lab.example/thymia/recordings/")
