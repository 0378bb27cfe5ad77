"""The doors: `python -m heliograph run | test | lint | bench | setup`, the same on Linux, macOS and Windows.

Runs on the bare interpreter, so the standard library only. Each door first makes sure of the virtual environment
in `.venv`: it is created when it is missing and installed into again when a requirements file has changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
APP_REQUIREMENTS = ROOT / "requirements.txt"
TEST_REQUIREMENTS = ROOT / "tests" / "requirements.txt"
OLDEST_PYTHON = (3, 11)
# In the order of tests/conftest.py, each file in one process, which then starts its servers once.
IN_PARALLEL = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
DEFAULT_PORT = "8501"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC_BROWSERS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
FIREFOXES = ("firefox-esr", "firefox")
MAC_FIREFOX = "/Applications/Firefox.app/Contents/MacOS/firefox"


def main(arguments: list[str]) -> int:
    doors = {"setup": setup, "run": run, "test": test, "lint": lint, "bench": bench}
    if not arguments or arguments[0] not in doors:
        print(f"usage: python -m heliograph {{{','.join(doors)}}} [arguments passed on]", file=sys.stderr)
        return 2
    os.chdir(ROOT)
    return doors[arguments[0]](arguments[1:])


def setup(_arguments: list[str]) -> int:
    """Install what the app needs."""
    install(APP_REQUIREMENTS)
    return 0


def run(arguments: list[str]) -> int:
    """Start the app on port 8501, or on `PORT`."""
    install(APP_REQUIREMENTS)
    port = os.environ.get("PORT") or DEFAULT_PORT
    problem = port_problem(port)
    if problem:
        print(f"heliograph: {problem}", file=sys.stderr)
        return 1
    options = ["--server.port", port, "--server.showEmailPrompt", "false"]
    if "CI" in os.environ or (sys.platform.startswith("linux") and not has_display()):
        options += ["--server.headless", "true"]
    return pass_on([str(PYTHON), "-m", "streamlit", "run", "app.py", *options, *arguments])


def test(arguments: list[str]) -> int:
    """Run the whole suite on two cores, browser tests last; ends with pytest's closing line."""
    install(TEST_REQUIREMENTS)
    browser = find_browser() or install_browser()
    install_firefox()
    environment = {"HELIOGRAPH_CHROMIUM": browser} if browser else {}
    return call([str(PYTHON), "-m", "pytest", *IN_PARALLEL, *arguments], environment)


def lint(_arguments: list[str]) -> int:
    """Check style, format and types."""
    install(TEST_REQUIREMENTS)
    checks = (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"])
    return max([call([str(PYTHON), "-m", *check]) for check in checks])


def bench(arguments: list[str]) -> int:
    """Measure, as ratios against something real; nothing here fails for being slow."""
    install(TEST_REQUIREMENTS)
    browser = find_browser() or install_browser()
    environment = {"HELIOGRAPH_CHROMIUM": browser} if browser else {}
    return call([str(PYTHON), "-m", "tests.bench", *arguments], environment)


def install(requirements: Path) -> None:
    """Make the environment hold `requirements`; costs nothing when it already does."""
    if PYTHON.exists() and stamp_of(requirements).exists():
        return
    if not PYTHON.exists() or call([str(PYTHON), "-m", "pip", "--version"], quiet=True) != 0:
        create_environment()
    print(f"Installing {requirements.relative_to(ROOT)} into .venv (once; a few minutes) …", flush=True)
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]
    if call([*command, str(requirements)]) != 0:
        raise SystemExit("heliograph: the packages could not be installed; pip's message above says why")
    stamp_of(APP_REQUIREMENTS).touch()  # The tests' requirements include the app's.
    stamp_of(requirements).touch()


def stamp_of(requirements: Path) -> Path:
    """The file that says: these requirements, as they read now, are installed for this Python."""
    content = sys.version.encode() + APP_REQUIREMENTS.read_bytes() + requirements.read_bytes()
    return VENV / f".installed-{hashlib.sha256(content).hexdigest()[:16]}"


def create_environment() -> None:
    """A virtual environment with pip in it; on Debian its parts come in a package of their own."""
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    if call(command, quiet=True) == 0:
        return
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if shutil.which("apt-get") and is_root():
        install_packages(package)
    if call(command) != 0:
        hint = f"install it with: sudo apt-get install {package}" if shutil.which("apt-get") else "see above"
        raise SystemExit(f"heliograph: this Python can't make a virtual environment; {hint}")


def find_browser() -> str | None:
    """A Chromium that starts: the one in `HELIOGRAPH_CHROMIUM`, on the PATH, or in its usual place."""
    named = os.environ.get("HELIOGRAPH_CHROMIUM")
    return find_program(named, *(shutil.which(name) for name in BROWSERS), *MAC_BROWSERS)


def find_firefox() -> str | None:
    """A Firefox that starts: the one on the PATH, or in its usual place."""
    return find_program(*(shutil.which(name) for name in FIREFOXES), MAC_FIREFOX)


def find_program(*paths: str | None) -> str | None:
    """The first of them that is there and tells its version: some of Ubuntu's only say how to get the snap."""
    for path in paths:
        if path and Path(path).exists() and call([path, "--version"], quiet=True) == 0:
            return path
    return None


def install_browser() -> str | None:
    """Chromium by the system's package manager as root, else Playwright's own (None: it finds that itself)."""
    if shutil.which("apt-get") and is_root():
        print("Installing Chromium for the browser tests …", flush=True)
        install_packages("chromium", "fonts-dejavu-core")
        browser = find_browser()
        if browser:
            return browser
    with_libraries = ["--with-deps"] if is_root() else []
    if call([str(PYTHON), "-m", "playwright", "install", *with_libraries, "chromium"]) != 0:
        raise SystemExit("heliograph: no Chromium here and none could be installed; install one and try again")
    return None


def install_firefox() -> None:
    """Firefox and a sound output for it, where the system has packages of them; elsewhere its few tests skip."""
    tried = VENV / ".tried-firefox"
    if tried.exists() or find_firefox() or not (shutil.which("apt-get") and is_root()):
        return
    print("Installing Firefox for the browser tests …", flush=True)
    install_packages("firefox-esr", "pulseaudio")
    tried.touch()


def install_packages(*names: str) -> None:
    """Debian's packages, as root; whoever calls looks whether that worked."""
    call(["apt-get", "update", "-qq"], quiet=True)
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *names]
    call(command, {"DEBIAN_FRONTEND": "noninteractive"}, quiet=True)


def port_problem(port: str) -> str | None:
    """What is wrong with this port, in one line; None when a server can have it."""
    if not port.isdigit() or not 0 < int(port) < 65536:
        return f"PORT: {port!r} is not a port number between 1 and 65535"
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", int(port)))
        except PermissionError:
            return f"PORT: this user may not listen on port {port}; choose one above 1023"
        except OSError:
            return f"PORT: {port} is in use by another program; stop it, or choose another: PORT=8502 make run"
    return None


def has_display() -> bool:
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def call(command: list[str], environment: dict[str, str] | None = None, *, quiet: bool = False) -> int:
    """Run a command to its end and return its exit code."""
    output = subprocess.DEVNULL if quiet else None
    try:
        done = subprocess.run(
            command, env={**os.environ, **(environment or {})}, stdout=output, stderr=output, check=False
        )
    except OSError:
        return 127
    except KeyboardInterrupt:
        return 130
    return done.returncode


def pass_on(command: list[str]) -> int:
    """Become the command, so that signals reach it directly; Windows can only wait for it."""
    if os.name == "nt":
        return call(command)
    sys.stdout.flush()
    return os.execv(command[0], command)


if __name__ == "__main__":
    if sys.version_info < OLDEST_PYTHON:
        raise SystemExit("heliograph: needs Python 3.11 or newer; this is " + sys.version.split()[0])
    raise SystemExit(main(sys.argv[1:]))
