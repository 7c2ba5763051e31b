"""Files: several documents, hex, fourth sections, the transparency software's XML, and what is not taken."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ocmf.meter import BEGIN, END, document, payload, samples

from tapwatt.ocmf.codec import UnableToReadOcmf, read_document
from tapwatt.ocmf.container import DOCUMENTS_LIMIT, FILE_LIMIT, read_file

ONE = document(payload(1, BEGIN))
TWO = document(payload(2, END))


def value(text: str, key: str = "", **attributes: str) -> str:
    shown = "".join(f' {name}="{each}"' for name, each in attributes.items())
    return f"<value><signedData{shown}>{text}</signedData>{key}</value>"


def container(*values: str, prolog: str = '<?xml version="1.0" encoding="UTF-8"?>') -> bytes:
    return f"{prolog}\n<values>{''.join(values)}</values>\n".encode()


def escaped(data: bytes) -> str:
    return data.decode().replace("&", "&amp;").replace("<", "&lt;")


def refused(data: bytes) -> str:
    with pytest.raises(UnableToReadOcmf) as raised:
        read_file(data)
    return str(raised.value)


@pytest.mark.parametrize(
    "data",
    [
        ONE + b"\n" + TWO,
        ONE + b"\r\n\r\n  " + TWO + b"\n",
        b"\xef\xbb\xbf" + ONE + b"\n" + TWO,
        ONE.hex().encode() + b"\n" + TWO.hex().upper().encode(),
        ONE + b"\n" + ONE + b"\n" + TWO,
        container(value(escaped(ONE), format="OCMF", encoding="plain"), value(escaped(TWO), format="ocmf")),
        container(value(ONE.hex(), encoding="hex"), value(base64.b64encode(TWO).decode(), encoding="base64")),
        container(value(f"<![CDATA[{ONE.decode()}]]>"), value(f"\n  {escaped(TWO)}\n")),
        container(value(escaped(ONE)), value(escaped(TWO)), prolog="<!-- a note -->"),
    ],
)
def test_two_documents_in_one_file(data: bytes) -> None:
    assert [each.document for each in read_file(data)] == [read_document(ONE), read_document(TWO)]
    assert [each.key_text for each in read_file(data)] == ["", ""]


def test_a_document_over_many_lines_keeps_them() -> None:
    shown = payload(1, BEGIN).replace(b", ", b",\n    ")
    found = read_file(document(shown).replace(b'"SD"', b'\n"SD"') + b"\n" + TWO)
    assert [each.document.payload for each in found] == [shown, read_document(TWO).payload]


def test_a_key_as_fourth_section_and_beside_signed_data() -> None:
    assert read_file(ONE + b"|3059 3013\n" + TWO)[0].key_text == "3059 3013"
    assert read_file(ONE + b"\n" + ONE + b"|3059")[0].key_text == "3059"
    assert read_file(ONE + b"|3059\n" + ONE)[0].key_text == "3059"
    key = '<publicKey encoding="hex">\n 3059 3013 </publicKey>'
    assert read_file(container(value(escaped(ONE), key)))[0].key_text == "3059 3013"


def test_a_namespace_a_prefix_and_another_encoding() -> None:
    shown = escaped(ONE)
    prefixed = f'<t:values xmlns:t="urn:x"><t:value><t:signedData>{shown}</t:signedData></t:value></t:values>'
    assert read_file(prefixed.encode())[0].document == read_document(ONE)
    encoded = f"<values><value><encodedData>{shown}</encodedData></value></values>".encode("utf-16")
    assert read_file(encoded)[0].document == read_document(ONE)


def test_an_umlaut_is_signed_as_utf_8_whatever_the_xml_is_in() -> None:
    sent = document(payload(1, BEGIN, TT="Tarif für Gäste").replace(b"\\u00fc", "ü".encode()))
    latin = f'<?xml version="1.0" encoding="ISO-8859-1"?><values>{value(escaped(sent))}</values>'
    assert read_file(latin.encode("iso-8859-1"))[0].document == read_document(sent)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "file: is neither"),
        (b"hello", "file: is neither"),
        (b"note\n" + ONE, "file: is neither"),
        (ONE + b"\n" + ONE[:-3], "document 2, signature: is not JSON"),
        (ONE.hex().encode() + b"zz", "document 1, hex: has a character"),
        (b" " * (FILE_LIMIT + 1), "file: over the limit"),
        (container(), "file: holds no OCMF document"),
        (container("<value/>"), "value 1: has no signedData"),
        (container(value("x", format="ALFEN")), "value 1: format 'ALFEN' is not OCMF"),
        (container(value("x", encoding="rot13")), "value 1: encoding 'rot13' is not known"),
        (container(value("*", encoding="base64")), "value 1: its signedData is not base64"),
        (container(value("x")), "value 1, document: must be OCMF"),
        (b"<other/>", "XML: <other> is not the container"),
        (b"<values>", "XML: is not well-formed"),
        (b"<values></values><values/>", "XML: is not well-formed"),
        (container(value("&unknown;")), "XML: is not well-formed"),
        (b'<?xml version="1.0" encoding="unheard-of"?><values/>', "XML: is not well-formed"),
        (b"<a>" * 20 + b"</a>" * 20, "XML: too many or too deep"),
        (b"<values>" + b"<value/>" * 4_000 + b"</values>", "XML: too many or too deep"),
        (ONE + b"|30\n" + ONE + b"|31", "file: the same document comes with two different keys"),
    ],
)
def test_what_cannot_be_read_is_refused_by_place_and_reason(data: bytes, says: str) -> None:
    assert refused(data).startswith(says)


def test_too_many_documents() -> None:
    lines = [document(payload(number, BEGIN)) for number in range(DOCUMENTS_LIMIT + 1)]
    assert "over the limit of 200 documents" in refused(b"\n".join(lines))
    assert len(read_file(b"\n".join(lines[1:]))) == DOCUMENTS_LIMIT


LAUGHS = '<!DOCTYPE v [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE v [<!ENTITY x SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize("prolog", [LAUGHS, OUTSIDE, "<!DOCTYPE values>", '<!DOCTYPE v SYSTEM "v.dtd">'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_no_document_type_and_so_no_entity(prolog: str, encoding: str) -> None:
    data = f"{prolog}<values>{value('&x;')}</values>".encode(encoding)
    assert refused(data) == "XML: a document type or entity is not taken"


def test_a_large_file_of_nothing_is_refused() -> None:
    assert "over the limit" in refused(b"OCMF|" + b"[" * (FILE_LIMIT - 10))
    large = b"<values><value a='" + b"x" * (FILE_LIMIT - 100) + b"'/></values>"
    assert refused(large) == "value 1: has no signedData"


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    whole = samples()[0].document
    for text in (data, b"<values>" + data + b"</values>", whole + data, whole + b"\n" + data):
        try:
            read_file(text)
        except UnableToReadOcmf:
            continue
