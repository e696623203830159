"""Chromium without a window and without a network, driven over two pipes."""

import base64
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_PATIENCE = 60.0


def found() -> str | None:
    """Return the path of a browser, None when none is installed."""
    return os.environ.get("RECSYS_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class Browser:
    """One open tab.

    events: everything it reported, in order, as the DevTools protocol names it.
    """

    read: int
    write: int
    session: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    _buffer: bytes = b""
    _last: int = 0

    def call(self, method: str, **given: Any) -> dict[str, Any]:
        """Send one command and return its answer; what arrives meanwhile is kept in `events`."""
        self._last += 1
        asked = {"id": self._last, "method": method, "params": given}
        if self.session:
            asked["sessionId"] = self.session
        os.write(self.write, json.dumps(asked).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") != self._last:
                self.events.append(answer)
                continue
            if "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']}")
            return answer["result"]

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression on the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise RuntimeError(f"{expression}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def open(self, path: Path) -> None:
        """Open a file and wait until it is drawn."""
        self.call("Page.navigate", url=path.as_uri())
        until = time.monotonic() + _PATIENCE
        while (
            self.evaluate("document.readyState") != "complete"
            or self.evaluate("location.href") != path.as_uri()
        ):
            if time.monotonic() > until:
                raise TimeoutError(path)
            time.sleep(0.02)

    def size(self, width: int, height: int, scale: float = 1.0) -> None:
        """Give the tab a size in CSS pixels; narrow ones are phones."""
        shape = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 500}
        self.call("Emulation.setDeviceMetricsOverride", **shape)

    def prefer(self, **features: str) -> None:
        """Set what the reader prefers, such as `prefers_color_scheme="dark"`."""
        named = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", features=named)

    def press(self, key: str) -> None:
        """Press and let go of one key."""
        codes = {"Tab": 9, "ArrowRight": 39, "ArrowLeft": 37, "Escape": 27, "Enter": 13, " ": 32}
        text = {"text": {"Enter": "\r", " ": " "}[key]} if key in "Enter " else {}
        known = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": codes[key]}
        self.call("Input.dispatchKeyEvent", type="keyDown", **known, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **known)

    def picture(self, *, whole: bool = False) -> bytes:
        """Return the tab, or the whole page, as PNG."""
        shot = self.call(
            "Page.captureScreenshot", format="png", captureBeyondViewport=whole, **self._clip(whole)
        )
        return base64.b64decode(shot["data"])

    def _clip(self, whole: bool) -> dict[str, Any]:
        if not whole:
            return {}
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}

    def complaints(self) -> list[str]:
        """Return every error and warning of the console, and every exception."""
        told = []
        for event in self.events:
            said = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                told.append(str(said["exceptionDetails"]))
            elif event.get("method") == "Runtime.consoleAPICalled" and said["type"] in ("error", "warning"):
                told.append(str(said["args"]))
            elif event.get("method") == "Log.entryAdded" and said["entry"]["level"] in ("error", "warning"):
                told.append(str(said["entry"]))
        return told

    def requests(self) -> list[str]:
        """Return the addresses of everything that was asked for."""
        sent = [e["params"] for e in self.events if e.get("method") == "Network.requestWillBeSent"]
        return [params["request"]["url"] for params in sent]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            part = os.read(self.read, 1 << 20)
            if not part:
                raise RuntimeError("the browser ended")
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


@contextmanager
def browser(path: str) -> Iterator[Browser]:
    """Start a browser of its own profile that can reach no host, and end it."""
    to_browser, ours_out = os.pipe()
    ours_in, from_browser = os.pipe()
    with TemporaryDirectory(prefix="recsys-browser-", ignore_cleanup_errors=True) as profile:
        options = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-extensions",
            "--no-first-run",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
        ]
        command = f'exec 3<&{to_browser} 4>&{from_browser}; exec "$@"'
        process = subprocess.Popen(
            ["bash", "-c", command, "bash", path, *options, "about:blank"],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(to_browser)
        os.close(from_browser)
        tab = Browser(ours_in, ours_out)
        try:
            yield attached(tab)
        finally:
            os.close(ours_out)
            os.close(ours_in)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def attached(tab: Browser) -> Browser:
    """Join the one tab there is, and listen to everything it says."""
    while not (pages := [t for t in tab.call("Target.getTargets")["targetInfos"] if t["type"] == "page"]):
        time.sleep(0.02)
    tab.session = tab.call("Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True)["sessionId"]
    for domain in ("Page", "Runtime", "Log", "Network"):
        tab.call(f"{domain}.enable")
    return tab
