"""A word on the desktop, by the program that each system has for it.

A child process: what draws notifications wants a session bus, a bundle or a run loop of its own,
and here it can neither block the server nor take it down. Title and text are arguments or
variables, never part of a script.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from collections.abc import Mapping

TIMEOUT_S = 10.0
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)
_SESSIONS = ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY")
_TITLE, _TEXT = "LAROUTER_NOTICE_TITLE", "LAROUTER_NOTICE_TEXT"
# A toast has to come from an application that Windows knows: PowerShell itself, by its id.
_TOAST = f"""
$manager = [Windows.UI.Notifications.ToastNotificationManager,
 Windows.UI.Notifications, ContentType = WindowsRuntime]
$toast = $manager::GetTemplateContent([Windows.UI.Notifications.ToastTemplateType]::ToastText02)
$lines = $toast.GetElementsByTagName('text')
[void]$lines.Item(0).AppendChild($toast.CreateTextNode($env:{_TITLE}))
[void]$lines.Item(1).AppendChild($toast.CreateTextNode($env:{_TEXT}))
$id = '{{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}}\\WindowsPowerShell\\v1.0\\powershell.exe'
$manager::CreateToastNotifier($id).Show([Windows.UI.Notifications.ToastNotification]::new($toast))
"""
_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "linux": ("notify-send", "--app-name=LARouter", "--icon=dialog-information", "--"),
    "darwin": (
        "osascript", "-e", "on run argv", "-e",
        "display notification (item 2 of argv) with title (item 1 of argv)", "-e", "end run",
    ),
    "win32": ("powershell", "-NoProfile", "-NonInteractive", "-Command", _TOAST),
}  # fmt: skip

logger = logging.getLogger(__name__)


class Desktop:
    """The one that this process runs in, if it does."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        platform: str = sys.platform,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """`environment` is what the program gets, `PATH` among it."""
        self._timeout_s = timeout_s
        self._environment = dict(environment)
        self._platform = platform
        command = _COMMANDS.get(platform, ("",))
        found = shutil.which(command[0], path=environment.get("PATH", ""))
        has_session = platform != "linux" or any(map(self._environment.get, _SESSIONS))
        self._command = [found, *command[1:]] if found and has_session else []
        self._is_well = True

    @property
    def is_there(self) -> bool:
        """Can anything be shown at all?"""
        return bool(self._command)

    def tell(self, title: str, text: str) -> bool:
        """Show it; False: that failed, and the log says why. Waits for the program, in gevent's
        way where that is patched."""
        values = {_TITLE: title, _TEXT: text}
        in_words = [title, text] if self._platform != "win32" else []
        try:
            done = subprocess.run(  # noqa: S603 - a program of the system, and nothing of a request
                [*self._command, *in_words],
                env=self._environment | values,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=self._timeout_s,
                check=False,
                creationflags=_NO_WINDOW,
            )
        except subprocess.TimeoutExpired:
            return self._failed(f"{self._command[0]} took more than {self._timeout_s:g} seconds")
        except OSError as error:
            return self._failed(str(error))
        if done.returncode:
            return self._failed(done.stderr.decode("utf-8", "replace").strip()[:300])
        self._is_well = True
        return True

    def _failed(self, why: str) -> bool:
        # Once: a machine without a desktop says the same each time.
        level = logging.WARNING if self._is_well else logging.DEBUG
        self._is_well = False
        logger.log(level, "no notification could be shown: %s", why)
        return False
