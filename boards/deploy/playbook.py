"""Output for Ansible: an inventory and a playbook that deploy a release."""

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from boards.deploy import environment, package, systemd_unit
from boards.deploy.ssh import BoardAddress
from boards.deploy.steps import DeployRequest
from boards.deploy.target import OWNER, PYTHONS, PythonInstall
from edge.deployment.release import checksum_lines
from edge.errors import UsageError
from edge.files import atomic_directory, output_errors

_SCRIPTS = ("environment.sh", "release.sh", "selftest.sh", "switch.sh")
_PLAYBOOK = "deploy.yml"


def write(
    folder: Path,
    addresses: Sequence[BoardAddress],
    request: DeployRequest,
    canary: int | None = None,
    identity: Path | None = None,
) -> None:
    """Write a folder for ansible-playbook; an earlier one is replaced.

    ``canary``: number of hosts to deploy to first; ``identity``: private key to log in with.

    Raises:
        UsageError: the folder has other files.
        OutputError: the folder cannot be written.
    """
    folder = folder.resolve()
    with output_errors(folder):
        if folder.exists() and not (folder / _PLAYBOOK).is_file() and any(folder.iterdir()):
            raise UsageError(
                "an empty folder, or an earlier playbook of 'edge deploy'",
                f"other files in {folder}",
                "choose another folder",
                code="output-folder-not-empty",
            )
    with atomic_directory(folder) as staging:
        _write(staging, request, _inventory(addresses, canary, identity))


def _write(folder: Path, request: DeployRequest, inventory: dict[str, Any]) -> None:
    (folder / "scripts").mkdir()
    package_files = files(__package__)
    for name in _SCRIPTS:
        (folder / "scripts" / name).write_text(package_files.joinpath("scripts", name).read_text())
    (folder / _PLAYBOOK).write_text(package_files.joinpath("ansible", _PLAYBOOK).read_text())
    (folder / "release.tar").write_bytes(package.tar(request.release.files))
    wheel = {request.wheel.name: request.wheel.content}
    (folder / "wheels.tar").write_bytes(package.tar({"SHA256SUMS": checksum_lines(wheel), **wheel}))
    # JSON is valid YAML, and quotes values that YAML would misinterpret.
    (folder / "inventory.yml").write_text(json.dumps(inventory, indent=2) + "\n")
    (folder / "release.yml").write_text(json.dumps(_variables(request), indent=2) + "\n")


def _inventory(
    addresses: Sequence[BoardAddress], canary: int | None, identity: Path | None
) -> dict[str, Any]:
    hosts: dict[str, dict[str, str]] = {}
    for address in addresses:
        connection = {"ansible_host": address.host, "ansible_user": address.user}
        hosts[str(address)] = {key: value for key, value in connection.items() if value}
        if address.port:
            hosts[str(address)]["ansible_port"] = str(address.port)
    variables: dict[str, Any] = {
        "edge_scope": "system", "edge_python": "python3", "ansible_pipelining": True,
    }  # fmt: skip
    if canary is not None:
        variables["edge_serial"] = [canary, "100%"]
    if identity is not None:
        variables["ansible_ssh_private_key_file"] = str(identity.resolve())
    return {"edge": {"hosts": hosts, "vars": variables}}


def _variables(request: DeployRequest) -> dict[str, Any]:
    """Return the variables of the release; EDGE_ROOT in a unit stands for the folder."""
    environments = {}
    for version in PYTHONS:
        python = PythonInstall("", version, True)
        env = environment.build_environment(python, request.release.manifest, request.wheel)
        environments[version] = {
            "name": env.name,
            "options": env.options,
            "requirements": "\n".join(env.requirements),
        }
    units = {
        scope: systemd_unit.render_unit(root="EDGE_ROOT", owner=owner, wait=request.wait).rstrip(
            "\n"
        )
        for scope, owner in (("system", OWNER), ("user", ""))
    }
    return {
        "edge_release": request.release.name,
        "edge_environments": environments,
        "edge_units_of": units,
    }
