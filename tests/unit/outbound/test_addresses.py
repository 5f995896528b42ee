"""Addresses whose query is a secret."""

import pytest

from foveal.outbound.addresses import below, masked, open_part

SAS = "sv=2021-12-02&sp=cw&se=2099-01-01&sig=s3cr%2Bt%3D"
URI = f"https://a.blob.core.windows.net/models?{SAS}"


class TestBelow:
    @pytest.mark.parametrize("folder", ["https://h/models", "https://h/models/", "s3://bucket/models"])
    def test_keeps_the_query_and_quotes_the_name(self, folder: str) -> None:
        assert below(f"{folder}?{SAS}", "p - i.ONNX") == f"{folder.rstrip('/')}/p%20-%20i.ONNX?{SAS}"
        assert below(folder, "a") == f"{folder.rstrip('/')}/a"

    def test_of_the_open_part(self) -> None:
        assert open_part(below(URI, "a")) == "https://a.blob.core.windows.net/models/a"


class TestMasked:
    def test_hides_the_signature_and_nothing_else(self) -> None:
        assert masked(URI) == URI.replace("s3cr%2Bt%3D", "***")

    @pytest.mark.parametrize("uri", ["https://h/c?sig=abc", "https://h/c?SIG=abc&x=1", "https://h/c?x=sig=1&sig=abc#f"])
    def test_wherever_it_stands(self, uri: str) -> None:
        assert "abc" not in masked(uri)
        assert masked(masked(uri)) == masked(uri)

    @pytest.mark.parametrize("uri", ["https://h/c", "s3://bucket/prefix", "https://h/c?design=1"])
    def test_leaves_what_has_none(self, uri: str) -> None:
        assert masked(uri) == uri
