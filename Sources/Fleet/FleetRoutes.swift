internal import CheckModel
internal import Configuration
package import ConnectAPI
internal import HTTPServer
package import Metrics
internal import NetworkTypes
internal import StrictJSON

/// The resources of the fleet as rows of the route table.
package struct FleetRoutes: ServiceExtension {
    private let member: FleetMember?

    /// - Parameter member: nil without a fleet.
    package init(_ member: FleetMember?) {
        self.member = member
    }

    package func routes(of parts: ServiceParts, under settings: ServiceSettings) -> [Route] {
        [
            Route(
                .get, "/v1/vantages", scope: .checks,
                .answer { [member] head throws(Problem) in
                    try QueryRule.acceptNone(head)
                    return ResponseFactory.json(VantageEncoder.document(member?.vantages() ?? []))
                })
        ]
    }

    package func writeMetrics(to writer: inout ExpositionWriter) {
        member?.writeMetrics(to: &writer)
    }
}

/// Writes the places of the fleet as JSON.
enum VantageEncoder {
    static func document(_ vantages: [Vantage]) -> [UInt8] {
        var writer = JSONWriter(reserving: 256 + 256 * vantages.count)
        writer.beginObject()
        writer.member("vantages")
        writer.beginArray()
        for vantage in vantages { write(vantage, to: &writer) }
        writer.endArray()
        writer.endObject()
        return writer.finishLine()
    }

    private static func write(_ vantage: Vantage, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("place")
        writer.string(vantage.place.text)
        writer.member("labels")
        writer.beginObject()
        for (name, value) in vantage.labels.sorted(by: { $0.key < $1.key }) {
            writer.member(escaping: name)
            writer.string(value)
        }
        writer.endObject()
        writer.member("instances")
        writer.integer(vantage.instances)
        writer.member("state")
        writer.string(vantage.state.rawValue)
        writer.member("since")
        Timestamp.write(nanosecondsSince1970: vantage.sinceNanoseconds, to: &writer)
        writer.member("rtt_ms")
        if let milliseconds = vantage.roundTripMilliseconds {
            writer.milliseconds(nanoseconds: Int64(milliseconds * 1e6))
        } else {
            writer.null()
        }
        writer.member("version")
        writer.string(vantage.version)
        writer.endObject()
    }
}
