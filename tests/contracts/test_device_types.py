"""The seed of the device types."""

import csv
from pathlib import Path

import pytest

import contracts
from contracts.codes import DeviceRole

SEED = Path(contracts.__file__).parent / "device_types.csv"
ROWS = {row["code"]: row for row in csv.DictReader(SEED.read_text("utf-8").splitlines())}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_a_row_speaks_the_language_of_the_code_lists(row: dict[str, str]) -> None:
    assert row["role"] in set(DeviceRole)
    assert row["serialised"] in {"true", "false"}
    assert row["connection"] in {"direct", "ct", ""}
    assert row["calibration_class"] in {"electronic", "ferraris", "transformer", "gateway", ""}


@pytest.mark.parametrize("row", [row for row in ROWS.values() if row["role"] == "meter"], ids=lambda row: row["code"])
def test_a_meter_has_every_market_characteristic(row: dict[str, str]) -> None:
    wanted = ["meter_type", "tariffs", "direction", "remote_switch", "mounting", "readout", "granularity", "digits"]
    assert [name for name in wanted if not row[name]] == []


def test_the_seed_rows_of_the_market_page_are_there() -> None:
    modern = ROWS["mme_1ph"]
    assert [modern[name] for name in ("meter_type", "tariffs", "direction", "remote_switch", "mounting")] == [
        "MME:::Z04", "ETZ", "ERZ", "Z07", "HUT",
    ]  # fmt: skip
    assert [modern[name] for name in ("readout", "granularity", "digits", "decimals")] == ["MMR", "ZD9", "6", "1"]
    assert ROWS["mme_3ph"]["mounting"] == "DPA"
    assert (ROWS["mme_3ph_2t"]["tariffs"], ROWS["mme_3ph_2d"]["direction"]) == ("ZTZ", "ZRZ")
    assert [ROWS[code]["bearer"] for code in ("smgw_lte", "lan_eth", "antenna_lte")] == ["LTE", "ETH", "LTE"]
    assert (ROWS["ct_150_5"]["transformer"], ROWS["ct_150_5"]["factor"]) == ("MIW", "30")
    assert ROWS["control_box"]["control"] == "TSU"
