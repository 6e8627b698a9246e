"""The systemd unit of what is deployed.

READY comes with the first processed frame (see :mod:`edge.streaming.notify`), so that a start
without one fails after ``wait`` seconds. The service is started again whatever ended it, for as
long as it takes: a camera may come back after hours. It may write to its own folder and nowhere
else; devices are open to it, since that is what cameras and accelerators are. So nothing is
restricted here that implies DeviceAllow, as ProtectClock does: the clock is out of its reach with
all capabilities.
"""

WATCHDOG = 60
"""Seconds without a frame after which the service is started again."""

_SYSTEM = """\
User={owner}
Group={owner}
ProtectSystem=strict
ReadWritePaths={root}/state
ProtectHome=read-only
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectHostname=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
CapabilityBoundingSet=
"""


def render_unit(*, root: str, owner: str, wait: int) -> str:
    """The unit of a system, or of a user where ``owner`` is empty.

    Systemd takes most restrictions from system services only. ``wait``: seconds that the first
    frame may take.
    """
    service = _SYSTEM.format(root=root, owner=owner) if owner else ""
    target = "multi-user.target" if owner else "default.target"
    network = "After=network-online.target\nWants=network-online.target\n" if owner else ""
    return f"""\
# Written by 'edge deploy', which overwrites it.
[Unit]
Description=edge-toolkit camera demo
{network}StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart={root}/current/run
WorkingDirectory={root}/state
Environment=EDGE_CACHE={root}/state/cache PYTHONUNBUFFERED=1
TimeoutStartSec={wait}
TimeoutStopSec=15
WatchdogSec={WATCHDOG}
Restart=always
RestartSec=2
MemoryMax=80%
NoNewPrivileges=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
LockPersonality=yes
SystemCallArchitectures=native
{service}
[Install]
WantedBy={target}
"""
