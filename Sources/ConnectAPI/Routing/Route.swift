package import Configuration
package import HTTPServer

/// A row of the route table: one resource of the service, and everything that the service knows about it.
///
/// A new resource is a new row and its handler. 404, 405 with Allow, and HEAD follow from the rows.
package final class Route: Sendable {
    /// Who may use the resource on a service listener. The rules for browsers and for Host apply to all resources.
    package enum Access: Sendable {
        /// Anyone, without a token.
        case anyone
        /// Clients with a configured token; anyone if no tokens are configured.
        case token
    }

    /// Which listeners serve the resource.
    package enum Listeners: Sendable {
        case service
        case serviceAndHealth
    }

    /// What the resource does with a request's body.
    package enum Body: Sendable {
        /// Requires application/json.
        /// - limit: the longest body, in bytes.
        case json(limit: Int)
        /// Ignores a body of any type, up to `Route.ignoredBodyBytes`.
        case ignored
    }

    /// How the resource answers.
    package enum Handler: Sendable {
        /// Answers at once on the worker's thread, without a task and without the body; also during a drain.
        case answer(@Sendable (RequestHead) throws(Problem) -> Response)
        /// As `answer`; the first argument is the value of the path's parameter.
        case answerNamed(@Sendable (String, RequestHead) throws(Problem) -> Response)
        /// Does new work in a task, after the body was read. A service that drains refuses it with 503.
        case work(any RequestResponder)
    }

    /// The longest body that a resource ignores, in bytes.
    static let ignoredBodyBytes = 65536

    /// The path, such as `/v1/errors/{name}`. It identifies the resource in logs and metrics: clients cannot add values.
    let path: StaticString
    let methods: RouteMethods
    let access: Access
    /// What a token needs for the resource; nil if any token opens it.
    let scope: TokenScope?
    let listeners: Listeners
    let body: Body
    let handler: Handler
    /// The path's segments to compare after percent-decoding; nil if the path is compared byte by byte.
    private let segments: [String]?

    /// - Parameters:
    ///   - path: starts with a slash; a segment `{…}` is a parameter, which matches one non-empty segment.
    ///   - decodesPath: whether percent-encoded spellings of the path match too, as they always do with a parameter.
    package init(
        _ methods: RouteMethods, _ path: StaticString, decodesPath: Bool = false, access: Access = .token,
        scope: TokenScope? = nil, listeners: Listeners = .service, body: Body = .ignored, _ handler: Handler
    ) {
        self.path = path
        self.methods = methods
        self.access = access
        self.scope = scope
        self.listeners = listeners
        self.body = body
        self.handler = handler
        let text = path.description
        segments =
            decodesPath || text.contains("{")
            ? text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init) : nil
    }

    /// The longest body that the resource accepts, in bytes.
    var bodyLimit: Int {
        switch body {
        case .json(let limit): limit
        case .ignored: Self.ignoredBodyBytes
        }
    }

    /// Whether the path is compared byte by byte.
    var isLiteral: Bool { segments == nil }

    /// Compares a path that was split and decoded.
    /// - Returns: the value of the parameter, empty if the path has none; nil if the path is another one.
    func parameter(in path: [String]) -> String? {
        guard let segments, segments.count == path.count else { return nil }
        var parameter = ""
        for (segment, value) in zip(segments, path) {
            if segment.hasPrefix("{") {
                guard !value.isEmpty else { return nil }
                parameter = value
            } else if segment != value {
                return nil
            }
        }
        return parameter
    }
}

/// The methods of a resource.
package struct RouteMethods: OptionSet, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// GET and HEAD: the HTTP server leaves out the body of an answer to HEAD.
    package static let get = RouteMethods(rawValue: 1)
    package static let post = RouteMethods(rawValue: 2)
    package static let put = RouteMethods(rawValue: 4)

    /// Whether the resource has the method; HEAD comes with GET.
    func allows(_ method: HTTPMethod) -> Bool {
        switch method {
        case .get, .head: contains(RouteMethods.get)
        case .post: contains(RouteMethods.post)
        case .put: contains(RouteMethods.put)
        case .patch, .delete, .options, .trace, .connect, .other: false
        }
    }

    /// The value of Allow, RFC 9110 section 10.2.1.
    var allow: String {
        let names: [(RouteMethods, String)] = [(.get, "GET, HEAD"), (.post, "POST"), (.put, "PUT")]
        return names.filter { contains($0.0) }.map(\.1).joined(separator: ", ")
    }
}

/// The rows, in the order in which they are compared with a request's path.
struct RouteTable: Sendable {
    /// A row that matches a path.
    struct Match {
        let route: Route
        /// The value of the path's parameter; empty if the path has none.
        let parameter: String
    }

    private let routes: [Route]

    /// - Parameter routes: put frequent ones first: literal paths are compared one after another, without an allocation.
    init(_ routes: [Route]) {
        self.routes = routes
    }

    /// Finds the row of a path. Literal paths come first; only a path that is none of them is split and decoded.
    func match(_ head: RequestHead) -> Match? {
        for route in routes where route.isLiteral && head.hasPath(route.path) {
            return Match(route: route, parameter: "")
        }
        guard let path = head.pathSegments() else { return nil }
        return match(path)
    }

    /// Finds the row of a path that was split and decoded, among those that are not literal.
    func match(_ path: [String]) -> Match? {
        for route in routes {
            if let parameter = route.parameter(in: path) { return Match(route: route, parameter: parameter) }
        }
        return nil
    }

    /// The paths that health listeners serve, as a list for people.
    var healthPaths: String {
        let paths = routes.filter { $0.listeners == .serviceAndHealth }.map(\.path.description)
        guard let last = paths.last, paths.count > 1 else { return paths.first ?? "" }
        return paths.dropLast().joined(separator: ", ") + " and " + last
    }
}
