"""The closed lists of the contract: what thymia takes or answers as one of a few words."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Accent", "BirthSex", "DataType", "ErrorCode", "LanguageCode", "RunStatus"]


class BirthSex(StrEnum):
    """Sex assigned at birth."""

    MALE = "MALE"
    FEMALE = "FEMALE"
    INTERSEX = "INTERSEX"
    UNKNOWN = "UNKNOWN"


class LanguageCode(StrEnum):
    """The language spoken in the recording (BCP 47)."""

    EN = "en"
    EN_AU = "en-AU"
    EN_GB = "en-GB"
    EN_IE = "en-IE"
    EN_IN = "en-IN"
    EN_US = "en-US"
    EN_ZA = "en-ZA"
    ES_ES = "es-ES"
    ES_US = "es-US"
    ID_ID = "id-ID"
    JA_JP = "ja-JP"


class Accent(StrEnum):
    """An accent in addition to the language."""

    ID = "ID"
    NG = "NG"
    KE = "KE"


class DataType(StrEnum):
    """What can be deleted by itself after a run."""

    RECORDINGS = "RECORDINGS"


class RunStatus(StrEnum):
    """States of a run at thymia."""

    CREATED = "CREATED"
    RUNNING = "RUNNING"
    COMPLETE_OK = "COMPLETE_OK"
    COMPLETE_ERROR = "COMPLETE_ERROR"


class ErrorCode(StrEnum):
    """Why a run ended in `COMPLETE_ERROR`."""

    RECORDING_INVALID_FORMAT = "ERR_RECORDING_INVALID_FORMAT"
    RECORDING_TOO_SHORT = "ERR_RECORDING_TOO_SHORT"
    RECORDING_TOO_LONG = "ERR_RECORDING_TOO_LONG"
    TRANSCRIPTION_FAILED = "ERR_TRANSCRIPTION_FAILED"
    INTERNAL = "ERR_INTERNAL"
