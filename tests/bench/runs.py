"""(a) One hundred recordings submitted and finished, against a plain script: one after another, polled every 5 s.

Both talk to the same sandbox process with its default processing time. The script's time for one recording does
not depend on how many there are, so it does ten and the rest is reckoned.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import numpy as np

from heliograph.audio.flac import encode_flac
from heliograph.runs import UploadSubmission, Worker, submit_upload
from heliograph.store import (
    FINAL_STATES,
    RecordingFacts,
    RecordingSource,
    Store,
    load_overview,
    save_participant,
    save_recording,
)
from tests.browser.microphones import load_mono
from tests.browser.servers import ROOT
from thymia_api import NO_RETRY, AsyncThymiaClient

SPEECH = ROOT / "data" / "samples" / "jfk.flac"
RECORDINGS = 100
SCRIPTED = 10
SCRIPT_POLL_S = 5.0
RATE = 16_000
KEY = "bench-key"


def make_recordings(folder: Path, count: int) -> list[Path]:
    """Files of 22 s (15 s of speech), all different by a little noise."""
    speech = np.tile(load_mono(SPEECH, RATE), 2)
    files = []
    for number in range(count):
        noise = np.random.default_rng(number).integers(-30, 31, speech.size)
        file = folder / f"{number:03}.flac"
        file.write_bytes(encode_flac((speech // 2 + noise).astype(np.int16), RATE))
        files.append(file)
    return files


def run_script(url: str, files: list[Path]) -> float:
    """What a researcher writes in an afternoon; returns seconds."""
    began = time.perf_counter()
    with httpx.Client(base_url=url, headers={"x-api-key": KEY}, trust_env=False) as client:
        for file in files:
            created = client.post(
                "/v1/models/mental-wellness",
                json={
                    "user": {"userLabel": "script", "dateOfBirth": "1990-01-01", "birthSex": "FEMALE"},
                    "language": "en-GB",
                },
            ).json()
            httpx.put(
                created["recordingUploadUrl"],
                content=file.read_bytes(),
                headers={"Content-Type": "audio/flac"},
                trust_env=False,
            )
            while client.get(f"/v1/models/mental-wellness/{created['id']}").json()["status"] in (
                "CREATED",
                "RUNNING",
            ):
                time.sleep(SCRIPT_POLL_S)
    return time.perf_counter() - began


async def run_worker(url: str, store: Store, files: list[Path]) -> float:
    """Submit everything and let the worker finish it; returns seconds from the first submission."""
    stop = asyncio.Event()
    worker = Worker(store, make_client=lambda: AsyncThymiaClient(KEY, base_url=url, retry=NO_RETRY))
    participant = save_participant(
        store, label="bench", date_of_birth="1990-01-01", birth_sex="FEMALE", language="en-GB", accent=None
    )
    facts = RecordingFacts(media_type="audio/flac", source=RecordingSource.UPLOAD)
    began = time.perf_counter()
    task = asyncio.create_task(worker.run(stop))
    for number, file in enumerate(files):
        recording = await asyncio.to_thread(save_recording, store, file, facts=facts)
        submission = UploadSubmission(
            submission_key=f"bench-{number}", participant_id=participant, recording_id=recording.id
        )
        await asyncio.to_thread(submit_upload, store, submission)
        worker.wake()
    while True:
        counts = (await asyncio.to_thread(load_overview, store)).state_counts
        if sum(counts.get(state, 0) for state in FINAL_STATES) == len(files):
            break
        await asyncio.sleep(0.1)
    took = time.perf_counter() - began
    stop.set()
    await task
    return took


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = make_recordings(folder, RECORDINGS)
        sandbox = subprocess.Popen(
            [sys.executable, "-m", "thymia_api.sandbox", "--port", "0", "--api-key", KEY],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert sandbox.stdout is not None
            url = ""
            while not url:
                found = re.search(r"http://[\w.:]+", sandbox.stdout.readline())
                url = found.group() if found else ""
            script_s = run_script(url, files[:SCRIPTED]) / SCRIPTED * RECORDINGS
            store = Store.open(folder / "workspace", workspace="sandbox", synthetic=True)
            worker_s = asyncio.run(run_worker(url, store, files))
            store.close()
        finally:
            sandbox.terminate()
            sandbox.wait()
    print(f"plain script, one after another, 5 s poll: {script_s:6.1f} s (reckoned from {SCRIPTED})")
    print(f"Heliograph's worker                      : {worker_s:6.1f} s")
    print(f"ratio                                    : {script_s / worker_s:6.1f} x (target 20)")


if __name__ == "__main__":
    main()
