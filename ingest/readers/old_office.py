"""Office files before 2007, which LibreOffice turns into new ones where it is installed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from pes_search.ingest.errors import UnreadableFileError
from pes_search.ingest.readers import docx, pptx, xlsx
from pes_search.ingest.types import FileContent

PROGRAMS = ("soffice", "libreoffice")
SECONDS = 50
ADVICE = "install LibreOffice, which turns it into {}, or save it as {} and hand that in"


def read_doc(data: bytes) -> FileContent:
    """Read a Word document of before 2007.

    Raises:
        UnreadableFileError: LibreOffice is not installed or cannot read it.
    """
    return docx.read(converted(data, "doc", "docx"))


def read_xls(data: bytes) -> FileContent:
    """Read an Excel workbook of before 2007; raises as `read_doc`."""
    return xlsx.read(converted(data, "xls", "xlsx"))


def read_ppt(data: bytes) -> FileContent:
    """Read a PowerPoint presentation of before 2007; raises as `read_doc`."""
    return pptx.read(converted(data, "ppt", "pptx"))


def converted(data: bytes, old: str, new: str) -> bytes:
    """Return a file in another format.

    Raises:
        UnreadableFileError: LibreOffice is not installed, or it has not made the file.
    """
    program = libre_office()
    if program is None:
        raise UnreadableFileError(f"an old .{old} file: {ADVICE.format(f'.{new}', f'.{new}')}")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, f"file.{old}"), Path(folder, f"file.{new}")
        source.write_bytes(data)
        # A profile of its own: LibreOffice allows one process each. Macros do not run when files are converted.
        command = [program, "--headless", "--norestore", f"-env:UserInstallation=file://{folder}/profile"]
        try:
            process = subprocess.Popen(  # noqa: S603
                [*command, "--convert-to", new, "--outdir", folder, str(source)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "HOME": folder},
                start_new_session=True,  # what it starts itself must end with it
                preexec_fn=_without_memory_limit,  # the reading processes have one thread
            )
            try:
                process.wait(SECONDS)
            except BaseException:  # too late, or this process is to end
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UnreadableFileError(f"LibreOffice could not read it within {SECONDS} s ({type(error).__name__})") from error
        if not target.is_file():
            raise UnreadableFileError("damaged, or with a password: LibreOffice could not read it")
        return target.read_bytes()


def libre_office() -> str | None:
    """Return where LibreOffice is, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def _without_memory_limit() -> None:
    """Lift the limit on addresses, of which LibreOffice takes more than it uses."""
    try:
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    except (ImportError, ValueError, OSError):
        pass
