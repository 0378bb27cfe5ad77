"""Figures as files for a paper: PNG and SVG at publication size, and the numbers behind them as CSV.

Images are drawn by kaleido in the machine's own Chromium, one at a time, without the network. The browser lives
for one image and is gone afterwards, whatever happened. Errors:

    ImageError
    ├── NoBrowserError      there is no Chromium or Chrome on this machine
    ├── ImagesBusyError     others are being drawn
    └── ImageTimeoutError   it took too long; the browser was ended
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import struct
import subprocess
import threading
import time
import unicodedata
import zlib
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from kaleido import Kaleido

__all__ = [
    "ImageError",
    "ImageFormat",
    "ImageTimeoutError",
    "ImagesBusyError",
    "NoBrowserError",
    "find_image_browser",
    "render_image",
    "write_numbers_csv",
]

ImageFormat = Literal["png", "svg"]

WIDTH_MM = 180  # Two columns of most journals.
DPI = 300
CSS_DPI = 96
MM_PER_INCH = 25.4
DEFAULT_HEIGHT_PX = 450
TIMEOUT_S = 30.0
CLOSE_S = 5.0
# Whoever waits holds a thread of the server's few; more are turned away.
AT_ONCE = 3
# Up to here WebGL points are drawn as vectors; above, an SVG of them would be slow to draw and to open.
VECTOR_POINTS = 20_000

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
MAC_BROWSERS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
# No request leaves the machine: the page and its script are local files, everything else meets a closed door.
NO_NETWORK = "http://127.0.0.1:9"
FORMULA_BEGINNINGS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")

_one_at_a_time = threading.Lock()
_places = threading.BoundedSemaphore(AT_ONCE)


class ImageError(Exception):
    """A figure could not be drawn as an image; the text says why, for a log."""


class NoBrowserError(ImageError):
    """There is no Chromium or Chrome to draw with."""


class ImagesBusyError(ImageError):
    """Other images are being drawn, and enough are waiting."""


class ImageTimeoutError(ImageError):
    """Drawing took longer than it may."""


def find_image_browser() -> str | None:
    """The browser that draws images: the one named by `HELIOGRAPH_CHROMIUM`, on the PATH or in its usual place."""
    named = os.environ.get("HELIOGRAPH_CHROMIUM")
    for candidate in (named, *(shutil.which(name) for name in BROWSERS), *MAC_BROWSERS):
        if candidate and os.access(candidate, os.X_OK) and Path(candidate).is_file():
            return candidate
    return None


def render_image(
    figure: go.Figure,
    image_format: ImageFormat,
    *,
    width_mm: float = WIDTH_MM,
    dpi: int = DPI,
    timeout_s: float = TIMEOUT_S,
) -> bytes:
    """Draw a figure as a file.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        Its layout's height counts at 96 px an inch; its width is `width_mm`, whatever its layout says.
    image_format : {"png", "svg"}
        SVG keeps text as text and lines as lines.
    width_mm, dpi : float, int
        Printed width, and dots per inch of a PNG (written into the file).
    timeout_s : float
        For everything, waiting for another image included.

    Returns
    -------
    bytes
        The file's content.

    Raises
    ------
    NoBrowserError
        Without a Chromium or Chrome on this machine.
    ImagesBusyError
        When two others wait already, or waiting took all the time.
    ImageTimeoutError
        When the time is over; the browser is ended.
    ImageError
        When the browser fails otherwise.

    Notes
    -----
    Takes 2 to 5 s, and one image is drawn at a time. May be called from any thread.
    """
    browser = find_image_browser()
    if browser is None:
        raise NoBrowserError("no Chromium or Chrome was found")
    deadline = time.monotonic() + timeout_s
    options = {
        "format": image_format,
        "width": round(width_mm / MM_PER_INCH * CSS_DPI),
        "height": int(figure.layout.height or DEFAULT_HEIGHT_PX),
        "scale": dpi / CSS_DPI if image_format == "png" else 1,
    }
    with _take_turn(timeout_s):
        image = _run_apart(_Drawing(browser, _prepare(figure), options, deadline))
    return _set_dpi(image, dpi) if image_format == "png" else image


@contextlib.contextmanager
def _take_turn(timeout_s: float) -> Iterator[None]:
    """Wait until no other image is being drawn."""
    if not _places.acquire(blocking=False):
        raise ImagesBusyError(f"{AT_ONCE} images are being drawn or wait already")
    try:
        if not _one_at_a_time.acquire(timeout=timeout_s):
            raise ImagesBusyError(f"other images were drawn for {timeout_s:.0f} s")
        try:
            yield
        finally:
            _one_at_a_time.release()
    finally:
        _places.release()


class _Drawing:
    """One image, drawn by a browser of its own."""

    def __init__(self, browser: str, figure: dict[str, Any], options: dict[str, Any], deadline: float) -> None:
        self.browser, self.figure, self.options, self.deadline = browser, figure, options, deadline
        self.kaleido: Kaleido | None = None
        self.image: bytes | None = None
        self.problem: BaseException | None = None

    def run(self) -> None:
        """Draw; for a thread of its own, whose event loop is nobody else's."""
        try:
            self.image = asyncio.run(self._draw())
        except BaseException as error:  # noqa: BLE001 - told to the thread that waits
            self.problem = error

    def end_browser(self) -> None:
        """End the browser with everything it started, at once; nothing happens when it has ended."""
        process: subprocess.Popen[bytes] | None = getattr(self.kaleido, "subprocess", None)
        if process is None or process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)  # It leads a session of its own.
            else:
                process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(CLOSE_S)

    async def _draw(self) -> bytes:
        from kaleido import Kaleido

        self.kaleido = Kaleido(
            n=1, timeout=None, mathjax=False, path=self.browser, enable_extensions=False, proxy_server=NO_NETWORK,
            enable_sandbox=not (hasattr(os, "geteuid") and os.geteuid() == 0),
        )  # fmt: skip
        try:
            await self._within(self.kaleido.open())
            drawn: bytes = await self._within(self.kaleido.calc_fig(self.figure, self.options))
            return drawn
        finally:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self.kaleido.close(), CLOSE_S)
            self.end_browser()

    async def _within(self, work: Coroutine[Any, Any, Any]) -> Any:
        return await asyncio.wait_for(work, max(0.1, self.deadline - time.monotonic()))


def _run_apart(drawing: _Drawing) -> bytes:
    """Draw in a thread; when that does not even end after the deadline, end the browser under it."""
    thread = threading.Thread(target=drawing.run, name="figure-image", daemon=True)
    thread.start()
    thread.join(max(0.1, drawing.deadline - time.monotonic()) + 2 * CLOSE_S)
    drawing.end_browser()
    thread.join(CLOSE_S)
    if drawing.image is not None:
        return drawing.image
    if drawing.problem is None or time.monotonic() >= drawing.deadline:  # A cut start looks like a broken one.
        raise ImageTimeoutError("the browser took too long to draw the figure") from drawing.problem
    raise ImageError(f"the browser failed: {drawing.problem}") from drawing.problem


def _prepare(figure: go.Figure) -> dict[str, Any]:
    """The figure as plain values; WebGL traces become vectors unless they are very many points."""
    plain: dict[str, Any] = figure.to_dict()
    traces: Sequence[dict[str, Any]] = plain["data"]
    points = sum(len(trace["x"]) for trace in traces if trace["type"] == "scattergl" and "x" in trace)
    if points <= VECTOR_POINTS:
        for trace in traces:
            trace["type"] = "scatter" if trace["type"] == "scattergl" else trace["type"]
    plain["layout"].pop("width", None)
    return plain


def _set_dpi(png: bytes, dpi: int) -> bytes:
    """Write the printed size into a PNG (chunk pHYs, dots per metre), which stands before the pixels."""
    after_header = 8 + 25
    per_metre = round(dpi * 1000 / MM_PER_INCH)
    body = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:after_header] + chunk + png[after_header:]


def write_numbers_csv(frame: pd.DataFrame, *, synthetic: bool) -> bytes:
    """The numbers behind a figure as a file for R, pandas and spreadsheets.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a line; its index is left out. Not changed.
    synthetic : bool
        Whether the scores come from a sandbox: becomes the column `synthetic` unless the frame has one.

    Returns
    -------
    bytes
        UTF-8 without a byte-order mark; NA for what is missing, TRUE and FALSE, ISO 8601 dates (without a time
        where a whole column has none), numbers in full. Text is on one line; where a spreadsheet would take it
        for a formula, it begins with an apostrophe, which keeps it text.
    """
    rows = frame if "synthetic" in frame.columns else frame.assign(synthetic=synthetic)
    columns = {_make_inert(str(name)): _write_column(rows[name]) for name in rows.columns}
    text: str = pd.DataFrame(columns).to_csv(index=False, na_rep="NA", lineterminator="\n")
    return text.encode("utf-8", errors="replace")


def _write_column(column: pd.Series) -> pd.Series:
    if pd.api.types.is_bool_dtype(column):
        return column.map({True: "TRUE", False: "FALSE"}).astype(object)
    if pd.api.types.is_numeric_dtype(column):
        return column
    if pd.api.types.is_datetime64_any_dtype(column):
        return _write_times(column)
    return column.map(lambda value: value if pd.isna(value) else _make_inert(str(value))).astype(object)


def _write_times(column: pd.Series) -> pd.Series:
    aware = column.dt.tz is not None
    times = column.dt.tz_convert("UTC").dt.tz_localize(None) if aware else column
    known = times.dropna()
    if not aware and (known == known.dt.normalize()).all():
        return times.dt.strftime("%Y-%m-%d")
    return times.dt.strftime("%Y-%m-%dT%H:%M:%S" + ("Z" if aware else ""))


def _make_inert(text: str) -> str:
    """Text on one line that no spreadsheet computes; a plain number stays as it is."""
    text = "".join(" " if unicodedata.category(char) in {"Cc", "Zl", "Zp"} else char for char in text)
    if not text.lstrip(" ").startswith(FORMULA_BEGINNINGS):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text
