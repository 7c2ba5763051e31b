"""The console's pages for tariffs: list, one tariff with its drawings, forms to write, try and publish it.

All of it works with forms alone. An order that cannot be done shows the same page again with the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote as quoted

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment

from tapwatt.core.tariff.model import Tariff
from tapwatt.markets.jurisdictions import Severity
from tapwatt.ocpi.document import as_text, parse
from tapwatt.ocpi.tariffs import UnableToReadTariff, read
from tapwatt.pages.layout import render
from tapwatt.platform.tariffs import NoSuchTariff, UnableToChangeTariff
from tapwatt.web import drawings
from tapwatt.web.desk import Desk
from tapwatt.web.forms import read_form
from tapwatt.web.tariff_desk import Charge, TariffDesk
from tapwatt.web.tariff_form import DEFAULTS, tariff_of

Json = dict[str, Any]
FORM_BYTES_MAX = 8_192
DOCUMENT_FORM_BYTES_MAX = 1_000_000
VERSIONS_SHOWN, FINDINGS_SHOWN, SENTENCES_SHOWN, STATIONS_SHOWN, TARIFFS_SHOWN = 30, 30, 60, 50, 200
DOCUMENT_CHARACTERS_SHOWN = 20_000
TONES = {
    "error": "bad", "warning": "warn", "note": "", "draft": "busy", "scheduled": "busy", "in force": "good",
    "over": "", "retired": "",
}  # fmt: skip
BY = "operator"


@dataclass(frozen=True, slots=True)
class Refused:
    """An order that could not be done, and at which form to say so."""

    at: str
    why: str


class TariffPages:
    """The pages of tariffs."""

    def __init__(self, tariffs: TariffDesk, desk: Desk, env: Environment) -> None:
        self._tariffs = tariffs
        self._desk = desk
        self._env = env
        env.globals["tariff_tones"] = TONES

    def add_to(self, router: APIRouter) -> None:
        """Add the pages' routes."""
        router.add_api_route("/tariffs", self.listing, methods=["GET"])
        router.add_api_route("/tariffs/new", self.form, methods=["GET"])
        router.add_api_route("/tariffs/new", self.write, methods=["POST"])
        router.add_api_route("/tariffs/document", self.paste, methods=["POST"])
        router.add_api_route("/tariffs/{tariff_id}", self.page, methods=["GET"])
        router.add_api_route("/tariffs/{tariff_id}/simulation", self.simulation, methods=["GET"])
        router.add_api_route("/tariffs/{tariff_id}/publish", self.publish, methods=["POST"])
        router.add_api_route("/tariffs/{tariff_id}/retire", self.retire, methods=["POST"])
        router.add_api_route("/tariffs/{tariff_id}/stations", self.assign, methods=["POST"])

    async def listing(self) -> Response:
        """All tariffs."""
        found = await self._tariffs.listing()
        return self._html(
            "tariffs.html",
            tariffs=found[:TARIFFS_SHOWN],
            tariffs_left_out=max(0, len(found) - TARIFFS_SHOWN),
            now_ms=self._tariffs.now_ms(),
        )

    async def form(self) -> Response:
        """The empty form."""
        return self._form({}, {})

    def _form(self, fields: Mapping[str, str], wrong: Mapping[str, str], *, document: str = "") -> Response:
        return self._html(
            "tariff_new.html",
            status=422 if wrong else 200,
            typed={**DEFAULTS, **fields},
            wrong=wrong,
            document=document,
        )

    async def write(self, request: Request) -> Response:
        """Keep what the form says as a draft, then show it."""
        fields = await read_form(request, most_bytes=FORM_BYTES_MAX)
        tariff, wrong = tariff_of(fields)
        if tariff is None:
            return self._form(fields, wrong)
        try:
            return await self._kept(tariff, note=fields.get("note", "").strip()[:500])
        except UnableToChangeTariff as error:
            return self._form(fields, {"tariff_id": f"{error}."})

    async def paste(self, request: Request) -> Response:
        """Keep a pasted OCPI document as a draft, then show it."""
        fields = await read_form(request, most_bytes=DOCUMENT_FORM_BYTES_MAX)
        text = fields.get("document", "").strip()
        try:
            tariff = read(parse(text, UnableToReadTariff))
            return await self._kept(tariff, document=text)
        except (UnableToReadTariff, UnableToChangeTariff) as error:
            return self._form({}, {"document": f"{error}."}, document=text)

    async def _kept(self, tariff: Tariff, *, note: str = "", document: str | None = None) -> Response:
        version = await self._tariffs.put(tariff, by=BY, note=note, document=document)
        return _to(tariff.tariff_id, version)

    async def page(self, tariff_id: str, request: Request) -> Response:
        """One tariff: the version asked for, else the draft, else what is in force."""
        return await self._page(tariff_id, _number(request, "version"), request)

    async def simulation(self, tariff_id: str, request: Request) -> Response:
        """The same with last month's sessions priced again."""
        version = _number(request, "version")
        if version is None:
            raise HTTPException(422, "say which version")
        told = await self._tariffs.simulate(tariff_id, version)
        return await self._page(tariff_id, version, request, simulation=told)

    async def publish(self, tariff_id: str, request: Request) -> Response:
        """Publish a version, then show it."""
        fields, version = await self._order(request)
        try:
            await self._tariffs.publish(tariff_id, version, by=BY, accept=fields.get("accept", "").strip())
        except UnableToChangeTariff as error:
            return await self._refused(tariff_id, version, request, "publish", error)
        return _to(tariff_id, version)

    async def retire(self, tariff_id: str, request: Request) -> Response:
        """End a version, then show it."""
        fields, version = await self._order(request)
        try:
            await self._tariffs.retire(tariff_id, version, by=BY, why=fields.get("why", ""))
        except UnableToChangeTariff as error:
            return await self._refused(tariff_id, version, request, "retire", error)
        return _to(tariff_id, version)

    async def assign(self, tariff_id: str, request: Request) -> Response:
        """Give a station the tariff, then show it."""
        fields, version = await self._order(request)
        try:
            await self._tariffs.assign(fields.get("station_id", ""), tariff_id)
        except UnableToChangeTariff as error:
            return await self._refused(tariff_id, version, request, "stations", error)
        return _to(tariff_id, version)

    async def _order(self, request: Request) -> tuple[dict[str, str], int]:
        fields = await read_form(request, most_bytes=FORM_BYTES_MAX)
        version = fields.get("version", "")
        if not version.isdecimal() or len(version) > 9:
            raise HTTPException(422, "say which version")
        return fields, int(version)

    async def _refused(
        self, tariff_id: str, version: int, request: Request, at: str, error: UnableToChangeTariff
    ) -> Response:
        refused = Refused(at, str(error))
        return await self._page(tariff_id, version, request, refused=refused, status=409)

    async def _page(
        self,
        tariff_id: str,
        version: int | None,
        request: Request,
        *,
        refused: Refused | None = None,
        simulation: Json | None = None,
        status: int = 200,
    ) -> Response:
        page = await self._tariffs.page(tariff_id, version)
        tariff = await self._tariffs.tariff(tariff_id, page["shown"]["version"])
        tried, wrong = await self._tried(tariff, page, request)
        stations = await self._desk.all_stations()
        return self._html(
            "tariff.html",
            status=422 if wrong else status,
            **shown(page),
            **tried,
            wrong=wrong,
            refused=refused,
            simulation=simulation,
            others=[each for each in stations if each["tariff_id"] != tariff_id][:STATIONS_SHOWN],
            all_stations=stations[:STATIONS_SHOWN],
            now_ms=self._tariffs.now_ms(),
        )

    async def _tried(self, tariff: Tariff, page: Json, request: Request) -> tuple[Json, dict[str, str]]:
        """The charge that was asked for, its quote, and the drawings for the same place, power and time."""
        asked, charge, wrong = _asked(request, page)
        try:
            site, _ = await self._tariffs.site(asked["station"])
        except NoSuchTariff as error:
            wrong["station"] = f"{error}."
            site, _ = await self._tariffs.site(None)
            asked["station"] = ""
        try:
            quote = await self._tariffs.quote(tariff, charge, asked["station"])
        except ValueError as error:
            wrong["at"] = f"{error}."
            quote = await self._tariffs.quote(tariff, replace(charge, at=""), asked["station"])
        power_w = max(1000, charge.energy_wh * 3_600_000 // max(charge.charging_ms, 1))
        return {
            "asked": asked,
            "quote": quote,
            "power_w": power_w,
            "time_zone": site.time_zone,
            "week": drawings.week(tariff, now_ms=self._tariffs.now_ms(), site=site, power_w=power_w),
            "curve": drawings.curve(tariff, at_ms=quote["at_ms"], site=site, power_w=power_w),
        }, wrong

    def _html(self, template: str, *, status: int = 200, **values: Any) -> Response:
        return HTMLResponse(render(self._env, template, live=None, **values), status_code=status)


def _asked(request: Request, page: Json) -> tuple[dict[str, str], Charge, dict[str, str]]:
    """The charge in the address: 20 kWh in 25 minutes at 18:00 unless it says otherwise."""
    usual = {"kwh": "20", "minutes": "25", "parked": "0", "at": "18:00"}
    usual["station"] = page["stations"][0]["station_id"] if page["stations"] else ""
    asked = {name: request.query_params.get(name, value)[:64] for name, value in usual.items()}
    wrong: dict[str, str] = {}

    def whole(name: str, most: int, least: int = 0) -> int:
        text = asked[name].strip()
        if text.isdecimal() and len(text) < 9 and least <= int(text) <= most:
            return int(text)
        wrong[name] = f"Write a whole number from {least} to {most}."
        return int(usual[name])

    charge = Charge(
        energy_wh=whole("kwh", 500, 1) * 1000,
        charging_ms=whole("minutes", 2880, 1) * 60_000,
        idle_ms=whole("parked", 2880) * 60_000,
        at=asked["at"].strip(),
    )
    return asked, charge, wrong


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    if not text.isdecimal() or len(text) > 9:
        raise HTTPException(422, f"{name} is a whole number")
    return int(text)


def shown(page: Json) -> Json:
    """What the template shows of a tariff, bounded."""
    document = "" if page["document"] is None else as_text(page["document"])
    warnings = [one for one in page["findings"] if one["severity"] == Severity.WARNING]
    return {
        "tariff": {**page, "sentences": page["sentences"][:SENTENCES_SHOWN]},
        "sentences_left_out": max(0, len(page["sentences"]) - SENTENCES_SHOWN),
        "findings": page["findings"][:FINDINGS_SHOWN],
        "findings_left_out": max(0, len(page["findings"]) - FINDINGS_SHOWN),
        "warns": bool(warnings),
        "errs": any(one["severity"] == Severity.ERROR for one in page["findings"]),
        "versions": page["versions"][:VERSIONS_SHOWN],
        "versions_left_out": max(0, len(page["versions"]) - VERSIONS_SHOWN),
        "stations": page["stations"][:STATIONS_SHOWN],
        "stations_left_out": max(0, len(page["stations"]) - STATIONS_SHOWN),
        "document": document if len(document) <= DOCUMENT_CHARACTERS_SHOWN else "",
    }


def _to(tariff_id: str, version: int) -> Response:
    return RedirectResponse(f"/tariffs/{quoted(tariff_id, safe='')}?version={version}", status_code=303)
