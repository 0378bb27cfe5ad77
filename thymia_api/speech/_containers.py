"""Which of the six accepted formats a file is, told from its first bytes and never from its name."""

from enum import StrEnum

HEAD_BYTES = 64 * 1024
"""How much of a file's beginning `identify_format` wants to see."""


class RecordingFormat(StrEnum):
    """The formats that thymia accepts."""

    FLAC = "flac"
    MP3 = "mp3"
    MP4 = "mp4"
    OGG = "ogg"
    WEBM = "webm"
    WAV = "wav"


MEDIA_TYPES: dict[RecordingFormat, str] = {
    RecordingFormat.FLAC: "audio/flac",
    RecordingFormat.MP3: "audio/mpeg",
    RecordingFormat.MP4: "audio/mp4",
    RecordingFormat.OGG: "audio/ogg",
    RecordingFormat.WEBM: "audio/webm",
    RecordingFormat.WAV: "audio/wav",
}

FORMAT_NAMES: dict[RecordingFormat, str] = {
    RecordingFormat.FLAC: "FLAC",
    RecordingFormat.MP3: "MP3",
    RecordingFormat.MP4: "MP4",
    RecordingFormat.OGG: "Ogg",
    RecordingFormat.WEBM: "WebM",
    RecordingFormat.WAV: "WAV",
}

# QuickTime and still-image brands share the box structure of MP4 and are something else.
_BRANDS_NOT_MP4 = {b"qt  ", b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis", b"jp2 ", b"crx "}
_EBML = b"\x1a\x45\xdf\xa3"
_DOC_TYPE_ID = b"\x42\x82"


def identify_format(head: bytes) -> RecordingFormat | None:
    """Name the format of a file that begins with `head` (up to `HEAD_BYTES`); None: none of the six."""
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return RecordingFormat.WAV
    if head[:4] == b"fLaC":
        return RecordingFormat.FLAC
    if head[:4] == b"OggS":
        return RecordingFormat.OGG
    if head[4:8] == b"ftyp":
        return None if head[8:12] in _BRANDS_NOT_MP4 else RecordingFormat.MP4
    if head[:4] == _EBML:
        return RecordingFormat.WEBM if _read_doc_type(head) == b"webm" else None
    if head[:3] == b"ID3":
        return _identify_after_id3(head)
    if _is_mp3_frame(head):
        return RecordingFormat.MP3
    return None


def read_wav_shortage(head: bytes, file_bytes: int) -> float:
    """Tell what share of the sound a WAV announces is missing from a file of `file_bytes` (0 when unstated)."""
    at = 12
    while at + 8 <= len(head):
        name, size = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        if name == b"data":
            # Writers to a pipe don't know the length: FFmpeg writes 0xFFFFFFFF, sox 0x7FFFF000.
            is_stated = 0 < size < 0x7FFF_0000 and head[:4] == b"RIFF"
            return max(0.0, 1 - (file_bytes - at - 8) / size) if is_stated else 0.0
        at += 8 + size + size % 2
    return 0.0


def _identify_after_id3(head: bytes) -> RecordingFormat | None:
    if len(head) < 10:
        return None
    size = (head[6] & 0x7F) << 21 | (head[7] & 0x7F) << 14 | (head[8] & 0x7F) << 7 | (head[9] & 0x7F)
    after = head[10 + size : 14 + size]
    # With a large tag (cover art) the audio begins beyond the head; MP3 is what such tags are made for.
    return RecordingFormat.FLAC if after == b"fLaC" else RecordingFormat.MP3


def _is_mp3_frame(head: bytes) -> bool:
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    # Version 1 is reserved; layer 1 means III (0 would be AAC's ADTS); bitrate 0 is "free", 15 forbidden.
    return version != 1 and layer == 1 and bitrate not in (0, 15) and rate != 3


def _read_doc_type(head: bytes) -> bytes:
    at = head.find(_DOC_TYPE_ID, 4, 128)
    if at < 0 or at + 3 > len(head) or not head[at + 2] & 0x80:
        return b""
    length = head[at + 2] & 0x7F
    return head[at + 3 : at + 3 + length].rstrip(b"\0")
