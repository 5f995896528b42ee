"""Keys, signed links, and asking a stranger's URL for something without becoming their way into the network."""

import base64
import hashlib
import hmac
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import Any, Final, cast
from urllib.parse import parse_qs, quote, unquote, urljoin, urlsplit

import httpcore

from foveal.errors import Forbidden, Invalid

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

EXPIRY_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
PORTS: Final = {"http": 80, "https": 443}
FIXED_HEADERS: Final = (("User-Agent", "foveal"), ("Accept-Encoding", "identity"), ("Connection", "close"))
PIECE_BYTES: Final = 64 * 1024
# All of printable ASCII: what is legal, and what a sender has quoted already, stays as it is, so that signatures hold.
PRINTABLE: Final = "".join(map(chr, range(0x21, 0x7F)))
STRAY_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
HOST: Final = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?")

GLOBAL_IPV6: Final = ipaddress.IPv6Network("2000::/3")
NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
# Global by the registry, yet not hosts of somebody: 6to4 relays and what Python 3.11 does not know as documentation.
ODD: Final = (ipaddress.ip_network("192.88.99.0/24"), ipaddress.ip_network("3fff::/20"))


def same(a: str, b: str) -> bool:
    """Compare two secrets in a time that does not tell where they differ."""
    return hmac.compare_digest(a.encode("utf-8", "surrogatepass"), b.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class UrlSigner:
    """Links that work without a key until they expire."""

    secret: bytes = field(repr=False)

    def sign(self, path: str, *, expires_at: datetime) -> str:
        expires = expires_at.astimezone(UTC).strftime(EXPIRY_FORMAT)
        return f"{path}?se={expires}&sig={self._signature(path, expires)}"

    def verified(self, link: str, *, now: datetime) -> str:
        """Return the path of a whole link that `sign` made; raise `Forbidden` else."""
        parts = urlsplit(link)
        query, path = parse_qs(parts.query), unquote(parts.path)
        self.verify(path, expires=query.get("se", [""])[0], signature=query.get("sig", [""])[0], now=now)
        return path

    def expiry(self, expires: str) -> datetime:
        """Return the moment that a verified link names."""
        return datetime.strptime(expires, EXPIRY_FORMAT).replace(tzinfo=UTC)

    def verify(self, path: str, *, expires: str, signature: str, now: datetime) -> None:
        """Return if `sign` made this link and it has not expired; raise `Forbidden` else."""
        if not same(signature, self._signature(path, expires)):
            raise Forbidden("The signature of this link does not match it.")
        if self.expiry(expires) < now:
            raise Forbidden(f"This link expired at {expires}; it is now {now:{EXPIRY_FORMAT}}.")

    def _signature(self, path: str, expires: str) -> str:
        text = f"{path}\n{expires}".encode("utf-8", "surrogatepass")
        return base64.urlsafe_b64encode(hmac.digest(self.secret, text, hashlib.sha256)).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """What may be asked: `allowed_hosts` ("host" or "host:port") opens hosts inside the network."""

    max_bytes: int
    timeout_seconds: float = 20
    max_redirects: int = 5
    allowed_hosts: frozenset[str] = frozenset()


def system_addresses(host: str, port: int) -> Sequence[str]:
    """Ask the operating system for the addresses of `host`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def fetch(url: str, policy: FetchPolicy, *, resolve: Resolve = system_addresses) -> bytes:
    """Return the body behind `url`, following redirects, from public addresses and allowed hosts only."""
    deadline = time.monotonic() + policy.timeout_seconds
    try:
        for _ in range(policy.max_redirects + 1):
            answer = _get(_target(url), policy, resolve, deadline)
            if isinstance(answer, bytes):
                return answer
            url = _next(url, answer.location)
    except _Refusal as refusal:
        raise _not_fetched(url, str(refusal)) from refusal
    raise _not_fetched(url, f"it redirects more than {policy.max_redirects} times")


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent to an address."""

    method: str
    body: bytes
    headers: Mapping[str, str]


def send(url: str, parcel: Parcel, policy: FetchPolicy, *, resolve: Resolve = system_addresses) -> None:
    """Send the parcel to a public address or an allowed host; any answer but a status 2xx is `Invalid`."""
    deadline = time.monotonic() + policy.timeout_seconds
    try:
        _deliver(_target(url), parcel, policy, resolve, deadline)
    except _Refusal as refusal:
        raise Invalid(f"{_shown(url)} did not take what was sent: {refusal}.", "BadRequestInvalidUri") from refusal


def is_public(address: str) -> bool:
    """Say whether `address` is a host of the public internet, looking into IPv6 forms that carry an IPv4 address."""
    parsed = ipaddress.ip_address(address)
    inner = _carried(parsed)
    if inner is not None:
        return is_public(str(inner))
    if isinstance(parsed, ipaddress.IPv6Address) and parsed not in GLOBAL_IPV6:
        return False
    special = parsed.is_multicast or parsed.is_reserved or parsed.is_unspecified or parsed.is_loopback
    return parsed.is_global and not special and not any(parsed in odd for odd in ODD if odd.version == parsed.version)


class _Refusal(Exception):
    """Why an address was not asked, or what was wrong with its answer; the caller says what it was asked for."""


def _carried(address: Address) -> ipaddress.IPv4Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


@dataclass(frozen=True, slots=True)
class _Target:
    """A URL taken apart, each part in the form that goes over the wire."""

    scheme: str
    host: str
    port: int
    path_and_query: str
    shown: str

    @property
    def authority(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == PORTS[self.scheme] else f"{name}:{self.port}"


@dataclass(frozen=True, slots=True)
class _Redirect:
    location: str


def _not_fetched(url: str, reason: str) -> Invalid:
    return Invalid(f"{_shown(url)} was not fetched: {reason}.", "BadRequestImageUrl")


def _next(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise _Refusal(f"it redirects to something that is no URL ({error})") from error


def _target(url: str) -> _Target:
    try:
        parts = urlsplit(url)
        host, port = _wire_host(parts.hostname or ""), parts.port
        path = quote(STRAY_PERCENT.sub("%25", parts.path or "/"), safe=PRINTABLE)
        query = quote(parts.query, safe=PRINTABLE)
    except ValueError as error:
        raise _Refusal(f"it is no valid URL ({error})") from error
    if parts.scheme not in PORTS:
        raise _Refusal("only http and https are spoken")
    if "@" in parts.netloc:
        raise _Refusal("it carries a user name")
    return _Target(parts.scheme, host, port or PORTS[parts.scheme], f"{path}?{query}" if query else path, _shown(url))


def _wire_host(host: str) -> str:
    """Return the host as it goes over the wire, or raise `ValueError`."""
    if ":" in host:
        return str(ipaddress.IPv6Address(host))
    ascii_host = (host if host.isascii() else host.encode("idna").decode()).removesuffix(".")
    if HOST.fullmatch(ascii_host) is None:
        raise ValueError(f"{host!r} is no host name")
    return ascii_host


def _shown(url: str) -> str:
    """Return the URL for messages: without its query and its user, where secrets are."""
    return re.sub(r"//[^/]*@", "//", re.split(r"[?#]", url, maxsplit=1)[0])


def _get(target: _Target, policy: FetchPolicy, resolve: Resolve, deadline: float) -> bytes | _Redirect:
    with (
        _connected(target, policy, resolve, deadline) as pool,
        pool.stream("GET", _url(target), headers=[*_headers(target), ("Accept", "image/*, */*;q=0.5")]) as response,
    ):
        return _read(response, target, policy.max_bytes)


def _deliver(target: _Target, parcel: Parcel, policy: FetchPolicy, resolve: Resolve, deadline: float) -> None:
    headers = [*_headers(target), ("Content-Length", str(len(parcel.body))), *parcel.headers.items()]
    # In pieces, since the deadline is looked at before each write.
    pieces = (parcel.body[at : at + PIECE_BYTES] for at in range(0, len(parcel.body), PIECE_BYTES))
    with (
        _connected(target, policy, resolve, deadline) as pool,
        pool.stream(parcel.method, _url(target), headers=headers, content=pieces) as response,
    ):
        if not HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            phrase = cast("Any", response).extensions["reason_phrase"].decode("ascii", "replace")
            raise _Refusal(f"the server answered with status {response.status} {phrase}".rstrip(" ."))


@contextmanager
def _connected(
    target: _Target, policy: FetchPolicy, resolve: Resolve, deadline: float
) -> Generator[httpcore.ConnectionPool]:
    """Give a connection for one request; what fails there is told as the reason."""
    backend = _GuardedBackend(target, policy.allowed_hosts, resolve, deadline)
    context = _tls() if target.scheme == "https" else None
    try:
        with httpcore.ConnectionPool(ssl_context=context, network_backend=backend) as pool:
            yield pool
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        late = time.monotonic() >= deadline
        reason = f"it took longer than {policy.timeout_seconds:g} seconds" if late else str(error)
        raise _Refusal(reason or type(error).__name__) from error


def _url(target: _Target) -> httpcore.URL:
    return httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path_and_query)


def _headers(target: _Target) -> list[tuple[str, str]]:
    return [*FIXED_HEADERS, ("Host", target.authority)]


@cache
def _tls() -> ssl.SSLContext:
    """Trust the usual authorities and those that the machine's owner added."""
    context = httpcore.default_ssl_context()
    context.load_default_certs()
    return context


def _read(response: httpcore.Response, target: _Target, max_bytes: int) -> bytes | _Redirect:
    headers = {name.lower(): value for name, value in response.headers}
    if response.status in REDIRECTS and b"location" in headers:
        return _Redirect(headers[b"location"].decode("utf-8", "replace"))
    if response.status != HTTPStatus.OK:
        raise _Refusal(f"the server answered with status {response.status}")
    if int(headers.get(b"content-length", b"0")) > max_bytes:
        raise _too_large(target, max_bytes)
    return _body(response.iter_stream(), target, max_bytes)


def _body(chunks: Iterator[bytes], target: _Target, max_bytes: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            raise _too_large(target, max_bytes)
    return bytes(body)


def _too_large(target: _Target, max_bytes: int) -> Invalid:
    return Invalid(f"{target.shown} has more than {max_bytes} bytes.", "BadRequestImageSizeBytes")


class _GuardedBackend(httpcore.NetworkBackend):
    """Connects to the addresses that were looked at, and to nothing else, until the deadline."""

    def __init__(self, target: _Target, allowed_hosts: frozenset[str], resolve: Resolve, deadline: float) -> None:
        self._target = target
        self._allowed = {entry.lower() for entry in allowed_hosts}
        self._resolve = resolve
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        del timeout
        plain = httpcore.SyncBackend()
        failure: Exception = httpcore.ConnectError(f"its host {host} has no address")
        for address in self._addresses(host, port):
            try:
                left = _seconds_left(self._deadline)
                stream = plain.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _TimedStream(stream, self._deadline)
        raise failure

    def _addresses(self, host: str, port: int) -> Sequence[str]:
        """Look the host up, once; one address of the inside is enough to refuse it."""
        try:
            found = self._resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError(f"its host {host} is not known") from error
        if self._allowed & {host, f"{host}:{port}", self._target.authority}:
            return found
        if not all(is_public(address) for address in found):
            hint = f"add {host} to FOVEAL_FETCH_ALLOWED_HOSTS to allow it"
            raise _Refusal(f"its host {host} is not on the public internet; {hint}")
        return found


class _TimedStream(httpcore.NetworkStream):
    """A connection whose reads and writes together end at the deadline, however slowly the bytes drip."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del timeout
        return self._stream.read(max_bytes, _seconds_left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        self._stream.write(buffer, _seconds_left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        del timeout
        inner = self._stream.start_tls(ssl_context, server_hostname, _seconds_left(self._deadline))
        return _TimedStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _seconds_left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time is up")
    return left
