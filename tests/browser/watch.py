"""What pages say and receive: console, uncaught errors, addresses asked for, every text that arrived."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Error, Page, Request, Response, WebSocket

OWN_HOSTS = {"localhost", "127.0.0.1"}
# Chromium and Streamlit say these by themselves; whatever else stands on the console is ours.
FOREIGN_CONSOLE = (
    "/_stcore/",
    "WebSocket onerror",
    "ERR_CONNECTION_REFUSED",  # These three: the server is being restarted.
    "when disconnected from server",
    "Is Streamlit still running?",
    "WebGL",
    "GPU stall",
    "iframe which has both",
)


class Watch:
    """Follows pages; `received` is filled only when `keep_texts` is set before the page loads."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.expected = list(FOREIGN_CONSOLE)
        self.keep_texts = False
        self.received: list[bytes] = []
        self._responses: list[Response] = []

    def follow(self, page: Page) -> None:
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._note_request)
        page.on("websocket", self._note_websocket)
        page.on("response", self._note_response)

    def collect(self) -> bytes:
        """Everything received so far: answers of every kind and the frames of web sockets, one after another."""
        bodies = []
        for response in self._responses:
            try:
                bodies.append(response.body())
            except Error:
                continue  # An empty answer, or one whose page is gone.
        return b"\n".join([*bodies, *self.received])

    def _note_console(self, message: ConsoleMessage) -> None:
        said = f"{message.text} ({message.location.get('url', '')})"
        if message.type == "error" and not any(word in said for word in self.expected):
            self.complaints.append(said)

    def _note_address(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname not in OWN_HOSTS:
            self.foreign.append(address)

    def _note_request(self, request: Request) -> None:
        self._note_address(request.url)

    def _note_response(self, response: Response) -> None:
        if self.keep_texts:
            self._responses.append(response)

    def _note_websocket(self, socket: WebSocket) -> None:
        self._note_address(socket.url)
        if self.keep_texts:
            socket.on("framereceived", lambda data: self.received.append(_as_bytes(data)))


def _as_bytes(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data
