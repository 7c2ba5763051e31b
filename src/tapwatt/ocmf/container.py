"""Files of OCMF documents: plain, as hex (OCPP's signed data), or in the transparency software's XML.

Several documents begin each on a line of its own; one may run over many lines. A fourth section after
another | is a public key, as QR codes for the transparency software carry it. The XML container is
values/value[transactionId, context]/signedData[format, encoding] (or encodedData), a publicKey beside it.
XML is read without document type, entities or anything fetched; size and depth are limited.
Sources: practice.md section 7; the public description of the transparency software's XML.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from tapwatt.ocmf.codec import DOCUMENT_LIMIT, UnableToReadOcmf, read_document
from tapwatt.ocmf.messages import Document

FILE_LIMIT: Final = 4_194_304
"""Bytes of a file."""
DOCUMENTS_LIMIT: Final = 200
DEPTH_LIMIT: Final = 8
_ELEMENTS_LIMIT: Final = 16 * DOCUMENTS_LIMIT
_HEX_START: Final = b"OCMF|".hex().encode()
_start = re.compile(rb"^[ \t]*(?:OCMF[ \t]*\||" + _HEX_START + rb")", re.MULTILINE | re.IGNORECASE)
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A document of a file, and the public key that came with it ("" where none did)."""

    document: Document
    key_text: str


@dataclass(slots=True)
class _Element:
    name: str
    attributes: dict[str, str]
    text: list[str] = field(default_factory=list)
    parts: list[_Element] = field(default_factory=list)

    def part(self, *names: str) -> _Element | None:
        return next((each for each in self.parts if each.name in names), None)


def read_file(data: bytes) -> tuple[Signed, ...]:
    """Every document of a file in its order, each once. Raises UnableToReadOcmf."""
    if len(data) > FILE_LIMIT:
        raise UnableToReadOcmf("file", f"over the limit of {FILE_LIMIT} bytes")
    bare = data.removeprefix(_BYTE_ORDER_MARK).strip()
    looks_like_xml = bare.startswith((b"<", b"\xff\xfe", b"\xfe\xff"))
    found: dict[Document, Signed] = {}
    for signed in _in_xml(data.strip()) if looks_like_xml else _in_text(bare):
        before = found.get(signed.document)
        if before is None or not before.key_text:
            found[signed.document] = signed
        elif signed.key_text not in ("", before.key_text):
            raise UnableToReadOcmf("file", "the same document comes with two different keys")
        if len(found) > DOCUMENTS_LIMIT:
            raise UnableToReadOcmf("file", f"over the limit of {DOCUMENTS_LIMIT} documents")
    if not found:
        raise UnableToReadOcmf("file", "holds no OCMF document")
    return tuple(found.values())


def _in_text(text: bytes) -> Iterator[Signed]:
    starts = [found.start() for found in _start.finditer(text)]
    if not starts or starts[0] != 0:
        raise UnableToReadOcmf("file", "is neither OCMF|payload|signature nor the XML of such documents")
    for number, (begin, end) in enumerate(zip(starts, [*starts[1:], len(text)], strict=True), 1):
        yield _placed(text[begin:end].strip(), f"document {number}")


def _placed(text: bytes, where: str, key_text: str = "") -> Signed:
    """One document, hex or plain, with the key of its fourth section unless another is given."""
    try:
        if text[: len(_HEX_START)].lower() == _HEX_START:
            text = _from_hex(text)
        sections = text.split(b"|", 3)
        if len(sections) == 4:
            text = b"|".join(sections[:3])
            key_text = key_text or sections[3].decode("utf-8", "replace").strip()
        return Signed(document=read_document(text), key_text=key_text)
    except UnableToReadOcmf as error:
        raise UnableToReadOcmf(f"{where}, {error.where}", error.reason) from None


def _from_hex(text: bytes) -> bytes:
    if len(text) > 2 * DOCUMENT_LIMIT:
        raise UnableToReadOcmf("hex", f"over the limit of {DOCUMENT_LIMIT} bytes")
    try:
        return bytes.fromhex(text.decode("ascii"))
    except ValueError:
        raise UnableToReadOcmf("hex", "has a character that is no hex digit, or one digit too few") from None


def _in_xml(data: bytes) -> Iterator[Signed]:
    root = _tree(data)
    if root.name != "values":
        raise UnableToReadOcmf("XML", f"<{root.name[:40]}> is not the container <values>")
    for number, value in enumerate((each for each in root.parts if each.name == "value"), 1):
        where = f"value {number}"
        carrier = value.part("signedData", "encodedData")
        if carrier is None:
            raise UnableToReadOcmf(where, "has no signedData")
        form = carrier.attributes.get("format", "OCMF")
        if form.upper() != "OCMF":
            raise UnableToReadOcmf(where, f"format {form[:40]!r} is not OCMF")
        key = value.part("publicKey")
        key_text = "".join(key.text).strip() if key else ""
        yield _placed(_carried(carrier, where), where, key_text)


def _carried(carrier: _Element, where: str) -> bytes:
    text = "".join(carrier.text).strip()
    encoding = carrier.attributes.get("encoding", "plain").lower()
    if encoding == "base64" and not text.startswith("OCMF"):
        try:
            return base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            raise UnableToReadOcmf(where, "its signedData is not base64") from None
    if encoding not in ("plain", "", "hex", "base64"):
        raise UnableToReadOcmf(where, f"encoding {encoding[:40]!r} is not known; plain, hex and base64 are")
    return text.encode("utf-8", "replace")


def _tree(data: bytes) -> _Element:
    """The elements by their local names. A document type is refused, so that no entity can be declared."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    top = _Element("", {})
    stack, count = [top], 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(stack) > DEPTH_LIMIT or count > _ELEMENTS_LIMIT:
            raise UnableToReadOcmf("XML", "too many or too deep elements")
        element = _Element(name.rpartition(":")[2], attributes)
        stack[-1].parts.append(element)
        stack.append(element)

    def refuse(*_: object) -> int:
        raise UnableToReadOcmf("XML", "a document type or entity is not taken")

    parser.StartElementHandler = begin
    parser.EndElementHandler = lambda _: stack.pop()
    parser.CharacterDataHandler = lambda text: stack[-1].text.append(text)
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        if isinstance(error, UnableToReadOcmf):
            raise
        raise UnableToReadOcmf("XML", f"is not well-formed: {error}") from None
    return top.parts[0]
