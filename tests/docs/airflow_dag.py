"""The DAG of docs/airflow.md in Airflow itself, against the simulator: `nox -s airflow`.

Not collected by pytest: Airflow wants an environment of its own. It is run as `airflow dags test` runs it, without
scheduler and workers: retries are made, `queue` is read and not acted upon. Only the pause between tries is shortened.
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from cashin_async.simulator.background import BackgroundSimulator
from tests.docs.pages import blocks

COUNT = 250
PATIENCE = 180.0
"""Seconds after which Airflow hangs."""


def airflow(home: Path, simulator: BackgroundSimulator, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "CASHIN_BASE_URL": simulator.url,
        "CASHIN_API_KEY": "any-key",
    }
    return subprocess.run(
        ["airflow", *arguments], env=environment, cwd=home, capture_output=True, text=True, check=False
    )


def expect(what: str, done: subprocess.CompletedProcess[str], fine: bool) -> None:
    sys.stdout.write(f"{'as expected' if fine else 'WRONG'}: {what}\n")
    if not fine:
        sys.exit(done.stdout + done.stderr)


def main() -> None:
    (dag,) = [block.content for block in blocks("docs/airflow.md") if block.title == "dags/cashin_upload.py"]
    with TemporaryDirectory() as folder, BackgroundSimulator() as simulator:
        home = Path(folder)
        (home / "dags").mkdir()
        for there, here in (
            ("/var/lib/cashin/ledger.db", str(home / "ledger.db")),
            ("/srv/billing/invoices.jsonl", str(home / "invoices.jsonl")),
            ("minutes=15", "seconds=1"),
        ):
            assert there in dag
            dag = dag.replace(there, here)
        (home / "dags" / "cashin_upload.py").write_text(dag)
        write(home, COUNT)
        made = airflow(home, simulator, "db", "migrate")
        expect("Airflow's own database is made", made, made.returncode == 0)
        listed = airflow(home, simulator, "dags", "list-import-errors", "--output", "json")
        expect("the DAG is imported without an error", listed, "cashin_upload.py" not in listed.stdout)

        def run(day: str) -> subprocess.CompletedProcess[str]:
            return airflow(home, simulator, "dags", "test", "cashin_upload", day)

        simulator.fault("429=9999@2")
        first = run("2026-03-02")
        expect("a try with unsent invoices fails", first, "are unsent" in first.stdout + first.stderr)
        expect("Airflow tries again, and the rest is sent", first, len(simulator.store) == COUNT)
        requests = simulator.requests
        second = run("2026-03-03")
        expect("a run of the same input sends nothing", second, simulator.requests == requests)

        write(home, COUNT + 1)
        simulator.fault(f"poison={COUNT + 1}")
        third = run("2026-03-04")
        expect("what must be mended fails", third, "1 invoices are rejected" in third.stdout + third.stderr)
        expect("and is not tried again", third, simulator.requests == requests + 1)
        expect("nobody is billed twice", third, simulator.store.twice == ())


def write(home: Path, count: int) -> None:
    lines = [f'{{"InvoiceNumber": {number}}}\n' for number in range(1, count + 1)]
    (home / "invoices.jsonl").write_text("".join(lines))


if __name__ == "__main__":
    main()
