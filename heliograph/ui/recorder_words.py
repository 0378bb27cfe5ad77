"""What people read about the recorders: in the lossless recorder itself, on Record and on Settings."""

from __future__ import annotations

from typing import Final

from heliograph.runs.recorders import RecorderMode

__all__ = ["MODES", "MODE_HELP", "RECORDERS", "RECORDERS_EXPLAINED", "STOP_FIRST", "WORDS"]

MODES: Final = {RecorderMode.LOSSLESS: "Lossless", RecorderMode.WEBRTC: "WebRTC"}
MODE_HELP: Final = (
    "Lossless: every sample as the microphone gave it, over any network; interruptions are made up for. "
    "WebRTC: a live stream, compressed; lost packets are lost. Keep to one within a study."
)
RECORDERS: Final[dict[str, str]] = {
    RecorderMode.AUTOMATIC: "Automatic",
    RecorderMode.LOSSLESS: "Lossless",
    RecorderMode.WEBRTC: "WebRTC",
    RecorderMode.BUILTIN: "The browser's built-in recorder",
}
RECORDERS_EXPLAINED: Final = (
    "Automatic: lossless, where the browser can't do it WebRTC, else the built-in one. Each session can choose"
    " another. Keep to one within a study: recordings of different recorders differ."
)

STOP_FIRST: Final = "A recording is being made: stop it first."

# Handed to the page as they are; `{seconds}` is filled in there.
WORDS: Final = {
    "on": "Turn on the microphone",
    "start": "Start recording",
    "stop": "Stop",
    "again": "Start again",
    "device": "Microphone",
    "level": "Level of the microphone",
    "off": "First turn on the microphone: your browser asks. Nothing is recorded before you press Start.",
    "asking": "Allow the microphone when your browser asks.",
    "good": "Your voice is heard well. Press Start when you are ready.",
    "too_loud": "Too loud: move back a little, or lower the microphone's level.",
    "quiet": "Very quiet: move closer to the microphone, or raise its level.",
    "listening": "Say a few words.",
    "nothing": "Say a few words. Nothing is heard yet: is this the right microphone, and is it switched on?",
    "recording": "Recording. Every sample is kept.",
    "outage": "Recording. The server can't be reached: what you say is kept here and sent later.",
    "outage_here": "Recording. The server can't be reached: keep this page open, what you say is kept only in it.",
    "ending": "Stopping …",
    "sending": "Sending the last seconds …",
    "unsent": (
        "Stopped. The server can't be reached: your recording is kept in this browser and sent by itself. You may"
        " close this page: it goes on when you open Record again in this browser."
    ),
    "unsent_here": (
        "Stopped. The server can't be reached, and this browser keeps your recording only as long as this page is"
        " open: leave it open until all is sent."
    ),
    "waiting": "{seconds} s are waiting to be sent.",
    "waiting_now": "{recorded} s recorded, {seconds} s of them still to be sent.",
    "earlier": "An earlier recording is kept in this browser and being sent: {seconds} s are left.",
    "given_up": (
        "That take was ended: review or discard it above. Press Start when you are ready to record again."
    ),
    "courier": "An earlier recording is kept in this browser and being sent.",
    "refused": (
        "The server did not take all of this recording. What arrived is offered as not submitted yet, half a"
        " minute from now; the rest stays in this browser. Please tell whoever runs this server."
    ),
    "empty": "Nothing was recorded: no sound came from the microphone. Try again, or choose another one.",
    "denied": "The browser blocks the microphone. Allow it in the address bar, then turn it on again.",
    "none": "No microphone found. Connect one, then turn it on again.",
    "in_use": "The microphone can't be opened: another program may use it. Close that, then turn it on again.",
    "insecure": "This page has no microphone access. Open it over HTTPS or on localhost.",
    "unsupported": "This browser can't record losslessly. Choose another recorder above.",
    "no_output": "This browser records only where there is a sound output: connect headphones, then try again.",
    "no_server": "The server can't be reached right now. Try again when it is back.",
    "away": (
        "The microphone is taken away right now, as by a call, a locked screen or another program. When it is"
        " back, recording goes on, with silence for the time between."
    ),
    "failed": "The microphone could not be turned on. Try again, or choose another one.",
    "ended": "The microphone was disconnected. What was recorded until then is kept.",
    "narrow": (
        "This microphone gives nothing above {khz} kHz, like a telephone: often a Bluetooth headset, or a phone"
        " that saves battery. Voice measures need more: use a wired or built-in microphone."
    ),
    "echo": "The browser keeps echo cancellation on; it changes the voice.",
    "noise": "The browser keeps noise suppression on; it changes the voice.",
    "gain": "The browser keeps automatic gain on; it changes the voice.",
    "other_microphone": "The microphone chosen before can't be opened; this is another one.",
    "dead_channel": "One channel of this microphone is dead; the other one is recorded.",
    "channels_differ": "The two channels of this microphone differ; one of them is recorded.",
    "interrupted": "The microphone was taken away for a while, as by a call: that part is silent.",
    "hidden": "This page was in the background for a while; keep it in front while you record.",
}
