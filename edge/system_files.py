"""Files and folders that are nobody's images: what systems, NAS, cameras and desktops leave.

Thumbnails, recycle bins, snapshots and indexes lie among the images of a folder, an archive or a
memory card. Many contain small or deleted copies of images, so they are left out everywhere.
"""

_NAMES = frozenset({
    # Synology, QNAP, Asustor and others
    "@eadir", "@tmp", "@sharebin", "@synoresource", "@synoeastream", "@recycle",
    "@recently-snapshot", "@__thumb", "@transcode", "#recycle", "#snapshot", "#snapshots",
    "@appdata", "@apphome", "@appstore", "@apptemp", "@database", "@docker", "@cloudsync",
    "~snapshot",
    # Windows
    "$recycle.bin", "recycler", "system volume information", "thumbs.db",
    "thumbs.db:encryptable", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini",
    *(f"found.{number:03}" for number in range(10)),
    # macOS
    "__macosx", "_ds_store", "icon\r", "network trash folder", "temporary items",
    "thevolumesettingsfolder",
    # Linux and editors
    "lost+found", "__pycache__",
    # cameras
    "thmbnl", "avf_info", "canonmsc", "eosmisc",
})  # fmt: skip
"""In lower case. Names that begin with a dot are hidden and need not be here."""

_CAMERA_FOLDERS = frozenset({"MISC", "PRIVATE", "AVCHD", "M4ROOT"})
"""Folders of memory cards with settings and indexes; who has images there means them."""


def is_system_name(name: str) -> bool:
    """Check whether a file or folder is hidden or a system's own, by its name without a folder.

    >>> is_system_name("@eaDir"), is_system_name(".DS_Store"), is_system_name("cat.jpg")
    (True, True, False)
    """
    return name.startswith((".", "~$", "SYNOPHOTO_", "SYNOFILE_")) or name.lower() in _NAMES


def is_system_path(path: str) -> bool:
    """Check whether a file is a system's own by any part of its path, with '/' between parts."""
    return any(is_system_name(part) for part in path.split("/"))


def is_camera_folder(name: str) -> bool:
    """Check whether a folder without images may be one of a memory card."""
    return name in _CAMERA_FOLDERS
