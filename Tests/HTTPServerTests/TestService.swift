import HTTPServer
import NetworkTypes
import SocketIO
import Synchronization
import TLS

/// The handler of the tests: an echo, an endless wait, a response by the head alone.
final class TestHandler: RequestHandler, RequestResponder {
    let reactors: [Reactor]
    let started = Atomic<Int>(0)
    let cancelled = Atomic<Int>(0)
    let ranOn = Mutex<[Int]>([])
    /// The streamed bodies, by path.
    let streams = Mutex<[String: StreamProducer]>([:])
    let page = SharedBody([UInt8](repeating: UInt8(ascii: "x"), count: 300_000))
    private let madeVolume = Mutex<SharedBody?>(nil)
    /// Longer than the socket buffers. Created on demand: one for each service would take gigabytes in parallel tests.
    var volume: SharedBody {
        madeVolume.withLock { made in
            let volume = made ?? SharedBody([UInt8](repeating: UInt8(ascii: "x"), count: 32 << 20))
            made = volume
            return volume
        }
    }

    init(_ reactors: [Reactor]) {
        self.reactors = reactors
    }

    func admit(_ head: RequestHead) -> Admission {
        if head.hasPath("/refused") { return .answer(text(403, "no")) }
        if head.hasPath("/volume") { return .answer(Response(status: 200, sharing: volume)) }
        if head.hasPath("/page") { return .answer(Response(status: 200, sharing: page)) }
        if head.hasPath("/early-stream"), let producer = streams.withLock({ $0["/early-stream"] }) {
            return .answer(Response(status: 200, stream: producer))
        }
        return .accept(bodyLimit: head.hasPath("/long") ? 100_000 : 1000, by: self)
    }

    func respond(to request: Request, on worker: Int) async -> Response {
        ranOn.withLock { $0.append(worker) }
        started.add(1, ordering: .relaxed)
        let head = request.head
        if let producer = streams.withLock({ $0[head.path] }) {
            return Response(status: 200, headers: [("Content-Type", "text/plain")], stream: producer)
        }
        switch head.path {
        case "/hang":
            let outcome = await reactors[worker].sleep(until: .distantFuture)
            if case .cancelled = outcome { cancelled.add(1, ordering: .relaxed) }
            return text(200, "cancelled")
        case "/deaf":
            await pause(milliseconds: head.rawQuery.flatMap { Int($0) } ?? 0, on: reactors[worker])
            return text(200, "too late")
        default:
            let query = head.query().map { "\($0.name)=\($0.value ?? "(bad)")" }.joined(separator: ";")
            let segments = head.pathSegments().map { $0.joined(separator: "|") } ?? "bad"
            return text(
                200,
                "\(head.method.name) \(segments) \(query) \(head.header("x-test") ?? "-") "
                    + String(decoding: request.body, as: UTF8.self))
        }
    }

    /// A wait that ignores the cancellation of its task.
    private func pause(milliseconds: Int, on reactor: Reactor) async {
        await withUnsafeContinuation { continuation in
            reactor.assumeIsolated { reactor in
                let timer = reactor.makeTimer { continuation.resume() }
                reactor.arm(timer, at: Clock.now().advanced(byMilliseconds: milliseconds))
            }
        }
    }

    func problem(status: Int, detail: String) -> Response { text(status, detail) }

    private func text(_ status: Int, _ text: String) -> Response {
        Response(status: status, headers: [("Content-Type", "text/plain")], body: Array(text.utf8))
    }
}

/// A running service with its threads.
final class TestService {
    let service: HTTPService
    let handler: TestHandler
    private let threads: [Thread]
    let memory: MemoryBudget

    private final class Thread {
        private var thread: WorkerThread?
        init(_ reactor: Reactor) throws { thread = try WorkerThread(running: reactor) }
        func stop() { if let thread = thread.take() { thread.stopAndJoin() } }
    }

    /// TCP listeners use HTTPS.
    private let isHTTPS: Bool

    var address: ListenAddress { service.addresses[0] }

    init(
        workers: Int, on addresses: [ListenAddress], limits: HTTPLimits, https: ServerContext? = nil,
        log: @escaping @Sendable (String) -> Void,
        prepare: ([ListenAddress], Set<FileIdentity>) -> Void = { _, _ in }
    ) async throws {
        memory = limits.memory
        isHTTPS = https != nil
        var reactors: [Reactor] = []
        for index in 0...workers { reactors.append(try Reactor(thread: ReactorThread(index: index))) }
        threads = try reactors.map { try Thread($0) }
        let handshakes = reactors.removeLast()
        handler = TestHandler(reactors)
        do {
            service = try await HTTPService.start(
                on: addresses.map { Listener($0) }, reactors: reactors, limits: limits,
                https: https.map { HTTPSFront(context: $0, reactor: handshakes) }, handler: handler, log: log,
                prepare: prepare)
        } catch {
            for thread in threads { thread.stop() }
            throw error
        }
    }

    func stop() async {
        await service.shutDown()
        for thread in threads { thread.stop() }
    }

    func client(receiveBufferBytes: Int32? = nil) throws -> RawClient {
        let client = try RawClient(to: address, receiveBufferBytes: receiveBufferBytes)
        if isHTTPS, case .ip = address { try client.startTLS() }
        return client
    }
}

let anyLoopbackPort = ListenAddress.ip(IPEndpoint(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: 0))

/// Runs `body` with a service, and stops the service in any case.
func withService(
    workers: Int = 1, on addresses: [ListenAddress] = [anyLoopbackPort], limits: HTTPLimits = HTTPLimits(),
    https: ServerContext? = nil, log: @escaping @Sendable (String) -> Void = { _ in },
    prepare: ([ListenAddress], Set<FileIdentity>) -> Void = { _, _ in },
    _ body: (TestService) async throws -> Void
) async throws {
    let service = try await TestService(
        workers: workers, on: addresses, limits: limits, https: https, log: log, prepare: prepare)
    do {
        try await body(service)
        await service.stop()
    } catch {
        await service.stop()
        throw error
    }
}

/// Waits up to ten seconds until the condition is true.
func eventually(_ condition: () -> Bool) async -> Bool {
    for _ in 0..<2000 {
        if condition() { return true }
        try? await Task.sleep(nanoseconds: 5_000_000)
    }
    return condition()
}
