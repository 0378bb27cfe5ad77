"""The two packages export what they list, and every error has its place in the tree."""

import importlib
import subprocess
import sys

import pytest

import heliograph.audio
import thymia_api.speech
from heliograph.audio import AudioError


@pytest.mark.parametrize("package", [heliograph.audio, thymia_api.speech])
def test_every_listed_name_exists_once(package: object) -> None:
    names = importlib.import_module(package.__name__).__all__  # type: ignore[attr-defined]
    assert len(set(names)) == len(names)
    assert all(hasattr(package, name) for name in names)


def test_every_audio_error_has_the_one_root() -> None:
    errors = [
        value
        for value in vars(heliograph.audio).values()
        if isinstance(value, type) and issubclass(value, Exception)
    ]
    assert len(errors) == 6
    assert all(issubclass(error, AudioError) for error in errors)


def test_the_client_alone_needs_no_audio_library() -> None:
    code = "import sys, thymia_api; sys.exit(bool({'numpy', 'av', 'thymia_api.speech'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
