"""The files that the how-to pages hand out, as those who read them would: systemd, cron, a shell, Docker, Airflow.

What is not on this machine is said to be skipped; each file is read by a stricter reader of its own besides.
"""

import asyncio
import importlib.util
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cashin_async import UploadReport
from cashin_async.simulator.background import BackgroundSimulator
from tests.docs.pages import ROOT, blocks

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="what is deployed here needs POSIX")

BIN = Path(sys.executable).parent
KEY = "Zxqkey-1a2b3c"
PATIENCE = 30.0


def handed_out(page: str, title: str) -> str:
    """The file of that name on a page."""
    (content,) = [block.content for block in blocks(f"docs/{page}.md") if block.title == title]
    return content


def environment(simulator: BackgroundSimulator, tmp: Path, **more: str) -> dict[str, str]:
    key = tmp / "api-key"
    key.write_text(KEY + "\n")
    key.chmod(0o600)
    return {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp),
        "CASHIN_BASE_URL": simulator.url,
        "CASHIN_API_KEY_FILE": str(key),
        "CASHIN_LEDGER": str(tmp / "ledger.db"),
        **more,
    }


def write_invoices(tmp: Path, count: int = 30) -> Path:
    path = tmp / "invoices.jsonl"
    path.write_text("".join(f'{{"InvoiceNumber": {number}}}\n' for number in range(1, count + 1)))
    return path


# -- systemd


UNITS = ("cashin-upload.service", "cashin-upload.timer", "cashin-alert@.service")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """Every key, value and specifier; the programs are those of this machine."""
    for name in UNITS:
        unit = handed_out("nightly", name).replace("/opt/cashin/bin/", f"{BIN}/")
        (tmp_path / name).write_text(unit.replace("User=cashin", "User=root"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *UNITS],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "cashin" in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_the_check_of_the_units_would_notice_a_misspelt_key(tmp_path: Path) -> None:
    (tmp_path / "x.service").write_text("[Service]\nType=oneshot\nExecStart=/bin/true\nRestartForcedExitStatus=3\n")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "x.service"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "RestartForcedExitStatus" in done.stderr


def unit_values(unit: str, name: str) -> list[str]:
    joined = re.sub(r"\\\n\s*", " ", unit)
    return re.findall(rf"^{name}=(.*)$", joined, re.MULTILINE)


def test_the_command_of_the_service_uploads_with_the_key_as_a_credential(tmp_path: Path) -> None:
    """ExecStart, Environment and the settings file, with what systemd would put in for `%d` and STATE_DIRECTORY."""
    unit = handed_out("nightly", "cashin-upload.service")
    (command,) = unit_values(unit, "ExecStart")
    settings = dict(line.split("=", 1) for line in handed_out("nightly", "settings").splitlines())
    with BackgroundSimulator(api_keys={KEY}) as simulator:
        variables = environment(simulator, tmp_path)
        (given,) = unit_values(unit, "Environment")
        name, _, value = given.partition("=")
        assert variables[name] == value.replace("%d", str(tmp_path))
        settings.pop("CASHIN_ENVIRONMENT"), settings.pop("CASHIN_LEDGER")  # this server is not production
        state = tmp_path / "state"
        state.mkdir()
        command = command.replace("${STATE_DIRECTORY}", str(state)).replace("/opt/cashin/bin/", f"{BIN}/")
        command = command.replace("/srv/billing/invoices.jsonl", str(write_invoices(tmp_path)))
        done = subprocess.run(
            shlex.split(command), env={**variables, **settings}, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["accepted"] == 30
    assert sorted(path.name for path in state.iterdir()) == ["failed.jsonl", "report.html"]


# -- cron and the script


def test_the_line_for_cron_is_one(tmp_path: Path) -> None:
    """Five fields in range, no bare per cent sign, and a command that its own shell runs."""
    *variables, line = handed_out("nightly", "crontab").splitlines()
    assert all(re.fullmatch(r"[A-Z_]+=\S+", variable) for variable in variables)
    *times, command = line.split(maxsplit=5)
    for value, most in zip(times, (59, 23, 31, 12, 7), strict=True):
        assert value == "*" or int(value) <= most
    assert "%" not in command, "cron makes a line's end of it"
    script = tmp_path / "nightly.sh"
    script.write_text(handed_out("nightly", "nightly.sh"))
    here = command.replace("/var/lib/cashin", str(tmp_path)).replace("/opt/cashin/nightly.sh", str(script))
    with BackgroundSimulator() as simulator:
        here = here.replace("/srv/billing/invoices.jsonl", str(write_invoices(tmp_path)))
        done = subprocess.run(
            ["/bin/sh", "-c", here],
            env=environment(simulator, tmp_path),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), "no mail when all is well"
        assert len(simulator.store) == 30


def test_the_script_runs_again_on_exit_code_3_and_then_tells(tmp_path: Path) -> None:
    """With one answer lost, each try ends with 3: the server is asked no more, and somebody is told once."""
    script = tmp_path / "nightly.sh"
    script.write_text(handed_out("nightly", "nightly.sh"))
    with BackgroundSimulator(faults=["drop-after@1"]) as simulator:
        done = subprocess.run(
            ["/bin/sh", str(script), str(write_invoices(tmp_path))],
            env=environment(simulator, tmp_path, CASHIN_PAUSE="0"),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert simulator.store.twice == ()
        assert len(simulator.store) == 30
    assert done.returncode == 3
    assert done.stdout.startswith("The upload ended with exit code 3.")
    runs = subprocess.run(
        [BIN / "cashin-async", "status", tmp_path / "ledger.db", "--json"], capture_output=True, text=True, check=True
    )
    assert len(json.loads(runs.stdout)["runs"]) == 4


# -- what both rely on


def wait_until(true: Callable[[], bool]) -> None:
    over = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < over
        time.sleep(0.02)


def test_two_at_once_the_second_ends_with_2_and_sends_nothing(tmp_path: Path) -> None:
    with BackgroundSimulator(faults=["hang-before@1"]) as simulator:
        variables = environment(simulator, tmp_path)
        command: list[str | Path] = [BIN / "cashin-async", "upload", write_invoices(tmp_path)]
        first = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: simulator.requests == 1)
            second = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
            status = subprocess.run(
                [BIN / "cashin-async", "status"], env=variables, capture_output=True, text=True, check=False
            )
        finally:
            first.kill()
            first.wait()
        assert second.returncode == 2
        assert re.search(rf"in use by process {first.pid} since \d{{4}}-", second.stderr)
        assert status.returncode == 0
        assert simulator.requests == 1


# -- Docker


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    joined = dockerfile.replace("\\\n", " ")
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines()) if word]


def test_the_dockerfile_ends_in_a_user_without_rights_and_a_command_without_shell() -> None:
    steps = instructions(handed_out("docker", "Dockerfile"))
    words = [word for word, _ in steps]
    known = {
        "FROM",
        "COPY",
        "RUN",
        "USER",
        "WORKDIR",
        "VOLUME",
        "ENV",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    }
    assert set(words) <= known
    assert words.count("FROM") == 2
    assert words.index("USER") > max(place for place, word in enumerate(words) if word == "RUN")
    said = dict(steps)
    assert said["USER"] not in ("", "root", "0")
    assert said["HEALTHCHECK"] == "NONE"
    assert json.loads(said["ENTRYPOINT"]) == ["cashin-async"]
    assert not any("KEY=" in rest and "KEY_FILE=" not in rest for _, rest in steps), "no key in an image"


def test_the_entrypoint_ends_with_130_on_the_stop_signal(tmp_path: Path) -> None:
    said = dict(instructions(handed_out("docker", "Dockerfile")))
    (name, given) = said["ENV"].split()[1].split("=")
    assert (name, given) == ("CASHIN_API_KEY_FILE", "/run/secrets/cashin-api-key")
    with BackgroundSimulator(faults=["latency=0.5"], api_keys={KEY}) as simulator:
        entrypoint = [str(BIN / json.loads(said["ENTRYPOINT"])[0]), "upload", str(write_invoices(tmp_path)), "--json"]
        process = subprocess.Popen(
            entrypoint,
            env=environment(simulator, tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        wait_until(lambda: simulator.requests == 1)
        process.send_signal(getattr(signal, said["STOPSIGNAL"]))
        out, _ = process.communicate(timeout=PATIENCE)
    counts = json.loads(out.splitlines()[-1])
    assert process.returncode == 130
    assert (counts["accepted"], counts["unsent"], counts["unknown"]) == (10, 20, 0), "what was in flight is answered"


def docker_runs() -> bool:
    try:
        return subprocess.run(["docker", "info"], capture_output=True, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@pytest.mark.skipif(not docker_runs(), reason="no Docker daemon answers")
def test_docker_builds_the_image_and_runs_it_without_rights(tmp_path: Path) -> None:
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(handed_out("docker", "Dockerfile"))
    tag = "cashin-async:tests"
    subprocess.run(["docker", "build", "--quiet", "--tag", tag, "--file", dockerfile, ROOT], check=True, timeout=600)
    version = subprocess.run(["docker", "run", "--rm", tag, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("cashin-async")
    user = subprocess.run(
        ["docker", "run", "--rm", "--entrypoint", "id", tag, "--user"], capture_output=True, text=True, check=True
    )
    assert user.stdout.strip() == "10001"


# -- Airflow: its own test is `nox -s airflow`; here the functions run, and only what decorates them is replaced


class AirflowFailException(Exception):
    """Stands in for Airflow's: do not try again."""


@pytest.fixture
def dag_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    def decorate(*arguments: Any, **options: Any) -> Any:
        assert not arguments, "every decorator of the page has options"
        return lambda function: lambda *given: None

    modules: dict[str, dict[str, Any]] = {
        "airflow": {},
        "airflow.exceptions": {"AirflowFailException": AirflowFailException},
        "airflow.sdk": {"dag": decorate, "task": decorate},
    }
    for name, content in modules.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    path = tmp_path / "cashin_upload.py"
    path.write_text(handed_out("airflow", "dags/cashin_upload.py"))
    spec = importlib.util.spec_from_file_location("cashin_upload", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_task_of_the_dag_may_be_tried_again(
    dag_file: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def push() -> UploadReport:
        report: UploadReport = asyncio.run(dag_file.push(path, str(tmp_path / "ledger.db")))
        report.look()
        return report

    path = write_invoices(tmp_path)
    with BackgroundSimulator(faults=["429=9999@1"]) as simulator:
        for name, value in environment(simulator, tmp_path).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(RuntimeError, match="30 invoices are unsent"):
            dag_file.judge(push())
        simulator.clear_faults()
        assert dag_file.judge(push()) == {"accepted": 30, "duplicate": 0}
        assert dag_file.judge(push()) == {"accepted": 0, "duplicate": 30}
        assert simulator.store.twice == ()


@pytest.mark.parametrize(("fault", "words"), [("drop-after@1", "10 invoices are unknown"), ("poison=7", "1 invoices")])
def test_the_task_of_the_dag_gives_up_where_another_try_does_not_help(
    fault: str, words: str, dag_file: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with BackgroundSimulator(faults=[fault]) as simulator:
        for name, value in environment(simulator, tmp_path).items():
            monkeypatch.setenv(name, value)
        report = asyncio.run(dag_file.push(write_invoices(tmp_path), str(tmp_path / "ledger.db")))
        with pytest.raises(AirflowFailException, match=words):
            dag_file.judge(report)


def test_the_task_of_the_dag_does_not_forget_what_was_released(
    dag_file: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number that was settled as not accepted has to come again, and the input is without it."""
    ledger = str(tmp_path / "ledger.db")
    with BackgroundSimulator(faults=["drop-before@1"]) as simulator:
        for name, value in environment(simulator, tmp_path).items():
            monkeypatch.setenv(name, value)
        assert asyncio.run(dag_file.push(write_invoices(tmp_path, 1), ledger)).unknown == 1
        settled: list[str | Path] = [BIN / "cashin-async", "settle", ledger, "--release", "1", "--quiet"]
        subprocess.run(settled, check=True, timeout=PATIENCE)
        others = tmp_path / "others.jsonl"
        others.write_text('{"InvoiceNumber": 2}\n')
        report = asyncio.run(dag_file.push(others, ledger))
        assert (report.accepted, report.released) == (1, [1])
        with pytest.raises(AirflowFailException, match="1 released invoices are missing"):
            dag_file.judge(report)
        assert dag_file.judge(asyncio.run(dag_file.push(write_invoices(tmp_path, 2), ledger))) == {
            "accepted": 1,
            "duplicate": 1,
        }
