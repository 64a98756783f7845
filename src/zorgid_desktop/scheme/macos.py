"""The scheme on macOS: a bundle says in its Info.plist which links it opens, and the system reads that.

Source: Apple, "Defining a custom URL scheme for your app"; Launch Services keys, CFBundleURLTypes.
"""

from typing import Any, Final

from zorgid.protocol.links import SCHEME

BUNDLE_ID: Final = "nl.zorg-id.desktop"


def info_plist() -> dict[str, Any]:
    """Return what the packaged bundle adds to its Info.plist."""
    return {
        "CFBundleURLTypes": [
            {"CFBundleURLName": BUNDLE_ID, "CFBundleURLSchemes": [SCHEME], "CFBundleTypeRole": "Viewer"}
        ],
        "LSMultipleInstancesProhibited": True,
        "NSHighResolutionCapable": True,
    }
