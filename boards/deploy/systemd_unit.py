"""The systemd unit of a deployment.

The service is ready with its first processed frame (see :mod:`edge.streaming.notify`): a start
without one fails after ``wait`` seconds. It is restarted without limit, since a camera may return
after hours. It may write to its own folder only. Devices stay accessible, since cameras and
accelerators are devices: options that imply DeviceAllow, such as ProtectClock, are not used. The
service cannot set the clock anyway, since it has no capabilities.
"""

WATCHDOG = 60
"""Time without a frame after which the service is restarted, in seconds."""

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
    """Return the unit of a system service, or of a user service if ``owner`` is empty.

    Systemd supports most restrictions for system services only. ``wait``: time limit for the first
    frame, in seconds.
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
