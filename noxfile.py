"""The checks: `python3 run.py nox` for lint, types, laws and docs; `nox -s tests` for every Python that is present."""

import os
import sys
import tempfile
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "laws", "docs"]
nox.options.error_on_missing_interpreters = False

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)


def find_pythons_of_pyenv() -> None:
    """What pyenv puts on PATH runs only where a version is chosen: put the versions themselves there, behind all."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [folder for folder in os.environ["PATH"].split(os.pathsep) if Path(folder) != root / "shims"]
    os.environ["PATH"] = os.pathsep.join([*folders, *map(str, sorted(root.glob("versions/*/bin")))])


find_pythons_of_pyenv()


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """What ruff finds, and its format; and the files of other tools against their schemas."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("validate-pyproject", "pyproject.toml")
    workflows = sorted(map(str, Path(".github/workflows").glob("*.yml")))
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)


@nox.session(venv_backend="none")
def types(session: nox.Session) -> None:
    """The files that [tool.mypy] names."""
    session.run("mypy", "--strict")


@nox.session(venv_backend="none")
def laws(session: nox.Session) -> None:
    """Which room may import which: [tool.importlinter]."""
    session.run("lint-imports", "--no-cache")


@nox.session(venv_backend="none")
def docs(session: nox.Session) -> None:
    """The site must build without one warning."""
    with tempfile.TemporaryDirectory() as site:
        session.run("mkdocs", "build", "--strict", "--site-dir", site, env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The tests, in a new environment for each Python of the classifiers."""
    session.install("-e", ".", *nox.project.dependency_groups(PYPROJECT, "test"))
    session.run("pytest", *session.posargs)


@nox.session(venv_backend="none")
def package(session: nox.Session) -> None:
    """Build sdist and wheel into dist/, the same bytes wherever it is done, and look into them.

    `SOURCE_DATE_EPOCH`, in seconds, is the time of every file in them; unset, hatchling's own.
    """
    for old in Path("dist").glob("cashin_async-*"):
        old.unlink()
    session.run("python", "-m", "build", "--no-isolation")
    built = [str(path) for path in sorted(Path("dist").glob("cashin_async-*"))]
    session.run("python", "-m", "twine", "check", "--strict", *built)
    session.run("python", "-m", "pytest", "-q", "tests/packaging")


@nox.session(python=PYTHONS)
def install(session: nox.Session) -> None:
    """Install the wheel as a user does, in a new environment for each Python of the classifiers, and try it."""
    folder = session.create_tmp()
    build = (sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder)
    session.run(*build, external=True, silent=True)
    (wheel,) = Path(folder).glob("*.whl")
    checks = Path("tests/packaging").absolute()
    session.install(str(wheel.absolute()))
    session.cd(folder)  # away from the source, which must not be what is imported
    session.run("python", "-I", str(checks / "installed.py"))
    session.run("python", "-m", "pip", "check")
    session.run("cashin-async", "--version")
    session.run("cashin-async", "demo", "--count", "200", "--quiet")
    session.run("cashin-async", "doctor", "--offline", "--environment", "production", env={"CASHIN_API_KEY": "none"})


@nox.session(venv_backend="none")
def container(session: nox.Session) -> None:
    """What the Dockerfile of docs/docker.md does with pip, in a fresh environment: half a minute."""
    session.run("python", "-m", "tests.docs.container")


@nox.session
def airflow(session: nox.Session) -> None:
    """The DAG of docs/airflow.md in Airflow itself, in an environment of its own: a few minutes, most of them pip's."""
    session.install(".", "apache-airflow>=3.1", "markdown-it-py>=3.0")
    session.run("python", "-m", "tests.docs.airflow_dag")


@nox.session(venv_backend="none")
def bench(session: nox.Session) -> None:
    """The benchmarks, or those that are named behind `--`: see benchmarks/README.md."""
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session(venv_backend="none")
def guard(session: nox.Session) -> None:
    """Whether a ratio has become worse: half a minute."""
    session.run("python", "-m", "benchmarks.guard", *session.posargs)


@nox.session(venv_backend="none")
def mutants(session: nox.Session) -> None:
    """Whether the tests of the rules notice changes of them; of a file of the rules, when it is named behind `--`."""
    session.run("python", "-m", "benchmarks.mutants", *session.posargs)
