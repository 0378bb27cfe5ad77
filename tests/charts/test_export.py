"""Images at publication size from the machine's own Chromium, and CSV that other programs read as it is."""

from __future__ import annotations

import html
import io
import os
import struct
import threading
import time
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from heliograph.charts import export, make_template
from heliograph.charts.export import (
    ImageError,
    ImagesBusyError,
    ImageTimeoutError,
    NoBrowserError,
    find_image_browser,
    render_image,
    write_numbers_csv,
)

needs_browser = pytest.mark.skipif(find_image_browser() is None, reason="no Chromium or Chrome on this machine")


def make_figure(kind=go.Scatter, *, label: str = "result") -> go.Figure:
    trace = kind(x=[1, 2, 3], y=[0.1, 0.5, 0.2], mode="lines+markers", name=label)
    layout = go.Layout(template=make_template("light"), height=200, title={"text": label}, width=4000)
    return go.Figure(trace, layout=layout)


def browsers_of_this_process() -> list[str]:
    """Command lines of processes below this one that draw images."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        if "choreographer" in command and parent == os.getpid():
            found.append(command)
    return found


@needs_browser
def test_a_png_is_180_mm_wide_at_300_dpi_and_says_so_and_no_browser_is_left():
    png = render_image(make_figure(go.Scattergl), "png")
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    assert abs(width / 300 * 25.4 - 180) < 0.2
    assert abs(height - 200 * 300 / 96) < 2
    at = png.index(b"pHYs")
    across, _, unit = struct.unpack(">IIB", png[at + 4 : at + 13])
    assert (round(across * 0.0254), unit) == (300, 1)
    assert at < png.index(b"IDAT")
    assert browsers_of_this_process() == []


@needs_browser
def test_an_svg_keeps_text_as_text_and_points_as_vectors():
    svg = render_image(make_figure(go.Scattergl, label="Müller &lt;b&gt;"), "svg").decode("utf-8")
    assert svg.startswith("<svg")
    assert "Müller <b></text>" in html.unescape(svg)
    assert 'width="680"' in svg
    assert "<image" not in svg  # WebGL would be a picture.
    assert "scatterlayer" in svg


def test_without_a_browser_the_error_says_that(monkeypatch):
    monkeypatch.delenv("HELIOGRAPH_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(export, "MAC_BROWSERS", ())
    assert find_image_browser() is None
    with pytest.raises(NoBrowserError):
        render_image(make_figure(), "png")


def test_a_browser_that_does_not_start_is_an_error_of_its_own(monkeypatch, fake_browser):
    monkeypatch.setenv("HELIOGRAPH_CHROMIUM", fake_browser("exit 1"))
    with pytest.raises(ImageError) as failed:
        render_image(make_figure(), "png")
    assert not isinstance(failed.value, ImageTimeoutError)


def test_a_browser_that_hangs_is_ended_when_the_time_is_over(monkeypatch, fake_browser):
    monkeypatch.setenv("HELIOGRAPH_CHROMIUM", fake_browser("exec sleep 600"))
    monkeypatch.setattr(export, "CLOSE_S", 0.3)
    begin = time.monotonic()
    with pytest.raises(ImageTimeoutError):
        render_image(make_figure(), "png", timeout_s=1.0)
    assert time.monotonic() - begin < 8
    assert browsers_of_this_process() == []


def test_images_are_drawn_one_at_a_time_two_wait_and_more_are_turned_away(monkeypatch):
    """Each that waits holds one of the server's few threads."""
    monkeypatch.setattr(export, "find_image_browser", lambda: "/bin/true")
    monkeypatch.setattr(export, "_set_dpi", lambda image, dpi: image)
    inside, most = 0, 0
    gate, drawing = threading.Event(), threading.Event()

    def draw(_drawing) -> bytes:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        drawing.set()
        gate.wait(30)
        inside -= 1
        return b"image"

    monkeypatch.setattr(export, "_run_apart", draw)
    first = threading.Thread(target=render_image, args=(make_figure(), "png"))
    first.start()
    assert drawing.wait(30)
    with pytest.raises(ImagesBusyError):
        render_image(make_figure(), "png", timeout_s=0.05)
    others = [threading.Thread(target=render_image, args=(make_figure(), "png")) for _ in range(2)]
    for thread in others:
        thread.start()
    while export._places._value:
        time.sleep(0.01)
    with pytest.raises(ImagesBusyError):
        render_image(make_figure(), "png", timeout_s=30)
    gate.set()
    for thread in (first, *others):
        thread.join()
    assert most == 1
    assert export._places._value == export.AT_ONCE


@pytest.fixture
def fake_browser(tmp_path):
    """An executable that does something else than a browser."""

    def make(script: str) -> str:
        path = tmp_path / "browser"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return make


def make_numbers() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "label": ["P-001", "Jörg, \"the\" 2nd", None],
            "day": pd.to_datetime(["2026-03-02", None, "2026-03-04"]),
            "session_local": pd.to_datetime(["2026-03-02T08:15:00", None, "2026-03-04T00:00:00"]),
            "completed_utc": pd.to_datetime(["2026-03-02T07:15:09Z", None, "2026-03-04T00:00:00Z"]),
            "small": [True, False, True],
            "n": [3, 4, 5],
            "mean": [0.1 + 0.2, np.nan, -0.25],
        }
    )  # fmt: skip


def test_the_csv_reads_in_pandas_with_the_same_values_and_types():
    numbers = make_numbers()
    read = pd.read_csv(
        io.BytesIO(write_numbers_csv(numbers, synthetic=True)), parse_dates=["day", "session_local"]
    )
    assert list(read) == [*numbers, "synthetic"]
    assert read["mean"][0] == 0.1 + 0.2
    assert read["small"].tolist() == [True, False, True]
    assert read["synthetic"].tolist() == [True] * 3
    assert read["label"].tolist()[:2] == numbers["label"].tolist()[:2]
    pd.testing.assert_series_equal(read["day"], numbers["day"], check_dtype=False)
    pd.testing.assert_series_equal(read["session_local"], numbers["session_local"], check_dtype=False)
    assert read.isna().sum().sum() == 5


def test_the_csv_is_plain_text_as_r_reads_it():
    """R reads NA, TRUE and ISO dates by itself; a byte-order mark would become part of the first name."""
    lines = write_numbers_csv(make_numbers(), synthetic=False).decode("utf-8").split("\n")
    assert lines[0] == "label,day,session_local,completed_utc,small,n,mean,synthetic"
    assert lines[1] == "P-001,2026-03-02,2026-03-02T08:15:00,2026-03-02T07:15:09Z,TRUE,3,0.30000000000000004,FALSE"
    assert lines[2] == '"Jörg, ""the"" 2nd",NA,NA,NA,FALSE,4,NA,FALSE'


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"])
def test_text_that_a_spreadsheet_would_compute_stays_text(text):
    read = pd.read_csv(io.BytesIO(write_numbers_csv(pd.DataFrame({text: [text]}), synthetic=True)))
    shown = text.replace("\t", " ").replace("\r", " ")
    assert read.columns[0] == f"'{shown}"
    assert read.iloc[0, 0] == f"'{shown}"


def test_numbers_are_never_taken_for_formulas():
    text = write_numbers_csv(pd.DataFrame({"change": [-0.5, 1e-7], "label": ["-5", "+41"]}), synthetic=True)
    assert text == b"change,label,synthetic\n-0.5,-5,TRUE\n1e-07,+41,TRUE\n"


def test_an_empty_frame_and_odd_values_still_make_a_csv():
    empty = pd.DataFrame({"label": pd.Series(dtype="str"), "at": pd.Series(dtype="datetime64[ns]")})
    assert write_numbers_csv(empty, synthetic=True) == b"label,at,synthetic\n"
    odd = pd.DataFrame({"kind": pd.Categorical(["a", None]), "on": [date(2026, 3, 2), datetime(2026, 3, 2, 8)]})
    assert write_numbers_csv(odd.assign(synthetic=False), synthetic=True).decode().splitlines() == [
        "kind,on,synthetic",
        "a,2026-03-02,FALSE",
        "NA,2026-03-02 08:00:00,FALSE",
    ]
