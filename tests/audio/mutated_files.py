"""Run by a test in a process of its own: decode 1 000 mutated recordings and say how each ended.

FFmpeg's printing to stderr is switched on first, as any other library in the process may do.
"""

import json
import random
import sys
import time

import av.logging

from tests.audio.sounds import CODINGS, encode, load_speech
from thymia_api.speech import UnreadableRecordingError, decode_recording


def mutate(content: bytes, chance: random.Random) -> bytes:
    """Flip, overwrite, insert, remove or repeat bytes, mostly in the head where the structure is."""
    changed = bytearray(content)
    for _ in range(chance.choice([1, 2, 5, 20, 100])):
        at = chance.randrange(min(len(changed), 400) if chance.random() < 0.5 else len(changed))
        kind = chance.randrange(5)
        length = chance.choice([1, 2, 4, 16, 256])
        if kind == 0:
            changed[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            changed[at : at + length] = chance.randbytes(length)
        elif kind == 2:
            changed[at:at] = chance.randbytes(length)
        elif kind == 3 and len(changed) > 2 * length:
            del changed[at : at + length]
        else:
            changed[at : at + length] = bytes([chance.choice([0, 0xFF, 0x7F])]) * length
    if chance.random() < 0.2:
        del changed[chance.randrange(1, len(changed)) :]
    return bytes(changed)


def main() -> None:
    """Print one JSON object: counts of outcomes, the slowest case, and everything unexpected."""
    av.logging.restore_default_callback()
    chance = random.Random(20_261_122)
    originals = [encode(load_speech()[: 48_000 * 3 // 2], coding) for coding in CODINGS]
    decoded, messages, unexpected, slowest_s = 0, set(), [], 0.0
    for number in range(1000):
        content = mutate(originals[number % len(originals)], chance)
        began = time.monotonic()
        try:
            recording = decode_recording(content)
        except UnreadableRecordingError as error:
            messages.add(str(error))
        except BaseException as error:  # noqa: BLE001 (the point of the test)
            unexpected.append(f"{number}: {error!r}")
        else:
            decoded += 1
            if not 0 < recording.duration_s < 1000 or not recording.samples.size:
                unexpected.append(f"{number}: {recording.duration_s} s, {recording.samples.size} samples")
        slowest_s = max(slowest_s, time.monotonic() - began)
    json.dump(
        {"decoded": decoded, "messages": sorted(messages), "unexpected": unexpected, "slowest_s": slowest_s},
        sys.stdout,
    )


if __name__ == "__main__":
    main()
