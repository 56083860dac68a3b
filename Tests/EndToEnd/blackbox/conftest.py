"""Fixtures: blackbox_exporter and connectd with the same modules, in one namespace."""

import pathlib
import shutil
import signal
import subprocess

import pytest
import yaml

from support.blackbox_exporter import EXPORTER, LOOPBACK, MODULES, NAMED, REFERENCE_PORT, Both, started, wait_for
from support.http_client import Client, tcp_connector


@pytest.fixture(scope="module")
def files(authorities) -> dict[str, str]:
    client = authorities.client
    return {
        "root.pem": authorities.root_pem,
        "client.pem": pathlib.Path(client.chain_file).read_text(),
        "client.key": pathlib.Path(client.key_file).read_text(),
    }


@pytest.fixture(scope="module")
def both(loopback_only, files, tmp_path_factory):
    loopback_only.write_etc("hosts", f"127.0.0.1 localhost\n::1 localhost6\n127.0.0.1 {NAMED}\n::1 {NAMED}\n")
    folder = tmp_path_factory.mktemp("reference")
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / "blackbox.yml").write_text(yaml.safe_dump({"modules": MODULES}))
    program = shutil.which(EXPORTER)
    if program is None:
        pytest.skip(f"not installed: {EXPORTER}")
    arguments = ["--config.file=blackbox.yml", f"--web.listen-address={LOOPBACK}:{REFERENCE_PORT}"]
    log = (folder / "log").open("wb")
    exporter = subprocess.Popen(loopback_only.command(program, *arguments), cwd=folder, stdout=log, stderr=log)
    reference = Client(tcp_connector(loopback_only, LOOPBACK, REFERENCE_PORT), host="localhost")
    try:
        with started(loopback_only, files) as connectd:
            wait_for(reference, exporter)
            yield Both(loopback_only, connectd, reference)
    finally:
        exporter.send_signal(signal.SIGTERM)
        exporter.wait(10)
        log.close()
