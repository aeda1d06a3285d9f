"""The Dockerfile of docs/docker.md where there is no Docker: what it does with pip, in a fresh environment.

Run by `nox -s container`. Where a Docker daemon answers, `test_deployment.py` builds the image itself. What needs a
container is named and not run.
"""

import shlex
import subprocess
import sys
import venv
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.docs.pages import ROOT, blocks


def main() -> None:
    (dockerfile,) = [block.content for block in blocks("docs/docker.md") if block.title == "Dockerfile"]
    lines = [line.removeprefix("RUN ") for line in dockerfile.splitlines() if line.startswith("RUN ")]
    with TemporaryDirectory() as folder:
        environment = Path(folder) / "environment"
        venv.create(environment, with_pip=True)
        for line in lines:
            if not line.startswith("pip "):
                sys.stdout.write(f"needs a container, not run: {line}\n")
                continue
            here = line.replace("/wheels", f"{folder}/wheels").replace("/source", shlex.quote(str(ROOT)))
            sys.stdout.write(f"{line}\n")
            subprocess.run(["sh", "-euc", here.replace("pip ", f"{environment}/bin/pip --quiet ", 1)], check=True)
        subprocess.run([environment / "bin" / "cashin-async", "--version"], check=True)


if __name__ == "__main__":
    main()
