"""Installs missing Debian packages and builds the C programs, outside of the namespace."""

import contextlib
import glob
import os
import shutil
import subprocess
import sys

from bench.paths import BENCHMARKS, BLACKBOX, built

# A file that shows that a package is installed, and the package.
NEEDED = {
    "/usr/include/microhttpd.h": "libmicrohttpd-dev",
    "/usr/include/openssl/ssl.h": "libssl-dev",
    "openssl": "openssl",
    BLACKBOX: "prometheus-blackbox-exporter",
    "nft": "nftables",
    "nmap": "nmap",
    "/usr/lib/nagios/plugins/check_tcp": "monitoring-plugins-basic",
    "valgrind": "valgrind",
    "objcopy": "binutils",
    "ip": "iproute2",
    "cc": "gcc",
    "unshare": "util-linux",
    "setpriv": "util-linux",
}
POLICY = "/usr/sbin/policy-rc.d"

COMPILE = ["cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"]
PARTS = {
    "service": (["reference/%s.c" % name for name in
                 ("check", "http", "request", "result", "service", "timers", "worker")], ["-lmicrohttpd", "-lpthread"]),
    "connect_loop": (["reference/connect_loop.c"], []),
    "rate": (["load/client.c", "load/rate.c"], []),
    "burst": (["load/client.c", "load/burst.c"], []),
    "target": (["load/target.c"], []),
    "epoll_loop": (["reference/epoll_loop.c"], ["-lpthread"]),
    "uring_loop": (["reference/uring_loop.c"], []),
    "batch": (["load/batch.c"], []),
    "tls_loop": (["reference/tls_loop.c"], ["-lssl", "-lcrypto", "-lpthread"]),
    "tls_target": (["load/tls_target.c"], ["-lssl", "-lcrypto", "-lpthread"]),
}


@contextlib.contextmanager
def services_stay_off():
    """A policy-rc.d that exits with 101, so that installed services do not start. The earlier file is restored."""
    saved = POLICY + ".benchmarks"
    if os.path.exists(POLICY):
        os.rename(POLICY, saved)
    try:
        with open(POLICY, "w", encoding="ascii") as file:
            file.write("#!/bin/sh\nexit 101\n")
        os.chmod(POLICY, 0o755)
        yield
    finally:
        os.unlink(POLICY)
        if os.path.exists(saved):
            os.rename(saved, POLICY)


def install_packages():
    missing = sorted({package for sign, package in NEEDED.items() if not (os.path.exists(sign) or shutil.which(sign))})
    if not missing:
        return
    if os.geteuid() != 0:
        sys.exit(f"missing: apt-get install {' '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *missing]
    with services_stay_off():
        if subprocess.run(install, env=environment, stdout=subprocess.DEVNULL, timeout=600).returncode != 0:
            subprocess.run(["apt-get", "update", "-qq"], check=True, timeout=600)
            subprocess.run(install, env=environment, stdout=subprocess.DEVNULL, check=True, timeout=600)


def is_current(output, sources):
    if not os.path.exists(output):
        return False
    headers = glob.glob(os.path.join(BENCHMARKS, "*", "*.h"))
    return all(os.path.getmtime(path) <= os.path.getmtime(output) for path in [*sources, *headers])


def build():
    for name, (sources, libraries) in PARTS.items():
        paths = [os.path.join(BENCHMARKS, source) for source in sources]
        if not is_current(built(name), paths):
            subprocess.run([*COMPILE, *paths, "-o", built(name), *libraries], check=True, timeout=300)
