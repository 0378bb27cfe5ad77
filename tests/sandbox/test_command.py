"""`python -m thymia_api.sandbox`: options, messages, start and stop."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.sandbox.servers import ROOT, SandboxProcess
from thymia_api.sandbox.__main__ import build_parser, main
from thymia_api.sandbox.settings import SandboxSettings, SandboxSettingsError


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--clock-rate", "0"], "clock_rate"),
        (["--clock-rate", "nan"], "clock_rate"),
        (["--processing-seconds", "-1"], "processing_seconds"),
        (["--fault-rate", "1.5"], "fault_rate"),
        (["--fault-kinds", "slow,flood"], "'flood'"),
        (["--public-url", "ftp://x"], "public_url"),
        (["--api-key", " "], "api_key"),
        (["--state", "/dev/null/x"], "/dev/null/x"),
    ],
)
def test_a_wrong_option_gives_one_line_that_names_it(capsys, options, names):
    """Exit code 2, one line on stderr, nothing on stdout."""
    assert main(["--api-key", "k", "--port", "0", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert names in err
    assert err.count("\n") == 1


def test_a_port_in_use_gives_one_line(capsys):
    """It names the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--api-key", "k", "--port", str(port)]) == 2
    assert re.fullmatch(rf".*port {port}: .*\n", capsys.readouterr().err)


def test_the_server_prints_its_port_and_ends_cleanly_on_sigterm():
    """Port 0 takes a free one; the answer to SIGTERM comes within seconds, without a traceback."""
    sandbox = SandboxProcess()
    assert httpx.get(f"{sandbox.url}/v1/account").status_code == 401
    sandbox.client.close()
    sandbox.process.send_signal(signal.SIGTERM)
    _, errors = sandbox.process.communicate(timeout=10)
    assert errors == ""


def test_help_says_that_scores_are_synthetic_and_needs_no_audio_libraries():
    """Nobody takes the sandbox for the service, and asking for help or starting does not load numpy."""
    code = "import sys, thymia_api.sandbox.__main__; sys.exit(bool({'numpy', 'av'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ, check=False).returncode == 0
    assert "mean nothing clinically" in " ".join(build_parser().format_help().split())


def test_the_page_of_documentation_lists_every_option():
    """docs/sandbox.md and the command agree, both ways."""
    page = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(--[a-z-]+)", page, re.MULTILINE))
    known = {option for action in build_parser()._actions for option in action.option_strings} - {"-h", "--help"}
    assert documented == known


def test_settings_refuse_what_the_command_refuses():
    """A sandbox that is mounted gets the same checks."""
    with pytest.raises(SandboxSettingsError, match="slow_seconds"):
        SandboxSettings(api_key="k", slow_seconds=-1, state_dir=Path("x"))
