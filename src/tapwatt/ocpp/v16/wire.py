"""OCPP 1.6 payloads as the wire has them, for the actions Tapwatt speaks; field names turn camelCase.

Written by hand from the 1.6 specification (sections 6 and 7): the official schemas are not ours to
redistribute and judge from outside (`ocpp.schemas`). Register and time of billing messages may be missing
here, because stations leave them out; we never write such a message.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Integer = Annotated[int, Meta(ge=-(10**15), le=10**15)]
"""The standard gives no range; what fits every database does."""
Text20 = Annotated[str, Meta(max_length=20)]
Text25 = Annotated[str, Meta(max_length=25)]
Text50 = Annotated[str, Meta(max_length=50)]
Text255 = Annotated[str, Meta(max_length=255)]
Text500 = Annotated[str, Meta(max_length=500)]
JsonText = Annotated[str, Meta(extra={"json": True})]
"""Text where some stations send an object: it is read as that object's JSON text."""

ErrorCode = Literal[
    "ConnectorLockFailure",
    "EVCommunicationError",
    "GroundFailure",
    "HighTemperature",
    "InternalError",
    "LocalListConflict",
    "NoError",
    "OtherError",
    "OverCurrentFailure",
    "OverVoltage",
    "PowerMeterFailure",
    "PowerSwitchFailure",
    "ReaderFailure",
    "ResetFailure",
    "UnderVoltage",
    "WeakSignal",
]
Status = Literal[
    "Available",
    "Preparing",
    "Charging",
    "SuspendedEV",
    "SuspendedEVSE",
    "Finishing",
    "Reserved",
    "Unavailable",
    "Faulted",
]
Reason = Literal[
    "DeAuthorized",
    "EmergencyStop",
    "EVDisconnected",
    "HardReset",
    "Local",
    "Other",
    "PowerLoss",
    "Reboot",
    "Remote",
    "SoftReset",
    "UnlockCommand",
]
Authorisation = Literal["Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"]
Accepting = Literal["Accepted", "Rejected"]
Context = Literal[
    "Interruption.Begin",
    "Interruption.End",
    "Other",
    "Sample.Clock",
    "Sample.Periodic",
    "Transaction.Begin",
    "Transaction.End",
    "Trigger",
]
Measurand = Literal[
    "Current.Export",
    "Current.Import",
    "Current.Offered",
    "Energy.Active.Export.Interval",
    "Energy.Active.Export.Register",
    "Energy.Active.Import.Interval",
    "Energy.Active.Import.Register",
    "Energy.Reactive.Export.Interval",
    "Energy.Reactive.Export.Register",
    "Energy.Reactive.Import.Interval",
    "Energy.Reactive.Import.Register",
    "Frequency",
    "Power.Active.Export",
    "Power.Active.Import",
    "Power.Factor",
    "Power.Offered",
    "Power.Reactive.Export",
    "Power.Reactive.Import",
    "RPM",
    "SoC",
    "Temperature",
    "Voltage",
]
Phase = Literal["L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1"]
Location = Literal["Body", "Cable", "EV", "Inlet", "Outlet"]
Unit = Literal[
    "Wh",
    "kWh",
    "varh",
    "kvarh",
    "W",
    "kW",
    "VA",
    "kVA",
    "var",
    "kvar",
    "A",
    "V",
    "K",
    "Celcius",
    "Celsius",
    "Fahrenheit",
    "Percent",
]
RequestedMessage = Literal[
    "BootNotification",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "MeterValues",
    "StatusNotification",
]


class Wire(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """What every payload has in common: nothing beyond its fields, nothing written that is absent."""


class Empty(Wire, frozen=True):
    """`{}`: many requests and answers of 1.6 say nothing."""


class IdTagInfo(Wire, frozen=True):
    """The standing of a credential."""

    status: Authorisation
    expiry_date: str | None = None
    parent_id_tag: Text20 | None = None


class SampledValue(Wire, frozen=True):
    """One value; absent attributes have the defaults of the specification."""

    value: str
    context: Context | None = None
    format: Literal["Raw", "SignedData"] | None = None
    measurand: Measurand | None = None
    phase: Phase | None = None
    location: Location | None = None
    unit: Unit | None = None


class MeterValue(Wire, frozen=True):
    """The values of one moment."""

    timestamp: str | None = None
    sampled_value: tuple[SampledValue, ...] = ()


# --- station → CSMS


class BootNotification(Wire, frozen=True):
    """BootNotification.req (section 6.3)."""

    charge_point_vendor: Text20
    charge_point_model: Text20
    charge_point_serial_number: Text25 | None = None
    charge_box_serial_number: Text25 | None = None
    firmware_version: Text50 | None = None
    iccid: Text20 | None = None
    imsi: Text20 | None = None
    meter_type: Text25 | None = None
    meter_serial_number: Text25 | None = None


class BootNotificationAnswer(Wire, frozen=True):
    """BootNotification.conf (section 6.4)."""

    status: Literal["Accepted", "Pending", "Rejected"]
    current_time: str
    interval: Integer


class HeartbeatAnswer(Wire, frozen=True):
    """Heartbeat.conf (section 6.30)."""

    current_time: str


class StatusNotification(Wire, frozen=True):
    """StatusNotification.req (section 6.47)."""

    connector_id: Integer
    status: Status
    error_code: ErrorCode | None = None
    info: Text50 | None = None
    timestamp: str | None = None
    vendor_id: Text255 | None = None
    vendor_error_code: Text50 | None = None


class Authorize(Wire, frozen=True):
    """Authorize.req (section 6.1)."""

    id_tag: Text20


class AuthorizeAnswer(Wire, frozen=True):
    """Authorize.conf (section 6.2)."""

    id_tag_info: IdTagInfo


class StartTransaction(Wire, frozen=True):
    """StartTransaction.req (section 6.45)."""

    connector_id: Integer
    id_tag: Text20
    meter_start: Integer | None = None
    timestamp: str | None = None
    reservation_id: Integer | None = None


class StartTransactionAnswer(Wire, frozen=True):
    """StartTransaction.conf (section 6.46)."""

    transaction_id: Integer
    id_tag_info: IdTagInfo


class MeterValues(Wire, frozen=True):
    """MeterValues.req (section 6.31)."""

    connector_id: Integer
    transaction_id: Integer | None = None
    meter_value: tuple[MeterValue, ...] = ()


class StopTransaction(Wire, frozen=True):
    """StopTransaction.req (section 6.49)."""

    transaction_id: Integer
    meter_stop: Integer | None = None
    timestamp: str | None = None
    id_tag: Text20 | None = None
    reason: Reason | None = None
    transaction_data: tuple[MeterValue, ...] = ()


class StopTransactionAnswer(Wire, frozen=True):
    """StopTransaction.conf (section 6.50)."""

    id_tag_info: IdTagInfo | None = None


class DataTransfer(Wire, frozen=True):
    """DataTransfer.req (section 6.15); either side may send it."""

    vendor_id: Text255
    message_id: Text50 | None = None
    data: JsonText | None = None


class DataTransferAnswer(Wire, frozen=True):
    """DataTransfer.conf (section 6.16)."""

    status: Literal["Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"]
    data: str | None = None


class DiagnosticsStatusNotification(Wire, frozen=True):
    """DiagnosticsStatusNotification.req (section 6.17)."""

    status: Literal["Idle", "Uploaded", "UploadFailed", "Uploading"]


class FirmwareStatusNotification(Wire, frozen=True):
    """FirmwareStatusNotification.req (section 6.19)."""

    status: Literal[
        "Downloaded", "DownloadFailed", "Downloading", "Idle", "InstallationFailed", "Installing", "Installed"
    ]


# --- CSMS → station


class RemoteStartTransaction(Wire, frozen=True):
    """RemoteStartTransaction.req (section 6.33), without a charging profile."""

    id_tag: Text20
    connector_id: Integer | None = None


class RemoteStopTransaction(Wire, frozen=True):
    """RemoteStopTransaction.req (section 6.35)."""

    transaction_id: Integer


class TriggerMessage(Wire, frozen=True):
    """TriggerMessage.req (section 6.51)."""

    requested_message: RequestedMessage
    connector_id: Integer | None = None


class Reset(Wire, frozen=True):
    """Reset.req (section 6.39)."""

    type: Literal["Hard", "Soft"]


class ChangeConfiguration(Wire, frozen=True):
    """ChangeConfiguration.req (section 6.9)."""

    key: Text50
    value: Text500


class GetConfiguration(Wire, frozen=True):
    """GetConfiguration.req (section 6.23)."""

    key: tuple[Text50, ...] = ()


class KeyValue(Wire, frozen=True):
    """One configuration key (section 7)."""

    key: Text50
    readonly: bool
    value: Text500 | None = None


class GetConfigurationAnswer(Wire, frozen=True):
    """GetConfiguration.conf (section 6.24)."""

    configuration_key: tuple[KeyValue, ...] = ()
    unknown_key: tuple[Text50, ...] = ()


class UnlockConnector(Wire, frozen=True):
    """UnlockConnector.req (section 6.53)."""

    connector_id: Integer


class ChangeAvailability(Wire, frozen=True):
    """ChangeAvailability.req (section 6.7)."""

    connector_id: Integer
    type: Literal["Inoperative", "Operative"]


class AcceptingAnswer(Wire, frozen=True):
    """The answer to remote start and stop and to a reset."""

    status: Accepting


class ChangeAvailabilityAnswer(Wire, frozen=True):
    """ChangeAvailability.conf (section 6.8)."""

    status: Literal["Accepted", "Rejected", "Scheduled"]


class ChangeConfigurationAnswer(Wire, frozen=True):
    """ChangeConfiguration.conf (section 6.10)."""

    status: Literal["Accepted", "Rejected", "RebootRequired", "NotSupported"]


class TriggerMessageAnswer(Wire, frozen=True):
    """TriggerMessage.conf (section 6.52)."""

    status: Literal["Accepted", "Rejected", "NotImplemented"]


class UnlockConnectorAnswer(Wire, frozen=True):
    """UnlockConnector.conf (section 6.54)."""

    status: Literal["Unlocked", "UnlockFailed", "NotSupported"]
