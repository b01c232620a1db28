"""An import: how long it takes to say what would become of a file of orders, and what is written meanwhile."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from services.mdm_adapter.app import build
from services.mdm_adapter.settings import Settings
from tests.bench.child import Measured, main
from tests.services.mdm_adapter.scenes import Scene
from tests.services.mdm_adapter.sheets import BAD, MAPPING, as_csv, rows_of


async def run(rows: int) -> Measured:
    """From handing the file in until the report is there."""
    content = as_csv(rows_of(rows, BAD))
    with TemporaryDirectory() as folder:
        scene = await Scene.open(build, Path(folder), settings=Settings)
        async with scene.http("mdm") as client:
            began = time.perf_counter()
            query = {"kind": "orders", "partner": "erp-csv"}
            proposal = (await client.post("/v1/imports", params=query, content=content)).json()
            path = f"/v1/imports/{proposal['import_id']}/run"
            report = (await client.post(path, json={"mapping": MAPPING, "dry_run": True})).json()
            seconds = time.perf_counter() - began
        written = len(await scene.rows("orders"))
        await scene.close()
    expected = sum(number <= rows for number in BAD)
    if (report["accepted"], report["refused"], written) != (rows - expected, expected, 0):
        raise ValueError("the dry run did not say what it should")
    return {f"dry_run_{rows}_s": seconds}


if __name__ == "__main__":
    main(run)
