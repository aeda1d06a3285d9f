"""`cashin-async simulator`: the stand-in server, to build against."""

import asyncio
import signal
from contextlib import suppress

import click

from cashin_async.cli import candidates
from cashin_async.errors import ConfigurationError


def _list_faults(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from cashin_async.simulator.faults import describe

        width = max(len(spec) for spec, _ in describe())
        for spec, text in describe():
            click.echo(f"{spec:{width}}  {text}")
        context.exit()


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0: any that is free.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[=ARG][@WHEN]",
    shell_complete=candidates.faults,
    help="May be given several times.",
)
@click.option(
    "--list-faults", is_flag=True, is_eager=True, expose_value=False, callback=_list_faults, help="All of them."
)
@click.option("--lookup-path", metavar="TEMPLATE", help="Also answer look-ups here: /v2/.../{InvoiceNumber}.")
@click.option("--keep-invoices", is_flag=True, help="Keep whole invoices, not just their numbers.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the faults that come by chance.")
def simulator(
    port: int, host: str, faults: tuple[str, ...], lookup_path: str | None, keep_invoices: bool, seed: int
) -> None:
    """Run a server that behaves as the vendor has published, with faults where you want them.

    \b
    WHEN says which requests have the fault: 5% of them, 3 (the third), 3+ (from the third on), 3-5.
        cashin-async simulator --fault drop-after@5% --fault latency=0.05
    """
    try:
        asyncio.run(_serve(port, host, faults, lookup_path, keep_invoices, seed))
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        raise click.UsageError(f"cannot listen on {host}:{port} (--port): {error.strerror}") from None


async def _serve(
    port: int, host: str, faults: tuple[str, ...], lookup_path: str | None, keep_invoices: bool, seed: int
) -> None:
    from cashin_async.simulator.server import Simulator

    over = asyncio.Event()
    with suppress(NotImplementedError):
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, over.set)
    async with Simulator(
        faults=faults, port=port, host=host, keep_invoices=keep_invoices, lookup_path=lookup_path, seed=seed
    ) as server:
        click.echo(f"Listening on {server.url}")
        click.echo("Try, in another terminal:")
        click.echo(f"  export CASHIN_BASE_URL={server.url} CASHIN_API_KEY=anything")
        click.echo("  cashin-async upload invoices.jsonl")
        await over.wait()
        store = server.store
        click.echo(
            f"{server.requests:,} requests, {len(store):,} invoices accepted,"
            f" {len(store.twice):,} of them more than once"
        )
