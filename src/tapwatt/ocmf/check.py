"""The whole way: a file's documents and a key in, the verdict and what was read out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tapwatt.ocmf.billing import Judged, Verdict, judge, refused
from tapwatt.ocmf.codec import UnableToReadOcmf, read_record
from tapwatt.ocmf.container import Signed
from tapwatt.ocmf.keys import KeyRegister, MeterKey, read_key
from tapwatt.ocmf.messages import Record
from tapwatt.ocmf.verify import verify, verify_with_register


class NoKey(ValueError):
    """A signature can only be judged with a key, and there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The verdict on a transaction's documents, and their records as far as they can be read."""

    verdict: Verdict
    records: tuple[Record, ...]


def check(
    signed: Sequence[Signed], *, key: MeterKey | None = None, register: KeyRegister | None = None
) -> Checked:
    """Check one transaction's documents by a key that is vouched for, by a register, or by their own keys.

    Keys that came with the documents prove that nothing was changed, not who signed: they never make energy
    billable. Raises NoKey, UnableToReadKey, UnableToJudge, and UnableToReadOcmf for a signed payload that
    makes no sense.
    """
    judged, unreadable = [], ""
    for each in signed:
        try:
            record = read_record(each.document.payload)
        except UnableToReadOcmf:
            if key is None and register is not None:  # no serial to find the key by
                raise
            # Bytes that were changed may be JSON no longer: then it is the signature that answers.
            finding = verify(each.document, key or _own_key(each))
            if finding.valid:
                raise
            unreadable = f"{finding.reason}, and the payload cannot be read"
            continue
        if key is None and register is not None:
            finding = verify_with_register(each.document, record, register)
        else:
            finding = verify(each.document, key or _own_key(each))
        known = key is not None or register is not None
        judged.append(Judged(record=record, finding=finding, key_known=known))
    verdict = refused(unreadable) if unreadable else judge(judged)
    return Checked(verdict=verdict, records=tuple(each.record for each in judged))


def _own_key(signed: Signed) -> MeterKey:
    if not signed.key_text:
        raise NoKey("no key is given, and none came with the documents")
    return read_key(signed.key_text)
