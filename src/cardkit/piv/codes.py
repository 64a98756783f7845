"""Numbers of the PIV standard and of the extensions that YubiKeys add to it.

Source: SP 800-73-4 part 1 (objects, key references) and part 2 (commands), SP 800-78-4 table 6-2
(algorithms); the extensions are published by Yubico under "PIV".
"""

from __future__ import annotations

from typing import Final

from cardkit.card import KeyAlgorithm, KeySlot, PinPolicy, TouchPolicy
from cardkit.secrets import ManagementKeyKind

# SP 800-73-4 part 1, 2.2: the AID of the PIV application, and how much of it names it whatever its version.
PIV_AID: Final = bytes.fromhex("A000000308000010000100")
PIV_AID_WITHOUT_VERSION: Final = PIV_AID[:9]

# SP 800-73-4 part 2, table 2: instructions.
SELECT: Final = 0xA4
GET_DATA: Final = 0xCB
VERIFY: Final = 0x20
CHANGE_REFERENCE: Final = 0x24
RESET_RETRY: Final = 0x2C
GENERAL_AUTHENTICATE: Final = 0x87
PUT_DATA: Final = 0xDB
GENERATE: Final = 0x47
GET_RESPONSE: Final = 0xC0

# Yubico's extensions.
SET_MANAGEMENT_KEY: Final = 0xFF
IMPORT_KEY: Final = 0xFE
GET_VERSION: Final = 0xFD
VERSION_BYTES: Final = 3
RESET: Final = 0xFB
SET_RETRIES: Final = 0xFA
ATTEST: Final = 0xF9
GET_SERIAL: Final = 0xF8
GET_METADATA: Final = 0xF7

# SP 800-73-4 part 1, table 4b: key references; Yubico's F9 holds the key that attests.
PIN_REFERENCE: Final = 0x80
PUK_REFERENCE: Final = 0x81
MANAGEMENT_REFERENCE: Final = 0x9B
CARD_AUTHENTICATION_REFERENCE: Final = 0x9E
ATTESTATION_REFERENCE: Final = 0xF9

# SP 800-73-4 part 2, table 7 (dynamic authentication template) and 3.3.2 (key template).
DYNAMIC_AUTHENTICATION: Final = 0x7C
WITNESS: Final = 0x80
CHALLENGE: Final = 0x81
RESPONSE: Final = 0x82
EXPONENTIATION: Final = 0x85
GENERATE_TEMPLATE: Final = 0xAC
ALGORITHM: Final = 0x80
PUBLIC_KEY: Final = 0x7F49
MODULUS: Final = 0x81
EXPONENT: Final = 0x82
POINT: Final = 0x86
PIN_POLICY: Final = 0xAA
TOUCH_POLICY: Final = 0xAB

# SP 800-73-4 part 1, table 3: data objects.
OBJECT_NAME: Final = 0x5C
OBJECT_DATA: Final = 0x53
CHUID_OBJECT: Final = 0x5FC102
ATTESTATION_CERTIFICATE_OBJECT: Final = 0x5FFF01
DISCOVERY_OBJECT: Final = 0x7E
CERTIFICATE_OBJECTS: Final = {
    KeySlot.authentication: 0x5FC105,
    KeySlot.signature: 0x5FC10A,
    KeySlot.confidentiality: 0x5FC10B,
}

# Yubico: tags of the metadata answer.
META_ALGORITHM: Final = 0x01
META_POLICY: Final = 0x02
META_ORIGIN: Final = 0x03
META_PUBLIC_KEY: Final = 0x04
META_IS_DEFAULT: Final = 0x05
META_RETRIES: Final = 0x06

ALGORITHM_CODES: Final = {
    KeyAlgorithm.rsa2048: 0x07,
    KeyAlgorithm.rsa3072: 0x05,
    KeyAlgorithm.rsa4096: 0x16,
    KeyAlgorithm.p256: 0x11,
    KeyAlgorithm.p384: 0x14,
}
MANAGEMENT_CODES: Final = {
    ManagementKeyKind.tdes: 0x03,
    ManagementKeyKind.aes128: 0x08,
    ManagementKeyKind.aes192: 0x0A,
    ManagementKeyKind.aes256: 0x0C,
}
PIN_POLICY_CODES: Final = {PinPolicy.never: 1, PinPolicy.once: 2, PinPolicy.always: 3}
TOUCH_POLICY_CODES: Final = {TouchPolicy.never: 1, TouchPolicy.always: 2, TouchPolicy.cached: 3}
