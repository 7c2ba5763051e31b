"""What the station does when it is looked after: restart, new firmware, an upload of diagnostics.

Nothing is fetched or uploaded: the addresses are other people's. The station goes through the states and
tells them, as OCPP 1.6 sections 4.4, 4.5, 5.9, 5.14 and 5.19 want.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from tapwatt.ocpp import commands as asked
from tapwatt.ocpp.messages import DiagnosticsReported, FirmwareReported, StopReason

if TYPE_CHECKING:
    from tapwatt.sim.station import Station

AFTER_ANSWER_S: Final = 0.05
"""What a command sets off comes after its answer has gone out."""
STEP_S: Final = 0.2
"""How long a download, an installation or an upload takes here."""
LAST_WORDS_S: Final = 10.0
"""How long a soft reset waits for the CSMS to take the last messages of the charges it ended."""
FILE_NAME: Final = "diagnostics.zip"


class Upkeep:
    """Carries out what takes longer than an answer."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._firmware, self._diagnostics = "Idle", "Idle"

    async def restart(self, *, hard: bool) -> None:
        """End the charges, then boot; a soft reset lets their last messages go out first."""
        await asyncio.sleep(AFTER_ANSWER_S)
        station = self._station
        for connector in station.connectors.values():
            connector.starting = None
            await station.end(connector, StopReason.HARD_RESET if hard else StopReason.SOFT_RESET)
        if not hard:
            await station.line.sent_within(LAST_WORDS_S)
        station.configuration.rebooted()
        if hard:
            await station.line.stop()
            await station.line.start()
        else:
            station.line.reboot()

    async def update(self, command: asked.UpdateFirmware) -> None:
        """Fetch, install and boot with a new version, named after the file."""
        station = self._station
        await asyncio.sleep(AFTER_ANSWER_S + max(0, command.retrieve_ms - station.now_ms()) / 1000)
        if not command.location.startswith(("http://", "https://", "ftp://")):
            self._tell_firmware("DownloadFailed")
            return
        for status in ("Downloading", "Downloaded", "Installing"):
            self._tell_firmware(status)
            await asyncio.sleep(STEP_S)
        await station.idle()
        station.line.installed(command.location.rstrip("/").rpartition("/")[2][:50])
        await self.restart(hard=False)
        self._tell_firmware("Installed")

    async def upload(self, command: asked.GetDiagnostics) -> None:
        """Tell how an upload of diagnostics goes."""
        await asyncio.sleep(AFTER_ANSWER_S)
        self._tell_diagnostics("Uploading")
        await asyncio.sleep(STEP_S)
        known = command.location.startswith(("http://", "https://", "ftp://"))
        self._tell_diagnostics("Uploaded" if known else "UploadFailed")

    def tell_again(self, kind: asked.TriggerKind) -> None:
        """Tell the state of firmware or diagnostics because somebody asked; after the end it is Idle."""
        if kind is asked.TriggerKind.FIRMWARE:
            over = self._firmware in ("Installed", "DownloadFailed", "InstallationFailed")
            self._station.line.tell(FirmwareReported(status="Idle" if over else self._firmware))
        else:
            over = self._diagnostics in ("Uploaded", "UploadFailed")
            self._station.line.tell(DiagnosticsReported(status="Idle" if over else self._diagnostics))

    def _tell_firmware(self, status: str) -> None:
        self._firmware = status
        self._station.line.tell_when_accepted(FirmwareReported(status=status))

    def _tell_diagnostics(self, status: str) -> None:
        self._diagnostics = status
        self._station.line.tell_when_accepted(DiagnosticsReported(status=status))
