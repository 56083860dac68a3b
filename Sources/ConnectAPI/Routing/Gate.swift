internal import Configuration
internal import HTTPServer
internal import SocketIO

/// Decides about a request before its body is read: access, resource, method, body type.
struct Gate: Sendable {
    let settings: ServiceSettings
    let routes: RouteTable

    /// Finds the row that serves a request.
    /// - Throws: the problem to answer instead.
    func judge(_ head: RequestHead) throws(Problem) -> RouteTable.Match {
        if head.purpose == .health { return try judgeHealth(head) }
        if let problem = judgeOrigin(head) { throw problem }
        let match = routes.match(head)
        if match?.route.access != .anyone, let problem = judgeToken(head, for: match?.route) { throw problem }
        guard let match else { throw Problem(.notFound, "no such resource; see /docs or /openapi.yaml") }
        try judgeMethod(head, of: match.route)
        if case .json = match.route.body, let problem = judgeContent(head) { throw problem }
        return match
    }

    /// Health listeners serve anyone who reaches them. They run no checks, so tokens and Host do not matter there.
    private func judgeHealth(_ head: RequestHead) throws(Problem) -> RouteTable.Match {
        guard let match = routes.match(head), match.route.listeners == .serviceAndHealth else {
            throw Problem(.notFound, "no such resource; this listener serves \(routes.healthPaths) only")
        }
        try judgeMethod(head, of: match.route)
        return match
    }

    private func judgeMethod(_ head: RequestHead, of route: Route) throws(Problem) {
        if route.methods.allows(head.method) { return }
        let allow = route.methods.allow
        throw Problem(.methodNotAllowed, "this resource allows \(allow)", headers: [("Allow", allow)])
    }

    /// Refuses browsers that another site's page steers. They cannot reach UNIX sockets, and cannot send a token.
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

    /// - Parameter route: nil for a path that no resource has; any token may learn that.
    private func judgeToken(_ head: RequestHead, for route: Route?) -> Problem? {
        switch settings.clientToken(of: head) {
        case .notNeeded: return nil
        case .missing:
            return Problem(
                .unauthorized, "send a configured token: Authorization: Bearer …",
                headers: [("WWW-Authenticate", "Bearer realm=\"connectd\"")])
        case .expired(let token):
            return Problem(
                .unauthorized, "the token \(token.name) has expired; ask for a new one",
                headers: [("WWW-Authenticate", "Bearer realm=\"connectd\", error=\"invalid_token\"")])
        case .valid(let token):
            guard let scope = route?.scope, !token.scopes.contains(scope) else { return nil }
            let challenge = "Bearer realm=\"connectd\", error=\"insufficient_scope\", scope=\"\(scope.rawValue)\""
            return Problem(
                .insufficientScope, "the token \(token.name) does not have the scope \(scope.rawValue)",
                headers: [("WWW-Authenticate", challenge)])
        }
    }

    private func judgeContent(_ head: RequestHead) -> Problem? {
        guard
            head.header("content-type", is: "application/json")
                || head.header("content-type").map(MediaType.isJSON) ?? false
        else {
            return Problem(
                .unsupportedMediaType,
                "Content-Type must be application/json; curl --json '{\"target\":\"tcp://host:port\"}' … sends it")
        }
        guard head.header("content-encoding").map({ $0.lowercased() == "identity" }) ?? true else {
            return Problem(
                .unsupportedMediaType, "the body must not have a Content-Encoding; curl --json sends none")
        }
        return nil
    }
}

extension ServiceSettings {
    /// Whether the client has a valid token, or none is needed. Never on a health listener.
    func authorizes(_ head: RequestHead) -> Bool {
        guard head.purpose != .health else { return false }
        switch clientToken(of: head) {
        case .notNeeded, .valid: return true
        case .missing, .expired: return false
        }
    }

    /// The token of a request.
    func clientToken(of head: RequestHead) -> ClientToken {
        if tokens.isOpen { return .notNeeded }
        let fields = head.headers("authorization")
        guard fields.count == 1, let token = tokens.token(authorization: fields[0]) else { return .missing }
        guard token.expiry != nil else { return .valid(token) }
        return token.isExpired(at: Clock.wallNanoseconds() / 1_000_000_000) ? .expired(token) : .valid(token)
    }
}

/// The token of a request, as it was judged.
enum ClientToken {
    /// No tokens are configured.
    case notNeeded
    case valid(BearerToken)
    case expired(BearerToken)
    /// The request has no token, several, or one that is not configured.
    case missing
}

/// Content types, RFC 9110 section 8.3.
enum MediaType {
    /// Whether the value is application/json. Parameters are ignored, except a charset other than UTF-8.
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
