"""UNIX paths need a rule, which applies to the path after links are resolved."""

import os
import socket

import pytest

from support import peers
from support.connectd_process import Connectd
from support.expectations import assert_problem, assert_success


@pytest.fixture(scope="module")
def tree(module_folder):
    for name in ("in", "in/deep", "out", "in/denied"):
        os.mkdir(f"{module_folder}/{name}", 0o755)
    sockets = [
        peers.unix_listener(f"{module_folder}/{name}")
        for name in ("in/s.sock", "in/other", "in/deep/s.sock", "out/s.sock", "in/denied/s.sock")
    ]
    sockets += [peers.unix_listener("\0connectd-policy-yes"), peers.unix_listener("\0connectd-other")]
    yield module_folder
    for item in sockets:
        item.close()


@pytest.fixture(scope="module")
def connectd(root_and_namespaces, tree):
    rules = [
        {"action": "deny", "path": f"{tree}/in/denied/**"},
        {"action": "allow", "path": f"{tree}/in/*.sock"},
        {"action": "allow", "path": "@connectd-policy-*"},
    ]
    with Connectd(configuration={"policy": {"profile": "internal", "rules": rules}}) as running:
        yield running


def test_a_path_in_a_rule_is_allowed(api, tree):
    assert_success(api.check(f"unix:{tree}/in/s.sock"))
    assert_success(api.check("unix:@connectd-policy-yes"))


def test_other_paths_are_denied(api, tree):
    for path in ("in/other", "out/s.sock", "in/deep/s.sock", "in/denied/s.sock", "none"):
        assert_problem(api.post_check(f"unix:{tree}/{path}"), 403)
    assert_problem(api.post_check("unix:@connectd-other"), 403)


def test_dot_segments_do_not_leave_the_directory(api, tree):
    for path in ("in/../out/s.sock", "in/./../out/s.sock", "in/../in/../out/s.sock", "in/..//out/s.sock"):
        assert_problem(api.post_check(f"unix:{tree}/{path}"), 403)


def test_a_link_to_a_path_outside_is_denied(api, tree):
    os.symlink(f"{tree}/out/s.sock", f"{tree}/in/link.sock")
    assert_problem(api.post_check(f"unix:{tree}/in/link.sock"), 403)


def test_a_linked_folder_does_not_widen_a_rule(api, tree):
    os.symlink(f"{tree}/out", f"{tree}/in/folder.sock")
    assert_problem(api.post_check(f"unix:{tree}/in/folder.sock/s.sock"), 403)


def test_a_link_to_an_allowed_socket_is_allowed(api, tree):
    os.symlink(f"{tree}/in/s.sock", f"{tree}/out/in.sock")
    assert_success(api.check(f"unix:{tree}/out/in.sock"))


def test_paths_and_abstract_names_are_distinct(api, tree):
    assert_problem(api.post_check("unix:/@connectd-policy-yes"), 403)
    assert_problem(api.post_check(f"unix:@{tree}/in/s.sock"), 403)


def test_without_a_rule_paths_are_denied(root_and_namespaces, tree):
    with Connectd(configuration={}) as connectd:
        answers = [connectd.client.post_check(f"unix:{tree}/{path}") for path in ("in/s.sock", "none", "in")]
        answers.append(connectd.client.post_check("unix:@connectd-policy-yes"))
        answers.append(connectd.client.post_check(f"unix:{connectd.socket_path}"))
    for answer in answers:
        assert_problem(answer, 403)
    assert len({answer.body for answer in answers}) == 1, "a denial says nothing about the target"


def test_two_stars_match_subdirectories(root_and_namespaces, tree):
    rules = [{"action": "allow", "path": f"{tree}/in/**"}]
    with Connectd(configuration={"policy": {"profile": "rules", "rules": rules}}) as connectd:
        assert_success(connectd.client.check(f"unix:{tree}/in/deep/s.sock"))
        assert_success(connectd.client.check(f"unix:{tree}/in/s.sock"))
        assert_problem(connectd.client.post_check(f"unix:{tree}/out/s.sock"), 403)
        assert_problem(connectd.client.post_check("tcp://127.0.0.1:9"), 403)


def test_an_own_unix_listener_is_denied(root_and_namespaces):
    with Connectd(configuration={"policy": {"rules": [{"action": "allow", "path": "/tmp/**"}]}}) as connectd:
        assert_problem(connectd.client.post_check(f"unix:{connectd.socket_path}"), 403)


def test_the_rules_apply_to_each_socket_type(api, tree):
    with peers.unix_listener(f"{tree}/out/d", socket.SOCK_DGRAM):
        assert_problem(api.post_check(f"unix+dgram:{tree}/out/d"), 403)
