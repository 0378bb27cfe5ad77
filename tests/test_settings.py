"""Settings: where they come from, what is refused, and that no refusal repeats a secret."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from heliograph.config import SettingError, Settings, load_settings

ROOT = Path(__file__).resolve().parent.parent
SECRET = "sk-very-secret-4711"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def secrets_file(tmp_path):
    return tmp_path / "secrets.toml"


def test_without_any_setting_the_workspace_is_the_sandbox(secrets_file):
    settings = load_settings(secrets_file)
    assert (settings.workspace, settings.synthetic, settings.embedded_sandbox) == ("sandbox", True, True)


@pytest.mark.parametrize(
    ("region", "workspace"), [("default", "live-default"), ("ca", "live-ca"), ("us", "live-us")]
)
def test_a_key_in_the_secrets_file_opens_the_live_workspace_of_its_region(secrets_file, region, workspace):
    secrets_file.write_text(f'[thymia]\napi_key = "{SECRET}"\nregion = "{region}"\n')
    settings = load_settings(secrets_file)
    assert (settings.workspace, settings.synthetic, settings.embedded_sandbox) == (workspace, False, False)
    assert settings.workspace_folder.name == workspace
    assert SECRET not in repr(settings)


def test_the_environment_wins_over_the_secrets_file_and_empty_means_unset(secrets_file, monkeypatch):
    secrets_file.write_text(f'[thymia]\napi_key = "{SECRET}"\nregion = "ca"\n')
    monkeypatch.setenv("THYMIA_REGION", "us")
    monkeypatch.setenv("THYMIA_API_KEY", "")
    settings = load_settings(secrets_file)
    assert settings.workspace == "live-us"
    assert settings.thymia_api_key.get_secret_value() == SECRET


def test_streamlits_own_sections_in_the_secrets_file_are_left_alone(secrets_file):
    secrets_file.write_text('[auth]\nclient_id = "x"\n')
    assert load_settings(secrets_file).workspace == "sandbox"


WRONG = {
    "THYMIA_REGION": ({"THYMIA_REGION": "eu"}, ""),
    "THYMIA_API_KEY": ({"THYMIA_API_KEY": f" {SECRET}"}, ""),
    "THYMIA_BASE_URL": ({"THYMIA_BASE_URL": "not a url"}, ""),
    "HELIOGRAPH_WORKSPACE": ({"HELIOGRAPH_WORKSPACE": "production"}, ""),
    "HELIOGRAPH_ICE_SERVERS": ({"HELIOGRAPH_ICE_SERVERS": "[{"}, ""),
    "HELIOGRAPH_ICE_SERVERS[0]": ({"HELIOGRAPH_ICE_SERVERS": '[{"url": "stun:x"}]'}, ""),
    "secrets.toml": ({}, f'[thymia]\napi_key = "{SECRET}" x\n'),
    "thymia.apikey": ({}, f'[thymia]\napikey = "{SECRET}"\n'),
    "thymia": ({}, f'thymia = "{SECRET}"\n'),
}


@pytest.mark.parametrize(("name", "given"), WRONG.items(), ids=WRONG)
def test_a_wrong_setting_is_one_line_that_names_it_and_repeats_no_secret(secrets_file, monkeypatch, name, given):
    environment, content = given
    secrets_file.write_text(content)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(SettingError) as caught:
        load_settings(secrets_file)
    text = str(caught.value)
    assert text.startswith(name)
    assert "\n" not in text
    assert SECRET not in text
    assert caught.value.__cause__ is None


def test_a_key_at_the_top_of_the_secrets_file_is_refused_because_streamlit_copies_it(secrets_file):
    secrets_file.write_text(f'THYMIA_API_KEY = "{SECRET}"\n')
    with pytest.raises(SettingError, match=r"THYMIA_API_KEY: .*\[thymia\]"):
        load_settings(secrets_file)


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"HELIOGRAPH_WORKSPACE": "live-us"}, "HELIOGRAPH_WORKSPACE"),
        ({"HELIOGRAPH_WORKSPACE": "live-us", "THYMIA_API_KEY": "k", "THYMIA_REGION": "ca"}, "THYMIA_REGION"),
        ({"THYMIA_BASE_URL": "http://127.0.0.1:1"}, "THYMIA_BASE_URL"),
    ],
)
def test_settings_that_contradict_each_other_stop_the_start(secrets_file, monkeypatch, environment, name):
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(SettingError, match=name):
        load_settings(secrets_file)


def test_the_page_about_settings_lists_every_setting_and_no_other():
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z_]+)` \| `\[(\w+)\] (\w+)` \|", page, re.MULTILINE)
    assert {name.lower() for name, _, _ in rows} == set(Settings.model_fields)
    assert all(f"{section}_{key}".upper() == name for name, section, key in rows)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"PORT": "70000"}, "PORT"),
        ({"THYMIA_REGION": "eu"}, "THYMIA_REGION: must be one of default, ca, us"),
        ({"HELIOGRAPH_HOME": str(ROOT / "app.py")}, str(ROOT / "app.py")),
    ],
)
def test_the_start_stops_with_one_line(environment, words, tmp_path):
    import os

    from tests.browser.servers import free_port

    clean = {name: value for name, value in os.environ.items() if not name.startswith(("THYMIA_", "HELIOGRAPH_"))}
    clean |= {"HELIOGRAPH_HOME": str(tmp_path), "CI": "true", "PORT": str(free_port())}
    done = subprocess.run(
        [sys.executable, "-m", "heliograph", "run"],
        cwd=ROOT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert [line for line in done.stderr.splitlines() if words in line and line.startswith("heliograph: ")]
    assert "Traceback" not in done.stderr + done.stdout


def test_a_port_in_use_is_said_in_one_line(tmp_path):
    import os
    import socket

    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        done = subprocess.run(
            [sys.executable, "-m", "heliograph", "run"],
            cwd=ROOT,
            env={**os.environ, "PORT": str(taken.getsockname()[1]), "HELIOGRAPH_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 1
    assert re.fullmatch(r"heliograph: PORT: \d+ is in use .*\n", done.stderr)
