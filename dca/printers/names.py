"""The numbers of the MIBs by name: enumerations of RFC 2790 and RFC 3805 in snake_case."""

from __future__ import annotations

__all__ = [
    "ALERT_GROUPS",
    "ALERT_SEVERITIES",
    "COVER_STATES",
    "PRINTER_STATES",
    "SUPPLY_TYPES",
    "SUPPLY_UNITS",
    "TRAY_UNITS",
    "error_names",
]

PRINTER_STATES = {1: "other", 2: "unknown", 3: "idle", 4: "printing", 5: "warmup"}
"""hrPrinterStatus."""

_ERRORS = (
    "low_paper",
    "no_paper",
    "low_toner",
    "no_toner",
    "door_open",
    "jammed",
    "offline",
    "service_requested",
    "input_tray_missing",
    "output_tray_missing",
    "marker_supply_missing",
    "output_near_full",
    "output_full",
    "input_tray_empty",
    "overdue_prevent_maint",
)

SUPPLY_TYPES = dict(
    enumerate(
        (
            *("other", "unknown", "toner", "waste_toner", "ink", "ink_cartridge", "ink_ribbon", "waste_ink", "opc"),
            *("developer", "fuser_oil", "solid_wax", "ribbon_wax", "waste_wax", "fuser", "corona_wire"),
            *("fuser_oil_wick", "cleaner_unit", "fuser_cleaning_pad", "transfer_unit", "toner_cartridge"),
            *("fuser_oiler", "water", "waste_water", "glue_water_additive", "waste_paper", "binding_supply"),
            *("banding_supply", "stitching_wire", "shrink_wrap", "paper_wrap", "staples", "inserts", "covers"),
        ),
        start=1,
    )
)
"""PrtMarkerSuppliesTypeTC."""

SUPPLY_UNITS = {
    1: "other",
    2: "unknown",
    3: "ten_thousandths_of_inches",
    4: "micrometers",
    5: "characters",
    6: "lines",
    7: "impressions",
    8: "sheets",
    9: "dot_row",
    11: "hours",
    12: "thousandths_of_ounces",
    13: "tenths_of_grams",
    14: "hundredths_of_fluid_ounces",
    15: "tenths_of_milliliters",
    16: "feet",
    17: "meters",
    18: "items",
    19: "percent",
}
"""PrtMarkerSuppliesSupplyUnitTC and PrtMarkerCounterUnitTC, which agree where they meet."""

TRAY_UNITS = {3: "ten_thousandths_of_inches", 4: "micrometers", 8: "sheets", 16: "feet", 17: "meters"} | {
    18: "items",
    19: "percent",
}
"""PrtCapacityUnitTC."""

COVER_STATES = {
    1: "other",
    2: "unknown",
    3: "cover_open",
    4: "cover_closed",
    5: "interlock_open",
    6: "interlock_closed",
}
"""PrtCoverStatusTC."""

ALERT_SEVERITIES = {1: "other", 3: "critical", 4: "warning", 5: "warning_binary_change_event"}
"""PrtAlertSeverityLevelTC."""

ALERT_GROUPS = {
    1: "other",
    3: "storage",
    4: "device",
    5: "general_printer",
    6: "cover",
    7: "localization",
    8: "input",
    9: "output",
    10: "marker",
    11: "marker_supplies",
    12: "marker_colorant",
    13: "media_path",
    14: "channel",
    15: "interpreter",
    16: "console_display_buffer",
    17: "console_lights",
    18: "alert",
    30: "fin_device",
    31: "fin_supply",
    32: "fin_supply_media_input",
    33: "fin_attribute",
}
"""PrtAlertGroupTC."""


def _of_octet(octet: int, first: int) -> tuple[str, ...]:
    return tuple(name for bit, name in enumerate(_ERRORS[first : first + 8]) if octet & 0x80 >> bit)


_FIRST_OCTET = tuple(_of_octet(octet, 0) for octet in range(256))
_SECOND_OCTET = tuple(_of_octet(octet, 8) for octet in range(256))


def error_names(octets: bytes) -> list[str]:
    """Return the names of the bits that are set in hrPrinterDetectedErrorState; bit 0 is the first octet's highest.

    One octet, two octets and none are all in use. Octets are never stripped: 0x20 is a blank, and low toner.
    """
    if not octets:
        return []
    first = _FIRST_OCTET[octets[0]]
    return [*first, *_SECOND_OCTET[octets[1]]] if len(octets) > 1 else list(first)
