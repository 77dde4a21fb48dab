"""Apply requests to a training between two of its steps."""

import time
from collections.abc import Callable
from typing import Any

from aeviz.config import override
from aeviz.errors import AevizError, NotNow, Paused, Stopped
from aeviz.models import costs
from aeviz.runs import RunConfig
from aeviz.training.checkpoint import can_undo, keep_for_undo, put_back
from aeviz.training.live.network_change import fitted, rebuild, set_dropout
from aeviz.training.live.settings import value_at, with_live_value
from aeviz.training.live.trainer import LiveTrainer

LISTEN_SECONDS = 0.02  # how often a paused training checks for requests


class Rewound(Exception):
    """The training was set back to an earlier step and continues from there."""


class LiveControl:
    """Applies requests to a training: live settings, network changes, single steps, pause and stop.

    A paused training keeps its process for `park_seconds`, so that it can resume at once; it leaves earlier if
    `has_waiting` reports that another training waits for the device.
    """

    def __init__(self, park_seconds: float = 0.0, has_waiting: Callable[[], bool] = lambda: False) -> None:
        self.park_seconds, self.has_waiting = park_seconds, has_waiting
        self._steps = 0
        self._is_counted = False  # all requested steps are done

    @property
    def counts_steps(self) -> bool:
        """Whether the training will pause after a given number of steps."""
        return self._steps > 0

    def count_step(self) -> None:
        """Count one finished step."""
        self._is_counted = self._steps == 1
        self._steps = max(0, self._steps - 1)

    def apply_requests(self, trainer: LiveTrainer) -> None:
        """Apply all pending requests.

        Raises:
            Stopped, Paused: the training has to end here.
            Rewound: the training was set back to an earlier step.
        """
        counted = self._is_counted
        self._is_counted = False
        while True:
            requests = trainer.world.broadcast(trainer.worker.requests())
            rewound = [self._apply(trainer, request) for request in requests]
            stop, pause = trainer.world.broadcast((trainer.worker.stop_requested, trainer.worker.pause_requested))
            if any(rewound):
                raise Rewound
            if trainer.is_complete or not (stop or pause or counted):
                return
            if stop:
                raise Stopped("stopped on request")
            counted = False
            self._park(trainer)

    def _park(self, trainer: LiveTrainer) -> None:
        """Stay paused in this process until a request arrives.

        Raises:
            Paused: no request arrived in time.
        """
        worker = trainer.worker
        worker.pause_requested = True
        trainer.save()
        if self.park_seconds > 0 and trainer.world.size == 1:
            trainer.snapshot()
            worker.report(state="paused", message="Paused.", **trainer.progress())
        began = time.monotonic()
        while trainer.world.size == 1 and time.monotonic() < began + self.park_seconds and not self.has_waiting():
            if worker.may_have_requests() or worker.stop_requested:
                trainer.metrics_log.exclude(time.monotonic() - began)
                return
            time.sleep(LISTEN_SECONDS)
        raise Paused("paused on request")

    def _apply(self, trainer: LiveTrainer, request: dict[str, Any]) -> bool:
        """Apply one request; return whether the training was set back to an earlier step."""
        act = REQUESTS.get(str(request.get("ask")))
        if act is None:
            return False
        try:
            return bool(act(self, trainer, request))
        except AevizError as error:
            trainer.event({"kind": "refused", "ask": request.get("ask"), "said": str(error)})
            return False

    def _pause(self, trainer: LiveTrainer, request: dict[str, Any]) -> None:
        trainer.worker.pause_requested = True

    def _play(self, trainer: LiveTrainer, request: dict[str, Any]) -> None:
        trainer.worker.pause_requested = False
        self._steps = 0
        if request.get("epochs") is not None:
            values = trainer.run.config().to_json()
            override(values, ["training", "epochs"], request["epochs"])
            config = RunConfig.parse(values)
            _write(trainer, config)
            trainer.training = config.training
            trainer.stepper.set_config(config.training)
        trainer.worker.report(state="running", message="")

    def _step(self, trainer: LiveTrainer, request: dict[str, Any]) -> None:
        trainer.worker.pause_requested = False
        self._steps = 1

    def _leave(self, trainer: LiveTrainer, request: dict[str, Any]) -> None:
        """Release the run's directory to another process if the training is paused."""
        if trainer.worker.pause_requested:
            self.park_seconds = 0.0

    def _turn(self, trainer: LiveTrainer, request: dict[str, Any]) -> None:
        """Change a live setting."""
        path, value = str(request.get("path")), request.get("value")
        before = trainer.run.config()
        config = with_live_value(before, path, value)
        was, now = value_at(before, path), value_at(config, path)
        if now == was:
            return
        section, name = path.split(".", 1)
        if path == "model.body.dropout":
            if not set_dropout(trainer, config.model):
                rebuild(trainer, config.model)
        elif section == "model":
            for model in {trainer.model, trainer.stepper.eval_model}:
                model.set_live(name, now)
            trainer.position.best = None  # totals under different loss weights are not comparable
        else:
            trainer.training = config.training
            trainer.stepper.set_config(config.training)
        if trainer.captured is not None:
            trainer.captured.forget()
        _write(trainer, config)
        trainer.event({"kind": "turn", "path": path, "from": was, "to": now})
        trainer.save()

    def _change(self, trainer: LiveTrainer, request: dict[str, Any]) -> None:
        """Continue with a changed network that keeps what was learned."""
        if trainer.world.size > 1:
            raise NotNow("the network cannot be changed while several processes train it; stop first, then change")
        before = trainer.run.config()
        model = fitted(before, request.get("model"))
        needed = costs.cost(model, trainer.training.batch_size, trainer.training.optimizer, trainer.training.loss)
        costs.check(needed, trainer.device)
        trainer.save()
        keep_for_undo(trainer.run)
        said = rebuild(trainer, model)
        trainer.save()
        _write(trainer, before.model_copy(update={"model": model}))
        trainer.event({"kind": "change", "from": before.model.to_json(), "to": model.to_json(), "said": said})
        trainer.validate()
        trainer.model.train()
        trainer.save()
        trainer.snapshot()

    def _undo(self, trainer: LiveTrainer, request: dict[str, Any]) -> bool:
        """Return to the state before the last change of the network."""
        if trainer.world.size > 1:
            raise NotNow("a change cannot be undone while several processes train; stop first, then undo")
        if not can_undo(trainer.run):
            raise NotNow("there is no change of the network to undo")
        put_back(trainer.run)
        trainer.restore()
        trainer.snapshot()
        return True


REQUESTS: dict[str, Callable[[LiveControl, LiveTrainer, dict[str, Any]], Any]] = {
    "pause": LiveControl._pause,
    "play": LiveControl._play,
    "step": LiveControl._step,
    "leave": LiveControl._leave,
    "turn": LiveControl._turn,
    "change": LiveControl._change,
    "undo": LiveControl._undo,
}


def _write(trainer: LiveTrainer, config: RunConfig) -> None:
    trainer.config = config
    if trainer.world.is_first:
        trainer.run.write_config(config)
