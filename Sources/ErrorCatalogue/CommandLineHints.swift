/// Hints whose form for the command line differs from that for the API, by the latter's text.
enum CommandLineHints {
    static let templates: [String: String] = Dictionary(
        hints + tls + own.compactMap { name, text in ErrnoCatalogue.entry(named: name).map { ($0.hint, text) } },
        uniquingKeysWith: { first, _ in first })

    private static let hints: [(String, String)] = [
        (
            Hints.bindPortTaken,
            """
            The source port is taken on the prober (`ss -tanp` shows by whom, TIME_WAIT included): let the kernel choose \
            one, or choose another.
            """
        ),
        (
            Hints.bindForeignAddress,
            """
            The address of --source is not an address of this machine: `ip -br addr` in this network namespace shows those \
            it has; an IPv6 address may still be tentative.
            """
        ),
        (
            Hints.bindPrivilegedPort,
            """
            The source port is a privileged one: run connectd with CAP_NET_BIND_SERVICE, lower \
            net.ipv4.ip_unprivileged_port_start, or choose a higher port.
            """
        ),
        (
            Hints.noSuchInterface,
            """
            This machine has no interface {interface}: `ip -br link` in this network namespace shows those it has; correct \
            --interface.
            """
        ),
        (
            Hints.bindWrongFamily,
            """
            The address of --source does not fit this target: both must be IPv4 or both IPv6, and a link-local IPv6 address \
            also needs --interface.
            """
        ),
        (
            Hints.bindOther,
            """
            The socket could not be bound, and nothing was sent: check --source and --interface against `ip addr` on this \
            machine.
            """
        ),
        (
            Hints.optionForbidden,
            """
            You lack the privilege for a socket option: a packet mark needs CAP_NET_ADMIN or CAP_NET_RAW, --interface may \
            need CAP_NET_RAW.
            """
        ),
        (
            Hints.optionMissing,
            """
            This machine's kernel lacks the option or has it switched off: MPTCP needs net.mptcp.enabled=1, TCP MD5 needs \
            CONFIG_TCP_MD5SIG; nothing was sent.
            """
        ),
        (
            Hints.optionRefused,
            """
            This machine's kernel does not accept a socket option of the request line: leave the options out one by one to \
            find it; nothing was sent.
            """
        ),
        (
            Hints.refusedByOurselves,
            """
            A firewall on this machine refuses the connect with ICMP (sent by its own address {sender}): look at its output \
            rules with `nft list ruleset`.
            """
        ),
        (
            Hints.refusedOnTheWay,
            """
            {sender}, a firewall or router on the way, refuses in the target's place ({meaning}): the target may well be \
            up, so ask the owner of that device.
            """
        ),
        (
            Hints.silentBeforeTLS,
            """
            The peer has not agreed to TLS: it may expect TLS at once (leave --starttls out), speak another protocol than \
            --starttls names, or hang.
            """
        ),
        (
            Hints.familyWithoutRoute,
            """
            This machine has no address of this family, so there is no way to the target: give it IPv6 connectivity, or \
            choose the other family with -4 or -6.
            """
        ),
        (
            Hints.sourcePortStillUsed,
            """
            The source port already has a connection to this target, perhaps in TIME_WAIT for a minute: let the kernel \
            choose a port, or wait.
            """
        ),
        (
            Hints.loopbackSource,
            """
            The socket is bound to loopback ({source}), which cannot reach another machine: give --source an address of \
            the interface toward the target, or leave it out.
            """
        ),
        (
            Hints.prohibitedByTarget,
            """
            The target's own firewall prohibits this port ({sender} itself says {meaning}): allow {source} in its rules.
            """
        ),
        (
            Hints.prohibitedByOurselves,
            """
            A firewall on this machine prohibits the connect (its own address {sender} says {meaning}): look at its output \
            rules with `nft list ruleset`.
            """
        ),
        (
            Hints.prohibitedOnTheWay,
            """
            {sender}, a firewall or router on the way, prohibits this connect ({meaning}): ask its owner to allow {source} \
            and this port.
            """
        ),
        (
            Hints.prohibitedOnTheWayIPv6,
            """
            {sender}, a firewall or router on the way, prohibits this connect ({meaning}): ask its owner to allow {source}; \
            Linux says EACCES for it over IPv6.
            """
        ),
        (
            Hints.hostUnreachableFromTarget,
            """
            The target's address itself ({sender}) reports the host as unreachable: it forwards this port to a host that \
            does not answer, or its firewall says so.
            """
        ),
        (
            Hints.hostUnreachableFromRouter,
            """
            {sender}, the last router, finds no host at this address: the host is off, its address is unused, or its own \
            link is down.
            """
        ),
        (
            Hints.timeExceeded,
            """
            The packet's hop limit ran out at {sender}: raise it if the request line sets one; otherwise look for a routing \
            loop with traceroute.
            """
        ),
        (
            Hints.icmpFromTarget,
            """
            The target itself ({sender}) answered with an ICMP error, {meaning}: look at its firewall's reject rules and at \
            whether it speaks this protocol.
            """
        ),
        (
            Hints.icmpFromSomebody,
            """
            {sender}, a device on the way, answered with an ICMP error, {meaning}: it mostly lacks a route; ask its owner.
            """
        ),
    ]

    private static let tls: [(String, String)] = [
        (
            Hints.unrecognizedName,
            """
            The peer has nothing for {name}, the name that was sent (SNI): correct the target's host or --server-name, or \
            add the name to the server's sites.
            """
        ),
        (
            Hints.clientCertificateExpired,
            """
            The peer says that our client certificate has expired: renew it in the file that --config names, and compare \
            the clocks of both machines.
            """
        ),
        (
            Hints.clientCertificateRevoked,
            """
            The peer says that our client certificate was revoked: replace it in the file that --config names, and ask its \
            authority why.
            """
        ),
        (
            Hints.inappropriateFallback,
            """
            The peer says that it has a newer TLS version than it was offered: let the request line allow a higher one, or \
            leave the limit out.
            """
        ),
        (
            Hints.expectedAlertMissing,
            """
            The peer let us in although the request line expects an alert: see whether it demands client certificates, and \
            what this machine showed it.
            """
        ),
        (
            Hints.stapleNotGood,
            """
            The request line needs a good OCSP staple, and none came: turn stapling on at the server, and see that it \
            reaches its authority's responder.
            """
        ),
        (
            Hints.tlsNotBegun,
            """
            connectd could not begin with TLS as it was asked to ({message}): correct the entry of its configuration (a key \
            of RSA 2048 or P-256), or the options.
            """
        ),
        (
            Hints.wordsBehindGoAhead,
            """
            Plain text followed the go-ahead for TLS ({received}): a server must not take it for secured, so suspect an \
            injection on the way (CVE-2011-0411).
            """
        ),
        (
            Hints.addressOfOtherFamily,
            "Leave -4, -6 and --family out, or write a target of that family: an address has one family only."
        ),
        (
            Hints.noServerName,
            """
            No host name was sent (SNI), since the target has none, and many servers need one to find their certificate: \
            name the site with --server-name.
            """
        ),
        (
            Hints.defaultCertificate,
            """
            No host name was sent (SNI), so the server chose its default certificate, which is for {names}: name the site \
            with --server-name, or issue the certificate for this address too.
            """
        ),
        (
            Hints.legacyRenegotiation,
            """
            The server lacks secure renegotiation (RFC 5746): update its TLS library, or accept that with \
            --legacy-renegotiation.
            """
        ),
        (
            Hints.serviceRefusedForNow,
            """
            The server refuses new clients for now ({message}): try again later, or raise its limit of connections.
            """
        ),
        (
            Hints.serviceRefused,
            """
            The server refuses to serve this client ({message}): allow the prober's address in the server's access list, \
            or start the service there.
            """
        ),
    ]

    /// By the error's name.
    /// All unusual response codes have one hint.
    private static let unusualResponseCode = """
        Check which server answers here: {servers}; a server that answers lookups does not send this response code; compare \
        with `dig`.
        """

    private static let own: [(String, String)] = [
        (
            "NOTIMP",
            """
            Check which server answers here: {servers}; it does not answer questions for A or AAAA records.
            """
        ),
        ("DNS_RCODE", unusualResponseCode),
        (
            "DEADLINE",
            """
            Nothing answered within {timeout}: look for a firewall that drops, a dead host or a full listen backlog, or \
            give a far or slow target more time with --timeout.
            """
        ),
        (
            "DIALOG_MISMATCH",
            """
            The peer spoke, but not as expected; it sent {received}: compare that with --match; another service may have \
            this port, or it is still starting.
            """
        ),
        ("DIALOG_REJECTED", "The peer answered, but with what --reject forbids; it sent {received}."),
        (
            "DIALOG_CLOSED",
            """
            The peer hung up before the dialog was through; last it sent {received}: look at its log for an access list or \
            a connection limit.
            """
        ),
        (
            "DENIED",
            "The policy of --config does not allow this target: add a rule that allows it, or leave --config out."
        ),
        (
            "INVALID",
            "Correct this line as the message says; it was not checked, and nothing is known about its target."
        ),
        ("CANCELLED", "Nothing is known about the target: connectd was stopped before the check had ended."),
        (
            "EADDRNOTAVAIL",
            """
            No ephemeral port is left toward this target: count TIME_WAIT with `ss -tan`, widen \
            net.ipv4.ip_local_port_range, or run fewer checks (--rate, --concurrency).
            """
        ),
        (
            "EMFILE",
            """
            connectd is out of file descriptors: raise `ulimit -n`, or lower --concurrency; the target was not asked.
            """
        ),
        (
            "EHOSTDOWN",
            """
            {sender}, a router, says that the host is unknown (ICMP 3/7): see whether the host is attached there and \
            switched on.
            """
        ),
        (
            "ENONET",
            """
            {sender}, a router, calls the source host isolated (obsolete ICMP 3/8): look at that device, which is old or \
            answers wrongly.
            """
        ),
        (
            "ENOPROTOOPT",
            """
            The answer was ICMP protocol unreachable: a host without TCP or UDP is rare, so look for a firewall rule \
            `reject with icmp prot-unreachable` at {sender}.
            """
        ),
        (
            "EPROTO",
            """
            {sender} could not read a header (ICMP parameter problem): look for IP options, extension headers or a broken \
            middlebox.
            """
        ),
        (
            "EOPNOTSUPP",
            """
            {sender} reports a failed source route (ICMP 3/5), although connectd sets none: look at that device, and for \
            anything that adds IP options.
            """
        ),
        (
            "EPROTONOSUPPORT",
            """
            This machine's kernel lacks the protocol: MPTCP needs a kernel from 5.6 on that is built with CONFIG_MPTCP; \
            leave MPTCP out otherwise.
            """
        ),
        (
            "NXDOMAIN",
            """
            The name does not exist (asked {servers}): look for a typing error, a missing record, or a name that needs the \
            search domain of another network.
            """
        ),
        (
            "NODATA",
            """
            The name has no address of the family asked for (asked {servers}): add an A or AAAA record, or leave -4 and -6 out; it may also \
            be a name with only MX or SRV records.
            """
        ),
        (
            "SERVFAIL",
            """
            The resolver ({servers}) could not get an answer itself: mostly broken DNSSEC (`dig +cd` then works), or the domain's own name \
            servers are down.
            """
        ),
        (
            "REFUSED",
            """
            The name server ({servers}) does not serve this machine: its access list or recursion setting lacks the machine's \
            address, or /etc/resolv.conf names the wrong server.
            """
        ),
        (
            "DNS_TIMEOUT",
            """
            No name server answered within {timeout} (asked {servers}): see whether port 53 there is reachable over UDP and \
            TCP; the target was not asked.
            """
        ),
        (
            "DNS_UNREACHABLE",
            """
            The name server ({servers}) cannot be reached: nothing listens on port 53 there, or there is no route; see /etc/resolv.conf of \
            this container or machine.
            """
        ),
        (
            "DNS_BAD_ANSWER",
            """
            The answer was malformed (asked {servers}): look at it with `dig`, and for a captive portal, a DNS proxy or a \
            firewall that rewrites answers.
            """
        ),
        (
            "CERT_EXPIRED",
            """
            A certificate expired on {until} (depth {depth}): renew it, and see that the service has loaded the new file \
            and that this machine's clock is right.
            """
        ),
        (
            "CERT_NOT_YET_VALID",
            """
            A certificate is not valid before {until} (depth {depth}): compare the clocks of this machine and of the issuer \
            with `timedatectl`.
            """
        ),
        (
            "CERT_SELF_SIGNED",
            """
            The peer shows a self-signed certificate, often a default one: install the real one, or trust this one with \
            --ca FILE; --no-verify only reports it.
            """
        ),
        (
            "CERT_UNKNOWN_AUTHORITY",
            """
            No path to a trusted authority; the chain ends at {authority}: let the server send every intermediate, or \
            trust a private root with --ca FILE.
            """
        ),
        (
            "CERT_NAME_MISMATCH",
            """
            The certificate is for {names}, not for {name}: connect by a name that it has, give --server-name, or see \
            whether the server chose its default site.
            """
        ),
        (
            "CERT_REVOKED",
            """
            The authority has revoked this certificate: replace it at once, and find out why; clients may accept it still.
            """
        ),
        (
            "CERT_WEAK",
            """
            A key or signature of the chain is too weak: issue it anew with RSA 2048 or P-256 and SHA-256, or look at it \
            with --no-verify.
            """
        ),
        (
            "CERT_EXPIRES_SOON",
            """
            Still valid until {until}, but for fewer days than {days} asks for: renew it, and if that is automatic, see why \
            it did not happen.
            """
        ),
        (
            "CERT_INVALID",
            """
            The verifier refuses the chain at depth {depth}, {message}: often a certificate that is not for servers, or an \
            issuer that is not an authority.
            """
        ),
        (
            "TLS_VERSION",
            """
            The peer speaks none of the versions asked for, mostly only TLS 1.0 or 1.1: upgrade it; `openssl s_client \
            -tls1_1` shows whether it is that.
            """
        ),
        (
            "TLS_NO_SHARED_CIPHER",
            """
            Peer and prober share no cipher suite, group or signature algorithm: compare the peer's list with that of \
            `openssl ciphers -v`, and its key type with its suites.
            """
        ),
        (
            "TLS_ALERT",
            """
            The peer broke the handshake off with {alert}, and its log says more: compare what was offered (name {name}, \
            versions, ciphers) with its settings.
            """
        ),
        (
            "TLS_NOT_TLS",
            """
            The port does not speak TLS, it sent {received}: it may be the plain port (use tcp://), or need --starttls \
            first.
            """
        ),
        (
            "TLS_CLOSED",
            """
            The peer hung up without a word: a proxy without a backend for {name}, a plain-text service, or an access list; \
            look at its log, or give --server-name.
            """
        ),
        (
            "TLS_ALPN",
            """
            The peer takes none of {protocols}: add the protocol that it has with --alpn, such as http/1.1, or turn the \
            missing one on at its side.
            """
        ),
        (
            "TLS_CLIENT_CERT_REQUIRED",
            """
            The peer takes only clients with a certificate (mutual TLS): set one up in the file of --config, and name it in \
            a request line of --file.
            """
        ),
        (
            "STARTTLS_REFUSED",
            """
            The peer gives no TLS on this port, it sent {received}: see that it has a certificate configured, and that \
            --starttls names its protocol.
            """
        ),
    ]
}
