"""Every fault of the simulator against a whole upload."""

import re
from pathlib import Path

import pytest

from cashin_async.simulator.faults import describe
from tests.engine.conftest import FIRST, MakeBench

LOST = ["drop-before", "drop-after", "500-before", "500-after", "501-before", "502-before", "502-after", "503-before"]
LOST += ["503-after", "504-before", "504-after", "507-after", "520-after", "hang-before", "hang-after", "garbage"]
LOST += ["truncated", "not-http", "wrong-json", "empty", "miscount=1", "miscount=-1", "miscount-failed=1"]
LOST += ["status=408", "status=409", "status=418", "status=200", "status=204", "status-after=201", "status-after=302"]
LOST += ["status=404", "status=405", "status=407", "status=301", "status=402", "status=422", "apply-late=0.05"]


@pytest.mark.parametrize("fault", LOST)
async def test_what_proves_nothing_leaves_its_chunk_unknown(bench: MakeBench, fault: str) -> None:
    table = await bench(f"{fault}@4")
    report = await table.upload()
    assert (report.accepted, report.unknown, report.exit_code) == (900, 100, 3)
    assert all(failure.reason for failure in report.failures)


@pytest.mark.parametrize("form", ["object", "camel", "snake", "nested", "number", "string", "sentence"])
async def test_failures_named_in_any_form_are_tied_to_their_invoices(bench: MakeBench, form: str) -> None:
    named = {FIRST + 5, FIRST + 500, FIRST + 555}
    table = await bench(f"fail-{form}={','.join(map(str, named))}")
    report = await table.upload()
    assert (report.accepted, report.rejected, report.unknown) == (997, 3, 0)
    assert {failure.number for failure in report.failures} == named


@pytest.mark.parametrize("form", ["anonymous", "index"])
async def test_failures_that_name_nobody_leave_the_chunk_unknown(bench: MakeBench, form: str) -> None:
    table = await bench(f"fail-{form}={FIRST + 500}")
    report = await table.upload()
    assert (report.accepted, report.rejected, report.unknown) == (900, 0, 100)
    assert report.failures[0].answer is not None
    assert "FailedInvoices" in report.failures[0].answer


@pytest.mark.parametrize("fault", ["status=302", "status=404", "status=405", "status=407", "status=403"])
async def test_a_wrong_address_or_key_stops_after_one_request(bench: MakeBench, fault: str) -> None:
    table = await bench(fault)
    report = await table.upload()
    assert (report.unsent, report.requests, report.exit_code) == (1000, 1, 3)
    assert report.stopped is not None
    assert re.search(r"CASHIN_(BASE_URL|PROXY|API_KEY)", report.stopped)


async def test_a_refused_key_stops_the_run(bench: MakeBench) -> None:
    table = await bench("key-refused@4+")
    report = await table.upload()
    assert report.accepted + report.unsent == 1000
    assert report.unsent > 0
    assert "CASHIN_API_KEY" in (report.stopped or "")


@pytest.mark.parametrize("fault", ["poison", "poison-403"])
async def test_a_refused_chunk_is_bisected(bench: MakeBench, fault: str) -> None:
    poison = {FIRST + 300, FIRST + 301, FIRST + 777}
    table = await bench(f"{fault}={','.join(map(str, poison))}")
    report = await table.upload()
    assert (report.accepted, report.rejected) == (997, 3)
    assert {failure.number for failure in report.failures} == poison


async def test_a_refused_chunk_is_held_back_when_asked(bench: MakeBench) -> None:
    table = await bench(f"poison={FIRST + 300}", on_refused="hold")
    report = await table.upload()
    assert (report.accepted, report.unsent) == (900, 100)


@pytest.mark.parametrize("fault", ["poison-402", "poison-402-partly", "poison-422", "poison-422-partly"])
async def test_perhaps_applied_in_part_is_unknown(bench: MakeBench, fault: str) -> None:
    table = await bench(f"{fault}={FIRST + 300}")
    report = await table.upload()
    assert (report.accepted, report.rejected, report.unknown) == (900, 0, 100)


async def test_refusals_of_everything_stop_after_twenty_single_ones(bench: MakeBench) -> None:
    table = await bench("bad-request@3+")
    report = await table.upload()
    assert report.rejected >= 20
    assert report.rejected <= 20 + 8
    assert report.accepted + report.rejected + report.unsent == 1000
    assert "stop_after_refusals" in (report.stopped or "")


@pytest.mark.parametrize("fault", ["413-items=7", "413-bytes=20000", "413-items=1"])
async def test_too_large_is_split_until_it_fits(bench: MakeBench, fault: str) -> None:
    table = await bench(fault)
    report = await table.upload(300)
    assert (report.accepted, report.exit_code) == (300, 0)


async def test_too_large_alone_is_rejected(bench: MakeBench) -> None:
    table = await bench("413-bytes=10", stop_after_refusals=1000)
    report = await table.upload(30)
    assert (report.rejected, report.accepted) == (30, 0)


async def test_a_503_goes_again_when_the_vendor_is_taken_at_its_word(bench: MakeBench) -> None:
    table = await bench("503-before@4", "503-before=1@6", retry_503=True)
    report = await table.upload()
    assert (report.accepted, report.retries, report.exit_code) == (1000, 2, 0)


async def test_a_refusal_after_a_retried_503_is_unknown(bench: MakeBench) -> None:
    table = await bench("503-before@4", f"poison={FIRST + 250}", retry_503=True, concurrency=1)
    report = await table.upload()
    assert (report.accepted, report.rejected, report.unknown) == (900, 0, 100)


async def test_a_hold_beyond_max_hold_ends_at_once_and_says_until_when(bench: MakeBench) -> None:
    table = await bench("429=3600@4+", max_hold=900)
    report = await table.upload()
    assert report.accepted + report.unsent == 1000
    assert re.search(
        r"until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \(max_hold\)|max_hold.*until \d{4}-", report.stopped or ""
    )
    assert report.seconds < 2


async def test_429_for_ever_ends_after_max_hold(bench: MakeBench) -> None:
    table = await bench("429@4+", max_hold=0.3)
    report = await table.upload()
    assert report.accepted + report.unsent == 1000
    assert "max_hold" in (report.stopped or "")


async def test_the_breaker_narrows_to_single_probes_and_gives_up(bench: MakeBench) -> None:
    table = await bench("500-after@4+", breaker_after=0.3)
    report = await table.upload()
    assert "breaker_after" in (report.stopped or "")
    probes = [entry.count for entry in table.simulator.log][4 + 8 :]
    assert set(probes) == {1}
    assert report.accepted + report.unknown + report.unsent == 1000
    assert report.unsent > 0


async def test_the_breaker_reopens_on_a_proof(bench: MakeBench) -> None:
    table = await bench("500-before@4-14")
    report = await table.upload(3000)
    assert report.stopped is None
    assert report.accepted == 3000 - report.unknown
    assert report.unsent == 0


async def test_a_server_that_is_not_there_leaves_everything_unsent(bench: MakeBench) -> None:
    table = await bench(retries=2)
    await table.simulator.close()
    report = await table.upload(300)
    assert (report.unsent, report.exit_code) == (300, 3)
    assert "cannot connect" in (report.failures[0].reason or "")


async def test_the_retry_budget_stops_the_run(bench: MakeBench) -> None:
    table = await bench(retries=50, retry_budget=3)
    await table.simulator.close()
    report = await table.upload(300)
    assert report.unsent == 300
    assert "retry_budget" in (report.stopped or "")
    assert report.retries <= 3


async def test_a_rate_limit_is_kept_to(bench: MakeBench) -> None:
    table = await bench("rate-limit=20")
    report = await table.upload(3000)
    assert (report.accepted, report.exit_code) == (3000, 0)


@pytest.mark.parametrize(("setting", "value"), [("rate", 20.0), ("invoice_rate", 2000.0)])
async def test_a_fixed_rate_is_never_exceeded(bench: MakeBench, setting: str, value: float) -> None:
    table = await bench("rate-limit=21", **{setting: value})
    report = await table.upload(2000)
    assert (report.accepted, report.retries) == (2000, 0)
    assert report.seconds > 0.9


async def test_what_the_server_quotes_is_blanked(bench: MakeBench) -> None:
    table = await bench("quote@1+", first_chunk=1, stop_after_refusals=3)
    report = await table.upload(20)
    assert report.rejected == 3
    said = " ".join(failure.reason or "" for failure in report.failures)
    assert "***" in said
    assert "example.com" not in said
    for invoice in (failure.source for failure in report.failures):
        assert invoice.sales_name not in said


def test_every_kind_of_fault_is_among_these_tests() -> None:
    here = "".join((Path(__file__).parent / name).read_text() for name in ("test_faults.py", "test_fault_table.py"))
    kinds = {re.split("[=@]", spec)[0] for spec, _ in describe() if not spec.startswith("lookup-")}  # strike no POST
    assert {kind for kind in kinds if kind not in here and kind.removeprefix("fail-") not in here} == set()
