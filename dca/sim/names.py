"""The Printer-MIB's and Host-Resources-MIB's numbers by name (RFC 3805 and its IANA module, RFC 2790)."""

from __future__ import annotations

__all__ = [
    "ALERT_CODE",
    "ALERT_GROUP",
    "CHARSET",
    "CODEC",
    "COVER_STATUS",
    "DEVICE_STATUS",
    "ERROR_BIT",
    "INPUT_TYPE",
    "MARK_TECH",
    "OUTPUT_TYPE",
    "PRINTER_STATUS",
    "SEVERITY",
    "SUPPLY_TYPE",
    "UNIT",
]

SUPPLY_TYPE = {
    "other": 1,
    "unknown": 2,
    "toner": 3,
    "wasteToner": 4,
    "ink": 5,
    "inkCartridge": 6,
    "inkRibbon": 7,
    "wasteInk": 8,
    "opc": 9,
    "developer": 10,
    "fuser": 15,
    "cleanerUnit": 18,
    "transferUnit": 20,
    "tonerCartridge": 21,
    "staples": 32,
}
"""PrtMarkerSuppliesTypeTC."""

UNIT = {
    "other": 1,
    "unknown": 2,
    "tenThousandthsOfInches": 3,
    "micrometers": 4,
    "impressions": 7,
    "sheets": 8,
    "tenthsOfGrams": 13,
    "tenthsOfMilliliters": 15,
    "feet": 16,
    "meters": 17,
    "items": 18,
    "percent": 19,
}
"""PrtMarkerSuppliesSupplyUnitTC, PrtMarkerCounterUnitTC and PrtCapacityUnitTC, which agree where they overlap."""

INPUT_TYPE = {"other": 1, "auto": 3, "fixed": 4, "manual": 5, "roll": 6}
"""PrtInputTypeTC: auto and fixed are the removable and the non-removable sheet-feed tray."""

OUTPUT_TYPE = {"removable": 3, "fixed": 4}
"""PrtOutputTypeTC."""

MARK_TECH = {"led": 3, "laser": 4, "inkjet": 12, "thermalTransfer": 16, "thermal": 17}
"""PrtMarkerMarkTechTC."""

COVER_STATUS = {"open": 3, "closed": 4, "interlockOpen": 5, "interlockClosed": 6}
"""PrtCoverStatusTC."""

SEVERITY = {"other": 1, "critical": 3, "warning": 4, "change": 5}
"""PrtAlertSeverityLevelTC."""

ALERT_GROUP = {"generalPrinter": 5, "cover": 6, "input": 8, "output": 9, "marker": 10, "supplies": 11, "mediaPath": 13}
"""PrtAlertGroupTC."""

ALERT_CODE = {
    "coverOpen": 3,
    "jam": 8,
    "powerSaver": 23,
    "ready": 507,
    "inputLow": 807,
    "inputEmpty": 808,
    "tonerEmpty": 1101,
    "inkEmpty": 1102,
    "ribbonEmpty": 1103,
    "tonerLow": 1104,
    "inkLow": 1105,
    "ribbonLow": 1106,
    "wasteTonerNearFull": 1107,
    "wasteInkNearFull": 1108,
    "wasteTonerFull": 1109,
    "wasteInkFull": 1110,
    "opcLow": 1111,
    "opcOver": 1112,
    "almostOver": 10,
    "over": 11,
}
"""PrtAlertCodeTC."""

PRINTER_STATUS = {"other": 1, "unknown": 2, "idle": 3, "printing": 4, "warmup": 5}
"""hrPrinterStatus."""

DEVICE_STATUS = {"unknown": 1, "running": 2, "warning": 3, "testing": 4, "down": 5}
"""hrDeviceStatus."""

ERROR_BIT = {
    "lowPaper": 0,
    "noPaper": 1,
    "lowToner": 2,
    "noToner": 3,
    "doorOpen": 4,
    "jammed": 5,
    "offline": 6,
    "serviceRequested": 7,
    "inputTrayEmpty": 13,
}
"""Bits of hrPrinterDetectedErrorState; bit 0 is the high bit of the first octet."""

CHARSET = {"utf-8": 106, "ascii": 3, "latin-1": 4, "latin-2": 5, "hp-roman8": 2004, "cp850": 2009}
"""IANA character sets as prtLocalizationCharacterSet numbers them."""

CODEC = {"latin-2": "iso8859-2"}
"""Python's name of a character set where it is another one."""
