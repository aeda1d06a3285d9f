"""The checks: `python3 run.py nox` for lint, types, laws and docs; `nox -s tests` for every Python that is present."""

import tempfile

import nox

nox.options.sessions = ["lint", "types", "laws", "docs"]
nox.options.error_on_missing_interpreters = False

PYPROJECT = nox.project.load_toml("pyproject.toml")


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """What ruff finds, and its format."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


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


@nox.session(python=nox.project.python_versions(PYPROJECT))
def tests(session: nox.Session) -> None:
    """The tests, in a new environment for each Python of the classifiers."""
    session.install("-e", ".", *nox.project.dependency_groups(PYPROJECT, "test"))
    session.run("pytest", *session.posargs)


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
