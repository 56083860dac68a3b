"""A network and PID namespace with loopback only. The kernel removes it when the run ends."""

import contextlib
import os
import resource
import signal
import subprocess
import sys

# Each check leaves a TIME_WAIT at the prober. Three settings keep the ephemeral ports from deciding the result, for
# every contender. There are many destinations, because a port is in use only for one of them. The range of ports is
# wide. The limit of TIME_WAITs is low, and the kernel drops further ones, so each turn runs in the same steady state.
# The services' own ports are below the range.
SETTINGS = {
    "net/ipv4/ip_local_port_range": "10000 65535",
    "net/ipv4/tcp_max_tw_buckets": "4096",
    "net/ipv4/tcp_max_syn_backlog": "65535",
    "net/core/somaxconn": "65535",
}


def run_inside(command, limit_seconds):
    """The exit status of `command`, run in new namespaces. Its child processes are killed with it, even after SIGKILL."""
    unshare = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        unshare[4:4] = ["--user", "--map-root-user"]
    child = subprocess.Popen([*unshare, "--", *command])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return child.wait(timeout=limit_seconds)
    except subprocess.TimeoutExpired:
        print(f"stopped after {limit_seconds:.0f} s", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        child.kill()
        child.wait()


def configure():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for name, value in SETTINGS.items():
        with open(os.path.join("/proc/sys", name), "w", encoding="ascii") as file:
            file.write(value)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # only with CAP_SYS_RESOURCE
        resource.setrlimit(resource.RLIMIT_NOFILE, (65536, max(hard, 65536)))
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def descriptor_limit():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


@contextlib.contextmanager
def dropping(port):
    """Drops packets to `port` on arrival, as a firewall would, so that a connect to it hangs."""
    chain = f"type filter hook input priority 0; policy accept; tcp dport {port} drop;"
    rules = f"table ip benchmarks {{ chain input {{ {chain} }}; }}\n"
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
    try:
        yield
    finally:
        subprocess.run(["nft", "delete", "table", "ip", "benchmarks"], check=False)
