"""`cashin-async completion`: what a shell needs to complete the command line."""

import click

from cashin_async.cli.process import write

SHELLS = ("bash", "zsh", "fish")
PROGRAM = "cashin-async"
VARIABLE = "_CASHIN_ASYNC_COMPLETE"
"""click's: with it set, the program answers the shell and does nothing else."""


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script that makes a shell complete this command line.

    Commands, options, choices, files, the codes of rules and the faults of the simulator.

    \b
    What to do with it, by shell:
        bash (4.4 or newer), in ~/.bashrc:  eval "$(cashin-async completion bash)"
        zsh, in ~/.zshrc, behind compinit:  eval "$(cashin-async completion zsh)"
        fish, once:
            cashin-async completion fish > ~/.config/fish/completions/cashin-async.fish
    """
    from click.shell_completion import get_completion_class

    from cashin_async.cli import main, shells  # noqa: F401 - mends bash

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - for the type checker: the choices are those that click has
    script = kind(main, {}, PROGRAM, VARIABLE).source()
    write(lambda: click.echo(script))
