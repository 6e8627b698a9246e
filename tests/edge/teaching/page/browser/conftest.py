"""A real Chromium whose camera is a file."""

from browsing import browser as browser  # noqa: PLC0414 (a fixture)
from browsing import open_page as open_page  # noqa: PLC0414 (a fixture)
