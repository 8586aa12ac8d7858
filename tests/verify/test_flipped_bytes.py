"""Whatever is changed in an export is found, and the line that was changed is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.verify import GENESIS, verify
from tests.verify.exports import long, many_wallets, parsed, small, types


def _lines(text: bytes) -> list[bytes]:
    return [line + b"\n" for line in text.removesuffix(b"\n").split(b"\n")]


def _found_at(text: bytes) -> int | None:
    broken = verify(_lines(text)).broken
    return broken[0].line if broken else None


def test_real_exports_are_sound():
    for export in (small(), long(), many_wallets()):
        report = verify(export)

        assert report.broken == ()
        assert report.entries == len(export)

    assert len(types(long())) == 16


@pytest.mark.parametrize("flip", [1 << bit for bit in range(8)])
def test_every_bit_of_every_byte(flip):
    """The last newline is no part of any entry; without it the file says the same."""
    text = b"".join(small())

    missed = []
    line = 1
    for place in range(len(text) - 1):
        changed = text[:place] + bytes([text[place] ^ flip]) + text[place + 1 :]
        if _found_at(changed) != line:
            missed.append((place, line, changed[place]))
        line += text[place] == ord("\n")

    assert missed == []


@pytest.mark.parametrize("byte", [b" ", b"\n", b'"', b"0", b"\\", b"\x00", b"\xff"], ids=repr)
def test_every_byte_replaced_by_another_and_every_place_with_one_more(byte):
    text = b"".join(small())

    missed = []
    for place in range(len(text) - 1):
        replaced = text[:place] + byte + text[place + 1 :]
        if replaced != text and _found_at(replaced) is None:
            missed.append(("replaced", place))
        if _found_at(text[:place] + byte + text[place:]) is None:
            missed.append(("inserted", place))

    assert missed == []


@given(data=st.data())
def test_any_piece_replaced_by_any_other(data):
    text = b"".join(long())
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    # Pieces of the export itself are the likeliest to go unseen.
    own = st.integers(0, len(text) - 1).map(lambda at: text[at : at + end - start])
    piece = data.draw(st.one_of(own, st.binary(max_size=12)))

    changed = text[:start] + piece + text[end:]
    report = verify(_lines(changed), head=parsed(long())[-1]["hash"])

    same = sorted(_lines(changed)) == sorted(_lines(text))
    assert (report.broken == ()) is same


@given(st.permutations(long()))
def test_any_order_of_lines_is_sound(lines):
    report = verify(lines)

    assert report.broken == ()
    assert report.wallets[0].head == parsed(long())[-1]["hash"]


@pytest.mark.parametrize("gone", range(len(long()) - 1))
def test_a_line_that_is_missing_is_named_by_its_number(gone):
    """All but the newest: that one shows only beside the head."""
    lines = list(reversed(long()))
    del lines[gone]

    (first, *_) = verify(lines).broken

    assert first.what == f"stands where number {gone + 1} should: it is missing"
    assert first.seq == gone + 2


@pytest.mark.parametrize("count", range(1, len(long())))
def test_missing_newest_lines_show_beside_the_head(count):
    head = parsed(long())[-1]["hash"]
    rest = long()[count:]

    assert verify(long(), head=head).broken == ()
    assert verify(rest).broken == ()
    (broken,) = verify(rest, head=head).broken
    assert broken.seq == len(long()) - count
    assert "newer ones are missing" in broken.what


def test_an_empty_file_is_not_the_export_of_a_wallet_with_a_head():
    head = parsed(long())[-1]["hash"]

    (broken,) = verify([], head=head).broken

    assert head != GENESIS
    assert "there are no entries" in broken.what


@pytest.mark.parametrize("twice", range(len(long())))
def test_a_line_that_is_there_twice_is_named(twice):
    lines = list(reversed(long()))
    lines.insert(twice, lines[twice])

    (first,) = verify(lines).broken

    assert first.what == "is there twice"
    assert first.seq == twice + 1
    assert first.line == twice + 2


def test_one_wallet_of_many_is_named():
    lines = list(many_wallets())
    place = next(place for place, line in enumerate(lines) if b'"seq":3,' in line)
    lines[place] = lines[place].replace(b'"seq":3,', b'"seq":4,')

    (broken,) = verify(lines).broken

    assert broken.line == place + 1
    assert broken.what == "does not have the hash that it says it has"
