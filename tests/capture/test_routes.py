"""The recorder's addresses: only the holder of a permit writes, to one take, within bounds; nobody reads."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from heliograph.audio.chunk_files import compute_whole_hash
from heliograph.audio.chunk_registry import hold_chunk_take
from heliograph.audio.spool import discard_take, load_take
from heliograph.runs.intake import keep_take
from heliograph.server.capture_routes import (
    LOGGED_EVERY_S,
    make_capture_app,
)
from tests.capture.recorder import (
    BEGINNING,
    KEY,
    OWN,
    PIECE,
    TAKE,
    begin,
    finish,
    permit,
    piece_headers,
    put,
    written,
)
from tests.pages import demo
from tests.sandbox.clients import TestClient


def test_a_take_comes_in_reordered_and_doubled_and_is_complete(client, clock, tmp_path):
    begin(client, clock)
    begin(client, clock)
    pieces = [PIECE, PIECE[::-1], PIECE[:1000]]
    assert [put(client, clock, index, pieces[index]).status_code for index in (2, 0, 0, 2)] == [201, 201, 200, 200]
    lacking = finish(client, clock, pieces)
    assert (lacking.status_code, lacking.json()) == (409, {"reason": "incomplete", "missing": [1]})
    assert begin(client, clock).json() == {"chunks": 2, "missing": [1]}
    assert put(client, clock, 1, pieces[1]).status_code == 201
    assert finish(client, clock, pieces, sha256="0" * 64).status_code == 409
    done = finish(client, clock, pieces)
    assert (done.status_code, done.json()) == (200, {"chunks": 3, "missing": []})
    assert finish(client, clock, pieces).status_code == 200
    assert put(client, clock, 3).json()["reason"] == "finished"
    assert written(tmp_path) == ["000000.s16", "000001.s16", "000002.s16"]


def test_another_piece_under_the_same_number_is_refused(client, clock):
    begin(client, clock)
    assert put(client, clock, 0).status_code == 201
    answer = put(client, clock, 0, PIECE[::-1])
    assert (answer.status_code, answer.json()["reason"]) == (409, "different")


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"X-Capture-Permit": ""}, 401, "no_permit"),
        ({"X-Capture-Permit": "Basic abc"}, 401, "malformed"),
        ({"X-Capture-Permit": "abc.def"}, 401, "forged"),
        ({"X-Capture-Permit": "ÿ"}, 401, "malformed"),
        ({"X-Capture-Permit": "abc.ÿ"}, 401, "malformed"),
        ({"Origin": "http://evil.test"}, 403, "other_site"),
        ({"Origin": "null"}, 403, "other_site"),
        ({"Origin": "http://[x"}, 403, "other_site"),
        ({"Origin": f"{OWN}.evil.test"}, 403, "other_site"),
    ],
)
def test_a_stranger_writes_and_reads_nothing(client, clock, tmp_path, change, status, reason):
    begin(client, clock)
    sent = {**permit(clock), **piece_headers(), **change}
    headers = [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]
    for method, path in [("PUT", "/0"), ("PUT", ""), ("POST", "/finish")]:
        answer = client.request(method, f"/takes/{TAKE}{path}", headers=headers, content=PIECE)
        assert (answer.status_code, answer.json()) == (status, {"reason": reason}), method
    assert written(tmp_path) == []


def test_writing_needs_an_origin(client, clock):
    begin(client, clock)
    headers = permit(clock)
    del headers["Origin"]
    assert client.put(f"/takes/{TAKE}/0", headers={**headers, **piece_headers()}).status_code == 403


@pytest.mark.parametrize(
    ("origin", "headers"),
    [
        ("https://study.example", {"X-Forwarded-Host": "study.example"}),
        ("https://study.example", {"X-Forwarded-Host": "study.example, inner.example:8080"}),
        ("https://study.example", {"X-Forwarded-Host": "inner.example,study.example:443"}),
        ("https://study.example", {"Host": "study.example:443"}),
        ("https://study.example", {"Host": "Study.Example:80"}),
        ("http://[::1]", {"Host": "[::1]:80"}),
        ("http://study.example:8501", {"Host": "study.example:8501"}),
    ],
)
def test_a_proxy_may_name_the_host_in_its_own_way(client, clock, origin, headers):
    begin(client, clock)
    assert put(client, clock, 0, Origin=origin, **headers).status_code == 201


@pytest.mark.parametrize(
    ("origin", "headers"),
    [
        ("https://study.example:8443", {"Host": "study.example"}),
        ("https://study.example", {"Host": "study.example:8443"}),
        ("https://example", {"X-Forwarded-Host": "study.example"}),
        ("https://evil.test", {"X-Forwarded-Host": "study.example, inner.example"}),
        ("null", {"X-Forwarded-Host": ", "}),
        ("https://", {"X-Forwarded-Host": ""}),
    ],
)
def test_another_port_or_host_is_another_site(client, clock, origin, headers):
    begin(client, clock)
    answer = put(client, clock, 0, Origin=origin, **headers)
    assert (answer.status_code, answer.json()) == (403, {"reason": "other_site"})


def test_the_operator_is_told_of_a_site_that_was_refused_but_not_at_every_try(client, clock, caplog):
    """A proxy that hides its own name makes every page of ours one of another site."""

    def ask(origin: str) -> None:
        headers = {**permit(clock), "Origin": origin, "Host": "inner:8501"}
        assert client.put(f"/takes/{TAKE}", headers=headers, json=BEGINNING).status_code == 403

    for _ in range(3):
        ask("https://study.example")
    ask("https://x" + "y" * 10_000)
    told = [record.getMessage() for record in caplog.records if record.name == "heliograph.capture"]
    assert len(told) == 2
    assert "https://study.example" in told[0]
    assert "inner:8501" in told[0]
    assert TAKE not in told[0]
    assert len(told[1]) < 300
    clock.now_s += LOGGED_EVERY_S
    ask("https://study.example")
    assert len([record for record in caplog.records if record.name == "heliograph.capture"]) == 3


def test_a_permit_of_another_take_key_or_time_is_refused(client, clock, tmp_path):
    """A permit that was caught opens no other take, and this one only for minutes."""
    begin(client, clock)
    for wrong, reason in [
        (permit(clock, "take-9876543210"), "other_take"),
        (permit(clock, key=b"x" * 32), "forged"),
        (permit(clock, lasts_s=0), "expired"),
    ]:
        answer = client.put(f"/takes/{TAKE}/0", headers={**wrong, **piece_headers()}, content=PIECE)
        assert (answer.status_code, answer.json()["reason"]) == (401, reason)
    caught = permit(clock)
    clock.now_s += 600
    assert client.put(f"/takes/{TAKE}", headers=caught, json=BEGINNING).json()["reason"] == "expired"
    assert written(tmp_path) == []


def ask_again(client: TestClient, caught: dict[str, str]) -> list[tuple[int, str]]:
    """What may be tried with a permit that was caught and still holds: other pieces, another beginning and end."""
    other = PIECE[::-1]
    piece = {**caught, **piece_headers(other)}
    whole = compute_whole_hash([hashlib.sha256(other).digest()])
    answers = [
        client.put(f"/takes/{TAKE}/0", headers=piece, content=other),
        client.put(f"/takes/{TAKE}/1", headers=piece, content=other),
        client.put(f"/takes/{TAKE}", headers=caught, json={**BEGINNING, "rate_hz": 44_100}),
        client.post(
            f"/takes/{TAKE}/finish", headers=caught, json={"chunks": 1, "samples": 48_000, "sha256": whole}
        ),
    ]
    return [(answer.status_code, answer.json()["reason"]) for answer in answers]


def read_all(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_permit_that_was_caught_changes_nothing_of_a_take_that_is_complete(client, clock, tmp_path):
    caught = permit(clock)
    begin(client, clock)
    put(client, clock, 0)
    assert finish(client, clock, [PIECE]).status_code == 200
    before = read_all(tmp_path)
    assert ask_again(client, caught) == [
        (409, "different"),
        (409, "finished"),
        (409, "different"),
        (409, "different"),
    ]
    assert read_all(tmp_path) == before


@pytest.mark.parametrize("deal_with", [keep_take, lambda store, take, participant_id: discard_take(take)])
def test_a_permit_that_was_caught_brings_nothing_back_of_a_take_that_was_kept_or_discarded(
    clock, tmp_path, deal_with
):
    caught = permit(clock)
    store = demo.open_store(tmp_path)
    person = [demo.add_participant(store, f"P-{number:03d}") for number in range(1, 8)][-1]  # As the permits say.
    app = make_capture_app(store.spool_folder, lambda: KEY, clock=clock)
    with TestClient(app, base_url=OWN, raise_server_exceptions=False) as client:
        begin(client, clock)
        put(client, clock, 0)
        assert finish(client, clock, [PIECE]).status_code == 200
        deal_with(store, load_take(store.spool_folder, TAKE), participant_id=person)
        before = read_all(store.spool_folder)
        assert ask_again(client, caught) == [(410, "settled")] * 4
    assert read_all(store.spool_folder) == before
    assert not (store.spool_folder / TAKE).exists()
    store.close()


def test_a_permit_is_not_taken_from_the_address_or_the_header_of_passwords(client, clock):
    begin(client, clock)
    text = permit(clock)["X-Capture-Permit"]
    asked = f"/takes/{TAKE}?permit={text}&x-capture-permit={text}"
    answer = client.put(asked, headers={"Authorization": f"Bearer {text}", "Origin": OWN}, json=BEGINNING)
    assert (answer.status_code, answer.json()) == (401, {"reason": "no_permit"})


def test_a_permit_outlives_the_process(client, clock, tmp_path):
    begin(client, clock)
    put(client, clock, 0)
    from heliograph.audio import chunk_registry

    chunk_registry._recent.clear()
    assert (tmp_path / "spool", TAKE) not in chunk_registry._takes
    other = TestClient(make_capture_app(tmp_path / "spool", lambda: KEY, clock=clock), base_url=OWN)
    assert put(other, clock, 1).status_code == 201
    assert put(other, clock, 0).status_code == 200


def test_while_a_take_is_kept_its_browser_is_told_to_wait(client, clock, tmp_path):
    begin(client, clock)
    assert put(client, clock, 0).status_code == 201
    with hold_chunk_take(tmp_path / "spool", TAKE):
        for answer in (put(client, clock, 1), put(client, clock, 0), finish(client, clock, [PIECE])):
            assert (answer.status_code, answer.json()) == (503, {"reason": "being_kept"})
    assert put(client, clock, 1).status_code == 201


def test_damage_on_the_way_is_noticed_and_mended_by_sending_again(client, clock):
    begin(client, clock)
    damaged = put(client, clock, 0, PIECE[:-1] + b"x", **{"X-Chunk-SHA256": hashlib.sha256(PIECE).hexdigest()})
    assert (damaged.status_code, damaged.json()["reason"]) == (422, "damaged")
    assert put(client, clock, 0).status_code == 201
    assert put(client, clock, 1, **{"Content-Type": "text/plain"}).status_code == 415


def test_a_full_disk_is_a_507_at_every_step_and_what_was_refused_can_be_sent_again(client, clock, monkeypatch):
    def fail(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def ask_in_vain(ask: Callable[[], Any]) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fail)
            answer = ask()
        assert (answer.status_code, answer.json()) == (507, {"reason": "disk_full"})

    ask_in_vain(lambda: client.put(f"/takes/{TAKE}", headers=permit(clock), json=BEGINNING))
    begin(client, clock)
    ask_in_vain(lambda: put(client, clock, 0))
    assert put(client, clock, 0).status_code == 201
    ask_in_vain(lambda: finish(client, clock, [PIECE]))
    assert finish(client, clock, [PIECE]).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/takes", 404),
        ("GET", "/takes/x/../../../app.py", 404),
        ("GET", f"/takes/{TAKE}", 404),
        ("GET", f"/takes/{TAKE}/0", 404),
        ("GET", f"/takes/{TAKE}/chunks/000000.s16", 404),
        ("PUT", f"/takes/{TAKE}/-1", 404),
        ("OPTIONS", f"/takes/{TAKE}/0", 405),
        ("DELETE", f"/takes/{TAKE}", 405),
    ],
)
def test_there_is_nothing_else_there(client, clock, method, path, status):
    """In particular no way to get a piece back, and no answer to a foreign page's preflight."""
    begin(client, clock)
    put(client, clock, 0)
    answer = client.request(method, path, headers=permit(clock))
    assert answer.status_code in (status, 404, 405)
    assert "access-control-allow-origin" not in answer.headers


def test_the_code_for_the_audio_thread_is_served_to_everyone(client):
    answer = client.get("/worklet.js")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "registerProcessor" in answer.text


def test_answers_are_not_stored_on_the_way(client, clock):
    begin(client, clock)
    assert begin(client, clock).headers["cache-control"] == "no-store"
