"""Card numbers at rest and card keys: sealing, matching, masking, and the one door to Triple DES."""

from tapwatt.rails.keys.canary import forms, leaks
from tapwatt.rails.keys.pan import PanCipher, UnableToOpen, mask
from tapwatt.rails.keys.stored import UnableToRestore, open_message, seal_message

__all__ = [
    "PanCipher",
    "UnableToOpen",
    "UnableToRestore",
    "forms",
    "leaks",
    "mask",
    "open_message",
    "seal_message",
]
