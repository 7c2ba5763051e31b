"""Where a terminal is: `tcp://host:port` or `serial:/dev/…?baud=9600`. terminals.md section 4.1."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

_BAUDS = (300, 600, 1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200)


class UnableToReadAddress(ValueError):
    """The text is no address of a terminal; the sentence says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpAddress:
    """A terminal that listens on a network."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialAddress:
    """A terminal on a serial line, eight bits without parity; two stop bits are ZVT's default."""

    path: str
    baud: int = 9_600
    stop_bits: int = 2


Address = TcpAddress | SerialAddress


def read_address(text: str) -> Address:
    """Give the address a text names. Raises UnableToReadAddress."""
    parts = urlsplit(text)
    try:
        if parts.scheme == "tcp" and parts.hostname and parts.port:
            return TcpAddress(host=parts.hostname, port=parts.port)
        if parts.scheme == "serial" and not parts.netloc and parts.path.startswith("/"):
            return _serial(parts.path, dict(parse_qsl(parts.query, strict_parsing=bool(parts.query))))
    except ValueError as error:
        raise UnableToReadAddress(f"{text!r}: {error}") from None
    raise UnableToReadAddress(f"{text!r} is neither tcp://host:port nor serial:/dev/…?baud=9600")


def _serial(path: str, settings: dict[str, str]) -> SerialAddress:
    unknown = settings.keys() - {"baud", "stop"}
    if unknown:
        raise ValueError(f"{min(unknown)} is no setting of a serial line")
    baud, stop_bits = int(settings.get("baud", "9600")), int(settings.get("stop", "2"))
    if baud not in _BAUDS:
        raise ValueError(f"{baud} is no speed of a serial line")
    if stop_bits not in (1, 2):
        raise ValueError("a serial line has 1 or 2 stop bits")
    return SerialAddress(path=path, baud=baud, stop_bits=stop_bits)
