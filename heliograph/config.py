"""Settings: from the environment, then from the sections of `.streamlit/secrets.toml`.

`load_settings` is the only way in. Whatever is wrong is raised as one `SettingError` whose text is a single
line that names the setting, says what is wrong and never repeats a secret.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

__all__ = ["PROJECT_FOLDER", "IceServer", "SettingError", "Settings", "WorkspaceName", "load_settings"]

PROJECT_FOLDER = Path(__file__).resolve().parent.parent
SECRETS_FILE = PROJECT_FOLDER / ".streamlit" / "secrets.toml"
SECTIONS = ("thymia", "heliograph")

Region = Literal["default", "ca", "us"]
WorkspaceName = Literal["sandbox", "live-default", "live-ca", "live-us"]


class SettingError(Exception):
    """A setting that the app can't start with; `setting` is its name, the text says what to do."""

    def __init__(self, setting: str, problem: str) -> None:
        super().__init__(f"{setting}: {problem}")
        self.setting = setting


class IceServer(BaseModel):
    """One STUN or TURN server, as `RTCPeerConnection` takes it. Its credential goes to the browser by design."""

    model_config = ConfigDict(extra="forbid")

    urls: str | list[str]
    username: str | None = None
    credential: str | None = Field(default=None, repr=False)

    @model_validator(mode="after")
    def _refuse_what_browsers_refuse(self) -> Self:
        """A browser given a bad server refuses the whole connection, and nobody would see why."""
        urls = [self.urls] if isinstance(self.urls, str) else self.urls
        if not urls or not all(_ICE_URL.fullmatch(url) for url in urls):
            raise ValueError("urls must be addresses such as stun:host:3478 or turns:host:5349?transport=tcp")
        if any(url.startswith("turn") for url in urls) and not (self.username and self.credential):
            raise ValueError("a turn: server needs a username and a credential")
        return self


_ICE_URL = re.compile(r"(stuns?:|turns?:)[^\s/?#@]+(\?transport=(udp|tcp))?")
_KEY = re.compile(r"[!-~]{1,1024}")


def _check_key(key: SecretStr) -> SecretStr:
    if not _KEY.fullmatch(key.get_secret_value()):
        raise ValueError("has spaces in it or characters that no key has; copy it again")
    return key


def _check_address(url: HttpUrl) -> HttpUrl:
    """The address stands on pages and in logs, so it may not hold a password."""
    if url.username or url.password or url.query or url.fragment:
        raise ValueError("must be an address without credentials, a query or a fragment")
    return url


def _expand_home(folder: Path) -> Path:
    if "\0" in str(folder):
        raise ValueError("is no path of a folder")
    try:
        return folder.expanduser()
    except RuntimeError:
        raise ValueError("names a user that this computer does not know") from None


class Settings(BaseSettings):
    """Every setting there is; `docs/settings.md` lists the same."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, frozen=True)

    thymia_api_key: Annotated[SecretStr, AfterValidator(_check_key)] | None = Field(
        default=None, description="Your API activation key. Without one the app runs against its sandbox."
    )
    thymia_region: Region | None = Field(
        default=None, description="Where the key belongs: `default`, `ca` (Canada) or `us` (United States)."
    )
    thymia_base_url: Annotated[HttpUrl, AfterValidator(_check_address)] | None = Field(
        default=None, description="Overrides the region's address, for a proxy or a test server."
    )
    heliograph_home: Annotated[Path, AfterValidator(_expand_home)] = Field(
        default=PROJECT_FOLDER / "data" / "workspaces",
        description="The folder in which workspaces (databases and recordings) live.",
    )
    heliograph_workspace: WorkspaceName | None = Field(
        default=None,
        description="`sandbox`, `live-default`, `live-ca` or `live-us`; else follows from key and region.",
    )
    heliograph_ice_servers: tuple[IceServer, ...] = Field(
        default=(),
        description="JSON list of STUN/TURN servers for the WebRTC recorder, credentials included.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings

    @property
    def workspace(self) -> WorkspaceName:
        """The workspace this process works in: as set, else live with a key and the sandbox without."""
        if self.heliograph_workspace is not None:
            return self.heliograph_workspace
        if self.thymia_api_key is None:
            return "sandbox"
        live: dict[Region, WorkspaceName] = {"default": "live-default", "ca": "live-ca", "us": "live-us"}
        return live[self.thymia_region or "default"]

    @property
    def region(self) -> Region:
        """The region of the workspace's name (`default` for the sandbox)."""
        name = self.workspace.removeprefix("live-")
        return "ca" if name == "ca" else "us" if name == "us" else "default"

    @property
    def synthetic(self) -> bool:
        """Whether the scores of this workspace come from a sandbox."""
        return self.workspace == "sandbox"

    @property
    def embedded_sandbox(self) -> bool:
        """Whether the app itself serves the API that it talks to, under `/sandbox`."""
        return self.synthetic and self.thymia_base_url is None

    @property
    def workspace_folder(self) -> Path:
        return self.heliograph_home / self.workspace


def load_settings(secrets_file: Path = SECRETS_FILE) -> Settings:
    """Read and check all settings; raises `SettingError` for the first thing that is wrong."""
    try:
        settings = Settings(**_read_secrets(secrets_file))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = str(first["loc"][0]).upper() if first["loc"] else "settings"
        where = "".join(f"[{part}]" for part in first["loc"][1:] if isinstance(part, int))
        raise SettingError(name + where, _plain_problem(name, first["msg"])) from None
    except SettingsError:
        # Only values that should be JSON fail here; the library's text names the field by its own words.
        raise SettingError("HELIOGRAPH_ICE_SERVERS", 'is not JSON such as [{"urls": "stun:host:3478"}]') from None
    _check_together(settings)
    return settings


def _plain_problem(name: str, text: str) -> str:
    choices = {"THYMIA_REGION": get_args(Region), "HELIOGRAPH_WORKSPACE": get_args(WorkspaceName)}
    if name in choices:
        return f"must be one of {', '.join(choices[name])}"
    if text.startswith("Value error, "):
        return text.removeprefix("Value error, ")
    if name == "HELIOGRAPH_ICE_SERVERS" and "tuple" in text:
        return 'must be a list such as [{"urls": "stun:host:3478"}]'
    return text if text.startswith("URL") else text[:1].lower() + text[1:]


def _check_together(settings: Settings) -> None:
    workspace, key = settings.heliograph_workspace, settings.thymia_api_key
    if workspace and workspace != "sandbox" and key is None:
        raise SettingError("HELIOGRAPH_WORKSPACE", f"{workspace} needs a key: set THYMIA_API_KEY, or use sandbox")
    if workspace and workspace != "sandbox" and settings.thymia_region not in (None, settings.region):
        raise SettingError(
            "THYMIA_REGION",
            f"is {settings.thymia_region}, but HELIOGRAPH_WORKSPACE is {workspace}; set just one",
        )
    if settings.thymia_base_url is not None and key is None:
        raise SettingError("THYMIA_BASE_URL", "needs a key for that server: set THYMIA_API_KEY")


def _read_secrets(file: Path) -> dict[str, Any]:
    """The sections of the secrets file as settings' names, `[thymia] api_key` as `thymia_api_key`."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(file.name, f"can't be read ({type(error).__name__})") from None
    except tomllib.TOMLDecodeError as error:
        # Only the place: the library's text can quote the line, and the line can hold the key.
        place = str(error).partition("(at ")[2].rstrip(")") or "an unknown place"
        raise SettingError(file.name, f"is not valid TOML (at {place})") from None
    known = set(Settings.model_fields)
    found: dict[str, Any] = {}
    for name, value in content.items():
        if name.lower() in known:
            section, _, key = name.lower().partition("_")
            raise SettingError(
                name.upper(),
                f"stands at the top of {file.name}; write it as {key} in the section [{section}]",
            )
        if name not in SECTIONS:
            continue  # Streamlit's own sections, such as [auth].
        if not isinstance(value, dict):
            raise SettingError(name, f"must be a section [{name}] in {file.name}")
        for key, entry in value.items():
            if f"{name}_{key}" not in known:
                raise SettingError(f"{name}.{key}", f"is no setting; see docs/settings.md (in {file.name})")
            found[f"{name}_{key}"] = entry
    return found
