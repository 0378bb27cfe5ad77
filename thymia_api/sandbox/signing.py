"""Pre-signed upload URLs: an HMAC over the run and the second after which the URL is worthless."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlencode

UPLOAD_URL_VALID_S = 3600
"""How long an upload URL can be used, in seconds on the sandbox's clock."""

EXPIRES_PARAMETER = "X-Sandbox-Expires"
SIGNATURE_PARAMETER = "X-Sandbox-Signature"


def compute_signature(secret: bytes, run_id: str, expires_s: int) -> str:
    """Hex HMAC-SHA256 that ties the URL to one run and one expiry."""
    message = f"PUT\n{run_id}\n{expires_s}".encode()
    return hmac.new(secret, message, hashlib.sha256).hexdigest()


def format_upload_query(secret: bytes, run_id: str, now_s: float) -> str:
    """Query part of an upload URL made at virtual second `now_s`."""
    expires_s = int(now_s) + UPLOAD_URL_VALID_S
    return urlencode(
        {EXPIRES_PARAMETER: expires_s, SIGNATURE_PARAMETER: compute_signature(secret, run_id, expires_s)}
    )


def is_signed(secret: bytes, run_id: str, expires: str, signature: str) -> bool:
    """Whether the signature was made here for this run and expiry (constant-time; any text may come in)."""
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 16):
        return False
    expected = compute_signature(secret, run_id, int(expires))
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogatepass"))
