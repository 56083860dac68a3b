import HTTPServer

/// Judges a request before its body is read: may this client ask, does the resource exist, does it have the method.
struct Gate {
    let settings: ServiceSettings

    /// The longest body of one check.
    static let checkBodyBytes = 65536

    enum Verdict {
        case accept(Route, bodyLimit: Int)
        case refuse(Problem)
    }

    func judge(_ head: RequestHead) -> Verdict {
        if head.purpose == .health { return HealthGate.judge(head) }
        if let problem = judgeOrigin(head) { return .refuse(problem) }
        guard let route = Route(head) else {
            if let problem = judgeToken(head) { return .refuse(problem) }
            return .refuse(
                Problem(.notFound, "there is no such resource: /docs shows those that there are, or /openapi.yaml"))
        }
        if !route.isOpen, let problem = judgeToken(head) { return .refuse(problem) }
        guard route.allows(head.method) else {
            return .refuse(Problem(notAllowedBy: route))
        }
        return route.takesBody ? judgeBody(of: head, for: route) : .accept(route, bodyLimit: Self.checkBodyBytes)
    }

    /// Browsers. A UNIX-domain listener is out of their reach, and a token is proof enough of who asks.
    private func judgeOrigin(_ head: RequestHead) -> Problem? {
        guard case .tcp = head.listener else { return nil }
        let host = head.header("host")
        if let host, !settings.hosts.accepts(host) {
            return Problem(.misdirectedRequest, settings.hosts.refusal(of: host))
        }
        guard settings.tokens.isOpen else { return nil }
        let accepts = BrowserRule.accepts(
            site: head.header("sec-fetch-site"), origin: head.header("origin"), host: host,
            isHTTPS: head.isHTTPS)
        return accepts ? nil : Problem(.foreignOrigin, "the request comes from a page of another site")
    }

    private func judgeToken(_ head: RequestHead) -> Problem? {
        if mayKnow(head) { return nil }
        return Problem(
            .unauthorized, "send a configured token: Authorization: Bearer …",
            headers: [("WWW-Authenticate", "Bearer realm=\"connectd\"")])
    }

    /// Whether this client may see more than that the service lives: everybody may where no token is needed at all.
    func mayKnow(_ head: RequestHead) -> Bool {
        if head.purpose == .health { return false }
        if settings.tokens.isOpen { return true }
        let fields = head.headers("authorization")
        return fields.count == 1 && settings.tokens.name(authorization: fields[0]) != nil
    }

    private func judgeBody(of head: RequestHead, for route: Route) -> Verdict {
        guard
            head.header("content-type", is: "application/json")
                || head.header("content-type").map(MediaType.isJSON) ?? false
        else {
            return .refuse(
                Problem(
                    .unsupportedMediaType,
                    "the body has to be announced as application/json: curl --json '{\"target\":\"tcp://host:port\"}' … does it"
                ))
        }
        guard head.header("content-encoding").map({ $0.lowercased() == "identity" }) ?? true else {
            return .refuse(
                Problem(
                    .unsupportedMediaType, "the body has to come without a Content-Encoding; curl --json sends it so"))
        }
        return .accept(route, bodyLimit: route == .routes ? settings.bodyBytes : Self.checkBodyBytes)
    }
}

/// What a health listener answers, to anybody who reaches it: no check can be asked for there, so neither a token nor a
/// Host header field is looked at.
enum HealthGate {
    static func judge(_ head: RequestHead) -> Gate.Verdict {
        guard let route = Route(head), route.isHealth else {
            return .refuse(Problem(.notFound, "here are /livez, /readyz and /metrics only"))
        }
        guard route.allows(head.method) else { return .refuse(Problem(notAllowedBy: route)) }
        return .accept(route, bodyLimit: 0)
    }
}

extension Problem {
    /// A method that the resource does not have.
    convenience init(notAllowedBy route: Route) {
        self.init(
            .methodNotAllowed, "this resource has \(route.allowedMethods)", headers: [("Allow", route.allowedMethods)])
    }
}

/// Content types, RFC 9110 section 8.3.
enum MediaType {
    /// Whether it is application/json, whatever its parameters but a charset that is not UTF-8.
    static func isJSON(_ value: String) -> Bool {
        if value == "application/json" { return true }
        let parts = value.lowercased().split(separator: ";", omittingEmptySubsequences: false).map(trimmed)
        guard parts.first == "application/json" else { return false }
        return parts.dropFirst().allSatisfy { parameter in
            !parameter.hasPrefix("charset=") || ["charset=utf-8", "charset=\"utf-8\""].contains(String(parameter))
        }
    }

    private static func trimmed(_ part: Substring) -> Substring {
        let front = part.drop { $0 == " " || $0 == "\t" }
        guard let last = front.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
        return front[...last]
    }
}
