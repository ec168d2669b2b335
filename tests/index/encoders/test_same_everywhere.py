"""The packaged model is the same on every machine, and so is its name: an index built on one opens on the other.

Other machines are played by other kernels of numpy's linear algebra, which child processes choose by the environment.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from pes_search.index.encoders.base import Encoder

CHOICES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # what chooses kernels and the sizes of their blocks
REPORT = "import numpy, threadpoolctl; print([row.get('architecture') for row in threadpoolctl.threadpool_info()])"
CONVERT = """
import pathlib, sys
from pes_search.index.encoders.adapter import adapter_folder
from pes_search.index.encoders.transformer_folder import default_model_folder
default_model_folder(pathlib.Path(sys.argv[1]), adapter_folder("packaged"))
"""
COMMANDS = ("-m", "pes_search.service.cli.commands")


@dataclass(frozen=True)
class Machine:
    """A folder of its own, and child processes that run with one kernel and keep their model there."""

    folder: Path
    kernel: str | None  # what OPENBLAS_CORETYPE asks for; None: what numpy chooses for this processor

    def python(self, *arguments: object) -> str:
        """Run Python and return what it printed."""
        environment = {name: value for name, value in os.environ.items() if name not in CHOICES and not name.startswith("PES_")}
        environment |= {"PES_CACHE_DIR": str(self.folder / "cache"), "PES_TAXONOMY": "no/such/folder"}
        if self.kernel:
            environment["OPENBLAS_CORETYPE"] = self.kernel
        command = [sys.executable, *map(str, arguments)]
        run = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        return run.stdout

    def kernels(self) -> str:
        """Return which kernels numpy really runs with; the processor may not have those that were asked for."""
        return self.python("-c", REPORT).strip()

    def weights(self) -> Path:
        (path,) = (self.folder / "cache" / "models").glob("*-transformers/model.safetensors")
        return path


def has_avx2() -> bool:
    processor = Path("/proc/cpuinfo")
    return processor.is_file() and "avx2" in processor.read_text().split()


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Machine]]:
    """Machines of different kernels: the processor's own, and older ones. Haswell's add in another order than most."""
    kernels: dict[str, str | None] = {"default": None, "Prescott": "Prescott"}
    if has_avx2():  # a processor without it would stop at the first instruction that it does not know
        kernels["Haswell"] = "Haswell"
    machines = {name: Machine(tmp_path_factory.mktemp(name), kernel) for name, kernel in kernels.items()}
    yield machines
    for machine in machines.values():
        shutil.rmtree(machine.folder)  # half a gigabyte each


def different(machines: Mapping[str, Machine]) -> tuple[Machine, Machine]:
    """Return a machine with other kernels than the processor's own, and that of its own; skip the test if there is none."""
    default = machines["default"]
    kernels = default.kernels()
    for name in ("Haswell", "Prescott"):
        if name in machines and machines[name].kernels() != kernels:
            return machines[name], default
    pytest.skip(f"numpy runs with the kernels {kernels} whatever OPENBLAS_CORETYPE says")


def test_an_index_opens_on_another_machine(machines: Mapping[str, Machine], encoder: Encoder) -> None:
    builder, searcher = different(machines)
    sources, index = builder.folder / "sources", builder.folder / "index"
    sources.mkdir()
    (sources / "evening.md").write_text("# Evening courses\n\nAdults learn bookkeeping in the evening, after work.")
    (sources / "bus.md").write_text("# Bus to work\n\nA minibus takes apprentices from the villages to their workplace.")

    builder.python(*COMMANDS, "build", sources, "--index", index)
    result = json.loads(searcher.python(*COMMANDS, "search", "minibus for apprentices", "--index", index, "--all", "--json"))
    assert [hit["title"] for hit in result["hits"]] == ["Bus to work", "Evening courses"]
    assert json.loads(builder.python(*COMMANDS, "info", "--index", index, "--json"))["model_id"] == encoder.model_id


def test_weights_are_the_same_to_the_last_bit(machines: Mapping[str, Machine]) -> None:
    different(machines)
    for machine in machines.values():
        machine.python("-c", CONVERT, machine.folder / "cache")  # the machines of the test above have it already
    first, *others = (machine.weights().read_bytes() for machine in machines.values())
    assert [weights == first for weights in others] == [True] * len(others)
