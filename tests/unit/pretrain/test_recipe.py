import io
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from PIL import Image

torch = pytest.importorskip("torch", reason="the recipe needs torch")

from pretrain import data, finish, generators, probe, run, teachers, to_onnx  # noqa: E402
from pretrain.students import STUDENTS, Student  # noqa: E402

RECIPE = run.Recipe(
    student="tiny",
    steps=2,
    size_px=32,
    batch=4,
    generated_count=16,
    generated_px=32,
    photo_px=16,
    warmup_steps=1,
    checkpoint_every=1,
)
TEACHER = """
import torch
def load(name):
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Conv2d(3, 6, 8, 8), torch.nn.ReLU()).eval()
"""


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    """A weights folder with its definitions beside it."""
    (tmp_path / "weights/small").mkdir(parents=True)
    (tmp_path / "weights/teachers.py").write_text(TEACHER, encoding="utf-8")
    return tmp_path / "weights/small"


@pytest.fixture
def photo_archive(tmp_path: Path) -> Path:
    """Two class folders in a .tar."""
    path = tmp_path / "photos.tar"
    with tarfile.open(path, "w") as archive:
        for index in range(6):
            content = io.BytesIO()
            Image.new("RGB", (20, 16), (40 * index, 0, 0)).save(content, "PNG")
            member = tarfile.TarInfo(f"class{index % 2}/{index}.png")
            member.size = content.tell()
            content.seek(0)
            archive.addfile(member, content)
    return path


def started(teacher: Path) -> tuple[run.State, torch.nn.Module, run.Pools]:
    pools = run.gather(RECIPE, [])
    loaded = teachers.load([teacher])
    return run.start(RECIPE, loaded, pools), loaded, pools


class TestRun:
    def test_takes_steps_from_one_command(self, teacher: Path, photo_archive: Path, tmp_path: Path) -> None:
        config = tmp_path / "tiny.toml"
        values = {key: value for key, value in vars(RECIPE).items() if isinstance(value, int | float)}
        config.write_text('student = "tiny"\n' + "".join(f"{k} = {v}\n" for k, v in values.items()), encoding="utf-8")
        arguments = ["--config", config, "--out", tmp_path / "run", "--teachers", teacher, "--photos", photo_archive]
        run.main([str(each) for each in arguments])
        student = run.averaged_student(tmp_path / "run" / run.CHECKPOINT)
        assert (tmp_path / "run" / run.LOG).is_file()
        assert student.dimension == STUDENTS["tiny"].widths[-1]

    def test_resumed_gives_the_weights_of_an_uninterrupted_one(self, teacher: Path, tmp_path: Path) -> None:
        whole, loaded, pools = started(teacher)
        list(run.train(RECIPE, whole, loaded, pools))
        half, _, _ = started(teacher)
        next(run.train(RECIPE, half, loaded, pools))
        run.save(half, RECIPE, tmp_path / "half.pt")
        again, _, _ = started(teacher)
        run.resume(again, RECIPE, tmp_path / "half.pt")
        assert [each["step"] for each in run.train(RECIPE, again, loaded, pools)] == [2]
        for name, value in whole.average.state_dict().items():
            torch.testing.assert_close(again.average.state_dict()[name], value, rtol=0, atol=0, msg=name)

    def test_refuses_to_resume_another_recipe(self, teacher: Path, tmp_path: Path) -> None:
        state, _, _ = started(teacher)
        run.save(state, RECIPE, tmp_path / "run.pt")
        with pytest.raises(ValueError, match="another recipe"):
            run.resume(state, replace(RECIPE, seed=9), tmp_path / "run.pt")

    def test_names_the_missing_definitions_of_a_teacher(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"teachers\.py"):
            teachers.load([tmp_path / "nothing"])


class TestPhotos:
    def test_come_from_folders_and_archives_alike(self, photo_archive: Path, tmp_path: Path) -> None:
        with tarfile.open(photo_archive) as archive:
            archive.extractall(tmp_path / "folder", filter="data")
        read = data.photos([photo_archive, tmp_path / "folder"], 16)
        assert read.shape == (12, 16, 16, 3)
        np.testing.assert_array_equal(read[:6], read[6:])

    @pytest.mark.parametrize("path", ["shared/data", "shared/data/flowers5", "shared/data/flowers5/roses", "copies"])
    def test_refuse_benchmark_sets(self, tmp_path: Path, path: str) -> None:
        (tmp_path / "shared/data/flowers5/roses").mkdir(parents=True)
        (tmp_path / "copies/dtd10").mkdir(parents=True)
        with pytest.raises(data.Refused, match="benchmark"):
            data.photos([tmp_path / path], 16)

    @pytest.mark.parametrize("member", ["flowers5/roses/1.png", "./dtd10/banded/1.png"])
    def test_refuse_an_archive_of_a_benchmark_set(self, tmp_path: Path, member: str) -> None:
        with tarfile.open(tmp_path / "hidden.tar", "w") as archive:
            archive.addfile(tarfile.TarInfo(member))
        with pytest.raises(data.Refused, match="benchmark"):
            data.photos([tmp_path / "hidden.tar"], 16)


class TestGenerators:
    def test_depend_on_seed_and_number_alone(self) -> None:
        few, more = generators.pool(3, 32, 5), generators.pool(6, 32, 5)
        np.testing.assert_array_equal(few, more[:3])
        assert (few != generators.pool(3, 32, 6)).any()

    def test_differ_from_each_other(self) -> None:
        made = generators.pool(24, 32, 0)
        assert len({each.tobytes() for each in made}) == len(made)

    @pytest.mark.parametrize("field", sorted(set(generators.FIELDS), key=lambda each: each.__name__))
    def test_fields_stay_in_their_range(self, field: object) -> None:
        assert callable(field)
        for seed in range(10):
            made = field(np.random.default_rng(seed), 33)
            assert made.shape == (33, 33)
            assert -0.01 <= made.min() <= made.max() <= 1.3


class TestViews:
    def test_are_images_of_the_size_asked_for(self) -> None:
        batch = run.batch(RECIPE, run.gather(RECIPE, []), 0)
        assert batch.shape == (4, 3, 32, 32)
        assert batch.min() >= 0
        assert batch.max() <= 1

    def test_are_a_function_of_the_step(self) -> None:
        pools = run.gather(RECIPE, [])
        torch.testing.assert_close(run.batch(RECIPE, pools, 3), run.batch(RECIPE, pools, 3), rtol=0, atol=0)
        assert (run.batch(RECIPE, pools, 3) != run.batch(RECIPE, pools, 4)).any()


class TestExport:
    def test_equals_torch(self) -> None:
        torch.manual_seed(0)
        student = Student(STUDENTS["tiny"])
        student.train()
        student(torch.rand(8, 3, 32, 32))  # so that the batch norms have something to fuse
        images = np.random.default_rng(0).integers(0, 256, (3, 3, 32, 32)).astype(np.float32)
        recipe = replace(RECIPE, batch=16)
        last = finish.measure(finish.pooled(student.eval(), finish.plain_views(recipe, run.gather(recipe, []))))
        session = onnxruntime.InferenceSession(to_onnx.export(student, last, 32), providers=["CPUExecutionProvider"])
        found = np.asarray(session.run(["embedding"], {"image": images})[0])
        expected = last.apply(finish.pooled(student, [torch.from_numpy(images / 255)]))
        # Weights are kept in half precision, the finish's too.
        np.testing.assert_allclose(found, expected, atol=3e-3 * float(np.abs(expected).max()))

    def test_of_the_shipped_student_fits_the_package(self) -> None:
        student = Student(STUDENTS["foveal-s"]).eval()
        sizes = [part.shape[1] for part in student.pooled(torch.zeros(1, 3, 64, 64))]
        plain = finish.Finish(
            tuple(finish.Part(np.zeros(size, np.float32), np.eye(size, dtype=np.float32)) for size in sizes)
        )
        assert len(to_onnx.export(student, plain, 224)) <= 12_000_000


class TestFinish:
    def test_halves_the_differences_between_directions_and_gives_length_one(self) -> None:
        rng = np.random.default_rng(0)
        part = (3 + rng.normal(0, 1, (2000, 4)) * [0.9, 0.3, 0.1, 0.05]).astype(np.float32)
        made = finish.measure([part, part]).apply([part, part])
        assert (made[:, :4] ** 2).sum(1).mean() == pytest.approx(1, rel=1e-3)
        assert (made[:, 4:] ** 2).sum(1).mean() == pytest.approx(finish.FINEST_WEIGHT**2, rel=1e-3)
        deviations = made.std(0)
        assert deviations[0] / deviations[3] == pytest.approx((0.9 / 0.05) ** 0.5, rel=0.1)
        np.testing.assert_allclose(made.mean(0), 0, atol=1e-3)


class TestProbe:
    def test_tells_a_seeing_network_from_a_blind_one(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(0)
        for name, colour in (("red", 0), ("green", 1)):
            (tmp_path / name).mkdir()
            for index in range(8):
                pixels = rng.integers(0, 120, (8, 8, 3), np.uint8)
                pixels[..., colour] += 130
                Image.fromarray(pixels).save(tmp_path / name / f"{index}.png")
        images, labels = probe.read(tmp_path, 8)

        def colours(images: NDArray[np.uint8]) -> NDArray[np.float32]:
            return images.mean((1, 2)).astype(np.float32)

        seeing = probe.scores(probe.features(colours, images), labels, 3, 5)
        blind = probe.scores(np.ones((16, 1), np.float32), labels, 3, 5)
        assert np.mean(seeing) == 1
        assert np.mean(blind) == 0.5
