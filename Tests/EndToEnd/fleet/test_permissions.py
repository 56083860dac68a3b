"""deploy/nats with the real nats-server: places only answer, hubs only ask, in both variants."""

import asyncio
import contextlib
import ctypes
import re
import shutil
import ssl
import time

import nats
import pytest
import yaml

from support import peers
from support.connectd_process import REPOSITORY, Connectd
from support.fleet import statuses, survey, wait_for_places
from support.nats_server import ADDRESS, NatsServer
from support.real_servers import free_ports

FOLDER = REPOSITORY / "deploy" / "nats"
MEMBERS = ("fra1", "nyc1", "hub1", "lon1")  # and ops, which is not connectd
VARIANTS = ("passwords", "certificates")


def password(member: str) -> str:
    return f"the password of {member}"


def bcrypt(text: str) -> str:
    """A hash as `mkpasswd -m bcrypt` makes it, with the lowest cost."""
    crypt = ctypes.CDLL("libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    return crypt(text.encode(), b"$2b$04$abcdefghijklmnopqrstuu").decode()


class Fleet:
    """A broker with one of the two configurations, and what its members need to log in."""

    def __init__(self, namespace, variant: str, authorities):
        self.variant, self.namespace, self.authorities = variant, namespace, authorities
        self.broker = NatsServer(namespace)
        shutil.copy(FOLDER / "permissions.conf", self.broker.folder)
        (self.broker.folder / "members-ca.pem").write_text(authorities.root_pem)
        server = authorities.for_addresses(ADDRESS)
        shutil.copy(server.chain_file, self.broker.folder / "server.pem")
        shutil.copy(server.key_file, self.broker.folder / "server.key")
        self.identities = {
            member: authorities.identity(member, [authorities.leaf(member, (f"{member}.places.example",)), authorities.intermediate.certificate])
            for member in (*MEMBERS, "ops", "other")
        }  # fmt: skip
        # NatsServer chooses the address itself.
        text = (FOLDER / f"{variant}.conf").read_text().replace('listen: "0.0.0.0:4222"\n', "")
        for member in (*MEMBERS, "ops"):
            text = text.replace(f"$2b$11$replace.this.hash.of.{member}", bcrypt(password(member)))
        text = text.replace("/etc/nats/", f"{self.broker.folder}/")
        assert "listen" not in text and "replace.this" not in text
        self.text = text
        self.broker.write(text)

    def connectd(self, member: str) -> Connectd:
        """connectd as the example for a place or a hub configures it."""
        example = "hub" if member == "hub1" else "place"
        text = (FOLDER / f"{example}.yaml").read_text().replace("fra1", member).replace("nats.example:4222", f"{ADDRESS}:{self.broker.port}")
        configuration = yaml.safe_load(text)
        if self.variant == "certificates":
            del configuration["fleet"]["user"], configuration["fleet"]["password_file"]
            configuration["fleet"] |= {"certificate": f"{member}.pem", "key": f"{member}.key"}
        if example == "place":
            # The target of these tests is on loopback, with any port.
            configuration["policy"]["rules"] = [{"action": "allow", "cidr": "127.0.0.0/8"}]
        identity = self.identities[member]
        files = {
            "nats-ca.pem": self.authorities.root_pem, "fleet.password": password(member) + "\n",
            f"{member}.pem": open(identity.chain_file).read(), f"{member}.key": open(identity.key_file).read(),
        }  # fmt: skip
        return Connectd(self.namespace, configuration, port=free_ports(self.namespace, ADDRESS, 1)[0], files=files)

    @contextlib.asynccontextmanager
    async def client(self, member: str, secret: str | None = None):
        """A client with the rights of a member; and a list of what the broker refused."""
        context = ssl.create_default_context(cadata=self.authorities.root_pem)
        options = {}
        if self.variant == "certificates":
            identity = self.identities[member]
            context.load_cert_chain(identity.chain_file, identity.key_file)
        else:
            options = {"user": member, "password": secret or password(member)}
        refused: list[str] = []

        async def note(error: Exception) -> None:
            refused.append(str(error))

        with self.namespace.entered():
            client = await nats.connect(
                f"tls://{ADDRESS}:{self.broker.port}", tls=context, error_cb=note, allow_reconnect=False, connect_timeout=5, **options)
        try:
            yield client, refused
        finally:
            await client.close()


@pytest.fixture(scope="module", params=VARIANTS)
def fleet(request, loopback_only, authorities):
    made = Fleet(loopback_only, request.param, authorities)
    with made.broker:
        yield made


@pytest.fixture(scope="module")
def target(loopback_only):
    listener = peers.tcp_listener(loopback_only, ADDRESS, backlog=64)
    with peers.serving(listener, peers.on_each_connection(lambda connection: None)):
        yield f"tcp://{ADDRESS}:{listener.getsockname()[1]}"


def test_surveys_work_with_exactly_these_permissions(fleet, target):
    with contextlib.ExitStack() as stack:
        instances = {}
        # Those that ask come last, so that they find all others at once.
        for member in ("fra1", "nyc1", "lon1", "hub1"):
            instances[member] = stack.enter_context(fleet.connectd(member))
            instances[member].wait_for_log("fleet: connected")
        for asker, places in (("hub1", ("fra1", "nyc1", "lon1")), ("lon1", ("fra1", "nyc1"))):
            wait_for_places(instances[asker], *places)
            document = survey(instances[asker], target, *places)
            assert document["verdict"] == "up" and statuses(document) == dict.fromkeys(places, "finished"), document
        for instance in instances.values():
            assert "refused by the broker" not in instance.log, instance.log
        # Once for its question, and once for its inboxes.
        assert 1 <= instances["nyc1"].log.count("the broker does not let this instance ask") <= 3, instances["nyc1"].log


AGENT = "fra1"
# What a member may not do: the member, the verb, the subject. `subscribe` is tried with and without connectd's queue group;
# `listen` and `compete` only without it, and with another one.
FORBIDDEN = [
    # A place does not ask,
    (AGENT, "publish", "connectd.check"),
    (AGENT, "publish", "connectd.check.nyc1"),
    (AGENT, "publish", "connectd.check.fra1"),
    (AGENT, "publish", "$SRV.INFO.connectd"),
    # does not invent answers,
    (AGENT, "publish", "_INBOX.connectd.hub1.abc.check.1"),
    (AGENT, "publish", "$JS.API.INFO"),
    # does not answer for another place,
    (AGENT, "subscribe", "connectd.check.nyc1"),
    (AGENT, "subscribe", "connectd.check.*"),
    (AGENT, "subscribe", "connectd.>"),
    # listens to no check that another instance gets,
    (AGENT, "listen", "connectd.check"),
    (AGENT, "listen", "connectd.check.fra1"),
    (AGENT, "compete", "connectd.check"),
    (AGENT, "compete", "connectd.check.fra1"),
    # and reads no inbox.
    (AGENT, "subscribe", "_INBOX.connectd.hub1.>"),
    (AGENT, "subscribe", "_INBOX.>"),
    (AGENT, "subscribe", ">"),
    ("hub1", "subscribe", "connectd.check"),
    ("hub1", "subscribe", "connectd.check.fra1"),
    ("hub1", "subscribe", "connectd.check.hub1"),
    ("hub1", "subscribe", "$SRV.INFO.connectd"),
    ("hub1", "subscribe", "_INBOX.connectd.lon1.>"),
    ("hub1", "subscribe", "_INBOX.connectd.*.>"),
    ("hub1", "subscribe", ">"),
    ("hub1", "publish", "_INBOX.connectd.lon1.abc.check.1"),
    ("hub1", "publish", "$SRV.STATS.connectd"),
    ("lon1", "subscribe", "connectd.check.fra1"),
    ("lon1", "subscribe", "_INBOX.connectd.hub1.>"),
    ("lon1", "listen", "connectd.check"),
    ("lon1", "publish", "_INBOX.connectd.hub1.abc.check.1"),
    ("ops", "publish", "connectd.check"),
    ("ops", "publish", "connectd.check.fra1"),
    ("ops", "subscribe", "connectd.check"),
    ("ops", "subscribe", "_INBOX.connectd.hub1.>"),
    ("ops", "subscribe", "$SRV.INFO"),
]
ALLOWED = [
    (AGENT, "answer", "connectd.check"),
    (AGENT, "answer", "connectd.check.fra1"),
    (AGENT, "subscribe", "$SRV.PING"),
    (AGENT, "subscribe", "$SRV.STATS.connectd.abc"),
    ("hub1", "publish", "connectd.check"),
    ("hub1", "publish", "connectd.check.fra1"),
    ("hub1", "publish", "$SRV.INFO.connectd"),
    ("hub1", "subscribe", "_INBOX.connectd.hub1.abc.check.*"),
    ("ops", "publish", "$SRV.PING"),
    ("ops", "publish", "$SRV.STATS.connectd"),
    ("ops", "subscribe", "_INBOX.ops.abc"),
]
# The queue groups of each kind of subscription.
GROUPS = {"publish": ("",), "subscribe": ("", "connectd"), "listen": ("",), "answer": ("connectd",), "compete": ("other",)}


REFUSAL = re.compile(r'nats: permissions violation for (publish|subscription) to "([^"]+)"(?: using queue "([^"]+)")?')


@pytest.mark.parametrize("member", [AGENT, "hub1", "lon1", "ops"])
def test_what_a_member_may_do(fleet, member):
    def attempts(cases) -> list[tuple[str, str, str]]:
        """Verb, subject and queue group."""
        return [(verb, subject, group) for who, verb, subject in cases if who == member for group in GROUPS[verb]]

    async def tried() -> list[str]:
        async with fleet.client(member) as (client, refused):
            for verb, subject, queue in attempts(FORBIDDEN + ALLOWED):
                await (client.publish(subject, b"{}") if verb == "publish" else client.subscribe(subject, queue))
            await client.flush()
            # The library reports what the broker refused in a task of its own.
            end = time.monotonic() + 5
            while len(refused) < len(attempts(FORBIDDEN)) and time.monotonic() < end:
                await asyncio.sleep(0.01)
            return refused

    found = {REFUSAL.fullmatch(text.strip()).groups(default="") for text in asyncio.run(tried())}
    assert found == {
        ("publish" if verb == "publish" else "subscription", subject.lower(), queue)
        for verb, subject, queue in attempts(FORBIDDEN)
    }


def test_an_answer_is_sent_once_and_to_its_asker_only(fleet):
    async def talk() -> tuple[list[bytes], list[str]]:
        async with fleet.client("fra1") as (place, refused), fleet.client("hub1") as (hub, _):
            questions = await place.subscribe("connectd.check.fra1", "connectd")
            answers = await hub.subscribe("_INBOX.connectd.hub1.abc.check.*")
            await place.flush()
            # Many at once: each has its answer.
            for number in range(200):
                await hub.publish("connectd.check.fra1", b"{}", reply=f"_INBOX.connectd.hub1.abc.check.{number}")
            replies = [(await questions.next_msg(5)).reply for _ in range(200)]
            for reply in replies:
                await place.publish(reply, b"first")
            await place.publish(replies[0], b"second")
            await place.publish("_INBOX.connectd.hub1.abc.check.999", b"invented")
            await place.flush()
            received = [(await answers.next_msg(5)).data for _ in range(200)]
            with pytest.raises(nats.errors.TimeoutError):
                await answers.next_msg(0.1)
            return received, refused

    received, refused = asyncio.run(talk())
    assert received == [b"first"] * 200
    assert len(refused) == 2 and all("permissions violation for publish" in text.lower() for text in refused)


def test_others_do_not_get_in(fleet):
    async def enter() -> None:
        if fleet.variant == "certificates":
            async with fleet.client("other"):
                pass
        else:
            async with fleet.client("fra1", password("nyc1")):
                pass

    with pytest.raises(nats.errors.Error, match="(?i)authorization violation"):
        asyncio.run(enter())


def test_a_reload_adds_and_revokes_members_and_keeps_the_others(fleet):
    before = fleet.text
    user = "lon1.places.example" if fleet.variant == "certificates" else "lon1"
    [line] = [line for line in before.splitlines() if f"user: {user}," in line or f'user: "{user}",' in line]

    async def talk() -> tuple[bool, bool]:
        async with fleet.client("fra1") as (place, refused), fleet.client("lon1") as (revoked, _):
            fleet.broker.reload(before.replace(line, line.replace("lon1", "lon2").replace("$LON2", "$LON1")))
            end = time.monotonic() + 5
            while not revoked.is_closed and time.monotonic() < end:
                await asyncio.sleep(0.01)
            await place.flush()
            return place.is_connected and refused == [], revoked.is_closed

    try:
        assert asyncio.run(talk()) == (True, True)
    finally:
        fleet.broker.reload(before)
