"""Redaction: user names, passwords and tokens in addresses never reach a screen, file or log.

Every error redacts its texts, and sources and sinks are named by redacted addresses. Where it is
unclear how far a password reaches, too much is hidden rather than too little.
"""

import re
from urllib.parse import urlsplit

HIDDEN = "***"

ENCODING_ADVICE = (
    "percent-encode special characters of the user name and password: "
    "%23 for #, %2F for /, %3F for ?, %40 for @, %3A for :, %25 for %"
)
"""Fix for an address whose password breaks it; the same for all, since it must not quote it."""

_USERINFO = re.compile(
    r"""
    (?P<vcs> (?:git|hg|svn|bzr)\+\w+:// )(?:[^\s/@]{,999}@)?   # in pip's, @ begins a revision, too
    | (?P<encoded> %2F%2F ) \S{,999} %40                       # a URL in the query of another
    | (?P<slashes> // )                                       # scheme://user:password@host
      (?: [^\s/@:]{1,999}:(?!\d+\b|\s)[^\n]{,999} | \S{,999} ) @   # the password: any characters
    | (?<![^\s'"(<\[{=,/]) (?!synthetic:)                     # user:password@host
      [^\s'"(<\[{=,/@:]{1,999} : (?!//) \S{,999} @
    """,
    re.VERBOSE | re.IGNORECASE,
)

_KEY = re.compile(r"(?<![\w.-])([\w.-]+)(?:=|%3D)", re.IGNORECASE)
"""A key with its equals sign, which is encoded in the query of a URL in another's query."""

_SECRET_KEY = re.compile(
    "user|usr|login|pass|pwd|psw|token|key|auth|secret|signature|credential|session|account|jwt"
    "|streamid|clave|contrasen|senha|kennwort"  # SRT's has user and password in some servers
    "|^(pw|pin|sig|sid|uid|u|p)$",
    re.IGNORECASE,
)

_VALUE = re.compile(r"[^&\s]*(?:&(?![^&\s]*=)[^&\s]*)*")
"""The value of a key; what follows & and is no other key's is still the password."""

_PUNCTUATION = "'\"),:;]}>"
"""Characters of the text around an address, which may follow it."""


def redact(text: str) -> str:
    """Hide user names, passwords and tokens of all addresses in a text.

    >>> redact("no video at rtsp://admin:p#a/s?s@cam/live: check it")
    'no video at rtsp://***@cam/live: check it'
    >>> redact("http://cam/live?user=admin&password=secret&channel=1")
    'http://cam/live?user=***&password=***&channel=1'
    """
    return _hide_values(_USERINFO.sub(_hide_userinfo, text) if re.search("@|%40", text) else text)


def _hide_userinfo(match: re.Match[str]) -> str:
    if match["vcs"]:
        return match["vcs"] + (f"{HIDDEN}@" if match[0].endswith("@") else "")
    if match["encoded"]:
        return f"%2F%2F{HIDDEN}%40"
    return f"{match['slashes'] or ''}{HIDDEN}@"


def _hide_values(text: str) -> str:
    """Hide the values of keys such as ``password=``, as in queries."""
    kept, end = [], 0
    for key in _KEY.finditer(text):
        if key.start() < end or not _SECRET_KEY.search(key[1]):
            continue
        value = _VALUE.match(text, key.end())
        hidden = value[0].rstrip(_PUNCTUATION) if value else ""
        if hidden:
            kept += [text[end : key.end()], HIDDEN]
            end = key.end() + len(hidden)
    return "".join(kept) + text[end:]


def is_split_by_password(address: str) -> bool:
    """Return True if a URL's user name or password may have characters that end it too early.

    >>> is_split_by_password("rtsp://admin:se/cret@cam/live")
    True
    """
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return "@" in address
    behind = f"{parts.path}{parts.query}{parts.fragment}"
    return "@" in behind or re.search(r"%(?![0-9a-fA-F]{2})", parts.netloc) is not None
