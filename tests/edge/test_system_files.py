"""What systems, NAS, cameras and desktops leave among images is told by its name."""

import pytest

from edge.system_files import is_system_name, is_system_path

SYSTEM = ("@eaDir", "#recycle", "#snapshot", "@Recycle", "@Recently-Snapshot", ".@__thumb",
          "SYNOPHOTO_THUMB_XL.jpg", "$RECYCLE.BIN", "$Recycle.Bin", "System Volume Information",
          "Thumbs.db", "ehthumbs.db", "desktop.ini", "RECYCLER", "__MACOSX", "._cat.jpg",
          ".DS_Store", "_DS_Store", ".AppleDouble", "lost+found", ".Trash-1000", ".thumbnails",
          ".stfolder", ".ipynb_checkpoints", ".git", "THMBNL", "~$list.xlsx", "~snapshot",
          "Thumbs.db:encryptable", "FOUND.002", "@appdata", "@database")  # fmt: skip

USERS = ("cat.jpg", "recycle", "snapshot", "trash", "thumbs", "misc", "MISC", "desktop", "#1",
         "@home", "$5", "~cat", "system", "lost and found", "1, 2", "猫")  # fmt: skip


@pytest.mark.parametrize("name", SYSTEM)
def test_a_systems_own(name: str) -> None:
    assert is_system_name(name)
    assert is_system_path(f"photos/{name}/cat.jpg")
    assert is_system_path(f"photos/cat/{name}")


@pytest.mark.parametrize("name", USERS)
def test_a_users_own(name: str) -> None:
    assert not is_system_name(name)
    assert not is_system_path(f"photos/{name}/cat.jpg")
