import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from foveal.engine import graph

torch = pytest.importorskip("torch", reason="the recipe needs torch")

from pretrain import card, data, finish, optimizers, probe, run, teachers, to_onnx  # noqa: E402
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
class Scoring(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.maps, self.scores = torch.nn.Conv2d(3, 4, 4, 4), torch.nn.Linear(4, 5)
    def run(self, images):
        maps = self.maps(images).relu()
        return maps, self.scores(maps.mean((2, 3)))
def load(name):
    torch.manual_seed(0)
    if name == "scoring":
        return Scoring().eval()
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


def started(teacher: Path, recipe: run.Recipe = RECIPE) -> tuple[run.State, teachers.Teachers, run.Pools]:
    pools = run.gather(recipe, [])
    loaded = teachers.load([teacher])
    return run.start(recipe, loaded, pools), loaded, pools


def unfinished(student: Student) -> finish.Finish:
    """A finish that changes nothing."""
    sizes = [part.shape[1] for part in student.pooled(torch.zeros(1, 3, 64, 64))]
    return finish.Finish(
        tuple(finish.Part(np.zeros(size, np.float32), np.eye(size, dtype=np.float32)) for size in sizes)
    )


class TestRun:
    def test_takes_steps_from_one_command(self, teacher: Path, photo_archive: Path, tmp_path: Path) -> None:
        config = tmp_path / "tiny.toml"
        values = {key: value for key, value in vars(RECIPE).items() if isinstance(value, int | float)}
        config.write_text('student = "tiny"\n' + "".join(f"{k} = {v}\n" for k, v in values.items()), encoding="utf-8")
        arguments = ["--config", config, "--out", tmp_path / "run", "--teachers", teacher, "--photos", photo_archive]
        run.main([str(each) for each in arguments])
        student = run.averaged_student(tmp_path / "run" / run.CHECKPOINT)
        assert student.dimension == STUDENTS["tiny"].widths[-1]
        told = card.markdown(tmp_path / "run")
        assert "| Teachers | small |" in told
        assert "| Pictures, photos | 6, digest" in told
        assert "| Images seen | 2 of 2 steps of 4 at 32 px |" in told

    @pytest.mark.gpu
    def test_trains_on_a_gpu_and_exports_on_the_processor(
        self, teacher: Path, photo_archive: Path, tmp_path: Path
    ) -> None:
        config = tmp_path / "tiny.toml"
        config.write_text('student = "tiny"\nsteps = 3\nbatch = 8\nsize_px = 32\ngenerated_count = 64\n', "utf-8")
        arguments = ["--config", config, "--out", tmp_path, "--teachers", teacher, "--photos", photo_archive]
        run.main([*map(str, arguments), "--device", "cuda"])
        student = run.averaged_student(tmp_path / run.CHECKPOINT)
        assert len(to_onnx.export(student, unfinished(student), 32)) > 1000

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

    def test_takes_more_steps_until_its_rate_falls(self, teacher: Path, tmp_path: Path) -> None:
        shorter = replace(RECIPE, steps=4, decay_share=0.5)
        state, loaded, pools = started(teacher, shorter)
        steps = run.train(shorter, state, loaded, pools)
        next(steps)
        run.save(state, shorter, tmp_path / "early.pt")
        longer = replace(shorter, steps=8)
        again, _, _ = started(teacher, longer)
        run.resume(again, longer, tmp_path / "early.pt")
        assert again.step == 1
        list(steps)
        run.save(state, shorter, tmp_path / "late.pt")
        with pytest.raises(ValueError, match="where the rate falls"):
            run.resume(again, longer, tmp_path / "late.pt")

    def test_begins_from_the_averaged_weights_of_another_run(self, teacher: Path, tmp_path: Path) -> None:
        state, loaded, pools = started(teacher)
        list(run.train(RECIPE, state, loaded, pools))
        run.save(state, RECIPE, tmp_path / "first.pt")
        other = replace(RECIPE, seed=5, learning_rate=1e-3)
        second, _, _ = started(teacher, other)
        run.begin_from(second, tmp_path / "first.pt")
        assert second.step == 0
        for name, value in run.averaged_student(tmp_path / "first.pt").state_dict().items():
            torch.testing.assert_close(second.student.state_dict()[name], value, rtol=0, atol=0, msg=name)

    def test_learns_maps_and_scores_of_several_teachers(self, teacher: Path) -> None:
        recipe = replace(RECIPE, steps=30, score_weight=1.0, learning_rate=1e-2, batch=16)
        pools = run.gather(recipe, [])
        loaded = teachers.load([teacher, teacher.parent / "scoring"])
        state = run.start(recipe, loaded, pools)
        assert state.heads.projector.out_channels == 6 + 4
        assert [each.out_features for each in state.heads.scores] == [5]
        found = [each["loss"] for each in run.train(recipe, state, loaded, pools)]
        assert np.mean(found[-5:]) < 0.8 * np.mean(found[:5])

    def test_forgets_what_a_yardstick_must_not_know(self, teacher: Path) -> None:
        images = torch.rand(2, 3, 32, 32)
        known, again, fresh = (teachers.load([teacher], trained=kind)(images).maps for kind in (True, True, False))
        torch.testing.assert_close(known, again, rtol=0, atol=0)
        assert (known != fresh).any()

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

    def test_mosaics_hold_four_pictures_unchanged(self) -> None:
        pool = torch.arange(5, dtype=torch.uint8).view(5, 1, 1, 1).expand(5, 8, 8, 3) * 50
        how = data.Augmentation(area=(1, 1), aspect=1, mosaic=1)
        made = data.draw(pool, 6, 16, how, torch.Generator().manual_seed(0)) * 255 / 50
        tiles = made.view(6, 3, 2, 8, 2, 8).permute(0, 2, 4, 1, 3, 5).reshape(24, -1)
        torch.testing.assert_close(tiles, tiles[:, :1].round().expand_as(tiles), rtol=0, atol=1e-4)
        assert len(tiles[:, 0].round().unique()) == len(pool)


class TestOptimizers:
    def test_muon_updates_all_directions_alike(self) -> None:
        torch.manual_seed(0)
        skewed = torch.randn(8, 3) @ torch.diag(torch.tensor([100.0, 1.0, 0.1])) @ torch.randn(3, 20)
        found = torch.linalg.svdvals(optimizers.orthogonal(skewed))[:3]
        assert 0.5 < found.min() < found.max() < 1.5

    def test_both_learn_and_forget_nothing_in_a_checkpoint(self) -> None:
        torch.manual_seed(0)
        student, head = torch.nn.Conv2d(1, 4, 3, bias=False), torch.nn.Conv2d(4, 1, 1)
        both = optimizers.make(student, head, 1e-2, 0.0)
        images = torch.randn(16, 1, 6, 6)

        def loss() -> torch.Tensor:
            return (head(student(images)) - images[:, :, 1:-1, 1:-1]).square().mean()

        first = loss().item()
        for _ in range(100):
            loss().backward()
            both.step()
        assert loss().item() < 0.5 * first
        again = optimizers.make(student, head, 1e-2, 0.0)
        again.load_state_dict(both.state_dict())
        assert again.members[0].state_dict()["state"].keys() == both.members[0].state_dict()["state"].keys()

    def test_rate_rises_holds_and_falls_to_zero(self) -> None:
        rates = [optimizers.rate_at(step, 100, peak=2.0, warmup=10, decay_share=0.5) for step in range(101)]
        assert rates[0] == pytest.approx(0.2)
        assert rates[9:51] == [2.0] * 42
        assert rates[75] == pytest.approx(1.0)
        assert rates[100] == 0


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

    def test_names_the_maps_of_the_student(self, tmp_path: Path) -> None:
        torch.manual_seed(0)
        student = Student(replace(STUDENTS["tiny"], widths=(8, 16, 24), blocks=(1, 2, 1))).eval()
        path = tmp_path / "tiny.onnx"
        path.write_bytes(to_onnx.export(student, unfinished(student), 32))
        session = onnxruntime.InferenceSession(graph.feature_maps(path), providers=["CPUExecutionProvider"])
        images = np.random.default_rng(0).uniform(0, 255, (2, 3, 32, 32)).astype(np.float32)
        found = session.run(["map4", "map8", "map16"], {"image": images})
        wanted = [each.detach().numpy() for each in student.stages(torch.from_numpy(images / 255))]
        for made, expected in zip(found, wanted, strict=True):
            np.testing.assert_allclose(made, expected, atol=2e-3 * float(expected.max()))

    @pytest.mark.parametrize(("name", "bytes_at_most"), [("foveal-s", 12_000_000), ("foveal-xs", 3_000_000)])
    def test_of_a_shipped_student_fits_the_package(self, name: str, bytes_at_most: int) -> None:
        student = Student(STUDENTS[name]).eval()
        assert len(to_onnx.export(student, unfinished(student), 224)) <= bytes_at_most


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
    @pytest.fixture
    def coloured(self, tmp_path: Path) -> Path:
        """Photos of two tags that differ in colour, in class folders."""
        rng = np.random.default_rng(0)
        for name, colour in (("red", 0), ("green", 1)):
            (tmp_path / name).mkdir()
            for index in range(8):
                pixels = rng.integers(0, 120, (8, 8, 3), np.uint8)
                pixels[..., colour] += 130
                Image.fromarray(pixels).save(tmp_path / name / f"{index}.png")
        (tmp_path / "_test").mkdir()
        return tmp_path

    @pytest.mark.parametrize("classifier", sorted(probe.CLASSIFIERS))
    def test_tells_a_seeing_network_from_a_blind_one(self, coloured: Path, classifier: str) -> None:
        photos = probe.read(coloured)
        network = probe.Network("colours", 8, lambda images: images.mean((1, 2)).astype(np.float32))
        seen = probe.features(network, photos.images(8))
        blind = np.ones((16, 1), np.float32)
        assert np.mean(probe.scores(seen, photos, 3, 5, probe.CLASSIFIERS[classifier])) == 1
        assert np.mean(probe.scores(blind, photos, 3, 5, probe.CLASSIFIERS[classifier])) == 0.5
        assert probe.scores(seen, photos, 8, 5, probe.head) == []

    def test_reads_photos_with_several_tags(self, coloured: Path, tmp_path: Path) -> None:
        home = tmp_path / "many"
        home.mkdir()
        names = {each.name: ["red", "any"] for each in (coloured / "red").iterdir()}
        (coloured / "red").rename(home / "images")
        (home / "labels.json").write_text(json.dumps({"tags": ["any", "red", "blue"], "images": names}), "utf-8")
        photos = probe.read(home)
        assert not photos.exclusive
        assert photos.targets.tolist() == [[True, True, False]] * 8

    def test_draws_so_many_of_each_tag(self, coloured: Path) -> None:
        photos = probe.read(coloured)
        first, second = probe.draw(photos, 3, 0), probe.draw(photos, 3, 1)
        assert photos.targets[first].sum(0).tolist() == [3, 3]
        assert (first != second).any()

    def test_refuses_a_folder_without_photos(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="expected a folder of photos"):
            probe.read(tmp_path)

    def test_views_are_averaged(self, coloured: Path) -> None:
        images = probe.read(coloured).images(8)
        corner = probe.Network("corner", 8, lambda batch: batch[:, 0, 0].astype(np.float32))
        made = probe.features(corner, images, [lambda each: each, lambda each: each[:, :, ::-1]])
        left, right = (probe.features(corner, each) for each in (images, images[:, :, ::-1]))
        expected = (left + right) / np.linalg.norm(left + right, axis=1, keepdims=True)
        np.testing.assert_allclose(made, expected, rtol=1e-5)
