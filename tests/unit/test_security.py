"""Keys, signed links and guarded fetching, against real servers on this machine."""

import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.support.receivers import web_server

from foveal.errors import Forbidden, Invalid
from foveal.security import FetchPolicy, Parcel, UrlSigner, fetch, is_public, same, send

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BODY = bytes(range(256)) * 40


class TestKeys:
    @pytest.mark.parametrize("text", ["", "abc", "ключ", "🔑", "\udcff"])
    def test_compare(self, text: str) -> None:
        assert same(text, text)
        assert not same(text, text + "x")


class TestUrlSigner:
    signer = UrlSigner(b"secret")

    def link(self, path: str = "/blobs/i-1/ключ") -> tuple[str, str, str]:
        url = self.signer.sign(path, expires_at=NOW + timedelta(hours=24))
        query = parse_qs(urlsplit(url).query)
        return urlsplit(url).path, query["se"][0], query["sig"][0]

    def test_a_fresh_link_opens(self) -> None:
        path, expires, signature = self.link()
        self.signer.verify(path, expires=expires, signature=signature, now=NOW)

    def test_an_old_one_does_not(self) -> None:
        path, expires, signature = self.link()
        with pytest.raises(Forbidden, match="expired") as caught:
            self.signer.verify(path, expires=expires, signature=signature, now=NOW + timedelta(hours=25))
        assert caught.value.code == "Forbidden"

    def test_nor_does_an_altered_one(self) -> None:
        path, expires, signature = self.link()
        later = expires.replace("2026", "2027")
        for altered in ((path + "x", expires, signature), (path, later, signature), (path, expires, signature + "é")):
            with pytest.raises(Forbidden, match="signature"):
                self.signer.verify(altered[0], expires=altered[1], signature=altered[2], now=NOW)
        with pytest.raises(Forbidden):
            UrlSigner(b"other").verify(path, expires=expires, signature=signature, now=NOW)

    def test_the_secret_stays_out_of_logs(self) -> None:
        assert "secret" not in repr(self.signer)


class TestIsPublic:
    @pytest.mark.parametrize(
        "address",
        ["8.8.8.8", "1.1.1.1", "2001:4860:4860::8888", "64:ff9b::808:808", "::ffff:8.8.8.8", "2002:808:808::1"],
    )
    def test_the_internet(self, address: str) -> None:
        assert is_public(address)

    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
            "100.64.0.1", "100.100.100.200", "192.0.0.1", "192.0.2.1", "192.88.99.1", "198.18.0.1", "224.0.0.1",
            "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254",
            "fec0::1", "ff02::1", "2001:db8::1", "3fff::1", "5f00::1", "100::1", "2001::1", "::ffff:127.0.0.1",
            "::ffff:169.254.169.254", "::127.0.0.1", "::10.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1",
            "64:ff9b:1::808:808", "2002:7f00:1::", "2002:a9fe:a9fe::1",
        ],
    )  # fmt: skip
    def test_everything_else(self, address: str) -> None:
        assert not is_public(address)


@dataclass
class Site:
    """A little web server: what it was asked, and what it answers."""

    port: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    answer: Callable[[BaseHTTPRequestHandler], None] = lambda handler: respond(handler, 200, BODY)

    def url(self, path: str = "/a.jpg", host: str = "photos.test") -> str:
        return f"http://{host}:{self.port}{path}"


def respond(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def redirect(location: str) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: respond(handler, 302, Location=location)


@pytest.fixture
def site() -> Iterator[Site]:
    state = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append((self.headers["Host"], self.path))
            state.answer(self)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield state
    server.shutdown()
    server.server_close()


@dataclass
class Names:
    """Looks names up in a table; a list is walked through, one entry a time."""

    table: dict[str, str | list[str]]
    asked: list[str] = field(default_factory=list[str])

    def __call__(self, host: str, port: int) -> Sequence[str]:
        del port
        self.asked.append(host)
        found = self.table.get(host)
        if found is None:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [found.pop(0)] if isinstance(found, list) else found.split()


LOCAL = Names({"photos.test": "127.0.0.1", "inside.test": "127.0.0.1", "xn--bcher-kva.test": "127.0.0.1"})
POLICY = FetchPolicy(100_000, timeout_seconds=5, allowed_hosts=frozenset({"photos.test"}))


def refused(url: str, policy: FetchPolicy = POLICY, names: Names = LOCAL) -> Invalid:
    with pytest.raises(Invalid) as caught:
        fetch(url, policy, resolve=names)
    assert caught.value.code in {"BadRequestImageUrl", "BadRequestImageSizeBytes"}
    return caught.value


@contextmanager
def raw_server(answer: Callable[[socket.socket], None]) -> Generator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    answer(connection)
                except OSError:
                    return  # the client has had enough

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


class TestFetch:
    def test_returns_the_body(self, site: Site) -> None:
        assert fetch(site.url(), POLICY, resolve=LOCAL) == BODY
        assert site.asked == [(f"photos.test:{site.port}", "/a.jpg")]

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("/ä b.jpg", "/%C3%A4%20b.jpg"),
            ("/a%20b%2Fc.jpg", "/a%20b%2Fc.jpg"),
            ("/100%.jpg", "/100%25.jpg"),
            ("/a.jpg?sv=1&sig=a%2Bb%2f+c/d==&x='(~)'#part", "/a.jpg?sv=1&sig=a%2Bb%2f+c/d==&x='(~)'"),
            ("/a.jpg?name=ä b", "/a.jpg?name=%C3%A4%20b"),
            ("", "/"),
        ],
    )
    def test_quotes_what_must_be_and_nothing_else(self, site: Site, path: str, expected: str) -> None:
        fetch(site.url(path), POLICY, resolve=LOCAL)
        assert site.asked[0][1] == expected

    def test_names_in_other_scripts(self, site: Site) -> None:
        policy = replace(POLICY, allowed_hosts=frozenset({"xn--bcher-kva.test"}))
        assert fetch(site.url(host="bücher.test"), policy, resolve=LOCAL) == BODY

    @pytest.mark.parametrize("entry", ["photos.test", "Photos.Test", "photos.test:PORT"])
    def test_an_allowed_host(self, site: Site, entry: str) -> None:
        policy = replace(POLICY, allowed_hosts=frozenset({entry.replace("PORT", str(site.port))}))
        assert fetch(site.url(host="PHOTOS.test."), policy, resolve=LOCAL) == BODY

    def test_an_allowed_port_opens_no_other(self, site: Site) -> None:
        refused(site.url(), replace(POLICY, allowed_hosts=frozenset({f"photos.test:{site.port + 1}"})))
        assert site.asked == []

    def test_a_chunked_body(self, site: Site) -> None:
        def chunked(handler: BaseHTTPRequestHandler) -> None:
            handler.protocol_version = "HTTP/1.1"
            handler.send_response(200)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            handler.wfile.write(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")

        site.answer = chunked
        assert fetch(site.url(), POLICY, resolve=LOCAL) == b"abcde"

    def test_tries_the_next_address(self, site: Site) -> None:
        names = Names({"photos.test": "127.0.0.9 127.0.0.1"})
        assert fetch(site.url(), POLICY, resolve=names) == BODY


class TestRefusals:
    @pytest.mark.parametrize(
        "url",
        ["file:///etc/passwd", "ftp://photos.test/a", "gopher://photos.test", "data:image/png;base64,AAAA", "a.jpg",
         "", "//photos.test/a", "http://", "http:///a", "http://[::1", "http://photos.test:99999/", "http://a b/",
         "http://photos.test:x/", "http://\ud800/", "http://photos.test/\ud800", "http://user:pw@photos.test/a",
         "http://photos.test@inside.test/"],
    )  # fmt: skip
    def test_no_url_to_fetch(self, url: str) -> None:
        assert refused(url).code == "BadRequestImageUrl"

    @pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "localhost", "[::1]", "0.0.0.0"])
    def test_this_machine_by_any_spelling(self, site: Site, host: str) -> None:
        with pytest.raises(Invalid, match="FOVEAL_FETCH_ALLOWED_HOSTS"):
            fetch(site.url(host=host), replace(POLICY, allowed_hosts=frozenset()))
        assert site.asked == []

    def test_a_name_that_leads_inside(self, site: Site) -> None:
        error = refused(site.url("/a.jpg?sig=secret", "inside.test"))
        assert "add inside.test to FOVEAL_FETCH_ALLOWED_HOSTS" in str(error)
        assert "/a.jpg" in str(error)
        assert "secret" not in str(error)
        assert site.asked == []

    def test_one_inside_address_among_public_ones(self, site: Site) -> None:
        refused(site.url(host="mixed.test"), names=Names({"mixed.test": "8.8.8.8 127.0.0.1"}))
        assert site.asked == []

    def test_a_name_is_looked_up_once(self, site: Site) -> None:
        names = Names({"photos.test": ["127.0.0.1", "10.0.0.1"]})
        assert fetch(site.url(), POLICY, resolve=names) == BODY
        assert names.asked == ["photos.test"]

    def test_an_unknown_name(self) -> None:
        assert "not known" in str(refused("http://nowhere.test/a.jpg"))

    def test_a_closed_port(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        refused(f"http://photos.test:{port}/a.jpg")

    @pytest.mark.parametrize("status", [204, 206, 301, 400, 403, 404, 500])
    def test_any_other_status(self, site: Site, status: int) -> None:
        site.answer = lambda handler: respond(handler, status)
        error = refused(site.url("/a.jpg?sig=secret"))
        assert str(status) in str(error)
        assert "secret" not in str(error)

    def test_a_user_name_is_not_repeated(self) -> None:
        assert "pw" not in str(refused("http://user:pw@photos.test/a"))

    def test_proxies_of_the_environment_are_not_used(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        assert fetch(site.url(), POLICY, resolve=LOCAL) == BODY


class TestRedirects:
    def test_are_followed(self, site: Site) -> None:
        site.answer = lambda handler: (
            redirect("b c.jpg?q=1")(handler) if handler.path == "/x/a" else respond(handler, 200, BODY)
        )
        assert fetch(site.url("/x/a"), POLICY, resolve=LOCAL) == BODY
        assert site.asked[1][1] == "/x/b%20c.jpg?q=1"

    def test_five_of_them(self, site: Site) -> None:
        site.answer = redirect("/a.jpg")
        assert "more than 5" in str(refused(site.url()))
        assert len(site.asked) == 6

    @pytest.mark.parametrize(
        "location",
        ["http://inside.test:PORT/", "//inside.test:PORT/", "http://127.0.0.1:PORT/", "file:///etc/passwd",
         "http://[::1", "http://169.254.169.254/latest/meta-data/"],
    )  # fmt: skip
    def test_are_checked_as_the_first_url_was(self, site: Site, location: str) -> None:
        site.answer = redirect(location.replace("PORT", str(site.port)))
        names = Names({**LOCAL.table, "127.0.0.1": "127.0.0.1", "169.254.169.254": "169.254.169.254"})
        refused(site.url(), names=names)
        assert len(site.asked) == 1


class TestBounds:
    @pytest.mark.parametrize("size", [100, 101])
    def test_a_body_of_known_length(self, site: Site, size: int) -> None:
        site.answer = lambda handler: respond(handler, 200, bytes(size))
        policy = replace(POLICY, max_bytes=100)
        if size <= 100:
            assert len(fetch(site.url(), policy, resolve=LOCAL)) == size
        else:
            assert refused(site.url(), policy).code == "BadRequestImageSizeBytes"

    def test_a_body_without_end(self) -> None:
        def pour(connection: socket.socket) -> None:
            connection.recv(10_000)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                connection.sendall(bytes(10_000))

        with raw_server(pour) as port:
            assert refused(f"http://photos.test:{port}/").code == "BadRequestImageSizeBytes"

    @pytest.mark.parametrize(
        "head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "]
    )
    def test_a_server_that_drips(self, head: bytes) -> None:
        def drip(connection: socket.socket) -> None:
            connection.sendall(head)
            for _ in range(40):
                connection.sendall(b"1" if head else b"")
                time.sleep(0.02)

        with raw_server(drip) as port:
            before = time.monotonic()
            assert "longer than 0.3 seconds" in str(
                refused(f"http://photos.test:{port}/", replace(POLICY, timeout_seconds=0.3))
            )
            assert time.monotonic() - before < 2

    def test_a_body_cut_short(self) -> None:
        with raw_server(lambda c: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")) as port:
            refused(f"http://photos.test:{port}/")

    @pytest.mark.parametrize("junk", [b"", b"\x00\x01\x02\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"])
    def test_no_http(self, junk: bytes) -> None:
        with raw_server(lambda c: c.sendall(junk)) as port:
            refused(f"http://photos.test:{port}/")


class TestTls:
    def test_the_name_and_not_the_address_is_shown_to_the_server(self) -> None:
        hello: list[bytes] = []
        with raw_server(lambda connection: hello.append(connection.recv(4096))) as port:
            refused(f"https://photos.test:{port}/")
        assert b"photos.test" in hello[0]
        assert b"127.0.0.1" not in hello[0]

    def test_plain_text_is_no_tls(self, site: Site) -> None:
        refused(site.url().replace("http:", "https:"))
        assert site.asked == []


class TestSend:
    @pytest.mark.parametrize("size", [0, 1, 1_000_000])
    def test_delivers(self, size: int) -> None:
        body = bytes(size)
        with web_server() as site:
            url = site.url.replace("127.0.0.1", "photos.test")
            send(f"{url}/a b?sig=x%2By", Parcel("PUT", body, {"X-Kind": "blob"}), POLICY, resolve=LOCAL)
        [request] = site.requests
        assert (request.method, request.path, request.body) == ("PUT", "/a%20b?sig=x%2By", body)
        assert (request.headers["X-Kind"], request.headers["Content-Length"]) == ("blob", str(size))

    @pytest.mark.parametrize("status", [301, 307, 400, 403, 500])
    def test_anything_but_success_is_refused_and_no_redirect_followed(self, status: int) -> None:
        with web_server() as site:
            site.status = status
            url = site.url.replace("127.0.0.1", "photos.test")
            with pytest.raises(Invalid, match=f"status {status} ") as caught:
                send(f"{url}/a?sig=secret", Parcel("POST", b"body", {}), POLICY, resolve=LOCAL)
        assert len(site.requests) == 1
        assert caught.value.code == "BadRequestInvalidUri"
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        "url", ["", "queue", "s3://bucket", "http://inside.test/", "http://127.0.0.1/", "http://u:pw@photos.test/"]
    )
    def test_goes_where_fetching_may_go(self, url: str) -> None:
        names = Names({**LOCAL.table, "127.0.0.1": "127.0.0.1"})
        with pytest.raises(Invalid, match="did not take what was sent") as caught:
            send(url, Parcel("POST", b"", {}), POLICY, resolve=names)
        assert "pw" not in str(caught.value)

    def test_ends_at_the_deadline_however_slowly_it_is_read(self) -> None:
        def sip(connection: socket.socket) -> None:
            for _ in range(100):
                connection.recv(1000)
                time.sleep(0.02)

        parcel, hasty = Parcel("PUT", bytes(50_000_000), {}), replace(POLICY, timeout_seconds=0.3)
        with raw_server(sip) as port:
            before = time.monotonic()
            with pytest.raises(Invalid, match=r"longer than 0\.3 seconds"):
                send(f"http://photos.test:{port}/", parcel, hasty, resolve=LOCAL)
            assert time.monotonic() - before < 2
