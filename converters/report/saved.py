"""Read the report of an earlier result."""

from pathlib import Path

from converters.output_dir import REPORT_FILE
from converters.report.model import Report
from edge.errors import UsageError

_FIX = "give the folder that 'edge convert' or 'edge compress' wrote"


def load(path: Path) -> Report:
    """Read the report of the result in a folder, or a report.json itself.

    Raises:
        UsageError: there is none, it is damaged, or of a newer version.
    """
    if not path.exists():
        raise UsageError("an earlier result", f"nothing at {path}", _FIX, code="result-not-found")
    file = path / REPORT_FILE if path.is_dir() else path
    if not file.is_file():
        raise UsageError(
            "an earlier result", f"no {REPORT_FILE} in {path}", _FIX, code="result-not-found"
        )
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        text = ""  # no JSON
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(
            f"a readable {REPORT_FILE}", f"{file} ({reason})", _FIX, code="result-unreadable"
        ) from error
    return Report.from_json(text, str(file))
