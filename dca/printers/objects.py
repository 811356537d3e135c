"""The standard objects that are read: MIB-II, HOST-RESOURCES-MIB, Printer-MIB and the PWG port monitor MIB.

RFC 1213, RFC 2790, RFC 3805, PWG 5107.1, all as octets. Scalars end in their instance, columns do not.
"""

from __future__ import annotations

from dca.snmp.oids import oid

_HR_DEVICE = "1.3.6.1.2.1.25.3.2.1"
_HR_PRINTER = "1.3.6.1.2.1.25.3.5.1"
_PRT = "1.3.6.1.2.1.43"

SYS_DESCR = oid("1.3.6.1.2.1.1.1.0")
SYS_OBJECT_ID = oid("1.3.6.1.2.1.1.2.0")
SYS_UPTIME = oid("1.3.6.1.2.1.1.3.0")
SYS_NAME = oid("1.3.6.1.2.1.1.5.0")
SYS_LOCATION = oid("1.3.6.1.2.1.1.6.0")

IF_TYPE = oid("1.3.6.1.2.1.2.2.1.3")
IF_PHYS_ADDRESS = oid("1.3.6.1.2.1.2.2.1.6")

HR_DEVICE_TYPE = oid(f"{_HR_DEVICE}.2")
HR_DEVICE_DESCR = oid(f"{_HR_DEVICE}.3")
HR_DEVICE_PRINTER = oid("1.3.6.1.2.1.25.3.1.5")
"""The value of hrDeviceType that says: a printer."""
HR_PRINTER_STATUS = oid(f"{_HR_PRINTER}.1")
HR_PRINTER_ERRORS = oid(f"{_HR_PRINTER}.2")

PRINTER_MIB = oid(_PRT)
PRT_GENERAL = oid(f"{_PRT}.5.1.1")
PRT_LOCALIZATION = oid(f"{_PRT}.5.1.1.2")
PRT_NAME = oid(f"{_PRT}.5.1.1.16")
PRT_SERIAL = oid(f"{_PRT}.5.1.1.17")
PRT_CHARSET = oid(f"{_PRT}.7.1.1.4")

COVER_DESCR = oid(f"{_PRT}.6.1.1.2")
COVER_STATUS = oid(f"{_PRT}.6.1.1.3")

INPUT_UNIT = oid(f"{_PRT}.8.2.1.8")
INPUT_CAPACITY = oid(f"{_PRT}.8.2.1.9")
INPUT_LEVEL = oid(f"{_PRT}.8.2.1.10")
INPUT_MEDIA = oid(f"{_PRT}.8.2.1.12")
INPUT_NAME = oid(f"{_PRT}.8.2.1.13")
INPUT_DESCR = oid(f"{_PRT}.8.2.1.18")

OUTPUT_UNIT = oid(f"{_PRT}.9.2.1.3")
OUTPUT_CAPACITY = oid(f"{_PRT}.9.2.1.4")
OUTPUT_ROOM = oid(f"{_PRT}.9.2.1.5")
OUTPUT_NAME = oid(f"{_PRT}.9.2.1.7")
OUTPUT_DESCR = oid(f"{_PRT}.9.2.1.12")

MARKER_UNIT = oid(f"{_PRT}.10.2.1.3")
MARKER_LIFE = oid(f"{_PRT}.10.2.1.4")

SUPPLY_COLORANT = oid(f"{_PRT}.11.1.1.3")
SUPPLY_CLASS = oid(f"{_PRT}.11.1.1.4")
SUPPLY_TYPE = oid(f"{_PRT}.11.1.1.5")
SUPPLY_DESCR = oid(f"{_PRT}.11.1.1.6")
SUPPLY_UNIT = oid(f"{_PRT}.11.1.1.7")
SUPPLY_CAPACITY = oid(f"{_PRT}.11.1.1.8")
SUPPLY_LEVEL = oid(f"{_PRT}.11.1.1.9")
COLORANT_VALUE = oid(f"{_PRT}.12.1.1.4")

CONSOLE_TEXT = oid(f"{_PRT}.16.5.1.2")

ALERT_SEVERITY = oid(f"{_PRT}.18.1.1.2")
ALERT_GROUP = oid(f"{_PRT}.18.1.1.4")
ALERT_GROUP_INDEX = oid(f"{_PRT}.18.1.1.5")
ALERT_CODE = oid(f"{_PRT}.18.1.1.7")
ALERT_TEXT = oid(f"{_PRT}.18.1.1.8")
ALERT_TIME = oid(f"{_PRT}.18.1.1.9")

PWG_DEVICE_ID = oid("1.3.6.1.4.1.2699.1.2.1.2.1.1.3.1")
"""ppmPortIEEE1284DeviceId of the first port."""
HP_DEVICE_ID = oid("1.3.6.1.4.1.11.2.3.9.1.1.7.0")
"""HP's, and answered by many other makes."""
BROTHER_DEVICE_ID = oid("1.3.6.1.4.1.2435.2.3.9.1.1.7.0")
KYOCERA_DEVICE_ID = oid("1.3.6.1.4.1.1347.40.1.1.1.8.1")
EPSON_DEVICE_ID = oid("1.3.6.1.4.1.1248.1.2.2.1.1.1.1.1")
DEVICE_IDS = (PWG_DEVICE_ID, HP_DEVICE_ID, BROTHER_DEVICE_ID, KYOCERA_DEVICE_ID, EPSON_DEVICE_ID)

FIRST = b"\x01"
"""The index octets of hrDeviceIndex 1, which nearly every printer is."""

IDENTITY = (
    SYS_DESCR,
    SYS_OBJECT_ID,
    SYS_UPTIME,
    SYS_NAME,
    SYS_LOCATION,
    HR_DEVICE_TYPE + FIRST,
    HR_DEVICE_DESCR + FIRST,
    HR_PRINTER_STATUS + FIRST,
    HR_PRINTER_ERRORS + FIRST,
    PRT_LOCALIZATION + FIRST,
    PRT_NAME + FIRST,
    PRT_SERIAL + FIRST,
    PRT_CHARSET + b"\x01\x01",
    *DEVICE_IDS,
)
"""What the first GET of a device asks for."""

SUPPLY_COLUMNS = (
    SUPPLY_COLORANT,
    SUPPLY_CLASS,
    SUPPLY_TYPE,
    SUPPLY_DESCR,
    SUPPLY_UNIT,
    SUPPLY_CAPACITY,
    SUPPLY_LEVEL,
    COLORANT_VALUE,
)
MARKER_COLUMNS = (MARKER_UNIT, MARKER_LIFE)
INPUT_COLUMNS = (INPUT_UNIT, INPUT_CAPACITY, INPUT_LEVEL, INPUT_MEDIA, INPUT_NAME, INPUT_DESCR)
OUTPUT_COLUMNS = (OUTPUT_UNIT, OUTPUT_CAPACITY, OUTPUT_ROOM, OUTPUT_NAME, OUTPUT_DESCR)
COVER_COLUMNS = (COVER_DESCR, COVER_STATUS)
CONSOLE_COLUMNS = (CONSOLE_TEXT,)
ALERT_COLUMNS = (ALERT_SEVERITY, ALERT_GROUP, ALERT_GROUP_INDEX, ALERT_CODE, ALERT_TEXT, ALERT_TIME)
INTERFACE_COLUMNS = (IF_TYPE, IF_PHYS_ADDRESS)
DEVICE_COLUMNS = (HR_DEVICE_TYPE, HR_DEVICE_DESCR, HR_PRINTER_STATUS, HR_PRINTER_ERRORS, PRT_SERIAL)
"""Asked where the printer is not hrDeviceIndex 1."""
