"""Documents as OCPI parties send them, for the tests of this room."""

from typing import Any

from tapwatt.ocpi.document import parse

NEWER = """
{
  "country_code": "DE", "party_id": "TWT", "id": "night-and-day", "currency": "EUR", "type": "AD_HOC_PAYMENT",
  "tariff_alt_text": [{"language": "en", "text": "Cheaper at night."},
                      {"language": "de", "text": "Nachts billiger."}],
  "tariff_alt_url": "https://example.org/tariffs/1",
  "min_price": {"before_taxes": 0.50, "after_taxes": 0.595},
  "max_price": {"before_taxes": 100},
  "preauthorize_amount": 45,
  "elements": [
    {"price_components": [{"type": "ENERGY", "price": 0.29, "vat": 19.0, "step_size": 1},
                          {"type": "PARKING_TIME", "price": 3.6, "vat": 19, "step_size": 60}],
     "restrictions": {"start_time": "22:00", "end_time": "06:00", "start_date": "2026-01-01",
                      "end_date": "2027-01-01", "min_kwh": 0.5, "max_kwh": 90,
                      "min_current": 6, "max_current": 500, "min_power": 1.4, "max_power": 350,
                      "min_duration": 0, "max_duration": 86400,
                      "day_of_week": ["MONDAY", "SUNDAY"]}},
    {"price_components": [{"type": "FLAT", "price": 1, "step_size": 0},
                          {"type": "TIME", "price": 0, "step_size": 0}],
     "restrictions": {"reservation": "RESERVATION"}},
    {"price_components": [{"type": "ENERGY", "price": 0.49, "vat": 19, "step_size": 1}]}
  ],
  "tax_included": "NO",
  "start_date_time": "2026-01-01T00:00:00Z", "end_date_time": "2026-12-31T23:00:00.500Z",
  "energy_mix": {"is_green_energy": true, "energy_sources": [{"source": "SOLAR", "percentage": 100}]},
  "last_updated": "2026-07-01T08:09:10Z"
}
"""
OLDER = """
{
  "country_code": "NL", "party_id": "TWT", "id": "12", "currency": "EUR",
  "min_price": {"excl_vat": 0.5, "incl_vat": 0.605}, "max_price": {"excl_vat": 50.25},
  "elements": [
    {"price_components": [{"type": "TIME", "price": 2, "vat": 21, "step_size": 60}]},
    {"price_components": [{"type": "ENERGY", "price": 0.1234, "step_size": 1}]}
  ],
  "last_updated": "2026-07-01T08:09:10Z"
}
"""
SESSION = """
{
  "start_date_time": "2026-07-01T10:00:00Z", "end_date_time": "2026-07-01T12:00:00Z",
  "time_zone": "Europe/Berlin", "country": "DEU",
  "charging_periods": [
    {"start_date_time": "2026-07-01T10:00:00Z", "tariff_id": "12",
     "dimensions": [{"type": "ENERGY", "volume": 20.5}, {"type": "TIME", "volume": 1},
                    {"type": "MIN_POWER", "volume": 10}, {"type": "MAX_POWER", "volume": 22.5},
                    {"type": "MIN_CURRENT", "volume": 16}, {"type": "MAX_CURRENT", "volume": 32},
                    {"type": "STATE_OF_CHARGE", "volume": 80}]},
    {"start_date_time": "2026-07-01T11:00:00Z", "dimensions": [{"type": "PARKING_TIME", "volume": 1}]}
  ]
}
"""


def newer() -> dict[str, Any]:
    """A tariff of 2.3.0 with every field."""
    document: dict[str, Any] = parse(NEWER)
    return document


def older() -> dict[str, Any]:
    """A tariff of 2.2.1."""
    document: dict[str, Any] = parse(OLDER)
    return document


def session() -> dict[str, Any]:
    """A session with every dimension that matters."""
    document: dict[str, Any] = parse(SESSION)
    return document
