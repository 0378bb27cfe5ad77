"""Upload URLs and what becomes of recordings: signature, expiry, one upload, size, deletion."""

import hashlib
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.sandbox.recordings import encode, make_speech
from tests.sandbox.servers import ACTIVITY_RUNS, BODY, RUNS, wait_for
from thymia_api.sandbox import _bodies


def _create(client, **fields):
    created = client.post(RUNS, json={**BODY, **fields}).json()
    return created["id"], created["recordingUploadUrl"]


def _error_code(answer):
    return ElementTree.fromstring(answer.text).findtext("Code")


def _recordings(client) -> list[Path]:
    return list(client.app.state.sandbox.state.recordings.iterdir())


def test_an_upload_needs_no_key_and_is_stored_as_it_came(client):
    """The bytes on disk are the bytes sent, in a file only the user can read."""
    run_id, url = _create(client)
    content = encode(make_speech(12))
    assert client.put(url, content=content, headers={"x-api-key": ""}).status_code == 200
    (path,) = _recordings(client)
    assert path.read_bytes() == content
    assert path.stat().st_mode & 0o077 == 0
    assert client.app.state.sandbox.state.load_run(run_id).recording_sha256 == hashlib.sha256(content).hexdigest()


def test_an_upload_url_is_worth_nothing_after_an_hour(client, pass_hours):
    """Just before the hour it works, after it the storage answers 403 in XML and the run stays CREATED."""
    (_, early_url), (run_id, url) = _create(client), _create(client)
    pass_hours(client, 0.99)
    assert client.put(early_url, content=b"x").status_code == 200
    pass_hours(client, 0.02)
    answer = client.put(url, content=b"x")
    assert (answer.status_code, _error_code(answer)) == (403, "AccessDenied")
    assert answer.headers["content-type"] == "application/xml"
    assert client.get(f"{RUNS}/{run_id}").json()["status"] == "CREATED"


def test_a_url_that_was_changed_is_refused(client):
    """Another run's id, a later expiry, another or no signature: 403."""
    (_, url), (other_id, _) = _create(client), _create(client)
    path, _, query = url.partition("?")
    expires, _, signature = query.partition("&")
    later = f"{expires.partition('=')[0]}={int(expires.partition('=')[2]) + 9}"
    changed = [
        f"{path.rpartition('/')[0]}/{other_id}?{query}",
        f"{path}?{later}&{signature}",
        f"{path}?{expires}&{signature[:-1]}{'0' if signature[-1] != '0' else '1'}",
        f"{path}?{expires}&X-Sandbox-Signature=%E2%82%AC%00",
        f"{path}?X-Sandbox-Expires=²&{signature}",
        path,
    ]
    for wrong in changed:
        answer = client.put(wrong, content=b"x")
        assert (answer.status_code, _error_code(answer)) == (403, "SignatureDoesNotMatch")
    assert _recordings(client) == []


def test_a_second_upload_is_refused_and_changes_nothing(client):
    """409; the first recording stays, also when the URL has expired meanwhile."""
    _, url = _create(client)
    client.put(url, content=b"first")
    answer = client.put(url, content=b"second")
    assert (answer.status_code, _error_code(answer)) == (409, "ObjectAlreadyExists")
    assert [path.read_bytes() for path in _recordings(client)] == [b"first"]


def test_two_uploads_at_once_store_one(client):
    """Whoever is second when both have arrived is refused, and leaves no file."""
    run_id, _ = _create(client)
    state = client.app.state.sandbox.state
    parts = [state.recordings / f"{number}.part" for number in range(2)]
    for part in parts:
        part.write_bytes(b"x")
    assert [state.attach_recording(run_id, part, sha256="s", size=1) for part in parts] == [True, False]
    assert len(_recordings(client)) == 1


@pytest.mark.parametrize("is_announced", [True, False])
def test_a_recording_beyond_the_limit_is_refused(client, monkeypatch, is_announced):
    """413 with or without a Content-Length, nothing is kept, and the URL can still be used."""
    monkeypatch.setattr(_bodies, "MAX_RECORDING_BYTES", 1000)
    _, url = _create(client)
    content = b"x" * 1001 if is_announced else iter([b"x" * 600, b"y" * 600])
    answer = client.put(url, content=content)
    assert (answer.status_code, _error_code(answer)) == (413, "EntityTooLarge")
    assert _recordings(client) == []
    assert client.put(url, content=b"x" * 1000).status_code == 200


@pytest.mark.parametrize("recordings_only", [True, False])
def test_deletion_after_twelve_hours(client, pass_hours, recordings_only):
    """`RECORDINGS` deletes the recording alone; without it the run answers 404 and is gone from the disk."""
    label = "unmistakable-label"
    fields = {"deleteData": True, "user": {**BODY["user"], "userLabel": label}}
    run_id, url = _create(client, **fields, **({"dataToDelete": ["RECORDINGS"]} if recordings_only else {}))
    client.put(url, content=encode(make_speech(16)))
    done = wait_for(client, run_id)
    pass_hours(client, 11.9)
    assert client.get(f"{RUNS}/{run_id}").json() == done
    assert len(_recordings(client)) == 1
    pass_hours(client, 0.2)
    after = client.get(f"{RUNS}/{run_id}")
    deadline = time.monotonic() + 10
    while _recordings(client) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _recordings(client) == []
    if recordings_only:
        assert after.json() == done
    else:
        assert after.status_code == 404
        assert client.put(url, content=b"again").status_code == 403
        state = client.app.state.sandbox.state
        while state.load_next_deletion() is not None and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.2)
        files = [path for path in state.folder.iterdir() if path.name.startswith("sandbox.db")]
        assert not any(label.encode() in path.read_bytes() for path in files)


def test_without_delete_data_nothing_is_deleted(client, pass_hours):
    """`dataToDelete` alone deletes nothing."""
    run_id, url = _create(client, dataToDelete=["RECORDINGS"])
    client.put(url, content=encode(make_speech(16)))
    done = wait_for(client, run_id)
    pass_hours(client, 1000)
    time.sleep(0.2)
    assert client.get(f"{RUNS}/{run_id}").json() == done
    assert len(_recordings(client)) == 1


def test_a_run_that_waits_is_not_deleted(client, pass_hours):
    """The twelve hours start with completion."""
    run_id = client.post(ACTIVITY_RUNS, json={**BODY, "deleteData": True}).json()["id"]
    pass_hours(client, 100)
    assert client.get(f"{RUNS}/{run_id}").json()["status"] == "CREATED"


def test_files_that_a_killed_process_left_are_removed(make_client, tmp_path):
    """A half upload nobody has written to for an hour goes at the next start; a fresh one may still be written."""
    import os

    folder = tmp_path / "recordings"
    folder.mkdir()
    for name, age_s in (("old.part", 4000), ("new.part", 10)):
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, (time.time() - age_s,) * 2)
    client = make_client(state_dir=tmp_path)
    client.get("/v1/account")
    deadline = time.monotonic() + 10
    while (folder / "old.part").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [path.name for path in folder.iterdir()] == ["new.part"]
