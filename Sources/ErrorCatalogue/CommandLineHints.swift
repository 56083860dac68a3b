/// The command-line forms of hints that differ from the API's, keyed by the API's text.
enum CommandLineHints {
    static let templates: [String: String] = Dictionary(
        hints + presets + tls + unanswered
            + own.compactMap { name, text in ErrnoCatalogue.entry(named: name).map { ($0.hint, text) } },
        uniquingKeysWith: { first, _ in first })

    private static let unanswered = (1...Hints.mostSYNs).map { count in
        (
            Hints.unansweredUntilDeadline[count - 1],
            """
            Check for a firewall that drops packets, a dead host or a full listen backlog, or raise --timeout for a \
            distant or slow target: nothing answered within {timeout} (\(Hints.sent(count))).
            """
        )
    }

    private static let hints: [(String, String)] = [
        (
            Hints.deadlineWhileHeld,
            """
            Raise --timeout or lower --hold: the deadline passed before the connection had been held for long enough; \
            until then, the peer kept it open.
            """
        ),
        (
            Hints.unsentDropped,
            """
            Check this machine's output rules with `nft list ruleset`, and `tc -s qdisc`: it dropped its own SYN, so \
            nothing left.
            """
        ),
        (
            Hints.bindPortTaken,
            """
            Let the kernel choose the source port, or choose another: it is in use on this machine (`ss -tanp` shows \
            the process, including TIME_WAIT).
            """
        ),
        (
            Hints.bindForeignAddress,
            """
            Set --source to an address of this machine: `ip -br addr` in this network namespace lists them; a new IPv6 \
            address may still be tentative.
            """
        ),
        (
            Hints.bindPrivilegedPort,
            """
            Run connectd with CAP_NET_BIND_SERVICE, lower net.ipv4.ip_unprivileged_port_start, or choose a higher \
            port: the source port is privileged.
            """
        ),
        (
            Hints.noSuchInterface,
            """
            Correct --interface: this machine has no interface {interface}; `ip -br link` in this network namespace \
            lists those it has.
            """
        ),
        (
            Hints.bindWrongFamily,
            """
            Set --source to an address of the target's family: both must be IPv4 or both IPv6; a link-local IPv6 \
            address also needs --interface.
            """
        ),
        (
            Hints.bindOther,
            """
            Check --source and --interface against `ip addr` on this machine: the socket could not be bound, and \
            nothing was sent.
            """
        ),
        (
            Hints.optionForbidden,
            """
            Run connectd with the capability for this socket option: a packet mark needs CAP_NET_ADMIN or CAP_NET_RAW, \
            --interface may need CAP_NET_RAW.
            """
        ),
        (
            Hints.optionMissing,
            """
            Check this machine's kernel: MPTCP needs net.mptcp.enabled=1 and TCP MD5 needs CONFIG_TCP_MD5SIG; the \
            option is missing or disabled, and nothing was sent.
            """
        ),
        (
            Hints.optionRefused,
            """
            Remove the options in the request line one by one to find the one that this machine's kernel does not \
            accept; nothing was sent.
            """
        ),
        (
            Hints.refusedByProber,
            """
            Check this machine's output rules with `nft list ruleset`: its own firewall refused the connection with \
            ICMP from {sender}.
            """
        ),
        (
            Hints.refusedOnPath,
            """
            Ask the owner of {sender}, a firewall or router on the path: it refused the connection ({meaning}); the \
            target itself may be up.
            """
        ),
        (
            Hints.silentBeforeTLS,
            """
            Check that --starttls names the server's protocol, or leave it out if the port expects TLS at once: the \
            peer did not agree to TLS in time, or hangs.
            """
        ),
        (
            Hints.familyWithoutRoute,
            """
            Give this machine IPv6 connectivity, or choose the other family with -4 or -6: it has no address of this \
            family, so no route to the target.
            """
        ),
        (
            Hints.sourcePortStillUsed,
            """
            Let the kernel choose the source port, or wait: this port already has a connection to this target, perhaps \
            in TIME_WAIT for a minute.
            """
        ),
        (
            Hints.loopbackSource,
            """
            Set --source to an address of the interface toward the target, or leave it out: a socket bound to loopback \
            ({source}) cannot reach another machine.
            """
        ),
        (
            Hints.prohibitedByTarget,
            """
            Allow {source} in the target's own firewall: the target itself ({sender}) prohibits this port ({meaning}).
            """
        ),
        (
            Hints.prohibitedByProber,
            """
            Check this machine's output rules with `nft list ruleset`: its own firewall prohibits the connection \
            ({meaning}, from {sender}).
            """
        ),
        (
            Hints.prohibitedOnPath,
            """
            Ask the owner of {sender}, a firewall or router on the path, to allow {source} and this port: it prohibits \
            this connection ({meaning}).
            """
        ),
        (
            Hints.prohibitedOnPathIPv6,
            """
            Ask the owner of {sender}, a firewall or router on the path, to allow {source}: it prohibits this \
            connection ({meaning}); Linux reports EACCES for it over IPv6.
            """
        ),
        (
            Hints.hostUnreachableFromTarget,
            """
            Check the target's port forwarding and firewall: its own address ({sender}) reports the host as \
            unreachable; a host that it forwards to does not answer, or a rule says so.
            """
        ),
        (
            Hints.hostUnreachableFromRouter,
            """
            Check that the host is up and uses this address: {sender}, the last router, finds no host there, or its \
            link to the host is down.
            """
        ),
        (
            Hints.timeExceeded,
            """
            Raise the hop limit if the request line sets one; otherwise look for a routing loop with traceroute: the \
            packet's hop limit ran out at {sender}.
            """
        ),
        (
            Hints.icmpFromTarget,
            """
            Check the target's firewall for reject rules, and whether it speaks this protocol: the target itself \
            ({sender}) answered with an ICMP error, {meaning}.
            """
        ),
        (
            Hints.icmpFromPath,
            """
            Ask the owner of {sender}, a device on the path: it answered with an ICMP error, {meaning}, often because \
            it lacks a route.
            """
        ),
    ]

    private static let tls: [(String, String)] = [
        (
            Hints.unrecognizedName,
            """
            Correct the target's host or --server-name, or add the name to the server's sites: the peer does not serve \
            {name}, the name that was sent (SNI).
            """
        ),
        (
            Hints.clientCertificateExpired,
            """
            Renew the client certificate in the file that --config names, and compare the clocks of both machines: the \
            peer says that it has expired.
            """
        ),
        (
            Hints.clientCertificateRevoked,
            """
            Replace the client certificate in the file that --config names, and ask its CA for the reason: the peer \
            says that it was revoked.
            """
        ),
        (
            Hints.inappropriateFallback,
            """
            Allow a higher TLS version in the request line, or remove the limit: the peer says that it supports a \
            newer version than it was offered.
            """
        ),
        (
            Hints.expectedAlertMissing,
            """
            Check that the peer demands client certificates, and which one this machine sent: it completed the \
            handshake although the request line expects an alert.
            """
        ),
        (
            Hints.stapleNotGood,
            """
            Enable OCSP stapling on the server, and check that it reaches its CA's responder: the request line needs a \
            good staple, and none came.
            """
        ),
        (
            Hints.shortOfMemory,
            """
            Give connectd more memory or open files: OpenSSL could not continue, which says nothing about the target \
            ({message}).
            """
        ),
        (
            Hints.preparationFailed,
            """
            Correct the entry in connectd's configuration (a key of RSA 2048 or P-256), or the TLS options: connectd \
            could not start TLS ({message}).
            """
        ),
        (
            Hints.plainTextAfterStartTLS,
            """
            Suspect an injection on the path (CVE-2011-0411): plain text followed the go-ahead for TLS ({received}), \
            and must not be treated as secure.
            """
        ),
        (
            Hints.addressOfOtherFamily,
            "Leave -4, -6 and --family out, or write a target of that family: an address has one family only."
        ),
        (
            Hints.noServerName,
            """
            Name the site with --server-name: no host name was sent (SNI) as the target has none, and many servers \
            need one to find their certificate.
            """
        ),
        (
            Hints.defaultCertificate,
            """
            Name the site with --server-name, or issue the certificate for this address too: no host name was sent \
            (SNI), so the server chose its default certificate, which is for {names}.
            """
        ),
        (
            Hints.legacyRenegotiation,
            """
            Update the server's TLS library, or accept the risk with --legacy-renegotiation: the server lacks secure \
            renegotiation (RFC 5746).
            """
        ),
        (
            Hints.serviceRefusedForNow,
            """
            Try again later, or raise the server's connection limit: it refuses new clients at the moment ({message}).
            """
        ),
        (
            Hints.serviceRefused,
            """
            Allow the prober's address in the server's access list, or start the service there: the server refuses to \
            serve this client ({message}).
            """
        ),
    ]

    private static let presets: [(String, String)] = [
        (
            Hints.silentPreset,
            """
            Check that a server of this protocol runs at {target} and answers this prober: it did not answer the \
            question, and UDP cannot tell a firewall's drop from a silent service.
            """
        ),
        (
            Hints.presetMismatch,
            """
            Check which service uses this UDP port: what it sent is not an answer to the question of the preset.
            """
        ),
    ]

    /// The hint of all unusual DNS response codes.
    private static let unusualResponseCode = """
        Check which server answers here: {servers}; a server that answers lookups does not send this response code; \
        compare with `dig`.
        """

    private static let own: [(String, String)] = [
        (
            "NOTIMP",
            "Check which server answers here: {servers}; it does not answer queries for A or AAAA records."
        ),
        ("DNS_RCODE", unusualResponseCode),
        (
            "DEADLINE",
            """
            Check for a firewall that drops packets, a dead host or a full listen backlog, or raise --timeout for a \
            distant or slow target: nothing answered within {timeout}.
            """
        ),
        (
            "DIALOG_MISMATCH",
            """
            Compare the peer's answer with --match: it sent {received}; another service may use this port, or it is \
            still starting.
            """
        ),
        ("DIALOG_REJECTED", "Check the peer's answer, which matched --reject: it sent {received}."),
        (
            "DIALOG_CLOSED",
            """
            Check the peer's log for an access list or a connection limit: it closed the connection during the dialog; \
            last it sent {received}.
            """
        ),
        (
            "DENIED",
            """
            Add a rule that allows this target to the policy of --config, or leave --config out: the policy does not \
            allow it.
            """
        ),
        (
            "INVALID",
            "Correct this line as the message says; it was not checked, and nothing is known about its target."
        ),
        (
            "CANCELLED",
            """
            Run the check again: connectd was stopped before the check had finished; nothing is known about the \
            target.
            """
        ),
        (
            "EADDRNOTAVAIL",
            """
            Widen net.ipv4.ip_local_port_range, or run fewer checks (--rate, --concurrency): no ephemeral port is left \
            toward this target; `ss -tan` shows those in TIME_WAIT.
            """
        ),
        (
            "EMFILE",
            """
            Raise `ulimit -n`, or lower --concurrency: connectd has no file descriptor left; the target was not \
            contacted.
            """
        ),
        (
            "EHOSTDOWN",
            """
            Check that the host is attached to {sender} and switched on: this router says that the host is unknown \
            (ICMP 3/7).
            """
        ),
        (
            "ENONET",
            """
            Check the router {sender}: it reports the source host as isolated (obsolete ICMP 3/8), so it is very old \
            or answers incorrectly.
            """
        ),
        (
            "ENOPROTOOPT",
            """
            Check for a firewall rule `reject with icmp prot-unreachable` at {sender}: hosts without TCP or UDP are \
            rare, yet ICMP protocol unreachable came back.
            """
        ),
        (
            "EPROTO",
            """
            Look for IP options, extension headers or a broken middlebox: {sender} could not parse a header (ICMP \
            parameter problem).
            """
        ),
        (
            "EOPNOTSUPP",
            """
            Check {sender}, and anything that adds IP options: it reports a failed source route (ICMP 3/5), but \
            connectd sets none.
            """
        ),
        (
            "EPROTONOSUPPORT",
            """
            Use a kernel 5.6 or later with CONFIG_MPTCP for MPTCP, or leave MPTCP out: this machine's kernel does not \
            support the protocol.
            """
        ),
        (
            "NXDOMAIN",
            """
            Check the name for a typo, a missing record or a search domain of another network: it does not exist \
            (asked {servers}).
            """
        ),
        (
            "NODATA",
            """
            Add an A or AAAA record, or leave -4 and -6 out: the name has no address of the requested family (asked \
            {servers}); it may have only MX or SRV records.
            """
        ),
        (
            "SERVFAIL",
            """
            Check DNSSEC first (if `dig +cd` works, it is broken), then the domain's own name servers: the resolver \
            ({servers}) itself could not get an answer.
            """
        ),
        (
            "REFUSED",
            """
            Check the name server's access list and recursion setting for this machine's address, or correct \
            /etc/resolv.conf: the name server ({servers}) does not serve this machine.
            """
        ),
        (
            "DNS_TIMEOUT",
            """
            Check that port 53 of {servers} is reachable over UDP and TCP: no name server answered within {timeout}; \
            the target was not contacted.
            """
        ),
        (
            "DNS_UNREACHABLE",
            """
            Check /etc/resolv.conf of this container or machine: the name server ({servers}) cannot be reached; \
            nothing listens on port 53 there, or there is no route.
            """
        ),
        (
            "DNS_BAD_ANSWER",
            """
            Check the answer with `dig`, and look for a captive portal, a DNS proxy or a firewall that rewrites \
            answers: the answer was malformed (asked {servers}).
            """
        ),
        (
            "CERT_EXPIRED",
            """
            Renew the certificate, which expired on {until} (depth {depth}), and check that the service has loaded the \
            new file and that this machine's clock is right.
            """
        ),
        (
            "CERT_NOT_YET_VALID",
            """
            Compare the clocks of this machine and of the issuer with `timedatectl`: a certificate is not valid before \
            {until} (depth {depth}).
            """
        ),
        (
            "CERT_SELF_SIGNED",
            """
            Install the real certificate, or trust this one with --ca FILE; --no-verify only reports it: the peer sent \
            a self-signed certificate, often a default one.
            """
        ),
        (
            "CERT_UNKNOWN_AUTHORITY",
            """
            Let the server send every intermediate, or trust a private root with --ca FILE: no path leads to a trusted \
            CA; the chain ends at {authority}.
            """
        ),
        (
            "CERT_NAME_MISMATCH",
            """
            Connect by a name in the certificate, or set --server-name: the certificate is for {names}, not for \
            {name}; the server may have chosen its default site.
            """
        ),
        (
            "CERT_REVOKED",
            "Replace this certificate at once, and find out why its CA revoked it; some clients may still accept it."
        ),
        (
            "CERT_WEAK",
            """
            Issue the certificate again with RSA 2048 or P-256 and SHA-256, or inspect it with --no-verify: a key or \
            signature in the chain is too weak.
            """
        ),
        (
            "CERT_EXPIRES_SOON",
            """
            Renew the certificate: it is valid until {until}, which is fewer days than {days} asks for; if renewal is \
            automatic, check why it failed.
            """
        ),
        (
            "CERT_INVALID",
            """
            Check the chain at depth {depth}, {message}: often a certificate is not for servers, or an issuer is not a \
            CA.
            """
        ),
        (
            "TLS_VERSION",
            """
            Upgrade the peer: it supports none of the TLS versions that were offered, often only TLS 1.0 or 1.1; \
            `openssl s_client -tls1_1` shows whether this is the cause.
            """
        ),
        (
            "TLS_NO_SHARED_CIPHER",
            """
            Compare the peer's list with `openssl ciphers -v`, and its key type with its suites: peer and prober share \
            no cipher suite, group or signature algorithm.
            """
        ),
        (
            "TLS_ALERT",
            """
            Compare what was offered (name {name}, versions, ciphers) with the peer's settings: it ended the handshake \
            with {alert}, and its log has the details.
            """
        ),
        (
            "TLS_NOT_TLS",
            """
            Use tcp:// if this is the plain-text port, or --starttls if the service needs it first: the port does not \
            speak TLS, it sent {received}.
            """
        ),
        (
            "TLS_CLOSED",
            """
            Check the peer's log, or set --server-name: it closed the connection without an alert, as a proxy without \
            a backend for {name}, a plain-text service or an access list does.
            """
        ),
        (
            "TLS_ALPN",
            """
            Add a protocol that the peer supports with --alpn, such as http/1.1, or enable the missing one on the \
            peer: it accepts none of {protocols}.
            """
        ),
        (
            "TLS_CLIENT_CERT_REQUIRED",
            """
            Configure a client certificate in the file of --config, and name it in a request line of --file: the peer \
            accepts only clients with a certificate (mutual TLS).
            """
        ),
        (
            "STARTTLS_REFUSED",
            """
            Check that the server has a certificate configured and that --starttls names its protocol: it offers no \
            TLS on this port, it sent {received}.
            """
        ),
    ]
}
