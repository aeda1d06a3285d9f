"""The way to the API, as far as it can be tried without the key; and the clock, by what answers there."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from cashin_async.doctor.finding import Area, Finding
from cashin_async.transport.probe import Probe

ADDRESS = Area("address")
CLOCK = Area("clock")

RENEWAL = timedelta(days=7)
"""A certificate that has less left: those that are renewed by a program are renewed weeks before their end, so by
now it has failed."""
CLOCK_SECONDS = 60.0
"""A clock that is further off: the times in reports and ledgers are then of another minute than the vendor's, who is
asked about a request by its time. What is waited for does not depend on it: a Retry-After date is read against the
answer's own `Date`."""


def way(probe: Probe, now: datetime) -> Iterator[Finding]:
    """Name, connection, TLS, HTTP: as far as it came."""
    if probe.proxy:
        yield ADDRESS.ok(f"through the proxy {probe.proxy} (--proxy, CASHIN_PROXY, else HTTPS_PROXY)")
    if probe.addresses:
        yield ADDRESS.ok(f"{'the proxy' if probe.proxy else probe.host} is at {', '.join(probe.addresses)}")
    if probe.tls:
        yield _certificate(probe, now)
    if probe.why_not is None:
        # what it answers to a request without a path and a key says nothing about the API
        yield ADDRESS.ok(f"{probe.host} answers over HTTP, in {probe.seconds:.2f} s (no key was sent)")
    else:
        yield ADDRESS.problem(probe.why_not, _todo(probe))


def _certificate(probe: Probe, now: datetime) -> Finding:
    if probe.expires is None:
        return ADDRESS.warning(f"{probe.tls}; the certificate is not verified (verify_tls)", "for loopback only")
    until = f"{probe.tls}; the certificate is trusted until {probe.expires:%Y-%m-%d}"
    if probe.expires - now < RENEWAL:
        whose = "of the proxy or the server"
        return ADDRESS.warning(until, f"tell the owner {whose}: when it is over, nothing can be sent")
    return ADDRESS.ok(until)


def _todo(probe: Probe) -> str:
    """By the setting that the reason names."""
    why = probe.why_not or ""
    if "clock of this machine" in why:
        return "is this machine's clock right? Else the owner of the server has to renew it"
    if "(ca_file)" in why:
        return "when a company's own authority signs here: its PEM file in --ca-file (CASHIN_CA_FILE)"
    if "connect_timeout" in why:
        return "is a firewall in the way, or a proxy needed (--proxy)? Patience is connect_timeout"
    if "proxy)" in why and probe.proxy:
        return "--proxy (CASHIN_PROXY), else HTTPS_PROXY; NO_PROXY for a host that needs none"
    return "--base-url (CASHIN_BASE_URL) or --environment; is there a network, or a proxy needed (--proxy)?"


def clock(probe: Probe) -> Iterator[Finding]:
    """The local clock beside the server's."""
    if probe.ahead is None:
        if probe.why_not is None:
            yield CLOCK.ok("not compared: the answer has no Date")
        return
    if abs(probe.ahead) <= CLOCK_SECONDS:
        yield CLOCK.ok(f"within {CLOCK_SECONDS:.0f} s of the server's")
        return
    side = "ahead of" if probe.ahead > 0 else "behind"
    yield CLOCK.warning(
        f"{timedelta(seconds=round(abs(probe.ahead)))} {side} the server's",
        "set this machine's clock (NTP): by it go the times in reports, and whether a certificate is valid",
    )
