"""A complete PIV card in software, for tests, the demo and everybody without a reader.

It is a stand-in and says so in its files and in its attestation; it meets what foreign tools demand of a PIV
card, in a strict mode (the standard and nothing else) and in an extended one (with Yubico's additions). It
protects nothing: its file is readable text.
"""

from __future__ import annotations

from cardkit.virtual.attestation import AttestationRoot, make_test_attestation_root
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.keys import KeySource, generate_private_key, pooled_keys
from cardkit.virtual.making import make_blank_card, make_uzi_like_card
from cardkit.virtual.reader import VirtualReader, VirtualReaders
from cardkit.virtual.state import ATR_NIST, ATR_YUBIKEY, CardState, Mode
from cardkit.virtual.store import CardFile

__all__ = [
    "ATR_NIST",
    "ATR_YUBIKEY",
    "AttestationRoot",
    "CardFile",
    "CardState",
    "KeySource",
    "Mode",
    "VirtualCard",
    "VirtualReader",
    "VirtualReaders",
    "generate_private_key",
    "make_blank_card",
    "make_test_attestation_root",
    "make_uzi_like_card",
    "pooled_keys",
]
