"""What the errors happen to: projects and iterations in the states that calls are refused in."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.azure import sdk
from tests.support.server import TRAINING_KEY, Server


@dataclass(frozen=True)
class Scene:
    """What the errors happen to."""

    trainer: Any
    predictor: Any
    stranger: Any
    strange_predictor: Any
    nobody: Any
    nameless_predictor: Any
    idle: Any
    """Of a server that never trains, and takes bodies of one mebibyte."""
    empty: str
    project: str
    live: str
    """The iteration published as `live`."""
    spare: str
    """Another completed iteration, with an export to ONNX."""
    stuck: str
    """A project of the idle server whose iteration never ends."""
    pending: str

    @property
    def tag(self) -> str:
        return self.trainer.get_tags(self.project)[0].id


@contextmanager
def opened(server: Server, idle_data: Path) -> Iterator[Scene]:
    project, live = sdk.trained_project(trainer)
    trainer.publish_iteration(project, live.id, "live", sdk.RESOURCE)
    spare = sdk.train(trainer, project, force_train=True)
    sdk.export(trainer, project, spare.id).close()
    lazy = Server(tmp_path_factory.mktemp("idle"), {"FOVEAL_MAX_BODY_MIB": "1"}, ("--no-worker",)).start()
    with ExitStack() as stack:
        stack.callback(lazy.stop)
        idle = stack.enter_context(sdk.trainer_of(lazy))
        stuck = sdk.new_project(idle)
        sdk.upload(idle, stuck, sdk.coloured(), sdk.new_tags(idle, stuck, ("red", "blue")))
        yield Scene(
            trainer=trainer,
            predictor=predictor,
            stranger=stack.enter_context(sdk.trainer_of(server, "not-the-key")),
            strange_predictor=stack.enter_context(sdk.predictor_of(server, TRAINING_KEY)),
            nobody=stack.enter_context(sdk.trainer_of(server, "")),
            nameless_predictor=stack.enter_context(sdk.predictor_of(server, "")),
            idle=idle,
            empty=sdk.new_project(trainer),
            project=project,
            live=live.id,
            spare=spare.id,
            stuck=stuck,
            pending=idle.train_project(stuck).id,
        )
