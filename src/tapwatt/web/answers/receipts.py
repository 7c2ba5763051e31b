"""Receipts and credit notes."""

from pydantic import BaseModel, Field

from tapwatt.core.receipt import Buyer, Credited, Fiscal, Place, Purchase, Seller


class ReceiptShown(BaseModel):
    """A receipt, or a credit note (`credit_of` names what it takes back, its amounts are negative)."""

    number: str
    issued_ms: int
    language: str
    seller: Seller
    place: Place
    purchase: Purchase
    credit_of: str
    why: str
    fiscal: Fiscal | None
    buyer: Buyer | None
    credits: list[Credited]
    token: str = Field(description="The secret in the driver's link")
    text: str = Field(description="The receipt in 42 columns")
    url: str = Field(description="The driver's link")


class ReceiptListed(BaseModel):
    """A receipt as the list shows it."""

    number: str
    session_id: str
    credit_of: str | None
    gross_minor: int
    currency: str
    at_ms: int


class ReceiptsPage(BaseModel):
    """A page of receipts and credit notes, newest first."""

    receipts: list[ReceiptListed]
    cursor: str | None
