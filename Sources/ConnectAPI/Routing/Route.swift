internal import HTTPServer

/// The resources, and what may be done with them.
enum Route: Hashable {
    case checks, probe, routes, errors, monitors, live, ready, metrics, specificationYAML, specificationJSON, docs
    /// What blackbox_exporter has, under its own paths.
    case blackboxIndex, blackboxProbe, blackboxConfig, blackboxLogs, blackboxHealth, blackboxReload
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
        } else if head.hasPath("/probe") {
            self = .blackboxProbe
        } else if head.hasPath("/openapi.yaml") {
            self = .specificationYAML
        } else if head.hasPath("/openapi.json") {
            self = .specificationJSON
        } else if head.hasPath("/docs") {
            self = .docs
        } else {
            self.init(segments: head.pathSegments() ?? [])
        }
    }

    /// What is asked for less often, and entries of collections.
    private init?(segments: [String]) {
        switch segments {
        case [""]: self = .blackboxIndex
        case ["config"]: self = .blackboxConfig
        case ["logs"]: self = .blackboxLogs
        case ["-", "healthy"]: self = .blackboxHealth
        case ["-", "reload"]: self = .blackboxReload
        case _: self.init(entry: segments)
        }
    }

    private init?(entry segments: [String]) {
        guard segments.count == 3, segments[0] == "v1", !segments[2].isEmpty else { return nil }
        switch segments[1] {
        case "errors": self = .error(name: segments[2])
        case "monitors": self = .monitor(name: segments[2])
        case _: return nil
        }
    }

    /// Whether a body is posted to it; otherwise it is got, or asks for none.
    var takesBody: Bool {
        switch self {
        case .checks, .routes: true
        case .probe, .errors, .error, .monitors, .monitor, .live, .ready, .metrics, .specificationYAML,
            .specificationJSON, .blackboxIndex, .blackboxProbe, .blackboxConfig, .blackboxLogs, .blackboxHealth,
            .blackboxReload, .docs:
            false
        }
    }

    /// Whether anybody may ask without a token.
    var isOpen: Bool {
        switch self {
        case .live, .ready: true
        case .checks, .probe, .routes, .errors, .error, .monitors, .monitor, .metrics, .specificationYAML,
            .specificationJSON, .blackboxIndex, .blackboxProbe, .blackboxConfig, .blackboxLogs, .blackboxHealth,
            .blackboxReload, .docs:
            false
        }
    }

    /// Whether a health listener has it.
    var isHealth: Bool {
        switch self {
        case .live, .ready, .metrics: true
        case .checks, .probe, .routes, .errors, .error, .monitors, .monitor, .specificationYAML, .specificationJSON,
            .docs,
            .blackboxIndex, .blackboxProbe, .blackboxConfig, .blackboxLogs, .blackboxHealth, .blackboxReload:
            false
        }
    }

    /// The value of Allow, RFC 9110 section 10.2.1.
    var allowedMethods: String { takesBody ? "POST" : self == .blackboxReload ? "POST, PUT" : "GET, HEAD" }

    func allows(_ method: HTTPMethod) -> Bool {
        switch method {
        case .post: takesBody || self == .blackboxReload
        case .get, .head: !takesBody && self != .blackboxReload
        case .put: self == .blackboxReload
        case .patch, .delete, .options, .trace, .connect, .other: false
        }
    }
}
