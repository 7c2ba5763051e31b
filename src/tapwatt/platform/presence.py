"""Whether a station's socket is there: its row, and what is told to those who asked."""

from tapwatt.platform import places, webhook_events
from tapwatt.store import Transaction


def seen(tx: Transaction, station_id: str, *, connected: bool, at_ms: int) -> None:
    """Note that a station came or went; told is a change only, not a socket that follows another."""
    row = tx.one(places.FIND_STATION, station_id=station_id)
    tx.run(places.SET_STATION_SEEN, station=station_id, connected=int(connected), seen_ms=at_ms)
    if row is not None and bool(row.connected) != connected:
        webhook_events.happened(
            tx,
            "station.online" if connected else "station.offline",
            operator_id=row.operator_id,
            subject=f"{station_id}@{at_ms}",
            data={"station_id": station_id, "name": row.name},
            at_ms=at_ms,
        )
