extension ErrnoCatalogue {
    /// Our own errors, in the order of `OwnError`, then of `TLSFailure`.
    static let ownEntries: [ErrorCatalogueEntry] =
        OwnError.allCases.map { entry(for: $0) } + TLSFailure.allCases.map { entry(for: $0) }

    /// The entry of one of our own errors; each has one.
    public static func entry(for error: OwnError) -> ErrorCatalogueEntry {
        switch error {
        case .deadline: deadline
        case .nxdomain: nxdomain
        case .noData: noData
        case .serverFailure: serverFailure
        case .resolverRefused: resolverRefused
        case .resolverFormatError: resolverFormatError
        case .resolverNotImplemented: resolverNotImplemented
        case .resolverNameExists, .resolverRecordsExist, .resolverNoRecords, .resolverNotAuthoritative,
            .resolverNotInZone, .resolverBadVersion, .resolverOtherCode:
            unusualResponseCode(error)
        case .resolverTimeout: resolverTimeout
        case .resolverUnreachable: resolverUnreachable
        case .resolverBadAnswer: resolverBadAnswer
        case .dialogMismatch: dialogMismatch
        case .dialogRejected: dialogRejected
        case .dialogClosed: dialogClosed
        case .selfConnect: selfConnect
        case .proberBusy: proberBusy
        case .denied: denied
        case .invalid: invalid
        case .cancelled: cancelled
        }
    }

    private static let deadline = own(
        .deadline, .timeout, fault: .network, source: .deadline, retryable: true,
        message: "The check's own deadline passed",
        when: """
            `timeout_ms` was over before the check was; the kernel had not given up yet. Its own verdict would be \
            ETIMEDOUT, and never carries this name.
            """,
        hint: """
            Nothing answered before timeout_ms was over: look for a firewall that drops, a dead host or a full listen \
            backlog, or give a far or slow target more time.
            """)

    private static let dialogMismatch = own(
        .dialogMismatch, .dialogFailed, fault: .target, source: .dialog, retryable: true,
        message: "The peer did not say what the dialog expects",
        when: "Bytes came, but until the deadline none of them matched the `expect` step.",
        hint: """
            The peer spoke, but not as expected: compare the failed step's "received" with the pattern; another service \
            may have this port, or it is still starting.
            """)

    private static let dialogRejected = own(
        .dialogRejected, .dialogFailed, fault: .target, source: .dialog, retryable: true,
        message: "The peer said what the dialog rejects",
        when: "A `reject` pattern matched what the peer sent.",
        hint: """
            The peer answered, but with what a "reject" step forbids: the failed step's "received" has its own words.
            """)

    private static let dialogClosed = own(
        .dialogClosed, .dialogFailed, fault: .target, source: .dialog, retryable: true,
        message: "The peer closed the connection during the dialog",
        when: "The peer ended the connection in good order before the dialog was through.",
        hint: """
            The peer hung up before the dialog was through: see the last "received" for its reason, and its log for an \
            access list or a connection limit.
            """)

    private static let selfConnect = own(
        .selfConnect, .refused, fault: .target, source: .kernel, retryable: true,
        message: "The socket connected to itself",
        when: """
            The target is a port of this machine where nobody listens, and the socket's own local port is the same: TCP \
            then connects to itself (RFC 9293, 3.5). connect(2) calls that a success; connectd does not.
            """,
        hint: """
            Nothing listens there: the connect met only its own socket, as the port is an ephemeral one; start the \
            service, and put its port into net.ipv4.ip_local_reserved_ports.
            """)

    private static let proberBusy = own(
        .proberBusy, .proberExhausted, fault: .prober, source: .deadline, retryable: true,
        message: "connectd had no free socket or thread in time",
        when: """
            The check waited for a socket beside its first one (`addresses` is `all` or `race`), or for a thread that \
            opens its path, until `timeout_ms` was over: other checks held all of them.
            """,
        hint: """
            Nothing is known about this address: run fewer checks at once, raise connectd's descriptor limit \
            (LimitNOFILE, ulimit -n), or give the check more time.
            """)

    private static let denied = own(
        .denied, .denied, fault: .request, source: .policy, retryable: false,
        message: "Denied by policy",
        when: "The policy does not allow this target; nothing was sent, and nothing is known about it.",
        hint: """
            The policy of this connectd does not allow this target; whoever runs it can allow it with a rule under \
            policy.rules.
            """)

    private static let invalid = own(
        .invalid, .invalid, fault: .request, source: .policy, retryable: false,
        message: "The item is not a valid check",
        when: "An item of a batch is malformed; the other items are checked all the same.",
        hint: "Correct this item as the details say; it was not checked, and nothing is known about its target.")

    private static let cancelled = own(
        .cancelled, .cancelled, fault: .request, source: .policy, retryable: true,
        message: "The check was cancelled",
        when: "The client went away, or the service stopped, before the check was through.",
        hint: """
            Nothing is known about the target: the client closed its side first, or connectd was stopped; let the client \
            wait longer than timeout_ms.
            """)

    static func own(
        _ error: OwnError, _ errorClass: ErrorClass, fault: Fault, source: ErrorSource, retryable: Bool,
        message: String, when: String, hint: String
    ) -> ErrorCatalogueEntry {
        ErrorCatalogueEntry(
            ownName: error.rawValue, errorClass, fault: fault, source: source, retryable: retryable, message: message,
            when: when, hint: hint)
    }
}

extension ErrorCatalogueEntry {
    /// The entry of an error of ours, which has no number.
    init(
        ownName name: String, _ errorClass: ErrorClass, fault: Fault, source: ErrorSource, retryable: Bool,
        message: String, when: String, hint: String
    ) {
        self.init(
            errno: nil, name: name, aliases: [], errorClass: errorClass, fault: fault, source: source,
            retryable: retryable, message: message, when: when, linux: nil, hint: hint, inManualPage: false)
    }
}

/// The resolver's failures, RFC 1035 and RFC 2308 in the words of users.
extension ErrnoCatalogue {
    static let nxdomain = resolver(
        .nxdomain, retryable: false,
        message: "The name does not exist",
        when: "A name server answers that there is no such name (NXDOMAIN), search domains included.",
        hint: """
            The name does not exist: look for a typing error, a missing record, or a name that needs the search domain of \
            another network; `dig` with the name shows who says so.
            """)

    static let noData = resolver(
        .noData, retryable: false,
        message: "The name exists, but has no address of this family",
        when: "The name exists, but has neither A nor AAAA records, or none of the family that was asked for.",
        hint: """
            The name has no address of the family asked for: add an A or AAAA record, or set resolve.family to "any"; it \
            may also be a name with only MX or SRV records.
            """)

    static let serverFailure = resolver(
        .serverFailure, retryable: true,
        message: "The name server failed to answer",
        when: "Every name server answers SERVFAIL.",
        hint: """
            The resolver could not get an answer itself: mostly broken DNSSEC (`dig +cd` then works), or the domain's own \
            name servers are down.
            """)

    static let resolverRefused = resolver(
        .resolverRefused, retryable: false,
        message: "The name server refused to answer",
        when: "Every name server answers REFUSED.",
        hint: """
            The name server does not serve the prober: its access list or recursion setting lacks the prober's address, or \
            resolv.conf names the wrong server.
            """)

    static let resolverFormatError = resolver(
        .resolverFormatError, retryable: false,
        message: "The name server could not read the question",
        when: "Every name server answers FORMERR, response code 1.",
        hint: """
            Compare with `dig` against the same server: connectd asks a plain question without EDNS, so a proxy or a \
            firewall on the way may have damaged it.
            """)

    static let resolverNotImplemented = resolver(
        .resolverNotImplemented, retryable: false,
        message: "The name server does not answer this kind of question",
        when: "Every name server answers NOTIMP, response code 4.",
        hint: """
            Check which server /etc/resolv.conf or resolve.server names: it does not answer questions for A or AAAA \
            records.
            """)

    /// What a response code means for which a lookup has no use: only dynamic updates, transactions and EDNS set them.
    static func unusualResponseCode(_ error: OwnError) -> ErrorCatalogueEntry {
        let code = error == .resolverOtherCode ? "a response code that has no name here" : error.rawValue
        return resolver(
            error, retryable: false,
            message: error == .resolverOtherCode
                ? "The name server answered with an unusual response code" : "The name server answered \(code)",
            when: "Every name server answers with \(code); the message says the number.",
            hint: """
                Check which server /etc/resolv.conf or resolve.server names: a server that answers lookups does not send \
                this response code; compare with `dig`.
                """)
    }

    static let resolverTimeout = resolver(
        .resolverTimeout, retryable: true,
        message: "No name server answered in time",
        when: "No name server answers, or the check's deadline falls into the resolution.",
        hint: """
            No name server answered in time: see /etc/resolv.conf on the prober and whether port 53 of those servers is \
            reachable over UDP and TCP; the target was not asked.
            """)

    static let resolverUnreachable = resolver(
        .resolverUnreachable, retryable: true,
        message: "No name server could be reached",
        when: """
            The way to every name server is closed: refused, unreachable, or none is configured. Also when a server \
            truncates its answer over UDP, and then refuses or closes the TCP connection on which it has to be asked again.
            """,
        hint: """
            The prober cannot reach its name servers: nothing listens on their port 53 (UDP, or TCP after a truncated \
            answer), or there is no route; see /etc/resolv.conf of the prober's own container.
            """)

    static let resolverBadAnswer = resolver(
        .resolverBadAnswer, retryable: true,
        message: "The name server's answer makes no sense",
        when: """
            A name server answers with something that is malformed or does not fit the question: the question itself, an \
            answer that is truncated over TCP too, or aliases that lead in a circle.
            """,
        hint: """
            The name server's answer was malformed: look at what it sends with `dig`, and for a captive portal, a DNS \
            proxy or a firewall that rewrites answers.
            """)

    private static func resolver(
        _ error: OwnError, retryable: Bool, message: String, when: String, hint: String
    ) -> ErrorCatalogueEntry {
        own(
            error, .resolveFailed, fault: .resolver, source: .resolver, retryable: retryable, message: message,
            when: when, hint: hint)
    }
}
