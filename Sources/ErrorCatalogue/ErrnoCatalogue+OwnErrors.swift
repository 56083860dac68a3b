extension ErrnoCatalogue {
    /// The errors that connectd names itself, in the order of `OwnError`, then of `TLSFailure`.
    static let ownEntries: [ErrorCatalogueEntry] =
        OwnError.allCases.map { entry(for: $0) } + TLSFailure.allCases.map { entry(for: $0) }

    /// Returns the entry of an error that connectd names itself.
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
        case .closedEarly: closedEarly
        case .proberBusy: proberBusy
        case .placeUnavailable: placeUnavailable
        case .denied: denied
        case .clientLimit: clientLimit
        case .invalid: invalid
        case .cancelled: cancelled
        }
    }

    private static let deadline = own(
        .deadline, .timeout, fault: .network, source: .deadline, retryable: true,
        message: "The check's own deadline passed",
        when: """
            `timeout_ms` passed before the check had finished, and the kernel had not given up yet. If the kernel \
            gives up first, the error is ETIMEDOUT.
            """,
        hint: """
            Check for a firewall that drops packets, a dead host or a full listen backlog, or raise timeout_ms for a \
            distant or slow target: nothing answered in time.
            """)

    private static let dialogMismatch = own(
        .dialogMismatch, .dialogFailed, fault: .target, source: .dialog, retryable: true,
        message: "The peer did not send what the dialog expects",
        when: "Bytes arrived, but none of them matched the `expect` step before the deadline.",
        hint: """
            Compare the failed step's "received" with the pattern: the peer sent something else; another service may \
            use this port, or it is still starting.
            """)

    private static let dialogRejected = own(
        .dialogRejected, .dialogFailed, fault: .target, source: .dialog, retryable: true,
        message: "The peer sent what the dialog rejects",
        when: "A `reject` pattern matched what the peer sent.",
        hint: """
            Check the failed step's "received", which shows the peer's answer: it matched a "reject" step.
            """)

    private static let dialogClosed = own(
        .dialogClosed, .dialogFailed, fault: .target, source: .dialog, retryable: true,
        message: "The peer closed the connection during the dialog",
        when: "The peer closed the connection normally before the dialog was complete.",
        hint: """
            Check the last "received" for the peer's reason, and its log for an access list or a connection limit: it \
            closed the connection during the dialog.
            """)

    private static let selfConnect = own(
        .selfConnect, .refused, fault: .target, source: .kernel, retryable: true,
        message: "The socket connected to itself",
        when: """
            The target is a port of this machine without a listener, and the socket got the same local port: TCP then \
            connects to itself (RFC 9293, 3.5). connect(2) reports success; connectd does not.
            """,
        hint: """
            Start the service, and add its port to net.ipv4.ip_local_reserved_ports: nothing listens there, and the \
            socket connected to itself on an ephemeral port.
            """)

    private static let closedEarly = own(
        .closedEarly, .closedEarly, fault: .target, source: .kernel, retryable: true,
        message: "The peer closed the connection while it was held",
        when: """
            The peer accepted the connection and closed it within `hold_ms`, without waiting for a request. A reset in \
            that time is ECONNRESET, also with the class `closed_early`.
            """,
        hint: """
            Check that the proxy or load balancer at this address has a healthy backend, and its access list: it \
            accepted the connection and then closed it.
            """)

    private static let proberBusy = own(
        .proberBusy, .proberExhausted, fault: .prober, source: .deadline, retryable: true,
        message: "connectd had no free socket, thread, memory or processor time in time",
        when: """
            Until `timeout_ms` passed, the check waited for an additional socket (`addresses` is `all` or `race`), for \
            a thread to open its path, or for the memory of TLS or a dialog: other checks held all of it. Or connectd \
            itself did not run for a quarter of that time or more: it was stopped, or the machine was overloaded.
            """,
        hint: """
            Run fewer checks at once, or raise connectd's limits of descriptors, memory or processor time, or allow \
            the check more time: nothing is known about this address.
            """)

    private static let placeUnavailable = own(
        .placeUnavailable, .proberExhausted, fault: .prober, source: .deadline, retryable: true,
        message: "No place answered for the check",
        when: """
            A check with `from` got no answer from its place of the fleet in time: the place or the broker is away, \
            overloaded or slow, or its answer could not be trusted.
            """,
        hint: """
            Check the place in GET /v1/vantages and the connection to the broker: nothing is known about the target \
            from there.
            """)

    private static let denied = own(
        .denied, .denied, fault: .request, source: .policy, retryable: false,
        message: "Denied by policy",
        when: "The policy does not allow this target; nothing was sent, and nothing is known about it.",
        hint: """
            Ask the operator of this connectd to allow the target with a rule in policy.rules: its policy does not \
            allow it, and nothing was sent.
            """)

    private static let clientLimit = own(
        .clientLimit, .denied, fault: .request, source: .policy, retryable: true,
        message: "The client has checked as many different targets as it may",
        when: """
            The client of a batch has checked `limits.per_client_targets_per_hour` different targets in the last hour; \
            nothing was sent. A single check gets a 429 instead.
            """,
        hint: """
            Check fewer different targets in an hour, or ask the operator of this connectd to raise \
            limits.per_client_targets_per_hour: nothing was sent, and nothing is known about this target.
            """)

    private static let invalid = own(
        .invalid, .invalid, fault: .request, source: .policy, retryable: false,
        message: "The item is not a valid check",
        when: "An item of a batch is malformed; the other items are still checked.",
        hint: "Correct this item as the details say; it was not checked, and nothing is known about its target.")

    private static let cancelled = own(
        .cancelled, .cancelled, fault: .request, source: .policy, retryable: true,
        message: "The check was cancelled",
        when: "The client disconnected, or the service stopped, before the check had finished.",
        hint: """
            Let the client wait longer than timeout_ms: it closed its side first, or connectd was stopped; nothing is \
            known about the target.
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
    /// Makes an entry without an errno number.
    init(
        ownName name: String, _ errorClass: ErrorClass, fault: Fault, source: ErrorSource, retryable: Bool,
        message: String, when: String, hint: String
    ) {
        self.init(
            errno: nil, name: name, aliases: [], errorClass: errorClass, fault: fault, source: source,
            retryable: retryable, message: message, when: when, linux: nil, hint: hint, inManualPage: false)
    }
}

/// The resolver's failures (RFC 1035, RFC 2308).
extension ErrnoCatalogue {
    static let nxdomain = resolver(
        .nxdomain, retryable: false,
        message: "The name does not exist",
        when: "A name server answered that the name does not exist (NXDOMAIN), search domains included.",
        hint: """
            Check the name for a typo, a missing record or a search domain of another network: it does not exist; \
            `dig` with the name shows which server says so.
            """)

    static let noData = resolver(
        .noData, retryable: false,
        message: "The name exists, but has no address of this family",
        when: "The name exists, but has neither A nor AAAA records, or none of the requested family.",
        hint: """
            Add an A or AAAA record, or set resolve.family to "any": the name has no address of the requested family; \
            it may have only MX or SRV records.
            """)

    static let serverFailure = resolver(
        .serverFailure, retryable: true,
        message: "The name server failed to answer",
        when: "Every name server answers SERVFAIL.",
        hint: """
            Check DNSSEC first (if `dig +cd` works, it is broken), then the domain's own name servers: the resolver \
            itself could not get an answer.
            """)

    static let resolverRefused = resolver(
        .resolverRefused, retryable: false,
        message: "The name server refused to answer",
        when: "Every name server answers REFUSED.",
        hint: """
            Check the name server's access list and recursion setting for the prober's address, or correct \
            resolv.conf: this name server does not serve the prober.
            """)

    static let resolverFormatError = resolver(
        .resolverFormatError, retryable: false,
        message: "The name server could not read the query",
        when: "Every name server answers FORMERR, response code 1.",
        hint: """
            Compare with `dig` against the same server: connectd sends a plain query without EDNS, so a proxy or a \
            firewall on the path may have damaged it.
            """)

    static let resolverNotImplemented = resolver(
        .resolverNotImplemented, retryable: false,
        message: "The name server does not answer this kind of query",
        when: "Every name server answers NOTIMP, response code 4.",
        hint: """
            Check which server /etc/resolv.conf or resolve.server names: it does not answer queries for A or AAAA \
            records.
            """)

    /// Returns the entry of a response code that a lookup never causes: only dynamic updates, transactions and EDNS do.
    static func unusualResponseCode(_ error: OwnError) -> ErrorCatalogueEntry {
        let code = error == .resolverOtherCode ? "a response code that has no name here" : error.rawValue
        return resolver(
            error, retryable: false,
            message: error == .resolverOtherCode
                ? "The name server answered with an unusual response code" : "The name server answered \(code)",
            when: "Every name server answers with \(code); the message says the number.",
            hint: """
                Check which server /etc/resolv.conf or resolve.server names: a server that answers lookups does not \
                send this response code; compare with `dig`.
                """)
    }

    static let resolverTimeout = resolver(
        .resolverTimeout, retryable: true,
        message: "No name server answered in time",
        when: "No name server answered, or the check's deadline passed during the resolution.",
        hint: """
            Check /etc/resolv.conf on the prober, and that port 53 of those servers is reachable over UDP and TCP: \
            none answered in time; the target was not contacted.
            """)

    static let resolverUnreachable = resolver(
        .resolverUnreachable, retryable: true,
        message: "No name server could be reached",
        when: """
            No name server can be reached: refused, unreachable, or none is configured. Also if a server truncates its \
            answer over UDP, and then refuses or closes the TCP connection for the repeated query.
            """,
        hint: """
            Check /etc/resolv.conf in the prober's own container: nothing listens on port 53 of its name servers (TCP \
            after a truncated answer), or there is no route.
            """)

    static let resolverBadAnswer = resolver(
        .resolverBadAnswer, retryable: true,
        message: "The name server's answer is invalid",
        when: """
            A name server sent an answer that is malformed or does not match the query: the query itself, an answer \
            truncated over TCP too, or a loop of aliases.
            """,
        hint: """
            Check the answer with `dig`, and look for a captive portal, a DNS proxy or a firewall that rewrites \
            answers: the name server's answer was malformed.
            """)

    private static func resolver(
        _ error: OwnError, retryable: Bool, message: String, when: String, hint: String
    ) -> ErrorCatalogueEntry {
        own(
            error, .resolveFailed, fault: .resolver, source: .resolver, retryable: retryable, message: message,
            when: when, hint: hint)
    }
}
