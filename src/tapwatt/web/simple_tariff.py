"""A simple tariff as the API takes it: the fields of the console's form, checked by the form's own rules."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from tapwatt.web.asked import NO_NUL, By, Given

NUMBER = r"^([0-9]{1,7}([.,][0-9]{1,6})?)?$"
CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
Number = Annotated[str, Field(pattern=NUMBER, max_length=14, description="In major units; empty: none")]
Clock = Annotated[str, Field(pattern=CLOCK, max_length=5)]


class UnableToReadFields(Exception):
    """What is wrong with each field."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        """By the field's name, a sentence each."""
        super().__init__("; ".join(f"{name}: {why}" for name, why in wrong.items()))
        self.wrong = dict(wrong)


class SimpleTariff(Given):
    """Prices per kWh, start, standing and night, tax and limits: what most tariffs are."""

    tariff_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,35}$", max_length=36)
    currency: str = Field("EUR", pattern=r"^[A-Za-z]{3}$", max_length=3, description="ISO 4217")
    kwh: Number = Field(pattern=NUMBER, min_length=1, max_length=14, description="Price per kWh")
    tax: Number = "19"
    inside: Literal["yes", "no"] = Field("yes", description="Whether prices contain tax")
    start_fee: Number = ""
    idle_fee: Number = Field("", pattern=NUMBER, max_length=14, description="Per minute of standing")
    grace: Number = Field("15", pattern=NUMBER, max_length=14, description="Minutes of standing for free")
    night: Number = Field("", pattern=NUMBER, max_length=14, description="Price per kWh at night")
    night_from: Clock = "22:00"
    night_to: Clock = "06:00"
    least: Number = ""
    most: Number = ""
    hold: Number = ""
    valid_from: str = Field(
        "", pattern=r"^(20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2})?$", max_length=16, description="UTC"
    )
    note: str = Field("", max_length=500, pattern=NO_NUL)
    by: By = "operator"
