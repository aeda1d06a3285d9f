"""What a clean environment holds after `pip install` of the wheel. `nox -s install` runs it there.

It is run by an environment's own Python, and needs nothing but what pip brings along.
"""

import sys
from collections.abc import Iterable
from importlib.metadata import distributions, requires
from pathlib import Path

DIRECT = {"aiohttp", "anyio", "click", "msgspec", "platformdirs", "rich"}
"""What the package needs at run time: nothing else may be asked for."""
_OF_THE_ENVIRONMENT = {"pip", "setuptools", "wheel"}


def main() -> None:
    from pip._vendor.packaging.requirements import Requirement
    from pip._vendor.packaging.utils import canonicalize_name

    def needed_by(name: str) -> set[str]:
        wanted: Iterable[Requirement] = map(Requirement, requires(name) or ())
        return {
            str(canonicalize_name(one.name))
            for one in wanted
            if one.marker is None or one.marker.evaluate({"extra": ""})
        }

    needed, new = {"cashin-async"}, {"cashin-async"}
    while new:
        new = set().union(*map(needed_by, new)) - needed
        needed |= new
    there = {str(canonicalize_name(one.metadata["Name"])) for one in distributions()} - _OF_THE_ENVIRONMENT
    if needed_by("cashin-async") != DIRECT:
        sys.exit(f"needs other packages than {', '.join(sorted(DIRECT))}")
    if there != needed:
        sys.exit(f"not needed: {', '.join(sorted(there - needed))}; missing: {', '.join(sorted(needed - there))}")

    import cashin_async

    package = Path(cashin_async.__file__).parent
    if not package.is_relative_to(sys.prefix) or not (package / "py.typed").is_file():
        sys.exit(f"{package} is not the installed package, or it has no py.typed")
    print(f"Python {sys.version.split()[0]}: {len(there)} packages, {', '.join(sorted(there))}")  # noqa: T201 - its report


if __name__ == "__main__":
    main()
