"""Reading the record of an earlier result."""

import json
from pathlib import Path
from typing import Any

from converters.output_dir import REPORT_FILE
from edge.errors import UsageError

_SCHEMAS = (1, 2)
_FIX = "give the folder that 'edge convert' or 'edge compress' wrote"


def load(place: Path) -> dict[str, Any]:
    """The record of the result in the folder ``place``, or in ``place`` itself, a report.json.

    Raises:
        UsageError: there is none, or it is none of ours, or of a newer version.
    """
    if not place.exists():
        raise UsageError("an earlier result", f"nothing at {place}", _FIX, code="result-not-found")
    path = place / REPORT_FILE if place.is_dir() else place
    if not path.is_file():
        raise UsageError(
            "an earlier result", f"no {REPORT_FILE} in {place}", _FIX, code="result-not-found"
        )
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(
            f"a readable {REPORT_FILE}", f"{path} ({reason})", _FIX, code="result-unreadable"
        ) from error
    except ValueError as error:
        raise UsageError(
            f"the {REPORT_FILE} of a result", f"invalid JSON in {path}", _FIX, code="result-invalid"
        ) from error
    if not isinstance(record, dict) or "schema" not in record or "variants" not in record:
        raise UsageError(
            f"the {REPORT_FILE} of a result", f"other JSON in {path}", _FIX, code="result-invalid"
        )
    if record["schema"] not in _SCHEMAS:
        raise UsageError(
            f"a {REPORT_FILE} with schema {' or '.join(map(str, _SCHEMAS))}",
            f"schema {record['schema']} in {path}",
            "update the toolkit",
            code="result-version-unsupported",
        )
    return record
