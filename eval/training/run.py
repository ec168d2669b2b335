"""What runs of training share: settings from the command line, the learning rate's course, checkpoints to go on from."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    import torch

Config = TypeVar("Config")

CHECKPOINT_STEPS = 50  # from one checkpoint to the next
CHECKPOINT_FILE = "checkpoint.pt"
WARM_UP_SHARE = 0.05  # of the steps


def configured(kind: type[Config], values: Sequence[str]) -> Config:
    """Return a configuration, a dataclass whose fields have defaults, with `NAME=VALUE` put in.

    Raises:
        ValueError: there is no such field, or the value is not of its type.
    """
    defaults: Any = kind()
    kinds = {field.name: type(getattr(defaults, field.name)) for field in dataclasses.fields(defaults)}
    given: dict[str, Any] = {}
    for value in values:
        name, _, text = value.partition("=")
        if name not in kinds:
            raise ValueError(f"no setting {name!r}; choose of {', '.join(kinds)}")
        given[name] = text == "true" if kinds[name] is bool else kinds[name](text)
    return kind(**given)


def rate(step: int, steps: int) -> float:
    """Return the learning rate's factor: up in a straight line, then down along a cosine."""
    warm = max(1, int(WARM_UP_SHARE * steps))
    return (step + 1) / warm if step < warm else 0.5 * (1 + float(np.cos(np.pi * (step - warm) / max(1, steps - warm))))


def save_checkpoint(
    folder: Path, config: Any, step: int, weights: Iterable[torch.Tensor], optimizer: Any, schedule: Any, history: Sequence[Any]
) -> None:
    """Write what a run needs to go on, complete or not at all."""
    import torch

    state = {
        "step": step,
        "config": dataclasses.asdict(config),
        "weights": [weight.detach() for weight in weights],
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
        "history": list(history),
    }
    aside = folder / "checkpoint.new"
    torch.save(state, aside)
    os.replace(aside, folder / CHECKPOINT_FILE)


def load_checkpoint(
    folder: Path, config: Any, weights: Iterable[torch.Tensor], optimizer: Any, schedule: Any
) -> tuple[int, list[Any]]:
    """Put a folder's checkpoint into the weights; return the step and the history so far, 0 and none where there is none.

    Raises:
        ValueError: the checkpoint is of a run with other settings.
    """
    import torch

    path = folder / CHECKPOINT_FILE
    if not path.is_file():
        return 0, []
    state = torch.load(path, weights_only=True)
    if state["config"] != dataclasses.asdict(config):
        raise ValueError(f"{path} is of a run with other settings; name another folder with --out, or delete it")
    with torch.no_grad():
        for weight, saved in zip(weights, state["weights"], strict=True):
            weight.copy_(saved)
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    print(f"goes on after step {state['step']}", flush=True)
    return state["step"], state["history"]
