from __future__ import annotations

import itertools
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dca.contract.codes import NO_PIN, PIN_BYTES, Code, make_code, pin_of

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PINS = st.binary(min_size=PIN_BYTES, max_size=PIN_BYTES)
CODES = st.builds(
    lambda pin, seed: make_code(pin, lambda size: bytes(seed[at % len(seed)] for at in range(size))),
    PINS,
    st.binary(min_size=16, max_size=16),
)


def plain(code: Code) -> str:
    return code.text().reveal().replace("-", "")


@given(CODES)
def test_what_is_written_is_read_again(code: Code) -> None:
    read = Code.parse(code.text().reveal())
    assert (read.id, read.pin, read.secret.reveal()) == (code.id, code.pin, code.secret.reveal())
    assert read.digest() == code.digest()
    assert len(code.text().reveal()) == 59


@given(CODES, st.data())
def test_it_is_read_as_people_type_it(code: Code, data: st.DataObject) -> None:
    typed = "".join(
        data.draw(st.sampled_from({"0": "0Oo", "1": "1IiLl"}.get(character, character + character.lower())))
        + data.draw(st.sampled_from(["", "", "-", " ", "\t", "\r\n"]))
        for character in plain(code)
    )
    assert Code.parse(typed).text().reveal() == code.text().reveal()


@given(CODES)
def test_every_wrong_character_and_every_swap_of_neighbours_is_found(code: Code) -> None:
    text = plain(code)
    for at, wrong in itertools.product(range(len(text)), ALPHABET):
        if wrong != text[at]:
            with pytest.raises(ValueError, match="mistyped"):
                Code.parse(text[:at] + wrong + text[at + 1 :])
    for at in range(len(text) - 1):
        if text[at] != text[at + 1]:
            with pytest.raises(ValueError, match="mistyped"):
                Code.parse(text[:at] + text[at + 1] + text[at] + text[at + 2 :])


@given(st.text(max_size=80) | st.text(st.sampled_from(string.ascii_letters + string.digits + "-"), max_size=60))
def test_what_is_no_code_is_refused_in_words_that_do_not_repeat_it(text: str) -> None:
    with pytest.raises(ValueError, match="activation code") as caught:
        Code.parse(text)
    assert len(text) < 4 or text not in str(caught.value)


@pytest.mark.parametrize("text", ["0" * 50, "", "-" * 50, "U" * 50, "Z" * 50, "ẞ" * 25, "\uff11" * 50])
def test_the_simplest_texts_are_no_codes(text: str) -> None:
    with pytest.raises(ValueError, match="activation code"):
        Code.parse(text)


def test_the_secret_shows_nowhere() -> None:
    code = make_code(NO_PIN)
    secret = code.secret.reveal()
    shown = f"{code!r} {code} {code.text()!r} {code.text()} {vars(code)} {code.digest().hex()}"
    assert secret not in shown
    assert code.text().reveal() not in shown
    assert code.id in repr(code)
    with pytest.raises(ValueError, match="mistyped") as caught:
        Code.parse(plain(code)[:-1] + ("0" if plain(code)[-1] != "0" else "1"))
    assert secret not in f"{caught.value!r}"


def test_codes_are_not_made_alike() -> None:
    made = [make_code(NO_PIN) for _ in range(500)]
    assert len({code.id for code in made}) == len({code.secret.reveal() for code in made}) == 500


def test_the_pin_is_that_of_one_certificate() -> None:
    certificate = b"some certificate"
    code = make_code(pin_of(certificate))
    assert code.fits(certificate)
    assert not code.fits(certificate + b"\0")
    assert not make_code(NO_PIN).fits(certificate)


def test_the_digest_is_of_name_and_secret_and_not_of_the_pin() -> None:
    code = make_code(NO_PIN)
    assert Code(code.id, pin_of(b"x"), code.secret).digest() == code.digest()
    assert Code(make_code(NO_PIN).id, NO_PIN, code.secret).digest() != code.digest()
