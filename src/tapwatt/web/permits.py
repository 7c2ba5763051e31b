"""The one table of the gate: what each route needs. A test holds it against the application's routes."""

from collections.abc import Mapping
from typing import Final

from tapwatt.platform.access import Permission


class Rule:
    """A need that is no permission."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


PUBLIC: Final = Rule("public")
"""For everybody: what drivers see, what a login needs."""
PERSON: Final = Rule("person")
"""For whoever is logged in, on his own account; not for tokens."""
LOCAL: Final = Rule("local")
"""For this machine, or for whoever may read."""
SECOND: Final = Rule("second")
"""For whoever may approve an order of some kind; of which kind it is, the order itself says."""
Need = Permission | Rule

API: Mapping[tuple[str, str], Need] = {
    ("GET", "/api/v1/openapi.json"): PUBLIC,
    ("GET", "/api/v1/summary"): Permission.READ,
    ("GET", "/api/v1/board"): Permission.READ,
    ("GET", "/api/v1/sessions/{session_id}"): Permission.READ,
    ("POST", "/api/v1/sessions/{session_id}/stop"): Permission.STOP,
    ("POST", "/api/v1/sessions/{session_id}/hold"): Permission.STOP,
    ("GET", "/api/v1/stations"): Permission.READ,
    ("GET", "/api/v1/terminals"): Permission.READ,
    ("GET", "/api/v1/accounts"): Permission.READ,
    ("GET", "/api/v1/alarms"): Permission.READ,
    ("GET", "/api/v1/sessions/{session_id}/chart"): Permission.READ,
    ("GET", "/api/v1/review"): Permission.READ,
    ("POST", "/api/v1/sessions/{session_id}/decide"): Permission.MONEY,
    ("POST", "/api/v1/alarms/{key}/acknowledge"): Permission.ALARM,
    ("GET", "/api/v1/sessions"): Permission.READ,
    ("GET", "/api/v1/sessions/{session_id}/notes"): Permission.READ,
    ("POST", "/api/v1/sessions/{session_id}/notes"): Permission.NOTE,
    ("GET", "/api/v1/holds"): Permission.READ,
    ("GET", "/api/v1/figures"): Permission.READ,
    ("GET", "/api/v1/stations/{station_id}"): Permission.READ,
    ("POST", "/api/v1/stations/{station_id}/commands"): Permission.STATION,
    ("GET", "/api/v1/tariffs"): Permission.READ,
    ("GET", "/api/v1/tariffs/{tariff_id}"): Permission.READ,
    ("GET", "/api/v1/tariffs/{tariff_id}/quote"): Permission.READ,
    ("POST", "/api/v1/tariffs/lint"): Permission.READ,
    ("PUT", "/api/v1/tariffs/{tariff_id}"): Permission.TARIFF,
    ("POST", "/api/v1/tariffs/{tariff_id}/versions/{version}/simulate"): Permission.READ,
    ("POST", "/api/v1/tariffs/{tariff_id}/versions/{version}/publish"): Permission.TARIFF,
    ("POST", "/api/v1/tariffs/{tariff_id}/versions/{version}/retire"): Permission.TARIFF,
    ("PUT", "/api/v1/stations/{station_id}/tariff"): Permission.TARIFF,
    ("GET", "/api/v1/receipts/{number}"): Permission.READ,
    ("POST", "/api/v1/receipts/{number}/credit"): Permission.MONEY,
    ("GET", "/api/v1/meter-keys"): Permission.READ,
    ("POST", "/api/v1/meter-keys"): Permission.METER_KEY,
    ("POST", "/api/v1/meter-keys/{meter:path}/end"): Permission.METER_KEY,
    ("POST", "/api/v1/ocmf/verify"): Permission.READ,
    ("GET", "/api/v1/terminals/{terminal_id}"): Permission.READ,
    ("GET", "/api/v1/alarms/noted"): Permission.READ,
    ("GET", "/api/v1/receipts"): Permission.READ,
    ("POST", "/api/v1/simple-tariffs"): Permission.TARIFF,
    ("GET", "/api/v1/tokens"): Permission.TOKEN,
    ("POST", "/api/v1/tokens"): Permission.TOKEN,
    ("DELETE", "/api/v1/tokens/{token_id}"): Permission.TOKEN,
    ("GET", "/api/v1/webhooks"): Permission.WEBHOOK,
    ("POST", "/api/v1/webhooks"): Permission.WEBHOOK,
    ("GET", "/api/v1/webhooks/{webhook_id}"): Permission.WEBHOOK,
    ("PUT", "/api/v1/webhooks/{webhook_id}"): Permission.WEBHOOK,
    ("DELETE", "/api/v1/webhooks/{webhook_id}"): Permission.WEBHOOK,
    ("POST", "/api/v1/webhooks/{webhook_id}/secret"): Permission.WEBHOOK,
    ("POST", "/api/v1/webhooks/{webhook_id}/test"): Permission.WEBHOOK,
    ("GET", "/api/v1/webhooks/{webhook_id}/deliveries"): Permission.WEBHOOK,
    ("POST", "/api/v1/webhooks/{webhook_id}/deliveries/{event_id}/again"): Permission.WEBHOOK,
    ("GET", "/api/v1/people"): Permission.PEOPLE,
    ("POST", "/api/v1/people"): Permission.PEOPLE,
    ("POST", "/api/v1/people/{person_id}"): Permission.PEOPLE,
    ("POST", "/api/v1/people/{person_id}/reset"): Permission.PEOPLE,
    ("GET", "/api/v1/audit"): Permission.AUDIT,
    ("GET", "/api/v1/approvals"): Permission.READ,
    ("POST", "/api/v1/approvals/{approval_id}/approve"): SECOND,
    ("POST", "/api/v1/approvals/{approval_id}/reject"): SECOND,
}
PAGES: Mapping[tuple[str, str], Need] = {
    ("GET", "/d/receipts/{token}.txt"): PUBLIC,
    ("GET", "/d/receipts/{token}.pdf"): PUBLIC,
    ("GET", "/d/receipts/{token}"): PUBLIC,
    ("GET", "/"): Permission.READ,
    ("GET", "/live/board"): Permission.READ,
    ("GET", "/sessions/{session_id}"): Permission.READ,
    ("GET", "/live/sessions/{session_id}"): Permission.READ,
    ("POST", "/sessions/{session_id}/stop"): Permission.STOP,
    ("GET", "/sessions/{session_id}/chart"): Permission.READ,
    ("GET", "/live/sessions/{session_id}/chart"): Permission.READ,
    ("GET", "/review"): Permission.READ,
    ("GET", "/live/review"): Permission.READ,
    ("POST", "/review/{session_id}"): Permission.MONEY,
    ("POST", "/alarms/{key}/acknowledge"): Permission.ALARM,
    ("GET", "/tariffs"): Permission.READ,
    ("GET", "/tariffs/new"): Permission.TARIFF,
    ("POST", "/tariffs/new"): Permission.TARIFF,
    ("POST", "/tariffs/document"): Permission.TARIFF,
    ("GET", "/tariffs/{tariff_id}"): Permission.READ,
    ("GET", "/tariffs/{tariff_id}/simulation"): Permission.READ,
    ("POST", "/tariffs/{tariff_id}/publish"): Permission.TARIFF,
    ("POST", "/tariffs/{tariff_id}/retire"): Permission.TARIFF,
    ("POST", "/tariffs/{tariff_id}/stations"): Permission.TARIFF,
    ("GET", "/sessions"): Permission.READ,
    ("POST", "/sessions/{session_id}/notes"): Permission.NOTE,
    ("GET", "/holds"): Permission.READ,
    ("GET", "/alarms"): Permission.READ,
    ("GET", "/stations"): Permission.READ,
    ("GET", "/stations/{station_id}"): Permission.READ,
    ("GET", "/terminals"): Permission.READ,
    ("GET", "/figures"): Permission.READ,
    ("GET", "/webhooks"): Permission.WEBHOOK,
    ("POST", "/webhooks/{webhook_id}/test"): Permission.WEBHOOK,
    ("POST", "/webhooks/{webhook_id}/{event_id}/again"): Permission.WEBHOOK,
    ("POST", "/language"): PUBLIC,
    ("GET", "/health"): PUBLIC,
    ("GET", "/static/{name}"): PUBLIC,
    ("GET", "/metrics"): LOCAL,
    ("GET", "/login"): PUBLIC,
    ("POST", "/login"): PUBLIC,
    ("GET", "/login/code"): PUBLIC,
    ("POST", "/login/code"): PUBLIC,
    ("POST", "/logout"): PERSON,
    ("GET", "/me"): PERSON,
    ("POST", "/me/password"): PERSON,
    ("POST", "/me/logins"): PERSON,
    ("GET", "/people"): Permission.PEOPLE,
    ("POST", "/people"): Permission.PEOPLE,
    ("POST", "/people/{person_id}"): Permission.PEOPLE,
    ("GET", "/approvals"): Permission.READ,
    ("POST", "/approvals/{approval_id}"): SECOND,
    ("GET", "/audit"): Permission.AUDIT,
}
TABLE: Mapping[tuple[str, str], Need] = {**API, **PAGES}
