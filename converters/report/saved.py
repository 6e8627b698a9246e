"""Reading the record of an earlier result."""

import json
from pathlib import Path
from typing import Any

from converters.output import MARK
from edge.errors import UsageError

_SCHEMAS = (1, 2)
_FIX = "give the folder that 'edge convert' or 'edge compress' wrote"


def load(place: Path) -> dict[str, Any]:
    """The record of the result in the folder ``place``, or in ``place`` itself, a report.json.

    Raises:
        UsageError: there is none, or it is none of ours, or of a newer version.
    """
    if not place.exists():
        raise UsageError("a result", f"nothing at {place}", _FIX)
    path = place / MARK if place.is_dir() else place
    if not path.is_file():
        raise UsageError("a result", f"{place}, a folder without {MARK}", _FIX)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"a readable {MARK}", f"{path}: {reason}", _FIX) from error
    except ValueError as error:
        raise UsageError(f"a {MARK} of a result", f"{path}, which is no JSON", _FIX) from error
    if not isinstance(record, dict) or "schema" not in record or "variants" not in record:
        raise UsageError(f"a {MARK} of a result", f"{path}, which is another JSON", _FIX)
    if record["schema"] not in _SCHEMAS:
        raise UsageError(
            f"a {MARK} of schema {' or '.join(map(str, _SCHEMAS))}",
            f"{path} of schema {record['schema']}",
            "update edge-toolkit",
        )
    return record
