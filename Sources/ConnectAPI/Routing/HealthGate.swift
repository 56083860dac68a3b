internal import HTTPServer

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
