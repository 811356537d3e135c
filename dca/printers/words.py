"""What the words of a description say about a supply, in the languages that panels are set to.

A device's own codes come first (colorant table, supply type); the words settle it where those are missing, and a
colour word wins over the colorant table, for some devices list colorants in another order than supplies.
"""

from __future__ import annotations

from functools import lru_cache

__all__ = ["color_of", "type_of"]

_COLORS: dict[str, str] = {
    word: color
    for color, words in {
        "black": "black bk schwarz noir nero negro negra preto preta zwart svart sort musta czarny czarna fekete černá "
        "černý siyah чёрный черный чорний",
        "cyan": "cyan cian ciano cyjan syaani azurová camgöbeği голубой циан блакитний",
        "magenta": "magenta macenta purppura purpurová пурпурный маджента пурпуровий",
        "yellow": "yellow gelb jaune giallo amarillo amarelo geel gul keltainen żółty żółta sárga žlutá sar\u0131 "
        "жёлтый желтый жовтий",
        "gray": "gray grey grau gris grigio cinza",
        "red": "red rot rouge rosso rojo",
        "blue": "blue blau bleu azul",
        "green": "green grün vert verde",
        "orange": "orange",
        "violet": "violet",
        "white": "white",
        "clear": "clear",
    }.items()
    for word in words.split()
}
_CJK_COLORS = (
    ("black", ("黑", "黒", "ブラック", "검정", "검은")),
    ("cyan", ("青", "シアン", "시안", "靛")),
    ("magenta", ("洋紅", "洋红", "品红", "品紅", "マゼンタ", "마젠타", "紅")),
    ("yellow", ("黃", "黄", "イエロー", "옐로", "노랑")),
)
_SHADES = {"light": "light", "photo": "photo", "matte": "matte", "hell": "light"}
_NO_COLOR = frozenset({"other", "unknown", "none", "na"})
_TYPES = {
    kind: tuple(signs.split("|"))
    for kind, signs in {
        "waste_ink": "waste ink|maintenance box|maintenance cartridge|maintenance tank|wartungsbox",
        "waste_toner": "waste|resttoner|tonerabfall|altes toner|usagé|residu|scarto|odpad|отработ|"
        "廢棄|废粉|廃トナー|回收|폐토너|tonersammler|toner collection|receptacle",
        "developer": "developer|entwickler|développeur|revelador|現像|显影|顯影",
        "opc": "drum|photoconductor|photoconductive|imaging unit|image unit|tambour|trommel|tamburo|tambor|bęben|"
        "барабан|ドラム|感光|鼓|드럼",
        "fuser": "fuser|fusing|fixing|fixier|fusor|fusion|fusore|термо|定着|定影|정착",
        "transfer_unit": "transfer|belt|übertragung|転写|转印|轉印|전사",
        "staples": "staple|heftklammer|agrafe|針",
        "cleaner_unit": "cleaner|cleaning|clean |reinigung",
        "ink_ribbon": "ribbon|farbband",
        "ink": "ink|tinte|encre|inchiostro|tinta|чернил|インク|墨水",
        "toner": "toner|тонер|トナー|碳粉|墨粉|토너|print cartridge",
    }.items()
}
"""The first that fits counts: a waste toner box is no toner."""
_BREAKS = str.maketrans(dict.fromkeys("()[]{},;:/+_-.\"'", " "))


@lru_cache(maxsize=4096)
def color_of(description: str, colorant: str) -> str:
    """Return the colour, e.g. black or light_cyan; "" when neither the words nor the colorant table tell it."""
    return _color_word(description) or _color_word(colorant) or _unusual(colorant)


def _color_word(found: str) -> str:
    words = found.lower().translate(_BREAKS).split()
    for at, word in enumerate(words):
        color = _COLORS.get(word)
        if color:
            shade = _SHADES.get(words[at - 1], "") if at else ""
            return f"{shade}_{color}" if shade else color
    if not found.isascii():
        for color, signs in _CJK_COLORS:
            if any(sign in found for sign in signs):
                return color
    return ""


def _unusual(colorant: str) -> str:
    """Return a colorant that has no common name, such as ``spot1``, as it is."""
    plain = colorant.strip().lower()
    return plain.replace(" ", "_") if plain.isascii() and 2 < len(plain) <= 24 and plain not in _NO_COLOR else ""  # noqa: PLR2004


@lru_cache(maxsize=4096)
def type_of(description: str) -> str:
    """Return the type that the words tell, of PrtMarkerSuppliesTypeTC; "" for none."""
    words = description.lower()
    for kind, signs in _TYPES.items():
        if any(sign in words for sign in signs):
            return kind
    return ""
