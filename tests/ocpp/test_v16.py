"""OCPP 1.6 payloads against neutral messages, both ways."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.ocpp.v16_tables import ANSWERS, COMMANDS, MESSAGES, a_message, text

from tapwatt.ocpp import v16
from tapwatt.ocpp.commands import (
    Command,
    CommandAnswer,
)
from tapwatt.ocpp.messages import (
    Answer,
    StationMessage,
)
from tapwatt.ocpp.schemas import classify


@pytest.mark.parametrize(("message", "action", "payload"), MESSAGES, ids=lambda each: type(each).__name__)
def test_a_stations_message_both_ways(message: StationMessage, action: str, payload: dict[str, Any]) -> None:
    written = v16.encode_message(message)
    assert (written[0], json.loads(written[1])) == (action, payload)
    assert v16.decode_message(action, text(payload)) == message
    assert classify(action, written[1]) == ()


@pytest.mark.parametrize(("action", "answer", "payload"), ANSWERS)
def test_an_answer_both_ways(action: str, answer: Answer, payload: dict[str, Any]) -> None:
    message = a_message(action)
    written = v16.encode_answer(message, answer)
    assert json.loads(written) == payload
    assert v16.decode_answer(message, text(payload)) == answer
    assert classify(action, written, answer=True) == ()


@pytest.mark.parametrize(("command", "action", "asked", "answer", "told"), COMMANDS)
def test_a_command_and_its_answer_both_ways(
    command: Command, action: str, asked: dict[str, Any], answer: CommandAnswer, told: dict[str, Any]
) -> None:
    name, written = v16.encode_command(command)
    assert (name, json.loads(written)) == (action, asked)
    assert v16.decode_command(action, text(asked)) == command
    written_answer = v16.encode_command_answer(command, answer)
    assert json.loads(written_answer) == told
    assert v16.decode_command_answer(command, text(told)) == answer
    assert classify(action, written) == ()
    assert classify(action, written_answer, answer=True) == ()


def test_the_tables_have_every_action() -> None:
    assert {action for _, action, _ in MESSAGES} == v16.FROM_STATION
    assert {action for action, _, _ in ANSWERS} == v16.FROM_STATION
    assert {action for _, action, *_ in COMMANDS} == v16.FROM_CSMS
