internal import HTTPServer
internal import StrictJSON

/// Queries are as strict as bodies: a parameter that nobody knows is a mistake of the client.
enum QueryRule {
    /// Lets a request through that has no query.
    static func acceptNone(_ head: RequestHead) throws(Problem) {
        guard let query = head.rawQuery, !query.isEmpty else { return }
        throw Problem(
            .badRequest, "this resource takes no query parameters",
            errors: parameters(of: head).map {
                JSONProblem(pointer: pointer(to: $0.name), detail: "unknown parameter")
            })
    }

    /// The parameters, decoded. `+` is a plus sign, as in `unix+dgram:`.
    static func parameters(of head: RequestHead) -> [QueryParameter] { head.query(plusIsSpace: false) }

    /// A parameter as a member of the query, RFC 6901.
    static func pointer(to name: String) -> String {
        var pointer = "/"
        for character in name {
            switch character {
            case "~": pointer += "~0"
            case "/": pointer += "~1"
            default: pointer.append(character)
            }
        }
        return pointer
    }
}
