"""Settings that look right and would only fail hours later: each stops the start with a line that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from heliograph.config import SettingError, Settings, load_settings
from thymia_api import AsyncThymiaClient

SECRET = "s3cr3t-credential"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def secrets_file(tmp_path: Path) -> Path:
    return tmp_path / "secrets.toml"


@pytest.mark.parametrize(
    ("section", "line", "name"),
    [
        ("thymia", f'api_key = "two {SECRET}"', "THYMIA_API_KEY"),
        ("thymia", f'api_key = "{SECRET * 100}"', "THYMIA_API_KEY"),
        ("thymia", f'api_key = "k"\nbase_url = "https://user:{SECRET}@host/"', "THYMIA_BASE_URL"),
        ("thymia", f'api_key = "k"\nbase_url = "https://host/?token={SECRET}"', "THYMIA_BASE_URL"),
        ("thymia", f'api_key = "k"\nbase_url = "https://host/#{SECRET}"', "THYMIA_BASE_URL"),
        ("heliograph", 'ice_servers = [{urls = "http://host"}]', "HELIOGRAPH_ICE_SERVERS[0]"),
        ("heliograph", 'ice_servers = [{urls = "stun:host"}, {urls = []}]', "HELIOGRAPH_ICE_SERVERS[1]"),
        ("heliograph", 'ice_servers = [{urls = "turn:host", username = "u"}]', "HELIOGRAPH_ICE_SERVERS[0]"),
        (
            "heliograph",
            f'ice_servers = [{{urls = "turn://u:{SECRET}@host", username = "u", credential = "{SECRET}"}}]',
            "HELIOGRAPH_ICE_SERVERS[0]",
        ),
        ("heliograph", 'ice_servers = {urls = "stun:host"}', "HELIOGRAPH_ICE_SERVERS"),
        ("heliograph", 'home = "a\\u0000b"', "HELIOGRAPH_HOME"),
        ("heliograph", 'home = "~nobody-of-that-name/x"', "HELIOGRAPH_HOME"),
    ],
)
def test_a_value_that_only_fails_in_use_is_refused_at_the_start(
    secrets_file: Path, section: str, line: str, name: str
) -> None:
    secrets_file.write_text(f"[{section}]\n{line}\n")
    with pytest.raises(SettingError) as refused:
        load_settings(secrets_file)
    assert refused.value.setting == name
    assert "\n" not in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("url", ["https://host", "https://host/", "https://host:8443/a/b/", "http://127.0.0.1:1"])
@pytest.mark.parametrize("key", ["k", "a" * 1024, "~!@#$%^&*()"])
def test_the_client_takes_every_key_and_address_that_the_settings_take(
    secrets_file: Path, url: str, key: str
) -> None:
    secrets_file.write_text(f"[thymia]\napi_key = {key!r}\nbase_url = {url!r}\n")
    settings = load_settings(secrets_file)
    assert settings.thymia_api_key is not None
    AsyncThymiaClient(settings.thymia_api_key, base_url=str(settings.thymia_base_url))


def test_turn_credentials_reach_the_browser_and_no_repr(secrets_file: Path) -> None:
    secrets_file.write_text(
        "[heliograph]\nice_servers = "
        f'[{{urls = ["turn:host:3478?transport=tcp", "turns:host"], username = "u", credential = "{SECRET}"}}]\n'
    )
    settings = load_settings(secrets_file)
    assert settings.heliograph_ice_servers[0].model_dump()["credential"] == SECRET
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)


def test_a_home_may_begin_with_the_tilde_of_a_shell(secrets_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    monkeypatch.setenv("USERPROFILE", "/somewhere")
    secrets_file.write_text('[heliograph]\nhome = "~/voices"\n')
    assert load_settings(secrets_file).workspace_folder == Path("/somewhere/voices/sandbox")
