"""The API's codes for birth sex, language and accent, in words."""

from __future__ import annotations

__all__ = ["describe_accent", "describe_language", "describe_sex"]

SEXES = {"FEMALE": "Female", "MALE": "Male", "INTERSEX": "Intersex", "UNKNOWN": "Unknown"}
LANGUAGES = {
    "en": "English",
    "en-AU": "English (Australia)",
    "en-GB": "English (United Kingdom)",
    "en-IE": "English (Ireland)",
    "en-IN": "English (India)",
    "en-US": "English (United States)",
    "en-ZA": "English (South Africa)",
    "es-ES": "Spanish (Spain)",
    "es-US": "Spanish (United States)",
    "id-ID": "Indonesian",
    "ja-JP": "Japanese",
}
ACCENTS = {"ID": "Indonesia", "NG": "Nigeria", "KE": "Kenya"}


def describe_sex(code: str) -> str:
    return SEXES.get(code, code)


def describe_language(code: str) -> str:
    return LANGUAGES.get(code, code)


def describe_accent(code: str | None) -> str:
    return "None" if code is None else ACCENTS.get(code, code)
