"""Multipart bodies as real clients, and less friendly ones, send them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foveal.api.multipart import Part, parts
from foveal.errors import Invalid

TYPE = "multipart/form-data; boundary=B0undary"
PICTURE = b"\xff\xd8\r\n--B0undar\r\n--B0undaryX\r\n\n--\r\n\r\n--B0undary--X\x00\r\n"


def body(*written: bytes, end: bytes = b"--B0undary--\r\n") -> bytes:
    return b"".join(b"--B0undary\r\n" + part + b"\r\n" for part in written) + end


def disposition(rest: str, data: bytes = PICTURE, *headers: str) -> bytes:
    lines = [f"Content-Disposition: form-data; {rest}", *headers, "", ""]
    return "\r\n".join(lines).encode() + data


def refused(data: bytes, content_type: str = TYPE) -> str:
    with pytest.raises(Invalid) as caught:
        parts(data, content_type)
    assert caught.value.code == "BadRequestImageStream"
    return str(caught.value)


class TestParts:
    def test_without_file_name_and_type(self) -> None:
        assert parts(body(disposition('name="imageData"')), TYPE) == [Part("imageData", "", "", PICTURE)]

    def test_with_a_type_alone(self) -> None:
        written = disposition('name="imageData"', PICTURE, "Content-Type: application/octet-stream")
        assert parts(body(written), TYPE)[0].content_type == "application/octet-stream"

    def test_with_all(self) -> None:
        written = disposition('name="imageData"; filename="a b.jpg"', PICTURE, "CONTENT-TYPE:image/jpeg", "X: y")
        assert parts(body(written), TYPE) == [Part("imageData", "a b.jpg", "image/jpeg", PICTURE)]

    def test_in_their_order(self) -> None:
        written = [disposition(f'name="{number}"', bytes([number])) for number in range(20)]
        assert [(part.name, part.data) for part in parts(body(*written), TYPE)] == [
            (str(number), bytes([number])) for number in range(20)
        ]

    def test_none(self) -> None:
        assert parts(b"--B0undary--", TYPE) == []

    @pytest.mark.parametrize("data", [b"", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"--", b"\r\n--"])
    def test_keep_their_line_breaks(self, data: bytes) -> None:
        assert parts(body(disposition("name=a", data)), TYPE)[0].data == data


class TestBoundary:
    @pytest.mark.parametrize(
        "content_type",
        [
            'multipart/form-data; boundary="B0undary"',
            "Multipart/Form-Data;charset=utf-8;BOUNDARY=B0undary",
            "multipart/form-data; boundary=B0undary ; charset=utf-8",
        ],
    )
    def test_spellings(self, content_type: str) -> None:
        assert len(parts(body(disposition("name=a")), content_type)) == 1

    def test_of_odd_characters(self) -> None:
        data = b"--a b:=?'()+\r\n" + disposition("name=a", b"1") + b"\r\n--a b:=?'()+--"
        assert parts(data, 'multipart/form-data; boundary="a b:=?\'()+"')[0].data == b"1"

    @pytest.mark.parametrize(
        "end", [b"--B0undary--", b"--B0undary--\r\nepilogue\r\n--B0undary\r\n", b"--B0undary-- \t\r\n"]
    )
    @pytest.mark.parametrize("start", [b"", b"preamble\r\n", b"\r\n"])
    def test_what_stands_around_is_ignored(self, start: bytes, end: bytes) -> None:
        assert [part.data for part in parts(start + body(disposition("name=a"), end=end), TYPE)] == [PICTURE]

    def test_bare_line_feeds(self) -> None:
        data = b"--B0undary\nContent-Disposition: form-data; name=a\n\n1\n2\n--B0undary--\n"
        assert parts(data, TYPE)[0].data == b"1\n2"


class TestFileNames:
    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ('filename="ключ.jpg"', "ключ.jpg"),
            ("filename=a.jpg", "a.jpg"),
            ('filename=""', ""),
            (r'filename="a\"b;c=d\\e.jpg"', r'a"b;c=d\e.jpg'),
            (r'filename="C:\photos\a.jpg"', r"C:\photos\a.jpg"),
            ("filename=x; filename*=UTF-8''%e2%82%ac%20rates.jpg", "€ rates.jpg"),
            ("filename*=iso-8859-1'en'%A3.jpg", "£.jpg"),
            ("filename*=none-such''a%20b", "a%20b"),
            ("filename*=plain", "plain"),
        ],
    )
    def test_spellings(self, written: str, expected: str) -> None:
        assert parts(body(disposition(f"name=a; {written}")), TYPE)[0].filename == expected


class TestRefusals:
    @pytest.mark.parametrize(
        "content_type",
        ["", "application/json", "multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=a",
         "multipart/form-data; boundary=é"],
    )  # fmt: skip
    def test_content_types(self, content_type: str) -> None:
        refused(body(disposition("name=a")), content_type)

    def test_a_missing_end(self) -> None:
        whole = body(disposition("name=a", b"picture"))
        assert "cut short" in refused(whole[: -len(b"--B0undary--\r\n")])
        for length in range(len(whole) - 4):
            refused(whole[:length])

    def test_no_boundary_inside(self) -> None:
        assert "does not occur" in refused(b"hello")
        refused(b"")

    def test_a_part_without_name(self) -> None:
        assert "no name" in refused(body(b"Content-Type: image/png\r\n\r\n1"))

    def test_a_part_without_data(self) -> None:
        assert "empty line" in refused(body(b"Content-Disposition: form-data; name=a"))

    def test_endless_headers(self) -> None:
        refused(body(b"X: " + b"y" * 20_000 + b"\r\n\r\n1"))

    def test_too_many_parts(self) -> None:
        assert "1000" in refused(body(*[disposition("name=a", b"")] * 1001))


class TestTime:
    @pytest.mark.parametrize(
        "filler",
        [b"\r\n--B0undary-", b"\r\n--B0undary x", b"--B0undary\t\t\t", b"\r\n", b"-", b"B", b"\r\n--B0undary--x"],
    )
    def test_grows_no_faster_than_the_body(self, filler: bytes) -> None:
        data = body(disposition("name=a", filler * (3_000_000 // len(filler)) + b"x"))
        before = time.process_time()
        assert len(parts(data, TYPE)) == 1
        assert time.process_time() - before < 5


NAME = st.text(st.characters(codec="utf-8", exclude_characters='"\\\r\n', exclude_categories=["Cc", "Cs", "Zl", "Zp"]))


@given(
    st.lists(st.tuples(NAME, NAME, st.sampled_from(["", "image/png"]), st.binary(max_size=200)), max_size=5),
    st.from_regex(r"[0-9a-zA-Z'()+_./=?-]{8,60}", fullmatch=True),
)
def test_what_is_written_is_read(written: list[tuple[str, str, str, bytes]], boundary: str) -> None:
    expected = [Part(*values) for values in written if boundary.encode() not in values[3]]
    data = b""
    for part in expected:
        kind = f"Content-Type: {part.content_type}\r\n" if part.content_type else ""
        names = f'name="{part.name}"; filename="{part.filename}"'
        head = f"--{boundary}\r\nContent-Disposition: form-data; {names}\r\n{kind}\r\n"
        data += head.encode() + part.data + b"\r\n"
    data += f"--{boundary}--\r\n".encode()
    assert parts(data, f'multipart/form-data; boundary="{boundary}"') == expected
