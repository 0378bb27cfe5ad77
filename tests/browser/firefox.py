"""The system's Firefox, driven over WebDriver BiDi: Playwright knows only a Firefox of its own making."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from heliograph.__main__ import find_firefox
from tests.browser.sound_output import silent_output

PATIENCE_S = 60.0
PREFERENCES = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "media.autoplay.block-webaudio": False,
    "media.autoplay.blocking_policy": 0,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
}


class Firefox:
    """One headless Firefox with one page and a sound output; a context manager that starts it and ends it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: ClientConnection | None = None
        self._closing = contextlib.ExitStack()
        self._page = ""

    def __enter__(self) -> Firefox:
        try:
            self._start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _start(self) -> None:
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
        (self._folder / "user.js").write_text("\n".join(lines))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        binary = find_firefox()
        assert binary is not None
        sound = self._closing.enter_context(silent_output())
        command = [binary, "--headless", "--no-remote", "--profile", str(self._folder)]
        self._process = subprocess.Popen(
            [*command, "--remote-debugging-port", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"HOME": str(self._folder), "PATH": "/usr/bin:/bin", "MOZ_HEADLESS_WIDTH": "1280", **sound},
        )
        deadline = time.monotonic() + PATIENCE_S
        while self._socket is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError, WebSocketException):
                opened = connect(f"ws://127.0.0.1:{port}/session", max_size=None, proxy=None)
                self._socket = self._closing.enter_context(opened)
            time.sleep(0.2)
        self.ask("session.new", capabilities={})
        self._page = self.ask("browsingContext.getTree")["contexts"][0]["context"]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._closing:
            if self._process is not None:
                self._process.terminate()
                self._process.wait(timeout=30)

    def ask(self, method: str, **parameters: Any) -> Any:
        """One command and its answer."""
        assert self._socket is not None, "Firefox does not answer"
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            said = json.loads(self._socket.recv(timeout=PATIENCE_S))
            if said.get("id") == number:
                assert said["type"] == "success", said
                return said["result"]

    def add_script(self, text: str) -> None:
        """Run a script in every page from now on, before the page's own."""
        self.ask("script.addPreloadScript", functionDeclaration=f"() => {{ {text} }}")

    def open(self, url: str) -> None:
        self.ask("browsingContext.navigate", context=self._page, url=url, wait="interactive")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page: a text, number, truth value or None."""
        answer = self.ask(
            "script.evaluate",
            expression=expression,
            target={"context": self._page},
            awaitPromise=True,
            userActivation=True,
        )
        assert answer["type"] == "success", answer
        return answer["result"].get("value")

    def wait_for(self, expression: str, timeout_s: float = PATIENCE_S) -> Any:
        """Wait until an expression is true."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if found := self.evaluate(expression):
                return found
            time.sleep(0.3)
        raise AssertionError(f"never true: {expression}\n{self.evaluate('document.body.innerText')}")

    def press(self, label: str) -> None:
        """Click the button of that name, wherever it stands, once it can be clicked."""
        find = f"({FIND})({json.dumps(label)})"
        self.wait_for(f"{find} !== undefined")
        self.evaluate(f"{find}.click()")

    def fill(self, label: str, text: str) -> None:
        """Put a text into the field of that name, once the page stands still, and leave the field."""
        self.wait_for("document.querySelector('.stApp').dataset.testScriptState === 'notRunning'")
        field = f"document.querySelector('input[aria-label={json.dumps(label)}]')"
        self.wait_for(f"{field} !== null")
        self.evaluate(f"({FILL})({field}, {json.dumps(text)})")


FILL = """(field, text) => {
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, text);
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
}"""
FIND = """(label) => {
  const everywhere = (root) => [...root.querySelectorAll("*")].flatMap(
    (one) => (one.shadowRoot ? [one, ...everywhere(one.shadowRoot)] : [one]));
  const name = (one) => one.innerText.split("\\n").pop().trim();  // After the icon, whose name is a text too.
  return everywhere(document).find(
    (one) => one.tagName === "BUTTON" && !one.hidden && !one.disabled && name(one) === label);
}"""
