"""The domain operations."""

from typing import Any
from uuid import uuid4


class TestDomains:
    def test_are_listed_in_the_order_of_the_service(self, api: Any) -> None:
        found = api.ok("GET", "/domains")
        assert [domain["name"] for domain in found[:5]] == ["General", "Food", "Landmarks", "Retail", "Adult"]
        assert found[0]["id"] == "ee85a74c-405e-4adc-bb47-ffa8ca0c9f31"

    def test_a_client_finds_the_detection_domain_by_name_and_type(self, api: Any) -> None:
        found = [
            domain
            for domain in api.ok("GET", "/domains")
            if domain["type"] == "ObjectDetection" and domain["name"] == "General"
        ]
        assert [domain["id"] for domain in found] == ["da2e3a8a-40a5-4171-82f4-58522f70fbc1"]

    def test_each_can_be_read(self, api: Any) -> None:
        for domain in api.ok("GET", "/domains"):
            assert api.ok("GET", f"/domains/{domain['id']}") == domain

    def test_an_unknown_one_is_not_found(self, api: Any) -> None:
        response = api("GET", f"/domains/{uuid4()}")
        assert (response.status_code, response.json()["code"]) == (404, "NotFoundDomain")
