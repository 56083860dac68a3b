"""`connectd config example`: `config check` accepts it as it is, and with every key uncommented."""

import re

from support import connectd_process

# They name files that do not exist, or repeat a key of an earlier line.
ELSEWHERE = ("listen", "health_listen", "auth", "https", "modules_file")


def test_the_example_is_a_valid_configuration(tmp_path):
    ran = connectd_process.run("config", "example")
    assert ran.returncode == 0, ran.stderr
    file = tmp_path / "connectd.yaml"
    file.write_text(ran.stdout)
    assert connectd_process.run("config", "check", str(file)).returncode == 0
    lines = []
    for line in ran.stdout.splitlines():
        key = re.fullmatch(r"( *)#(\S.*|  - .*)", line)
        if key is None:
            lines.append(line)
        elif not key[2].startswith(ELSEWHERE):
            lines.append(key[1] + key[2])
    file.write_text("\n".join(lines) + "\n")
    ran = connectd_process.run("config", "check", str(file))
    assert ran.returncode == 0, ran.stderr
    assert "3 rules" in ran.stdout and "2 monitors" in ran.stdout and "fleet place fra1, only asks" in ran.stdout
