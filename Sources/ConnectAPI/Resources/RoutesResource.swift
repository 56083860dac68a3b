internal import CheckEngine
internal import HTTPServer
internal import NetworkTypes
internal import StrictJSON

/// `POST /v1/routes`: the source address that the kernel would choose, without sending a packet.
final class RoutesResource: RequestResponder {
    private let parts: ServiceParts
    private let settings: ServiceSettings

    init(parts: ServiceParts, settings: ServiceSettings) {
        self.parts = parts
        self.settings = settings
    }

    func respond(to request: Request, on worker: Int) async -> Response {
        do throws(Problem) {
            try QueryRule.acceptNone(request.head)
            let destinations = try BodyDecoder.destinations(request.body)
            let answers = RouteFinder.routes(to: destinations.map(\.address), in: settings.checkContext)
            return ResponseFactory.json(
                RoutesEncoder.document(answers, as: destinations.map(\.text), hidesLocal: settings.prober == nil))
        } catch {
            return parts.refusal(error)
        }
    }
}

/// Writes the answer of `/v1/routes`.
enum RoutesEncoder {
    static func document(_ answers: [RouteAnswer], as texts: [String], hidesLocal: Bool) -> [UInt8] {
        var writer = JSONWriter(reserving: 128 * answers.count)
        writer.beginObject()
        writer.member("routes")
        writer.beginArray()
        for (answer, text) in zip(answers, texts) {
            writer.beginObject()
            writer.member("destination")
            writer.string(text)
            writer.member("local")
            if let local = answer.local, !hidesLocal {
                writer.beginObject()
                writer.member("address")
                writer.string(local.text)
                writer.endObject()
            } else {
                writer.null()
            }
            if let error = answer.error { ErrorEncoder.writeMember(error, to: &writer) }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.finishLine()
    }
}
