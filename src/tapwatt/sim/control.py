"""The site's HTTP side: what visits, terminal and station say of themselves, and hands to drive them with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final

from tapwatt.programs.http import Action, BadQuery, View
from tapwatt.sim import books, visits
from tapwatt.sim.car import Car
from tapwatt.sim.card import Medium, UnknownCard, find

if TYPE_CHECKING:
    from tapwatt.sim.site import Device, Site
    from tapwatt.sim.station import Connector, Station

LONGEST_TAP_S: Final = 60.0
LONGEST_CUT_S: Final = 600.0
Json = dict[str, Any]


class Control:
    """Views and actions for `programs.http.json_app`."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._cuts: set[asyncio.Task[None]] = set()

    @property
    def views(self) -> dict[str, View]:
        """GET paths."""
        return {
            "/api/v1/visits": self._visits,
            "/api/v1/transactions": self._transactions,
            "/api/v1/summary": self._summary,
            "/api/v1/state": self._state,
        }

    @property
    def actions(self) -> dict[str, Action]:
        """POST paths."""
        return {"/api/v1/control": self._control}

    # --- what is

    async def _visits(self, query: Mapping[str, str]) -> Json:
        site = self._site
        run_id = query.get("run") or (site.visits.run_id if site.visits is not None else "")
        station_id = site.station.station_id if site.station is not None else ""
        found = await site.database.read(
            lambda tx: visits.shown(tx, run_id=run_id, station_id=station_id, now_ms=site.now_ms())
        )
        if found is None:
            raise BadQuery(f"there is no run {run_id!r}")
        return found

    async def _transactions(self, query: Mapping[str, str]) -> list[Json]:
        reference = query.get("reference", "")
        return await self._site.database.read(lambda tx: books.shown(tx, reference=reference))

    async def _summary(self, _query: Mapping[str, str]) -> Json:
        device = self._site.device
        summary = await self._site.database.read(books.summary)
        return {**summary, "unmatched": 0 if device is None else device.gateway.late_answers}

    async def _state(self, _query: Mapping[str, str]) -> Json:
        site = self._site
        names = await site.station.transactions() if site.station is not None else {}
        return {
            "station": None if site.station is None else _station(site.station, names),
            "terminal": None if site.device is None else _terminal(site.device),
            "faults": {name: getattr(site.faults, name) for name in type(site.faults).__slots__},
        }

    # --- what is done

    async def _control(self, order: Json) -> Json:
        name = order.get("do")
        act = _ACTIONS.get(name) if isinstance(name, str) else None
        if act is None:
            raise BadQuery(f"do is one of {', '.join(_ACTIONS)}")
        answer = await act(self, order)
        self._site.bell.ring()
        return {"do": name, **answer}

    async def _plug(self, order: Json) -> Json:
        station, evse_id = self._connector(order)
        car = Car(
            target_wh=_whole(order, "target_wh", Car().target_wh, most=100_000),
            max_power_w=_whole(order, "max_power_w", Car().max_power_w, most=1_000_000),
            handshake_ms=_whole(order, "handshake_ms", Car().handshake_ms, least=0, most=600_000),
        )
        return {"done": await station.plug(evse_id, car)}

    async def _unplug(self, order: Json) -> Json:
        station, evse_id = self._connector(order)
        return {"done": await station.unplug(evse_id)}

    async def _press_stop(self, order: Json) -> Json:
        station, evse_id = self._connector(order)
        return {"done": await station.press_stop(evse_id)}

    async def _car_stop(self, order: Json) -> Json:
        station, evse_id = self._connector(order)
        return {"done": station.car_stops(evse_id)}

    async def _reset_meter(self, order: Json) -> Json:
        """The register begins at zero again, in the middle of a charge if one runs."""
        station, evse_id = self._connector(order)
        station.connectors[evse_id].register_wh = 0
        return {"done": True}

    async def _tag(self, order: Json) -> Json:
        station, evse_id = self._connector(order)
        status = await station.present_tag(evse_id, _text(order, "tag"))
        return {"done": status is not None, "status": status}

    async def _tap(self, order: Json) -> Json:
        device = self._device()
        within_s = _seconds(order, "within_s", 10.0, most=LONGEST_TAP_S)
        if "tag" in order:
            medium = Medium(uid=_text(order, "tag"))
        else:
            try:
                medium = Medium(card=find(_text(order, "card")).name)
            except UnknownCard as error:
                raise BadQuery(str(error)) from None
        return {"done": await device.reader.present(medium, within_s)}

    async def _fault(self, order: Json) -> Json:
        name = _text(order, "name")
        if name in _CUTS:
            seconds = _seconds(order, "value", 0.0, most=LONGEST_CUT_S)
            cut: asyncio.Task[None] = asyncio.create_task(_CUTS[name](self, seconds))
            self._cuts.add(cut)
            cut.add_done_callback(self._cuts.discard)
            return {"done": True, "name": name, "value": seconds}
        if name == "late_start":
            self._site.faults.late_start_s = _seconds(order, "value", 0.0, most=LONGEST_CUT_S)
        elif name in _SWITCHES:
            setattr(self._site.faults, name, bool(order.get("value", True)))
        else:
            raise BadQuery(f"name is one of {', '.join((*_SWITCHES, 'late_start', *_CUTS))}")
        return {"done": True, "name": name, "value": order.get("value", True)}

    async def _station_offline(self, seconds: float) -> None:
        if self._site.station is not None:
            await self._site.station.go_offline(seconds)

    async def _gateway_offline(self, seconds: float) -> None:
        gateway = self._device().gateway
        await gateway.stop()
        await asyncio.sleep(seconds)
        await gateway.start()

    async def _edge_cut(self, _seconds_unused: float) -> None:
        await self._device().link.disconnect()

    async def _terminal_reboot(self, seconds: float) -> None:
        gateway = self._device().gateway
        await gateway.stop()
        await self._device().terminal.reboot()
        await asyncio.sleep(seconds)
        await gateway.start()

    def _connector(self, order: Json) -> tuple[Station, int]:
        station = self._site.station
        if station is None:
            raise BadQuery("there is no station here")
        evse_id = _whole(order, "evse_id", 1, most=1_000)
        if evse_id not in station.connectors:
            raise BadQuery(f"there is no connector {evse_id}")
        return station, evse_id

    def _device(self) -> Device:
        if self._site.device is None:
            raise BadQuery("there is no terminal here")
        return self._site.device


_ACTIONS: Final[dict[str, Callable[[Control, Json], Awaitable[Json]]]] = {
    "plug": Control._plug,
    "unplug": Control._unplug,
    "tap": Control._tap,
    "rfid": Control._tag,
    "press_stop": Control._press_stop,
    "stop": Control._press_stop,
    "car_stop": Control._car_stop,
    "reset_meter": Control._reset_meter,
    "fault": Control._fault,
}
_SWITCHES: Final = (
    "refuse_start",
    "never_start",
    "never_stop",
    "terminal_mute",
    "driver_cancels",
    "cut_before_completion",
)
_CUTS: Final[dict[str, Callable[[Control, float], Coroutine[Any, Any, None]]]] = {
    "station_offline": Control._station_offline,
    "gateway_offline": Control._gateway_offline,
    "edge_cut": Control._edge_cut,
    "terminal_reboot": Control._terminal_reboot,
}


def _station(station: Station, names: Mapping[int, str]) -> Json:
    return {
        "station_id": station.station_id,
        "connected": station.line.connected,
        "connectors": [_connector_view(each, names) for each in station.connectors.values()],
    }


def _connector_view(connector: Connector, names: Mapping[int, str]) -> Json:
    charge = connector.charge
    return {
        "evse_id": connector.evse_id,
        "status": connector.status,
        "plugged": connector.car is not None,
        "register_wh": connector.register_wh,
        "power_w": 0 if charge is None else charge.flow.power_w,
        "delivered_wh": 0 if charge is None else charge.flow.delivered_wh,
        "id_token": "" if charge is None else charge.id_token,
        "transaction_id": "" if charge is None else names.get(charge.charge_id, ""),
    }


def _terminal(device: Device) -> Json:
    terminal = device.terminal
    return {
        "screen": list(terminal.screen),
        "reading": device.reader.reading,
        "doing": terminal.doing,
        "registered": terminal.registered,
        "edge": device.link.connected,
        "gateway": device.gateway.connected,
    }


def _text(order: Json, name: str) -> str:
    value = order.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 64:
        raise BadQuery(f"{name} is a text of at most 64 characters")
    return value


def _whole(order: Json, name: str, default: int, *, least: int = 1, most: int) -> int:
    value = order.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise BadQuery(f"{name} is a whole number from {least} to {most}")
    return value


def _seconds(order: Json, name: str, default: float, *, most: float) -> float:
    value = order.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise BadQuery(f"{name} is a number of seconds from 0 to {most:g}")
    return float(value)
