/// Decides how requests are answered; implemented by the module with the resources.
public protocol RequestHandler: Sendable {
    /// Decides by the head, before any of the body is read: accept the request with a body limit, or respond at once.
    ///
    /// Called on the worker's thread; it must not block.
    func admit(_ head: RequestHead) -> Admission

    /// The response to requests that the server itself refuses: 400 (malformed), 408 (too slow), 413 (body too large), 414 and
    /// 431 (head too large), 503 (too many connections, shutdown). Its body is not a stream.
    /// - Parameter detail: one sentence about this occurrence.
    func problem(status: Int, detail: String) -> Response

    /// The response to a connection of a client that has as many as it may have: 429. Its body is not a stream.
    /// - Parameter client: its address or network, or the name of its certificate.
    func tooManyConnections(of client: String) -> Response
}

extension RequestHandler {
    var tooManyConnections: Response { problem(status: 503, detail: "Too many connections are open.") }

    public func tooManyConnections(of client: String) -> Response {
        problem(status: 429, detail: "This client has too many open connections.")
    }
}

/// Responds to accepted requests. One object may serve any number of them.
public protocol RequestResponder: AnyObject, Sendable {
    /// The response to a request.
    ///
    /// It runs in a task that prefers the worker's thread; it must not block. The task is canceled when the client leaves (a
    /// reset, or a close as far as the kernel can tell), and during shutdown. Then it must return soon.
    /// - Parameter worker: the index of the worker and its reactor.
    func respond(to request: Request, on worker: Int) async -> Response

    /// Whether a client has left when it shuts down its writing half (FIN). Otherwise it has only ended its request, and gets
    /// its response. While a stream is sent, a FIN always means that the client has left.
    var endsWithInput: Bool { get }
}

extension RequestResponder {
    public var endsWithInput: Bool { false }
}

/// A handler's decision about a request head.
public enum Admission: Sendable {
    /// Read the body and let this responder respond. A body over the limit, in bytes, gets a 413.
    case accept(bodyLimit: Int, by: any RequestResponder)
    /// Send this response and ignore the body. The connection stays open if the body is short. This is the cheapest way to
    /// respond: it makes no task, and the response leaves in the same turn of the event loop.
    case answer(Response)
}

/// A request with its whole body.
public struct Request: Sendable {
    public let head: RequestHead
    /// At most the number of bytes that the handler admitted.
    public let body: [UInt8]
}
