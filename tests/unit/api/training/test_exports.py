"""Exports through Azure's operations and through ours: what may be asked for, when, and what is told of failures."""

import json
import sys
from datetime import timedelta
from io import BytesIO
from resource import RLIMIT_FSIZE, getrlimit, setrlimit
from typing import Any
from zipfile import ZipFile

import pytest
from tests.support.flows import fill, make_project, train
from tests.support.server import PREDICTION_KEY, TRAINING_KEY

from foveal.exporters import catalog, client_graph

OWN = "/api/v1"
COMPACT = "0732100f-1a38-4e49-a514-c9b44c697ab5"  # the smaller network: what is asked here is the same


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite alone: what an export writes is asked of PostgreSQL by the tests of sweeping and of detectors."""
    return sqlite_url


@pytest.fixture
def trained(api: Any, work: Any) -> str:
    """The path of an iteration."""
    project = make_project(api, classificationType="Multiclass", domainId=COMPACT)
    fill(api, project)
    return f"/projects/{project}/iterations/{train(api, work, project)['id']}"


def own(api: Any, method: str, path: str, **query: str) -> Any:
    return api.client.request(method, OWN + path, params=query, headers={"Training-Key": TRAINING_KEY})


def begin(api: Any, trained: str, platform: str, flavor: str | None = None) -> Any:
    query = {"platform": platform} | ({"flavor": flavor} if flavor else {})
    return api("POST", f"{trained}/export", params=query)


def unzip(api: Any, export: Any) -> ZipFile:
    return ZipFile(BytesIO(api.client.get(export["downloadUri"]).content))


class TestStart:
    def test_answers_exporting_and_lists_it_done_behind_a_link(self, api: Any, work: Any, trained: str) -> None:
        assert begin(api, trained, "onnx").json() == {
            "platform": "ONNX",
            "status": "Exporting",
            "downloadUri": None,
            "flavor": None,
            "newerVersionAvailable": False,
        }
        assert work() == 1
        (export,) = api.ok("GET", f"{trained}/export")
        assert (export["status"], export["newerVersionAvailable"]) == ("Done", False)
        with unzip(api, export) as archive:
            assert archive.testzip() is None
            assert {"model.onnx", "labels.txt", "cvexport.manifest", "parity.json"} <= set(archive.namelist())
            manifest = json.loads(archive.read("cvexport.manifest"))
        assert manifest["IterationId"] in trained

    def test_each_flavor_is_an_export_of_its_own(self, api: Any, work: Any, trained: str) -> None:
        for flavor in (None, "ONNX12", "onnx12"):
            begin(api, trained, "ONNX", flavor)
        assert work() == 2
        assert [each["flavor"] for each in api.ok("GET", f"{trained}/export")] == [None, "ONNX12"]

    @pytest.mark.parametrize("done", [False, True])
    def test_a_second_time_is_refused(self, api: Any, work: Any, trained: str, *, done: bool) -> None:
        begin(api, trained, "ONNX")
        if done:
            work()
        again = begin(api, trained, "ONNX")
        assert (again.status_code, again.json()["code"]) == (400, "BadRequestExportAlreadyInProgress")
        assert ("already done" if done else "already exporting") in again.json()["message"]

    def test_what_an_older_version_wrote_may_be_written_again(
        self, api: Any, work: Any, trained: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begin(api, trained, "ONNX")
        work()
        monkeypatch.setattr(catalog, "VERSION", catalog.VERSION + 1)
        (export,) = api.ok("GET", f"{trained}/export")
        assert export["newerVersionAvailable"] is True
        assert begin(api, trained, "ONNX").json()["status"] == "Exporting"
        assert work() == 1
        (export,) = api.ok("GET", f"{trained}/export")
        assert (export["status"], export["newerVersionAvailable"]) == ("Done", False)

    @pytest.mark.parametrize(
        ("platform", "flavor", "told"),
        [
            ("VAIDK", None, "no longer made"),
            ("IVS", None, "use ONNX or OpenVino"),
            ("Caffe", None, "CoreML, DockerFile, ONNX, OpenVino, TensorFlow"),
            ("ONNX", "ONNX9", "ONNX10, ONNX12"),
            ("TensorFlow", "TensorFlowLiteInt8", "/api/v1"),
        ],
    )
    def test_what_is_not_offered_is_refused_with_the_reason(
        self, api: Any, trained: str, platform: str, flavor: str | None, told: str
    ) -> None:
        answer = begin(api, trained, platform, flavor)
        assert (answer.status_code, answer.json()["code"]) == (400, "BadRequestExportValidationFailed")
        assert told in answer.json()["message"]

    def test_a_link_expires(self, api: Any, work: Any, trained: str) -> None:
        begin(api, trained, "ONNX")
        work()
        (export,) = api.ok("GET", f"{trained}/export")
        api.advance(timedelta(hours=23))
        assert api.client.get(export["downloadUri"]).status_code == 200
        api.advance(timedelta(hours=2))
        assert api.client.get(export["downloadUri"]).status_code != 200


class TestVersions:
    @pytest.mark.parametrize(("version", "known"), [("v3.0", False), ("v3.3", False), ("v3.4-preview", True)])
    def test_older_clients_are_not_told_of_platforms_that_they_do_not_know(
        self, api: Any, trained: str, version: str, *, known: bool
    ) -> None:
        path = f"/customvision/{version}/training{trained}"
        iteration = api.client.get(path, headers={"Training-Key": TRAINING_KEY}).json()
        assert ("OpenVino" in iteration["exportableTo"]) is known
        assert "ONNX" in iteration["exportableTo"]


class TestOwn:
    def test_lists_every_format(self, api: Any) -> None:
        told = own(api, "GET", "/export-formats").json()
        assert [each["name"] for each in told] == [format.name for format in catalog.FORMATS]
        assert {each["extra"] for each in told} == {"", "coreml", "openvino", "tflite"}

    def test_offers_formats_of_our_own_with_size_and_certificate(self, api: Any, work: Any, trained: str) -> None:
        begun = own(api, "POST", f"{trained}/exports", platform="onnx", flavor="OnnxInt8").json()
        assert (begun["status"], begun["parity"], begun["sizeBytes"]) == ("Exporting", None, None)
        assert work() == 1
        (export,) = own(api, "GET", f"{trained}/exports").json()
        assert (export["status"], export["flavor"]) == ("Done", "OnnxInt8")
        assert export["parity"]["passed"] is True
        assert export["parity"]["photos"] >= 16
        assert export["parity"]["source"] == "photos of the training"
        content = api.client.get(export["downloadUri"]).content
        assert len(content) == export["sizeBytes"]
        assert json.loads(ZipFile(BytesIO(content)).read("parity.json")) == export["parity"]
        assert api.ok("GET", f"{trained}/export") == []  # Azure's clients would not know it

    def test_deletes_an_export_so_that_it_can_be_made_anew(self, api: Any, work: Any, trained: str) -> None:
        begin(api, trained, "ONNX")
        running = own(api, "DELETE", f"{trained}/exports", platform="ONNX")
        assert running.json()["code"] == "BadRequestExportAlreadyInProgress"
        work()
        assert own(api, "DELETE", f"{trained}/exports", platform="ONNX").status_code == 204
        assert own(api, "DELETE", f"{trained}/exports", platform="ONNX").status_code == 404
        assert begin(api, trained, "ONNX").json()["status"] == "Exporting"

    def test_a_prediction_key_exports_nothing(self, api: Any, trained: str) -> None:
        headers = {"Training-Key": PREDICTION_KEY}
        answer = api.client.post(f"{OWN}{trained}/exports", params={"platform": "ONNX"}, headers=headers)
        assert answer.status_code == 401


class TestFailures:
    def failed(self, api: Any, work: Any, trained: str, platform: str, flavor: str | None = None) -> str:
        begin(api, trained, platform, flavor)
        work()
        (export,) = own(api, "GET", f"{trained}/exports").json()
        assert (export["status"], export["downloadUri"], export["parity"]) == ("Failed", None, None)
        (azure,) = api.ok("GET", f"{trained}/export")
        assert (azure["status"], azure["downloadUri"]) == ("Failed", None)
        return export["errorDetails"]

    @pytest.mark.parametrize(
        ("package", "asked", "extra"),
        [
            ("openvino", ("OpenVino", None), "openvino"),
            ("coremltools", ("CoreML", None), "coreml"),
            ("ai_edge_litert", ("TensorFlow", "TensorFlowLite"), "tflite"),
        ],
    )
    def test_a_missing_extra_is_named_and_the_export_may_be_begun_again(
        self, missing: Any, package: str, asked: tuple[str, str | None], extra: str
    ) -> None:
        told, begin_again = missing(package, *asked)
        assert f'pip install "foveal[{extra}]"' in told
        assert begin_again().json()["status"] == "Exporting"

    @pytest.fixture
    def missing(self, api: Any, work: Any, trained: str, monkeypatch: pytest.MonkeyPatch) -> Any:
        """Export without a package; give what is told, and what begins the export again when it is there."""

        def ask(package: str, platform: str, flavor: str | None) -> Any:
            with monkeypatch.context() as without:
                without.setitem(sys.modules, package, None)
                told = self.failed(api, work, trained, platform, flavor)
            return told, lambda: begin(api, trained, platform, flavor)

        return ask

    def test_an_export_that_answers_otherwise_is_told_with_the_figure(
        self, api: Any, work: Any, trained: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client_graph, "BGR", "Rgb8")  # colours are not turned round, and nobody is told
        told = self.failed(api, work, trained, "ONNX")
        assert "answers otherwise than the service: the largest difference is" in told
        assert "at most 0.001 was expected" in told

    def test_a_full_disk_is_told_and_offers_no_half_zip(self, api: Any, work: Any, trained: str, settings: Any) -> None:
        begin(api, trained, "ONNX", "ONNX12")
        work()
        own(api, "DELETE", f"{trained}/exports", platform="ONNX", flavor="ONNX12")
        _, hard = getrlimit(RLIMIT_FSIZE)
        setrlimit(RLIMIT_FSIZE, (2_000_000, hard))  # of any file: the model has almost three million bytes
        try:
            told = self.failed(api, work, trained, "ONNX")
        finally:
            setrlimit(RLIMIT_FSIZE, (hard, hard))
        assert "The disk is full" in told
        assert not list((settings.cache / "scratch").rglob("*"))
        assert begin(api, trained, "ONNX").json()["status"] == "Exporting"

    def test_photos_that_were_deleted_are_replaced_by_drawn_ones(self, api: Any, work: Any, trained: str) -> None:
        project = trained.split("/")[2]
        api("DELETE", f"/projects/{project}/images", params={"allImages": "true", "allIterations": "true"})
        begin(api, trained, "ONNX")
        work()
        (export,) = own(api, "GET", f"{trained}/exports").json()
        assert export["status"] == "Done", export["errorDetails"]
        assert export["parity"]["source"].startswith("drawn pictures")
