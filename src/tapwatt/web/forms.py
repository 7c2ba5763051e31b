"""Forms as browsers send them, bounded."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs

from fastapi import HTTPException, Request

FIELDS_MAX = 30


async def read_form(request: Request, *, most_bytes: int) -> dict[str, str]:
    """The fields of a form, the first of each name; the gate may have read it before. Raises HTTPException
    when it is too long."""
    body: bytes = getattr(request.state, "form", b"")
    async for chunk in _unread(request):
        body += chunk
        if len(body) > most_bytes:
            break
    if len(body) > most_bytes:
        raise HTTPException(413, "the form is too long")
    request.state.form = body
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        raise HTTPException(413, f"the form has more than {FIELDS_MAX} fields") from None
    return {name: values[0] for name, values in fields.items()}


async def _unread(request: Request) -> AsyncIterator[bytes]:
    if not hasattr(request.state, "form"):
        async for chunk in request.stream():
            yield chunk
