"""Real readers, by way of the PC/SC service that each system has (Windows, macOS) or can have (Linux: pcscd).

The binding (`pyscard`) is an extra and is imported at the first look at a reader; a computer without it, or
without the service, is told so by `ReaderServiceAbsent` and runs everything else.

Source: PC/SC workgroup, Interoperability Specification, parts 5 and 10; [MS-RDPESC] 2.2.8 for the numbers.
"""

from __future__ import annotations

from cardkit.pcsc.check import ReaderCheck, Verdict, check_reader
from cardkit.pcsc.reader import PcscReader
from cardkit.pcsc.readers import PcscReaders

__all__ = ["PcscReader", "PcscReaders", "ReaderCheck", "Verdict", "check_reader"]
