"""What we write of OCPP 2.1 tariffs and costs against an outside judge: jsonschema-rs on the official
schemas, read from the installed package; and what they allow is never more than we can take."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.ocpp.v21_samples import TARIFFS, charged, component, element, tariff, usages

from tapwatt.core.tariff import Tariff, Usage, price
from tapwatt.ocpp.mend import UnableToRead, UnableToWrite
from tapwatt.ocpp.schemas import load
from tapwatt.ocpp.v21 import claims, costs, tariffs, wire

SETTING = jsonschema_rs.validator_for(load("2.1", "SetDefaultTariff"), validate_formats=True)
EVENT = jsonschema_rs.validator_for(load("2.1", "TransactionEvent"), validate_formats=True)


def objections(judge: Any, document: dict[str, Any]) -> list[str]:
    """What the judge has against a payload."""
    return [error.message for error in judge.iter_errors(document)]


def setting(document: bytes) -> dict[str, Any]:
    """The tariff in the message that carries it."""
    return {"evseId": 0, "tariff": json.loads(document)}


def event(document: bytes) -> dict[str, Any]:
    """The costs in the message that carries them."""
    return {
        "eventType": "Ended",
        "timestamp": "2026-03-29T01:00:00Z",
        "triggerReason": "EVDeparted",
        "seqNo": 7,
        "transactionInfo": {"transactionId": "t"},
        "costDetails": json.loads(document),
    }


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(TARIFFS, st.booleans())
def test_every_tariff_we_write_is_valid(of: Tariff, driver: bool) -> None:
    text = wire.Message(format="UTF8", content="prices", language="en")
    try:
        document = tariffs.write(of, driver=driver, description=(text,))
    except UnableToWrite:
        assume(False)
    assert objections(SETTING, setting(document)) == []


@settings(max_examples=100, deadline=None)
@given(TARIFFS, usages(), st.booleans())
def test_all_cost_details_we_write_are_valid(of: Tariff, usage: Usage, ended: bool) -> None:
    document = costs.write(price(of, usage), usage, of, ended=ended)
    assert objections(EVENT, event(document)) == []


def test_the_judge_judges() -> None:
    of, usage = tariff(element(component("ENERGY", "1"))), charged(1, 1)
    good = setting(tariffs.write(of))
    assert objections(SETTING, good) == []
    good["tariff"]["energy"]["prices"][0]["step"] = 1
    assert objections(SETTING, good) != []
    told = event(costs.write(price(of, usage), usage, of))
    assert objections(EVENT, told) == []
    told["costDetails"]["chargingPeriods"][0]["dimensions"][2]["type"] = "IdleTime"
    assert objections(EVENT, told) != []


def drawn(root: dict[str, Any], schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a schema of the 2.1 kind allows, within its words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return st.none() if name == "CustomDataType" else drawn(root, root["definitions"][name])
    match schema.get("type"):
        case "object":
            members = {key: drawn(root, each) for key, each in schema["properties"].items()}
            members.pop("customData", None)
            required = set(schema.get("required", ()))
            return st.fixed_dictionaries(
                {key: each for key, each in members.items() if key in required},
                optional={key: each for key, each in members.items() if key not in required},
            )
        case "array":
            return st.lists(drawn(root, schema["items"]), min_size=schema.get("minItems", 0), max_size=2)
        case "string" if "enum" in schema:
            return st.sampled_from(schema["enum"])
        case "string":
            texts = st.sampled_from(["EUR", "08:00", "2026-03-29", "2026-03-29T00:00:00Z", "x"])
            return texts.filter(lambda text: len(text) <= schema.get("maxLength", 99))
        case "integer":
            return st.integers(0, 10_000)
        case "number":
            return st.integers(-5, 90_000).map(lambda cents: cents / 100)
        case "boolean":
            return st.booleans()
    raise AssertionError(f"a kind of schema this test does not know: {schema}")


def drawn_type(action: str, name: str) -> st.SearchStrategy[Any]:
    """Values of one data type of the official schemas."""
    root = load("2.1", action)
    return drawn(root, root["definitions"][name])


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn_type("SetDefaultTariff", "TariffType"), usages())
def test_a_valid_tariff_is_priced_or_refused(document: dict[str, Any], usage: Usage) -> None:
    document["currency"] = "EUR"
    try:
        of = tariffs.read(json.dumps(document))
    except UnableToRead:
        return
    assert price(of, usage).currency == "EUR"


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn_type("TransactionEvent", "CostDetailsType"), TARIFFS)
def test_valid_cost_details_are_compared_or_the_reason_told(document: dict[str, Any], of: Tariff) -> None:
    document["totalCost"]["currency"] = "EUR"
    found = claims.check(
        claims.read(json.dumps(document)), of, claims.Circumstances(started_ms=0, ended_ms=3_600_000)
    )
    assert found.agrees or found.differences or found.reason


@pytest.mark.parametrize("name", ["TariffConditionsType", "TariffConditionsFixedType", "TariffType"])
def test_we_know_every_field(name: str) -> None:
    known = {
        "TariffConditionsType": wire.Conditions,
        "TariffConditionsFixedType": wire.FixedConditions,
        "TariffType": wire.Tariff,
    }
    fields = load("2.1", "SetDefaultTariff")["definitions"][name]["properties"]
    assert set(known[name].__struct_encode_fields__) == set(fields)
