"""GET /v1/errors: the errno table of the service, compared with the kernel's and the manual page."""

import errno
import os

import pytest

from support.connectd_process import Connectd
from support.expectations import assert_problem

MANUAL = """EBADF ENOTSOCK EADDRNOTAVAIL EAFNOSUPPORT EISCONN ETIMEDOUT EINVAL ECONNREFUSED EHOSTUNREACH EINTR
ENETUNREACH EADDRINUSE EFAULT EINPROGRESS EALREADY EPERM ENOTDIR ENAMETOOLONG ENOENT EACCES ELOOP EPROTOTYPE""".split()
LINUX = """EAGAIN ECONNRESET ENOPROTOOPT EHOSTDOWN ENONET EOPNOTSUPP EPROTO EMFILE ENFILE ENOBUFS ENETDOWN ENOMEM EIO
ESOCKTNOSUPPORT EPROTONOSUPPORT ENODEV ECONNABORTED EPIPE ENOSPC""".split()
OWN = """DEADLINE NXDOMAIN NODATA SERVFAIL REFUSED FORMERR NOTIMP YXDOMAIN YXRRSET NXRRSET NOTAUTH NOTZONE BADVERS DNS_RCODE
DNS_TIMEOUT DNS_UNREACHABLE DNS_BAD_ANSWER""".split()
CLASSES = {
    "ECONNREFUSED": "refused",
    "ECONNRESET": "reset",
    "ECONNABORTED": "reset",
    "EPIPE": "reset",
    "ETIMEDOUT": "timeout",
    "EHOSTUNREACH": "unreachable",
    "ENETUNREACH": "unreachable",
    "EHOSTDOWN": "unreachable",
    "ENONET": "unreachable",
    "ENOPROTOOPT": "unreachable",
    "EPROTO": "unreachable",
    "EOPNOTSUPP": "unreachable",
    "EINVAL": "unreachable",
    "EACCES": "not_permitted",
    "EPERM": "not_permitted",
    "ENOENT": "no_such_socket",
    "ENOTDIR": "no_such_socket",
    "ENAMETOOLONG": "bad_path",
    "ELOOP": "bad_path",
    "EPROTOTYPE": "wrong_type",
    "EAFNOSUPPORT": "prober_misconfigured",
    "ESOCKTNOSUPPORT": "prober_misconfigured",
    "EPROTONOSUPPORT": "prober_misconfigured",
    "ENODEV": "prober_misconfigured",
    "ENETDOWN": "prober_misconfigured",
    "EADDRNOTAVAIL": "prober_exhausted",
    "EADDRINUSE": "prober_exhausted",
    "EMFILE": "prober_exhausted",
    "ENFILE": "prober_exhausted",
    "ENOBUFS": "prober_exhausted",
    "ENOMEM": "prober_exhausted",
    "ENOSPC": "prober_exhausted",
    "EBADF": "internal",
    "EFAULT": "internal",
    "EISCONN": "internal",
    "EALREADY": "internal",
    "EINPROGRESS": "internal",
    "EINTR": "internal",
    "EIO": "unclassified",
    "DEADLINE": "timeout",
    "NXDOMAIN": "resolve_failed",
}


@pytest.fixture(scope="module")
def connectd(loopback_only):
    with Connectd(loopback_only) as running:
        yield running


@pytest.fixture(scope="module")
def catalogue(api) -> dict[str, dict]:
    return {entry["name"]: entry for entry in api.get("/v1/errors").json["errors"]}


@pytest.mark.parametrize("name", MANUAL + LINUX)
def test_each_errno_has_the_kernels_number(api, catalogue, name):
    entry = catalogue[name]
    assert entry["errno"] == getattr(errno, name)
    assert entry["message"] == os.strerror(entry["errno"])
    assert entry["fault"] in {"target", "network", "prober", "request", "resolver"}
    assert entry["when"] and entry["hint"]
    assert api.get(f"/v1/errors/{name}").json == entry


@pytest.mark.parametrize("name", MANUAL)
def test_errors_of_the_manual_page_are_marked(catalogue, name):
    assert catalogue[name]["manual_page"] is True


@pytest.mark.parametrize("name", OWN)
def test_our_own_names_are_explained_without_a_number(catalogue, name):
    assert catalogue[name]["errno"] is None


@pytest.mark.parametrize("name,wanted", CLASSES.items())
def test_the_class_follows_the_contract(catalogue, name, wanted):
    assert catalogue[name]["class"] == wanted


def test_numbers_and_names_are_unique(api):
    entries = api.get("/v1/errors").json["errors"]
    numbers = [entry["errno"] for entry in entries if entry["errno"] is not None]
    assert len(numbers) == len(set(numbers))
    assert len({entry["name"] for entry in entries}) == len(entries)
    assert numbers == sorted(numbers)
    assert [entry["errno"] is None for entry in entries] == sorted(entry["errno"] is None for entry in entries)


@pytest.mark.parametrize("name", ["ENOSUCH", "0", "99999", "ECONNREFUSED%20", "ECONNREFUSED/x", "..", "%00"])
def test_an_unknown_name_is_404(api, name):
    assert_problem(api.get(f"/v1/errors/{name}"), 404)


def test_an_errno_is_also_found_by_its_number(api, catalogue):
    assert api.get("/v1/errors/111").json == catalogue["ECONNREFUSED"]


def test_a_result_has_the_message_of_the_catalogue_and_a_hint(api, catalogue):
    error = api.check("tcp://127.0.0.1:9")["error"]
    assert error["message"] == catalogue["ECONNREFUSED"]["message"]
    assert len(error["hint"]) > 20
