"""deploy/nats with the real broker: a hub may only ask, a place may only answer, and each only as itself."""

import asyncio
import contextlib
import shutil
import ssl
import subprocess

import nats.errors
import pytest

from support.certificates import HOST
from support.deploy_examples import DEPLOY
from support.nats_members import nats_member
from support.nats_server import ADDRESS, NatsServer
from support.real_servers import free_ports, materials

FILES = ("nats-server.conf", "nats-server-certificates.conf", "permissions.conf", "accounts.conf", "accounts-certificates.conf")
USERS = ("hub", "hub-2", "fra1", "nyc1")


def bcrypt(password: str) -> str:
    """The hash that `mkpasswd --method=bcrypt-a` prints, with the fewest rounds."""
    script = 'print crypt($ARGV[0], q($2a$04$abcdefghijklmnopqrstuu))'
    return subprocess.run(["perl", "-e", script, password], capture_output=True, text=True, check=True).stdout


@contextlib.contextmanager
def broker(namespace, authorities, name: str):
    """A broker with a file of deploy/nats, its passwords and its certificates."""
    port = free_ports(namespace, ADDRESS, 1)[0]
    server = NatsServer(namespace, f'include "{name}"', port, ("--addr", ADDRESS, "--port", str(port)))
    chain, key = materials(server.folder, authorities.good)
    (server.folder / "clients-ca.pem").write_text(authorities.pem(authorities.root.certificate))
    for file in FILES:
        text = (DEPLOY / "nats" / file).read_text().replace("/etc/nats/server.pem", chain)
        text = text.replace("/etc/nats/server.key", key).replace("/etc/nats", str(server.folder))
        (server.folder / file).write_text(text)
    lines = [f'{user.upper().replace("-", "_")}_PASSWORD: "{bcrypt("secret of " + user)}"' for user in USERS]
    (server.folder / "passwords.conf").write_text("\n".join(lines))
    with server:
        yield server


@pytest.fixture(scope="module", params=["passwords", "certificates"])
def login(request, loopback_only, authorities):
    """Connects as a user with the passwords or the client certificates of a running broker."""
    by_certificate = request.param == "certificates"
    name = "nats-server-certificates.conf" if by_certificate else "nats-server.conf"

    def context(user: str) -> ssl.SSLContext:
        made = ssl.create_default_context(cadata=authorities.pem(authorities.root.certificate))
        if by_certificate:
            leaf = authorities.leaf(user, (f"{user}.fleet.internal",))
            identity = authorities.identity(f"fleet-{user}", [leaf, authorities.intermediate.certificate])
            made.load_cert_chain(identity.chain_file, identity.key_file)
        return made

    with broker(loopback_only, authorities, name) as server:

        def connect(user: str, **options):
            if not by_certificate:
                options = {"user": user, "password": f"secret of {user}", **options}
            inbox = f"_INBOX.connectd.{user}"
            return nats_member(server, inbox, tls=context(user), tls_hostname=HOST, **options)

        yield connect


def run(namespace, test) -> None:
    """Runs a coroutine, whose sockets are in the namespace."""
    with namespace.entered():
        asyncio.run(asyncio.wait_for(test, 20))


def test_hubs_ask_and_places_answer(login, loopback_only):
    async def test() -> None:
        async with login("hub") as hub, login("fra1") as fra1, login("nyc1") as nyc1:
            for place, name in ((fra1, "fra1"), (nyc1, "nyc1")):
                for subject in (f"connectd.check.{name}", "connectd.check", "$SRV.INFO.connectd"):
                    await place.answer(subject, name)
            assert [await hub.ask(f"connectd.check.{name}") for name in ("fra1", "nyc1")] == ["fra1", "nyc1"]
            assert await hub.ask("connectd.check") in ("fra1", "nyc1")
            assert await hub.ask("$SRV.INFO.connectd") in ("fra1", "nyc1")
            assert not hub.errors + fra1.errors + nyc1.errors

    run(loopback_only, test())


def test_a_place_cannot_ask(login, loopback_only):
    async def test() -> None:
        async with login("fra1") as place:
            for subject in ("connectd.check", "connectd.check.nyc1", "connectd.check.fra1", "$SRV.INFO.connectd", "other"):
                await place.is_refused_to_publish(subject, "_INBOX.connectd.fra1.x")
            await place.is_refused_to_subscribe("_INBOX.connectd.fra1.x")

    run(loopback_only, test())


def test_a_place_cannot_answer_for_another_place(login, loopback_only):
    async def test() -> None:
        async with login("hub") as hub, login("fra1") as place:
            for subject in ("connectd.check.nyc1", "connectd.check.*", "connectd.>", ">", "*.check"):
                await place.is_refused_to_subscribe(subject, "connectd")
            with pytest.raises(nats.errors.NoRespondersError):
                await hub.ask("connectd.check.nyc1")

    run(loopback_only, test())


def test_a_place_answers_a_question_only_once_and_only_its_asker(login, loopback_only):
    async def test() -> None:
        async with login("hub") as hub, login("fra1") as place:
            questions: asyncio.Queue = asyncio.Queue()
            await place.client.subscribe("connectd.check.fra1", cb=questions.put)
            await place.client.flush()
            asking = asyncio.ensure_future(hub.ask("connectd.check.fra1"))
            question = await asyncio.wait_for(questions.get(), 5)
            await place.is_refused_to_publish("_INBOX.connectd.hub.made-up")
            await question.respond(b"first")
            assert await asking == "first"
            await place.is_refused_to_publish(question.reply)

    run(loopback_only, test())


def test_a_hub_cannot_answer_or_listen_to_others(login, loopback_only):
    async def test() -> None:
        async with login("hub") as hub:
            for subject in ("connectd.check", "connectd.check.fra1", "$SRV.INFO", "_INBOX.>", "_INBOX.connectd.hub-2.>", ">"):
                await hub.is_refused_to_subscribe(subject)
            for subject in ("_INBOX.connectd.hub-2.1", "connectd.check.fra1.more", "connectd.other"):
                await hub.is_refused_to_publish(subject)

    run(loopback_only, test())


def test_strangers_cannot_log_in(loopback_only, authorities):
    trust = ssl.create_default_context(cadata=authorities.pem(authorities.root.certificate))
    own = ssl.create_default_context(cadata=authorities.pem(authorities.root.certificate))
    own.load_cert_chain(authorities.client.chain_file, authorities.client.key_file)

    async def refused(server: NatsServer, **options) -> None:
        with pytest.raises((nats.errors.Error, ssl.SSLError, OSError)) as caught:
            async with nats_member(server, tls_hostname=HOST, **options):
                pass
        assert "authorization" in str(caught.value).lower() or "certificate" in str(caught.value).lower(), caught.value

    async def test_passwords() -> None:
        await refused(server, tls=trust, user="hub", password="secret of fra1")
        await refused(server, tls=trust, user="hub", password=bcrypt("secret of hub"))
        await refused(server, tls=trust)

    async def test_certificates() -> None:
        # A certificate of the CA whose name has no user.
        await refused(server, tls=own)

    with broker(loopback_only, authorities, "nats-server.conf") as server:
        run(loopback_only, test_passwords())
    with broker(loopback_only, authorities, "nats-server-certificates.conf") as server:
        run(loopback_only, test_certificates())


def test_the_broker_does_not_start_without_passwords(tmp_path):
    for file in FILES:
        shutil.copy(DEPLOY / "nats" / file, tmp_path)
    checked = subprocess.run(
        [shutil.which("nats-server", path="/usr/bin:/usr/sbin"), "-t", "-c", tmp_path / "nats-server.conf"],
        capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    assert checked.returncode != 0 and "passwords.conf" in checked.stderr
