"""Identifiers of GS1 beside a check that is done another way: over the whole number, not for the last digit."""

from random import Random

import pytest

from contracts.codes import Scheme
from contracts.ids import is_gln, is_gsrn
from services.mdm_adapter.dialects.identifiers import party_findings, point_findings
from services.mdm_adapter.documents.values import MeteringPoint, Party
from services.mdm_adapter.partners.profile import StrictIds

STRICT = StrictIds(mp="reject")


def gs1_holds(number: str) -> bool:
    """Every second digit from the right, beginning with the one before the last, counts three times."""
    digits = [int(digit) for digit in number]
    return (sum(digits[::-1][0::2]) + 3 * sum(digits[::-1][1::2])) % 10 == 0


def luhn_holds(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[0::2]) + sum(doubled)) % 10 == 0


def drawn(length: int) -> list[str]:
    draw = Random(length)
    return [f"{draw.randrange(10**length):0{length}d}" for _ in range(10_000)]


def test_X06_ten_thousand_points_are_judged_as_gs1_says() -> None:
    ids = drawn(18)
    assert [is_gsrn(each) for each in ids] == [gs1_holds(each) for each in ids]
    found = [not list(point_findings(MeteringPoint(id=each, scheme=Scheme.GSRN), STRICT)) for each in ids]
    assert (found, 800 < sum(found) < 1200) == ([gs1_holds(each) for each in ids], True)


def test_X06_ten_thousand_parties_are_judged_as_gs1_says() -> None:
    ids = drawn(13)
    assert [is_gln(each) for each in ids] == [gs1_holds(each) for each in ids]
    assert all(not list(party_findings(Party(role="nb", id=each), STRICT)) for each in ids if gs1_holds(each))


def test_X06_points_that_only_fit_the_rule_of_luhn_fail() -> None:
    luhn_only = [each for each in drawn(18) if luhn_holds(each) and not gs1_holds(each)]
    codes = {
        found.code for each in luhn_only for found in point_findings(MeteringPoint(id=each, scheme=Scheme.GSRN), STRICT)
    }
    assert (len(luhn_only) > 500, codes, [is_gsrn(each) for each in luhn_only]) == (
        True,
        {"2.12"},
        [False] * len(luhn_only),
    )


@pytest.mark.parametrize(("point", "holds"), [("857643212345678921", False), ("857643212345678922", True)])
def test_X06_the_example_of_the_rule(point: str, holds: bool) -> None:
    assert (is_gsrn(point), gs1_holds(point)) == (holds, holds)
