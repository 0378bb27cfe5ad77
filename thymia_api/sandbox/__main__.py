"""`python -m thymia_api.sandbox`: a sandbox on a port of its own."""

from __future__ import annotations

import argparse
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from thymia_api.sandbox.settings import NETWORK_FAULTS, SandboxSettings, SandboxSettingsError, parse_fault_kinds


def _parse_port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"must be from 0 to 65535, not {text!r}")
    return int(text)


def build_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m thymia_api.sandbox",
        description="The thymia API on your own machine. Its scores are synthetic and mean nothing clinically.",
    )
    add = parser.add_argument
    add("--api-key", required=True, help="the key that callers have to send")
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=_parse_port, default=8899, help="0 takes a free one and prints it (default: %(default)s)")
    add("--state", type=Path, metavar="DIR", help="keep runs and recordings here (default: nothing is kept)")
    add("--clock-rate", type=float, default=1.0, help="3600: an hour passes in a second (default: 1)")
    add("--processing-seconds", type=float, default=2.0, help="how long a run takes, real time (default: 2)")
    add("--fault-rate", type=float, default=0.0, help="share of requests that go wrong, 0 to 1 (default: 0)")
    kinds = ", ".join(sorted(NETWORK_FAULTS))
    add("--fault-kinds", metavar="A,B", help=f"which of: {kinds}, run-error (default: all but run-error)")
    add("--fault-seed", type=int, default=0, help="same seed, same faults (default: 0)")
    add("--slow-seconds", type=float, default=3.0, help="how slow a slow answer is (default: 3)")
    add("--public-url", metavar="URL", help="the sandbox's address as callers see it (default: from the request)")
    add("--inspect", action="store_true", help="serve /_sandbox/runs: what was done with every run")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; returns the process's exit code, 2 for options that can't work."""
    options = build_parser().parse_args(arguments)
    try:
        names = options.fault_kinds.split(",") if options.fault_kinds else NETWORK_FAULTS
        settings = SandboxSettings(
            api_key=options.api_key,
            state_dir=options.state,
            clock_rate=options.clock_rate,
            processing_seconds=options.processing_seconds,
            fault_rate=options.fault_rate,
            fault_kinds=parse_fault_kinds(name.strip() for name in names),
            fault_seed=options.fault_seed,
            slow_seconds=options.slow_seconds,
            public_url=options.public_url,
            inspect=options.inspect,
        )
    except SandboxSettingsError as error:
        return _fail(str(error))
    return _serve(settings, options.host, options.port)


def _serve(settings: SandboxSettings, host: str, port: int) -> int:
    # Imported here: a wrong option and --help are answered without loading a web framework.
    import uvicorn

    from thymia_api.sandbox import StateError, create_app
    from thymia_api.sandbox._server import CuttableProtocol

    try:
        listener = _listen(host, port)
    except OSError as error:
        return _fail(f"can't listen on {host} port {port}: {error.strerror or error}")
    with listener:
        try:
            app = create_app(settings)
        except StateError as error:
            return _fail(str(error))
        address = f"[{host}]" if ":" in host else host
        sys.stdout.write(f"thymia sandbox (synthetic scores) on http://{address}:{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        config = uvicorn.Config(app, http=CuttableProtocol, log_level="warning", timeout_graceful_shutdown=3)
        server = uvicorn.Server(config)
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:
            return 128 + signal.SIGINT
    return 0


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener


def _fail(message: str) -> int:
    sys.stderr.write(f"python -m thymia_api.sandbox: {message}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
