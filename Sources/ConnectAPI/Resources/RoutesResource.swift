internal import CheckEngine
internal import HTTPServer

/// `POST /v1/routes`: what the kernel would choose, without a packet and without a wait.
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
            let answers = RouteFinder.routes(to: destinations.map(\.address), under: settings.surroundings)
            return ResponseFactory.json(
                RoutesEncoder.document(answers, as: destinations.map(\.text), hidesLocal: settings.prober == nil))
        } catch {
            return parts.refusal(error)
        }
    }
}
