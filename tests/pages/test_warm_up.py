"""After the warm-up no page makes its first visitor wait for a library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.pages import demo

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ("pandas", "pyarrow", "plotly", "scipy", "statsmodels")
VISITS = """
import sys
from heliograph.ui.warm_up import WANTED_SOON, warm_up
from heliograph.ui.workspace import get_workspace
from streamlit.testing.v1 import AppTest

def large():
    return {name for name in sys.modules if name.startswith(tuple(f"{root}." for root in %r))}

assert not set(WANTED_SOON) & set(sys.modules), "the server's start imports them already"
warm_up(get_workspace().store)
before = large()
for name, query in (("overview", {}), ("trends", {"participant": "1"}), ("cohorts", {}), ("sleep", {})):
    app = AppTest.from_file("pages/_navigation.py", default_timeout=30)
    app.switch_page(f"{name}.py")
    app.query_params.update(query)
    app.run()
    assert not app.exception, app.exception
    print(name, len(large() - before))
    before = large()
"""


def test_pages_find_the_libraries_that_they_need(home):
    demo.fill(home)
    code = VISITS % (LIBRARIES,)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = {name: int(number) for name, number in (line.split() for line in done.stdout.splitlines())}
    assert list(found) == ["overview", "trends", "cohorts", "sleep"]
    assert max(found.values()) <= 15, found  # some kinds of traces; scipy.stats alone would be hundreds
