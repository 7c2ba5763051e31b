"""ISO 8583 messages: a frozen value, a dialect that is data, and two verbs, `encode` and `decode`.

spec = load_spec("1987-ascii")
data = spec.encode(Message("0800", {7: "1231235959", 11: "000001", 70: "001"}))
spec.decode(data).get(70)
"""

from tapwatt.rails.iso8583.message import Message, MissingField
from tapwatt.rails.iso8583.spec import Spec, UnableToLoadSpec, load_spec
from tapwatt.rails.iso8583.view import describe
from tapwatt.rails.iso8583.walk import UnableToDecode, UnableToEncode

__all__ = [
    "Message",
    "MissingField",
    "Spec",
    "UnableToDecode",
    "UnableToEncode",
    "UnableToLoadSpec",
    "describe",
    "load_spec",
]
