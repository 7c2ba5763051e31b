"""What no listener should ever be sent, by protocol. Each is sent; none may do harm."""

import random

from tapwatt.rails.codec import FRAME_LIMIT, encode_frame

PAN = "4111111111111111"
GARBAGE = random.Random(2).randbytes(3000) + b"\r\n\r\n"

NOT_ISO = {
    "random bytes": GARBAGE,
    "another protocol": b"GET /4111111111111111 HTTP/1.1\r\nHost: x\r\n\r\n",
    "an oversized frame": (FRAME_LIMIT + 1).to_bytes(2, "big") + b"0" * (FRAME_LIMIT + 1),
    "a bitmap of everything": encode_frame(b"0100" + b"\xff" * 16 + b"1" * 400) * 5,
    "a bitmap and nothing": encode_frame(b"0100" + b"\xf2\x3c\x46\x81\x28\xe0\x82\x00") * 5,
    "letters where a bitmap belongs": encode_frame(b"0800ZZZZZZZZZZZZZZZZ") * 5,
    "a type that is none": encode_frame(b"\x00\x00\x00\x00" + bytes(8)) * 5,
    "keep-alives": b"\x00\x00" * 5000,
}


TEXT_NONSENSE = {
    "random bytes": GARBAGE.decode("latin-1"),
    "an empty frame": "",
    "no array": '{"a": 1}',
    "deep brackets": "[" * 100_000,
    "an unknown message type": '[9, "1", "Heartbeat", {}]',
    "a call without payload": '[2, "1", "Heartbeat"]',
    "a cut-off call": '[2, "1", "StartTransaction", {"connectorId": 1, "idTag": "41111',
    "an answer nobody asked for": '[3, "nobody", {"status": "Accepted"}]',
    "an error nobody asked for": '[4, "nobody", "InternalError", "", {}]',
    "an id that is no text": '[2, {"a": 1}, "Heartbeat", {}]',
    "a number for an action": '[2, "1", 7, {}]',
}


HTTP_NONSENSE = {
    "random bytes": GARBAGE,
    "no method": b"\r\n\r\n\x00\r\n\r\n",
    "an oversized header": b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 300_000 + b"\r\n\r\n",
    "an oversized path": b"GET /" + b"y" * 300_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    "a negative length": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
    "broken chunks": b"POST /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
}


BODIES = {
    "no json": b"{",
    "no object": b"[]",
    "deep brackets": b"[" * 60_000,
    "deep objects": b'{"a":' * 10_000,
    "too much": b'{"do": "' + b"x" * 5_000_000 + b'"}',
    "no text": b"\xff\xfe\x00",
    "a lone surrogate": b'{"do": "rfid", "evse_id": 1, "tag": "\\ud800", "seconds": "\\ud800"}',
    "another lone surrogate": b'{"do": "tap", "card": "\\ud800", "late": "\\ud800"}',
    "an enormous number": b'{"do": "plug", "evse_id": ' + b"9" * 4200 + b', "seconds": 1e999}',
    "not a number": b'{"do": "tap", "card": "visa-good", "within_s": NaN, "seconds": NaN}',
    "a number for a text": b'{"do": 7, "seconds": "soon"}',
    "a card number": b'{"do": "tap", "card": "4111111111111111", "seconds": "4111111111111111"}',
}


ZVT_NONSENSE = {
    "random bytes": GARBAGE,
    "an oversized frame": b"\x06\x01\xff\xff\xff" + b"0" * 70_000,
    "a cut-off frame": b"\x06\x00\x0a\x00\x00",
    "answers nobody asked for": b"\x80\x00\x00" * 50,
    "a terminal's own messages": b"\x04\x0f\x02\x27\x00"
    + b"\x06\x0f\x00"
    + b"\x06\x1e\x01\x6c"
    + b"\x04\xff\x01\x0a",
    "an unknown command": b"\x08\x99\x00" * 5,
    "many registrations": b"\x06\x00\x06\x00\x00\x00\xba\x09\x78" * 20,
    "a payment without amount": b"\x06\x22\x00" * 3,
    "a capture of nothing": b"\x06\x24\x00" + b"\x06\x23\x03\x87\x99\x99",
    "deep containers": b"\x06\xc0\xff\x00\x02" + b"\x06\x82\x01\xf0" * 128,
}
FROM_STATIONS: list[tuple[str, object]] = [
    ("StartTransaction", {"x": 1}),
    ("StartTransaction", {"connectorId": 10**25, "idTag": PAN, "meterStart": 1e300, "timestamp": "soon"}),
    ("StartTransaction", {"connectorId": 1, "idTag": "x" * 9000, "meterStart": -5, "timestamp": None}),
    ("StartTransaction", {"connectorId": 1, "idTag": "\ud800", "meterStart": 0, "timestamp": "\x00"}),
    ("StopTransaction", {"transactionId": 2**70, "meterStop": 5, "timestamp": "2026-11-22T12:00:00Z"}),
    ("StopTransaction", {"transactionId": "many", "meterStop": "much", "timestamp": []}),
    ("MeterValues", {"connectorId": 1, "meterValue": [{}] * 2000}),
    ("MeterValues", {"connectorId": -1, "transactionId": -1, "meterValue": "none"}),
    ("StatusNotification", {"connectorId": 99999, "errorCode": "Odd", "status": "Asleep"}),
    ("Authorize", {"idTag": ""}),
    ("BootNotification", {"chargePointVendor": 7}),
    ("DataTransfer", {"vendorId": PAN, "data": "x" * 100_000}),
]
FROM_EDGES: list[tuple[str, object]] = [
    ("Hello", {}),
    ("Hello", {"edge_id": "EDGE1", "software": "", "terminals": []}),
    ("TerminalReported", {"terminal_id": "T1", "state": "offline", "at_ms": 1}),
    ("CardPresented", {"key": "k", "terminal_id": "T1", "at_ms": 1, "kind": "bank", "token": "ABCD"}),
    ("CardPresented", {"key": "k", "terminal_id": "T1", "at_ms": 10**30, "kind": "bank"}),
    ("Outcome", {"key": "k", "kind": "capture", "terminal_id": "T1", "result": "done", "at_ms": 1}),
    ("Operate", {"key": "k"}),
]
