"""The thymia API on your own machine, for building and testing: real HTTP, made-up scores.

THE SCORES ARE SYNTHETIC AND MEAN NOTHING CLINICALLY. They follow from a personal level drawn from the label,
the sleep times sent and simple measurements of the voice, so that dashboards have something plausible to
show. Every answer carries the header `x-thymia-sandbox: synthetic-scores`.

    create_app(SandboxSettings(api_key="KEY"))           an ASGI app, to be served or mounted
    python -m thymia_api.sandbox --api-key KEY           a server of its own
"""

from thymia_api.sandbox.app import Sandbox, create_app
from thymia_api.sandbox.settings import NETWORK_FAULTS, FaultKind, SandboxSettings, SandboxSettingsError
from thymia_api.sandbox.state import StateError

__all__ = [
    "NETWORK_FAULTS",
    "FaultKind",
    "Sandbox",
    "SandboxSettings",
    "SandboxSettingsError",
    "StateError",
    "create_app",
]
