"""Exports on the command line: written beside a training or later, and asked as models."""

import json
import os
import zipfile
from pathlib import Path
from resource import RLIMIT_FSIZE, getrlimit, setrlimit
from zipfile import ZipFile

import pytest
from tests.support.pictures import picture
from tests.unit.cli.conftest import Command

from foveal.cli import exports
from foveal.exporters import package


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for at, colour in enumerate(("blue", "red")):
        (tmp_path / "photos" / colour).mkdir(parents=True)
        for n in range(6):
            (tmp_path / "photos" / colour / f"{n}.png").write_bytes(picture(100 * at + n, colour))
    return tmp_path / "photos"


@pytest.fixture
def model(foveal: Command, photos: Path) -> Path:
    """A model on the compact domain, with an export to ONNX beside it."""
    outcome = foveal("train", photos, "--domain", "General (compact)", "--out", "model", "--export", "onnx")
    assert outcome.code == 0, outcome.err
    assert "model/onnx.zip" in outcome.out
    assert "100% of the answers on 16 photos the same" in outcome.out
    return Path("model").absolute()


@pytest.mark.slow
class TestExport:
    def test_a_zip_is_asked_like_the_model_whatever_its_format(
        self, foveal: Command, model: Path, photos: Path
    ) -> None:
        told = foveal("export", model, "tflite", "bundle", "docker-linux", "--photos", photos, "--out", "out")
        assert told.code == 0, told.err
        assert [line.split()[0] for line in told.out.splitlines()] == [
            "out/tflite.zip",
            "out/bundle.zip",
            "out/docker-linux.zip",
        ]
        photo = photos / "red" / "0.png"
        expected = json.loads(foveal("predict", model, photo, "--json").out)["predictions"]
        for archive in (model / "onnx.zip", *sorted(Path("out").glob("*.zip"))):
            found = json.loads(foveal("predict", archive, photo, "--json").out)["predictions"]
            assert found == pytest.approx(expected, abs=1e-3)

    def test_a_bundle_is_exported_again(self, foveal: Command, model: Path) -> None:
        assert foveal("export", model, "bundle").code == 0
        told = foveal("export", "bundle.zip", "saved-model", "--json")
        found = json.loads(told.out)
        assert (found["file"], found["parity"]["passed"]) == ("saved-model.zip", True)
        assert found["parity"]["source"] == "drawn pictures"

    def test_an_unknown_format_is_told_before_anything_is_written(self, foveal: Command, model: Path) -> None:
        told = foveal("export", model, "onnx", "caffe", "--out", "out")
        assert (told.code, told.err.count("\n")) == (1, 1)
        assert "There is no export format 'caffe': expected one of onnx," in told.err
        assert not Path("out").exists()

    def test_an_unknown_format_is_told_before_a_training(self, foveal: Command, photos: Path) -> None:
        told = foveal("train", photos, "--out", "never", "--export", "caffe")
        assert told.code == 1
        assert not Path("never").exists()

    def test_a_damaged_bundle_is_told(self, foveal: Command, model: Path) -> None:
        content = (model / "model.onnx").read_bytes()
        (model / "model.onnx").write_bytes(content[: len(content) // 2])
        told = foveal("export", model, "tflite", "--out", "out")
        assert (told.code, told.err.count("\n")) == (1, 1)
        assert "is not a model that can be served" in told.err
        assert not list(Path("out").glob("*"))

    def test_a_full_disk_leaves_no_half_zip(self, model: Path) -> None:
        folder = model / "onnx"
        folder.mkdir()
        (folder / "noise.bin").write_bytes(os.urandom(300_000))
        _, hard = getrlimit(RLIMIT_FSIZE)
        setrlimit(RLIMIT_FSIZE, (200_000, hard))
        try:
            with pytest.raises(OSError, match="File too large"):
                package.zipped(folder, model / "half.zip")
        finally:
            setrlimit(RLIMIT_FSIZE, (hard, hard))
        assert not list(model.glob("half.zip*"))


class TestHostileZips:
    def archive(self, **entries: str) -> Path:
        with ZipFile("hostile.zip", "w") as archive:
            for name, text in entries.items():
                archive.writestr(name.replace("__", "/").replace("_dot_", "."), text)
        return Path("hostile.zip")

    def manifest(self, **changed: str) -> str:
        told = {
            "ModelFileName": "model.onnx",
            "LabelFileName": "labels.txt",
            "MetadataPropsFileName": "metadata_properties.json",
            "FovealRuntime": "onnx",
            "DomainType": "Classification",
        }
        return json.dumps(told | changed)

    @pytest.mark.parametrize(
        ("manifest", "told"),
        [
            ({"ModelFileName": "../../etc/passwd"}, "names '../../etc/passwd', which is not there"),
            ({"ModelFileName": "other.onnx"}, "names 'other.onnx', which is not there"),
            ({"FovealRuntime": "os"}, "names 'os', which is not there"),
            ({}, "cannot be opened"),
        ],
    )
    def test_what_a_manifest_names_is_checked(
        self, foveal: Command, photos: Path, manifest: dict[str, str], told: str
    ) -> None:
        archive = self.archive(
            cvexport_dot_manifest=self.manifest(**manifest),
            labels_dot_txt="a\nb\n",
            model_dot_onnx="not a model",
            metadata_properties_dot_json="{}",
        )
        outcome = foveal("predict", archive, photos / "red" / "0.png")
        assert (outcome.code, outcome.err.count("\n")) == (1, 1)
        assert told in outcome.err

    def test_a_damaged_manifest_is_told(self, foveal: Command, photos: Path) -> None:
        archive = self.archive(cvexport_dot_manifest="{", labels_dot_txt="a\n")
        assert "is damaged or not written by Foveal" in foveal("predict", archive, photos / "red" / "0.png").err

    def test_a_program_in_the_zip_is_not_run(self, foveal: Command, photos: Path, tmp_path: Path) -> None:
        trap = f"open({str(tmp_path / 'ran')!r}, 'w')"
        archive = self.archive(
            cvexport_dot_manifest=self.manifest(),
            labels_dot_txt="a\n",
            model_dot_onnx="x",
            metadata_properties_dot_json="{}",
            python__predict_dot_py=trap,
            python__runtime_dot_py=trap,
        )
        foveal("predict", archive, photos / "red" / "0.png")
        assert not (tmp_path / "ran").exists()

    def test_entries_stay_within_the_folder(self, foveal: Command, photos: Path, tmp_path: Path) -> None:
        with ZipFile("climbing.zip", "w") as archive:
            archive.writestr("../../climbed.txt", "x")
        assert foveal("predict", "climbing.zip", photos / "red" / "0.png").code == 1
        assert not list(tmp_path.parent.glob("climbed.txt"))

    def test_a_zip_that_grows_without_measure_is_refused(
        self, foveal: Command, photos: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(exports, "MOST_BYTES", 1_000_000)
        with ZipFile("bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("model.onnx", b"\0" * 2_000_000)
        told = foveal("predict", "bomb.zip", photos / "red" / "0.png").err
        assert "unpacked it would have 2000000 bytes, at most 1000000 are taken" in told
