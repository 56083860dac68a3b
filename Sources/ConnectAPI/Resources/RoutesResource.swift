internal import CheckEngine
internal import HTTPServer
internal import NetworkTypes
internal import SocketIO
internal import StrictJSON

/// `POST /v1/routes`: the source address that the kernel would choose, without sending a packet.
final class RoutesResource: RequestResponder {
    private let parts: ServiceParts
    private let settings: ServiceSettings

    init(parts: ServiceParts, settings: ServiceSettings) {
        self.parts = parts
        self.settings = settings
    }

    /// A shorter body takes at most some milliseconds, and is answered on the worker's thread.
    private static let shortBody = 8192
    /// 100,000 destinations take less than a second, and one such request is answered at a time.
    private static let deadlineMilliseconds = 60_000

    func respond(to request: Request, on worker: Int) async -> Response {
        do throws(Problem) {
            try QueryRule.acceptNone(request.head)
            guard request.body.count > Self.shortBody else {
                return ResponseFactory.json(routes(to: try BodyDecoder.destinations(request.body)))
            }
            return ResponseFactory.json(sharing: try await document(for: request.body, on: worker))
        } catch {
            return parts.refusal(error)
        }
    }

    private func document(for body: [UInt8], on worker: Int) async throws(Problem) -> SharedBody {
        let deadline = Clock.now().advanced(byMilliseconds: Self.deadlineMilliseconds)
        // A worker would be busy for a second, and all its checks and connections with it.
        let result = await parts.pool.longWork.run(
            inGroup: 0, on: parts.pool.workers[worker].reactor, until: deadline
        ) { () -> Result<SharedBody, Problem> in
            do throws(Problem) {
                return .success(try self.document(for: body))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .finished(let document): return try document.get()
        case .cancelled:
            throw Problem(.draining, "the request was cancelled", headers: [Problem.retryAfter])
        case .deadline, .neverBegan:
            throw Problem(
                .overloaded, "too many requests for many routes are waiting", headers: [Problem.retryAfter])
        }
    }

    private func document(for body: [UInt8]) throws(Problem) -> SharedBody {
        let destinations = try BodyDecoder.destinations(body)
        return try parts.documents.lend { () throws(Problem) in routes(to: destinations) }
    }

    private func routes(to destinations: [BodyDecoder.Destination]) -> [UInt8] {
        var finder = RouteFinder(in: settings.checkContext)
        var document = RoutesDocument(count: destinations.count, hidesLocal: settings.prober == nil)
        for destination in destinations {
            document.add(finder.route(to: destination.address), as: destination.text)
        }
        return document.end()
    }
}

/// The answer of `/v1/routes`, written route by route.
struct RoutesDocument: ~Copyable {
    private var writer: JSONWriter
    private let hidesLocal: Bool

    /// - Parameter hidesLocal: whether source addresses are secret, as in the profile `public`.
    init(count: Int, hidesLocal: Bool) {
        writer = JSONWriter(reserving: 128 * count)
        self.hidesLocal = hidesLocal
        writer.beginObject()
        writer.member("routes")
        writer.beginArray()
    }

    /// - Parameter text: the destination as the request has it.
    mutating func add(_ answer: RouteAnswer, as text: String) {
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

    consuming func end() -> [UInt8] {
        writer.endArray()
        writer.endObject()
        return writer.finishLine()
    }
}
