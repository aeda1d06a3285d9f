"""How the shells ask for completion: click's own classes, and bash mended. Loaded by a shell's question only."""

import os
from collections.abc import Iterable

from click.shell_completion import BashComplete, CompletionItem, add_completion_class, split_arg_string


class Bash(BashComplete):
    """Bash cuts words at `=`, too, and replaces what stands behind the last one only.

    Source: the Bash manual, COMP_WORDBREAKS and COMP_WORDS.
    """

    _typed = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        pieces = split_arg_string(os.environ["COMP_WORDS"])[1:]
        cursor = int(os.environ["COMP_CWORD"]) - 1
        if cursor >= len(pieces):  # nothing is typed of the word yet
            return _joined(pieces), ""
        *args, self._typed = _joined(pieces[: cursor + 1])
        return args, self._typed

    def format_completion(self, item: CompletionItem) -> str:
        settled = self._typed[: self._typed.rfind("=") + 1]
        item.value = item.value.removeprefix(settled)
        return super().format_completion(item)


def _joined(pieces: Iterable[str]) -> list[str]:
    """The words as they were typed."""
    words: list[str] = []
    for piece in pieces:
        if words and (piece == "=" or words[-1].endswith("=")):
            words[-1] += piece
        else:
            words.append(piece)
    return words


add_completion_class(Bash)
