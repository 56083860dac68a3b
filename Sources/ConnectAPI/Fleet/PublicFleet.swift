internal import CheckModel
package import StrictJSON

/// The fleet as clients of the profile `public` see it: without what is internal to the places.
///
/// A place writes its result by its own profile, which may show its addresses and those of its routers.
package struct PublicFleet: FleetAsking {
    private let fleet: any FleetAsking

    package init(_ fleet: any FleetAsking) {
        self.fleet = fleet
    }

    package func vantages() -> [Vantage] { fleet.vantages() }

    package func ask(_ question: FleetQuestion) async -> FleetAnswer {
        switch await fleet.ask(question) {
        case .finished(var result):
            result.document = Self.redacted(result.document)
            return .finished(result)
        case .unavailable(let reason): return .unavailable(reason: reason)
        case .forbidden(let place, let detail): return .forbidden(place: place, detail: detail)
        case .unsupported(let place, let detail): return .unsupported(place: place, detail: detail)
        }
    }

    /// What surrounds a member.
    private enum Context {
        case result, icmp, trace
    }

    /// Members that are left out wherever they occur: the place's own side.
    private static let omitted: Set<String> = ["prober", "local", "mapped_address"]
    /// Members of a trace that are null: the addresses of routers, and the place's own port.
    private static let hidden: Set<String> = ["from", "last_answer_from", "source_port"]

    /// The result without the place's own side and without the addresses of its path.
    package static func redacted(_ result: JSONObject) -> JSONObject {
        redacted(result, in: .result)
    }

    private static func redacted(_ object: JSONObject, in context: Context) -> JSONObject {
        JSONObject(
            members: object.members.compactMap { member in
                if omitted.contains(member.key) { return nil }
                if context == .icmp, member.key == "from" { return nil }
                if context == .trace, hidden.contains(member.key) {
                    return JSONObject.Member(key: member.key, value: .null)
                }
                if context == .trace, member.key == "others" {
                    return JSONObject.Member(key: member.key, value: .array([]))
                }
                let inner: Context = member.key == "icmp" ? .icmp : member.key == "trace" ? .trace : context
                return JSONObject.Member(key: member.key, value: redacted(member.value, in: inner))
            })
    }

    private static func redacted(_ value: JSONValue, in context: Context) -> JSONValue {
        switch value {
        case .object(let object): .object(redacted(object, in: context))
        case .array(let elements): .array(elements.map { redacted($0, in: context) })
        case .null, .bool, .integer, .number, .string: value
        }
    }
}
