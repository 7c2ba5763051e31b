"""What programs outside use: tokens, webhooks and their deliveries."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from tapwatt.platform.access import Permission

Cursor = str | None


class Token(BaseModel):
    """A token without its secret."""

    token_id: str
    name: str
    scopes: list[Permission]
    made_by: str
    made_ms: int
    expires_ms: int | None
    used_ms: int | None = Field(description="To the minute")
    revoked_ms: int | None


class TokenMade(Token):
    """A token as it is shown once."""

    token: str | None = Field(description="Shown once; null when the answer is given again")


class TokensPage(BaseModel):
    """A page of one's own tokens."""

    tokens: list[Token]
    cursor: Cursor


class Webhook(BaseModel):
    """Where events are sent."""

    webhook_id: str
    url: str
    events: list[str]
    state: Literal["on", "off"]
    off_why: str
    old_until_ms: int | None = Field(description="So long the secret before this one signs too")
    failing_since_ms: int | None
    made_by: str
    made_ms: int


class WebhookMade(Webhook):
    """A webhook with its secret, which is shown once."""

    secret: str | None = Field(description="Shown once; null when the answer is given again")


class WebhooksPage(BaseModel):
    """A page of webhooks."""

    webhooks: list[Webhook]
    cursor: Cursor


class Attempt(BaseModel):
    """One time that an event was sent."""

    attempt: int
    at_ms: int
    status: int | None = Field(description="Null: no answer came")
    took_ms: int
    error: str


class Delivery(BaseModel):
    """An event on its way to an address."""

    event_id: str = Field(description="`webhook-id` of every attempt")
    name: str
    state: Literal["waiting", "delivered", "given up"]
    attempts: int
    due_ms: int | None
    at_ms: int
    log: list[Attempt] = Field(description="The last attempts, the newest first")


class DeliveriesPage(BaseModel):
    """A page of deliveries, newest first."""

    deliveries: list[Delivery]
    cursor: Cursor


class Queued(BaseModel):
    """The event will be sent at once."""

    event_id: str


class Approval(BaseModel):
    """An order that waits for a second person, or what became of it."""

    approval_id: str
    kind: Literal["decide", "credit", "publish", "retire", "assign"]
    subject: str
    order: dict[str, Any]
    state: str
    asked_by: str
    asked_person: str
    asked_ms: int
    expires_ms: int
    decided_by: str | None
    decided_ms: int | None
    why: str | None
    permission: Permission


class Approvals(BaseModel):
    """What waits, the oldest first, and what was decided lately; there are never more than some hundreds."""

    waiting: list[Approval]
    decided: list[Approval]
