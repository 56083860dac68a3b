internal import HTTPServer

/// The resources, and what may be done with them.
enum Route: Hashable {
    case checks, probe, routes, errors, monitors, live, ready, metrics, specificationYAML, specificationJSON
    /// One entry of the catalogue, by the last segment of its path.
    case error(name: String)
    /// One monitor, likewise.
    case monitor(name: String)

    init?(_ head: RequestHead) {
        if head.hasPath("/v1/checks") {
            self = .checks
        } else if head.hasPath("/v1/probe") {
            self = .probe
        } else if head.hasPath("/livez") {
            self = .live
        } else if head.hasPath("/readyz") {
            self = .ready
        } else if head.hasPath("/v1/routes") {
            self = .routes
        } else if head.hasPath("/metrics") {
            self = .metrics
        } else if head.hasPath("/v1/errors") {
            self = .errors
        } else if head.hasPath("/v1/monitors") {
            self = .monitors
        } else if head.hasPath("/openapi.yaml") {
            self = .specificationYAML
        } else if head.hasPath("/openapi.json") {
            self = .specificationJSON
        } else {
            self.init(segments: head.pathSegments() ?? [])
        }
    }

    /// An entry of a collection.
    private init?(segments: [String]) {
        guard segments.count == 3, segments[0] == "v1", !segments[2].isEmpty else { return nil }
        switch segments[1] {
        case "errors": self = .error(name: segments[2])
        case "monitors": self = .monitor(name: segments[2])
        case _: return nil
        }
    }

    /// Whether a body is posted to it; otherwise it is got.
    var takesBody: Bool {
        switch self {
        case .checks, .routes: true
        case .probe, .errors, .error, .monitors, .monitor, .live, .ready, .metrics, .specificationYAML,
            .specificationJSON:
            false
        }
    }

    /// Whether it is what the service is there for, and what one that stops refuses.
    var isWork: Bool {
        switch self {
        case .checks, .probe, .routes: true
        case .errors, .error, .monitors, .monitor, .live, .ready, .metrics, .specificationYAML, .specificationJSON:
            false
        }
    }

    /// Whether anybody may ask without a token.
    var isOpen: Bool {
        switch self {
        case .live, .ready: true
        case .checks, .probe, .routes, .errors, .error, .monitors, .monitor, .metrics, .specificationYAML,
            .specificationJSON:
            false
        }
    }

    /// The value of Allow, RFC 9110 section 10.2.1.
    var allowedMethods: String { takesBody ? "POST" : "GET, HEAD" }

    func allows(_ method: HTTPMethod) -> Bool {
        switch method {
        case .post: takesBody
        case .get, .head: !takesBody
        case .put, .patch, .delete, .options, .trace, .connect, .other: false
        }
    }
}
