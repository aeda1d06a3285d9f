"""The rules, applied to what is about to be sent: what they find is counted, or refused. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

from cashin_async.rules import Problem, RuleSet, Severity

Rules = Literal["enforce", "warn", "off"]
"""What becomes of an invoice that breaks a rule of severity "error": it is invalid, it is told, it is not looked at."""


_SAID = 3  # errors of an invoice that its reason tells: a thousand rows can each have one


class Inspection:
    """One upload's, or one request's."""

    def __init__(
        self,
        rules: Rules = "off",
        rule_set: RuleSet | None = None,
        tell: Callable[[Problem], None] = lambda problem: None,
    ) -> None:
        """`tell` gets each problem of what is sent all the same."""
        self.broken: Counter[str] = Counter()
        """By rule, how many problems there were."""
        self._tell = tell
        self._rule_set = (rule_set or RuleSet()) if rules != "off" else None
        self._enforces = rules == "enforce"

    def refusals(self, encoded: Sequence[bytes]) -> dict[int, str]:
        """By place, why an invoice is not to be sent. They are known to have the published names and types."""
        if self._rule_set is None:
            return {}
        inspect = self._rule_set.inspect
        found = {place: problems for place, one in enumerate(encoded) if (problems := inspect(one))}
        return {place: reason for place, problems in found.items() if (reason := self._judge(problems))}

    def refusal(self, encoded: bytes) -> str | None:
        """The same for one."""
        return self.refusals([encoded]).get(0)

    def _judge(self, problems: list[Problem]) -> str | None:
        self.broken.update(problem.rule for problem in problems)
        errors = [problem for problem in problems if problem.severity is Severity.ERROR] if self._enforces else []
        if not errors:
            for problem in problems:
                self._tell(problem)
        more = [f"and {len(errors) - _SAID:,} more"] if len(errors) > _SAID else []
        return "; ".join([*map(said, errors[:_SAID]), *more]) or None


def said(problem: Problem) -> str:
    """A problem in one line, without the invoice's number."""
    where = f"{problem.field}: " if problem.field else ""
    return f"{where}{problem.message} ({problem.rule})"
