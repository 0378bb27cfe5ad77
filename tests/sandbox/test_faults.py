"""Injected faults, as a client of a real server process sees them, and whether the server acted meanwhile."""

import socket
import time

import httpx
import pytest

from tests.sandbox.clients import TestClient
from tests.sandbox.recordings import encode, make_speech
from tests.sandbox.servers import ACTIVITY_RUNS, BODY, KEY, RUNS, SandboxProcess
from thymia_api.sandbox import FaultKind, SandboxSettings
from thymia_api.sandbox.faults import FaultMiddleware

CUTS = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


@pytest.fixture
def faulty(request):
    """A server on which every request but those of the debug route meets one kind of fault."""
    with SandboxProcess("--fault-rate", "1", "--fault-kinds", request.param, "--slow-seconds", "0.7") as sandbox:
        yield sandbox


def _count_created(sandbox: SandboxProcess) -> int:
    time.sleep(0.1)  # a server that goes on without its client needs a moment
    return len(sandbox.inspect())


@pytest.mark.parametrize(
    ("faulty", "status", "retry_after", "n_created"),
    [
        ("rate-limit", 429, "1", 0),
        ("http-500", 500, None, 0),
        ("http-503", 503, "1", 0),
        ("http-502", 502, None, 1),
    ],
    indirect=["faulty"],
)
def test_refusals_have_their_status_and_only_a_502_has_acted(faulty, status, retry_after, n_created):
    """429 and 503 say when to come back; a 502 is an answer lost behind a gateway."""
    answer = faulty.client.post(RUNS, json=BODY)
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry_after)
    assert answer.headers["x-thymia-sandbox"] == "synthetic-scores"
    assert _count_created(faulty) == n_created


@pytest.mark.parametrize(
    ("faulty", "n_created"), [("cut-before", 0), ("cut-during", 4), ("cut-after", 4)], indirect=["faulty"]
)
def test_cut_connections_are_cut_without_a_byte_of_an_answer(faulty, n_created):
    """Four creates, each cut; whether the run exists afterwards is what the kinds differ in."""
    for _ in range(4):
        with pytest.raises(CUTS):
            faulty.client.post(RUNS, json=BODY)
    assert _count_created(faulty) == n_created


@pytest.mark.parametrize("faulty", ["cut-before"], indirect=True)
def test_a_cut_is_sometimes_a_reset_and_sometimes_a_close(faulty):
    """Both ends of a TCP connection that a client may meet, and nothing else."""
    ends = set()
    request = f"GET /v1/account HTTP/1.1\r\nHost: x\r\nx-api-key: {KEY}\r\n\r\n".encode()
    port = int(faulty.url.rpartition(":")[2])
    for _ in range(12):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(request)
            try:
                ends.add(connection.recv(1))
            except ConnectionResetError:
                ends.add("reset")
    assert ends == {b"", "reset"}


@pytest.mark.parametrize("faulty", ["cut-answer"], indirect=True)
def test_an_answer_is_cut_in_its_middle(faulty):
    """The head announces more bytes than come."""
    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        faulty.client.post(RUNS, json=BODY)
    assert _count_created(faulty) == 1


@pytest.mark.parametrize("faulty", ["truncated-json"], indirect=True)
def test_truncated_json_is_a_complete_answer_of_half_a_document(faulty):
    """The status is 200, the length fits, and the body can't be parsed."""
    answer = faulty.client.post(RUNS, json=BODY)
    assert answer.status_code == 200
    assert answer.text.startswith("{")
    with pytest.raises(ValueError, match=r"."):
        answer.json()
    assert _count_created(faulty) == 1


@pytest.mark.parametrize("faulty", ["slow"], indirect=True)
def test_a_slow_answer_comes_after_the_server_has_acted(faulty):
    """A client that gives up has created a run all the same; one that waits gets its answer."""
    with pytest.raises(httpx.ReadTimeout):
        faulty.client.post(RUNS, json=BODY, timeout=0.3)
    assert _count_created(faulty) == 1
    started = time.monotonic()
    assert faulty.client.post(RUNS, json=BODY).status_code == 200
    assert time.monotonic() - started >= 0.7


@pytest.mark.parametrize(
    ("kind", "n_uploads"), [("upload-cut", 0), ("cut-before", 0), ("cut-during", 1), ("cut-after", 1)]
)
@pytest.mark.parametrize("size_s", [12, 170])
def test_uploads_are_cut_too(tmp_path, kind, n_uploads, size_s):
    """Half way nothing is stored and the URL works again; cut after storing, a second upload is refused."""
    content = encode(make_speech(size_s))
    with SandboxProcess("--state", str(tmp_path)) as calm:
        run_id, url = calm.create()
    faulty = SandboxProcess("--state", str(tmp_path), "--fault-rate", "1", "--fault-kinds", kind)
    with faulty:
        with pytest.raises(CUTS):
            httpx.put(faulty.url + httpx.URL(url).raw_path.decode(), content=content)
        time.sleep(0.3)
        run = faulty.inspect()[run_id]
        assert run["nUploads"] == n_uploads
        assert list((tmp_path / "recordings").glob("*.part")) == []
    with SandboxProcess("--state", str(tmp_path)) as calm:
        again = httpx.put(calm.url + httpx.URL(url).raw_path.decode(), content=content)
        assert again.status_code == (409 if n_uploads else 200)


def test_the_activity_page_is_never_faulty(make_client):
    """Neither the page nor handing in."""
    client = make_client(fault_rate=1.0, fault_kinds=["http-502"])
    refused = client.post(ACTIVITY_RUNS, json=BODY)
    assert refused.status_code == 502
    (run,) = client.app.state.sandbox.state.load_log()[0]
    assert client.get(f"/activity/{run.activity_token}").status_code == 200
    assert client.put(f"/activity/{run.activity_token}/recording", content=b"x").status_code == 200


def _draw(n: int, **settings: object) -> list[FaultKind | None]:
    middleware = FaultMiddleware(None, SandboxSettings(api_key="k", **settings))
    scope = {"type": "http", "path": RUNS, "root_path": ""}
    return [middleware._draw(scope)[0] for _ in range(n)]


def test_faults_follow_from_the_seed_and_come_at_the_rate():
    """The same seed gives the same faults, another seed others; about the share asked for is hit."""
    first = _draw(500, fault_rate=0.3, fault_seed=7)
    assert first == _draw(500, fault_rate=0.3, fault_seed=7)
    assert first != _draw(500, fault_rate=0.3, fault_seed=8)
    hits = [fault for fault in first if fault is not None]
    assert 0.22 < len(hits) / 500 < 0.38
    assert set(hits) == set(FaultKind) - {FaultKind.RUN_ERROR, FaultKind.UPLOAD_CUT}
    assert set(_draw(200, fault_rate=0.0)) == {None}
    assert set(_draw(200, fault_rate=1.0, fault_kinds=["slow"])) == {FaultKind.SLOW}


def test_under_another_server_a_cut_breaks_the_answer_off(make_client):
    """Without a way to the connection the head arrives and the body does not: no answer that could be read."""
    client: TestClient = make_client(fault_rate=1.0, fault_kinds=["cut-after"])
    answer = client.post(RUNS, json=BODY)
    assert answer.headers["content-length"] == "1"
    assert answer.content == b""
    assert len(client.app.state.sandbox.state.load_log()[0]) == 1


def test_a_server_with_every_fault_goes_on_and_stays_quiet():
    """After 200 requests with faults of every kind the next one is answered, and stderr has no traceback."""
    content = encode(make_speech(12))
    urls: list[str] = []
    outcomes = {"answered": 0, "failed": 0}
    with SandboxProcess("--fault-rate", "0.6", "--slow-seconds", "0.01", "--fault-seed", "3") as sandbox:
        for number in range(200):
            try:
                if number % 3 == 2 and urls:
                    answer = sandbox.client.put(urls.pop(), content=content)
                else:
                    answer = sandbox.client.post(RUNS, json=BODY)
                    urls.append(answer.json()["recordingUploadUrl"])
                outcomes["answered" if answer.status_code == 200 else "failed"] += 1
            except (*CUTS, ValueError, KeyError):
                outcomes["failed"] += 1
        assert min(outcomes.values()) > 40
        assert sandbox.inspect()
        assert "Traceback" not in sandbox.kill()
