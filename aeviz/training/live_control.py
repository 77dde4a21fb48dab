"""What a person asks of a training at work, done between two steps."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from aeviz.config import override
from aeviz.errors import AevizError, BadValue, NotNow, Paused, Stopped
from aeviz.models import ModelConfig, build, costs, fitted_to
from aeviz.models.base import mode
from aeviz.models.meta import shapes_only
from aeviz.models.surgery.transfer import transfer
from aeviz.runs import RunConfig
from aeviz.training.checkpoint import can_undo, keep_for_undo, put_back
from aeviz.training.steps.stepper import Stepper

if TYPE_CHECKING:
    from aeviz.training.loop import Trainer

LISTEN_SECONDS = 0.02  # how often a paused training listens
PROBES = 2000  # images whose codes say what of the old network matters


class Rewound(Exception):
    """The training stands at an earlier place than before, and goes on from there."""


class Helm:
    """Hears requests and turns the training: live settings, the network, single steps, pause and stop.

    A paused training stays in its process for `park_seconds`, unless `is_wanted` says that another one waits for
    the device, and goes on at once when asked to.
    """

    def __init__(self, park_seconds: float = 0.0, is_wanted: Callable[[], bool] = lambda: False) -> None:
        self.park_seconds, self.is_wanted = park_seconds, is_wanted
        self._steps = 0
        self._is_counted = False  # the steps asked for are all taken

    @property
    def counts_steps(self) -> bool:
        """Whether the training is to pause after a number of steps."""
        return self._steps > 0

    def count_step(self) -> None:
        """A step was taken."""
        self._is_counted = self._steps == 1
        self._steps = max(0, self._steps - 1)

    def hear(self, trainer: "Trainer") -> None:
        """Do what was asked.

        Raises:
            Stopped, Paused: the training is to end here.
            Rewound: it stands elsewhere now.
        """
        counted = self._is_counted
        self._is_counted = False
        while True:
            asked = trainer.crew.share(trainer.worker.requests())
            rewound = [self._do(trainer, request) for request in asked]
            stop, pause = trainer.crew.share((trainer.worker.stop_requested, trainer.worker.pause_requested))
            if any(rewound):
                raise Rewound
            if trainer.is_complete or not (stop or pause or counted):
                return
            if stop:
                raise Stopped("stopped as asked")
            counted = False
            self._park(trainer)

    def _park(self, trainer: "Trainer") -> None:
        """Wait where we are until something is asked.

        Raises:
            Paused: nothing was, for long enough.
        """
        worker = trainer.worker
        worker.pause_requested = True
        trainer.save()
        if self.park_seconds > 0 and trainer.crew.size == 1:
            trainer.show()
            worker.report(state="paused", message="Paused.", **trainer.progress())
        began = time.monotonic()
        while trainer.crew.size == 1 and time.monotonic() < began + self.park_seconds and not self.is_wanted():
            if worker.may_have_requests() or worker.stop_requested:
                trainer.record.rest(time.monotonic() - began)
                return
            time.sleep(LISTEN_SECONDS)
        raise Paused("paused as asked")

    def _do(self, trainer: "Trainer", request: dict[str, Any]) -> bool:
        """Do one thing; whether the training stands elsewhere now."""
        act = REQUESTS.get(str(request.get("ask")))
        if act is None:
            return False
        try:
            return bool(act(self, trainer, request))
        except AevizError as error:
            trainer.event({"kind": "refused", "ask": request.get("ask"), "said": str(error)})
            return False

    def _pause(self, trainer: "Trainer", request: dict[str, Any]) -> None:
        trainer.worker.pause_requested = True

    def _play(self, trainer: "Trainer", request: dict[str, Any]) -> None:
        trainer.worker.pause_requested = False
        self._steps = 0
        if request.get("epochs") is not None:
            values = trainer.run.config().to_json()
            override(values, ["training", "epochs"], request["epochs"])
            config = RunConfig.parse(values)
            _write(trainer, config)
            trainer.training = config.training
            trainer.stepper.turn(config.training)
        trainer.worker.report(state="running", message="")

    def _step(self, trainer: "Trainer", request: dict[str, Any]) -> None:
        trainer.worker.pause_requested = False
        self._steps = 1

    def _leave(self, trainer: "Trainer", request: dict[str, Any]) -> None:
        """Somebody else wants the run's directory: a paused training lets go of it."""
        if trainer.worker.pause_requested:
            self.park_seconds = 0.0

    def _turn(self, trainer: "Trainer", request: dict[str, Any]) -> None:
        """Turn a live setting."""
        path, value = str(request.get("path")), request.get("value")
        before = trainer.run.config()
        config = turned(before, path, value)
        was, now = value_at(before, path), value_at(config, path)
        if now == was:
            return
        section, name = path.split(".", 1)
        if path == "model.body.dropout":
            if not _turn_dropout(trainer, config.model):
                _rebuild(trainer, config.model)
        elif section == "model":
            for model in {trainer.model, trainer.stepper.judged}:
                model.turn(name, now)
            trainer.position.best = None  # totals of other weights cannot be compared
        else:
            trainer.training = config.training
            trainer.stepper.turn(config.training)
        if trainer.captured is not None:
            trainer.captured.forget()
        _write(trainer, config)
        trainer.event({"kind": "turn", "path": path, "from": was, "to": now})
        trainer.save()

    def _change(self, trainer: "Trainer", request: dict[str, Any]) -> None:
        """Go on with another network that keeps what was learned."""
        if trainer.crew.size > 1:
            raise NotNow("the network cannot be changed while several processes train it; stop first, then change")
        before = trainer.run.config()
        model = fitted(before, request.get("model"))
        needed = costs.cost(model, trainer.training.batch_size, trainer.training.optimizer, trainer.training.loss)
        costs.check(needed, trainer.device)
        trainer.save()
        keep_for_undo(trainer.run)
        said = _rebuild(trainer, model)
        trainer.save()
        _write(trainer, before.model_copy(update={"model": model}))
        trainer.event({"kind": "change", "from": before.model.to_json(), "to": model.to_json(), "said": said})
        trainer.judge()
        trainer.model.train()
        trainer.save()
        trainer.show()

    def _undo(self, trainer: "Trainer", request: dict[str, Any]) -> bool:
        """Stand again where the training stood before the last change of the network."""
        if trainer.crew.size > 1:
            raise NotNow("a change cannot be undone while several processes train; stop first, then undo")
        if not can_undo(trainer.run):
            raise NotNow("there is no change of the network to undo")
        put_back(trainer.run)
        trainer.take_up()
        trainer.show()
        return True


REQUESTS: dict[str, Callable[[Helm, "Trainer", dict[str, Any]], Any]] = {
    "pause": Helm._pause,
    "play": Helm._play,
    "step": Helm._step,
    "leave": Helm._leave,
    "turn": Helm._turn,
    "change": Helm._change,
    "undo": Helm._undo,
}


def live_paths(config: RunConfig) -> dict[str, float]:
    """The settings a running training can turn, as dotted paths with their present values."""
    training = {f"training.{name}": getattr(config.training, name) for name in config.training.live_fields()}
    model = {f"model.{name}": getattr(config.model, name) for name in config.model.live_fields()}
    return training | model | {"model.body.dropout": config.model.body.dropout}


def turned(config: RunConfig, path: str, value: Any) -> RunConfig:
    """The settings with one live value changed.

    Raises:
        BadValue: the path is none of `live_paths`, or the value is not allowed there.
    """
    known = live_paths(config)
    if path not in known:
        raise BadValue("{path} cannot be turned while training; these can: {known}", path=path, known=", ".join(known))
    values = config.to_json()
    override(values, path.split("."), value)
    return RunConfig.parse(values)


def fitted(config: RunConfig, model: Any) -> ModelConfig:
    """Another network's settings (without the sample's shape) for the images of a run.

    Raises:
        BadValue: they are not allowed.
    """
    if not isinstance(model, dict):
        raise BadValue("model = {model!r} holds no settings of a network", model=model)
    return fitted_to(model, config.data.shape, len(config.data.classes))


def value_at(config: RunConfig, path: str) -> Any:
    """The value a dotted path leads to."""
    value: Any = config
    for name in path.split("."):
        value = getattr(value, name)
    return value


def _write(trainer: "Trainer", config: RunConfig) -> None:
    trainer.config = config
    if trainer.crew.is_first:
        trainer.run.write_config(config)


def _dropouts(model: nn.Module) -> list[Any]:
    return [module for module in model.modules() if isinstance(module, nn.Dropout | nn.Dropout2d)]


def _turn_dropout(trainer: "Trainer", config: ModelConfig) -> bool:
    """Take each layer's dropout from the settings; False where other layers than now would have some."""
    with shapes_only():
        wanted = _dropouts(build(config, trainer.training.loss))
    for model in {trainer.model, trainer.stepper.judged}:
        present = _dropouts(model)
        if len(present) != len(wanted):
            return False
        for module, other in zip(present, wanted, strict=True):
            module.p = other.p
        model.config = config
    return True


def _rebuild(trainer: "Trainer", config: ModelConfig) -> str:
    """Train a network of other settings from here on, with all that can be kept; what was, in a sentence."""
    before = trainer.stepper
    batch = trainer.validation.batch(torch.arange(min(PROBES, len(trainer.validation)), device=trainer.device))
    before.model.eval()
    with torch.no_grad():
        codes = mode(before.model.encode(batch.x))
    statistics = trainer.feed.statistics() if config.standardise else None
    model, kept = transfer(before.model, config, codes=codes, probe=batch.x, statistics=statistics)
    stepper = Stepper(model.to(trainer.device).train(), trainer.training, trainer.config.resolved, trainer.crew)
    stepper.inherit(before)
    if stepper.averaged is not None and before.averaged is not None:
        averaged, _ = transfer(before.averaged.model, config, codes=codes, probe=batch.x, statistics=statistics)
        stepper.averaged.model = averaged.to(trainer.device).requires_grad_(False)
    trainer.adopt(stepper)
    trainer.position.best = None
    trainer.record.clear()
    return str(kept["said"])
