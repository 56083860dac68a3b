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
