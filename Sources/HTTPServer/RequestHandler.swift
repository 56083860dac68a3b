/// What the service asks whoever knows the resources.
public protocol RequestHandler: Sendable {
    /// Judges the head before any of the body is read: how long a body may follow, or an answer at once.
    ///
    /// Called on the worker's thread; it must not block.
    func admit(_ head: RequestHead) -> Admission

    /// The answer to what the service itself refuses: 400 (malformed), 408 (too slow), 413 (too large), 503 (too many connections).
    /// - Parameter detail: one sentence about this occurrence.
    func problem(status: Int, detail: String) -> Response
}

/// Answers requests that a handler has admitted: one object for as many as there are.
public protocol RequestResponder: AnyObject, Sendable {
    /// Answers a request.
    ///
    /// It runs on the worker's own thread, in a task that prefers it. The task is cancelled when the client goes away
    /// (closes, where that can be told, or resets) and when the service shuts down; it has to answer soon then.
    /// - Parameter worker: the number of the worker, the index of its reactor.
    func respond(to request: Request, on worker: Int) async -> Response

    /// Whether a client that shuts down its writing half has left: for a long response that ends soon after its last reader.
    /// Otherwise it has only ended its request, and gets its answer.
    var endsWithInput: Bool { get }
}

extension RequestResponder {
    public var endsWithInput: Bool { false }
}

/// What a handler says about a request's head.
public enum Admission: Sendable {
    /// Read the body, of at most so many bytes, and let this answer. A longer one is answered by 413.
    case accept(bodyLimit: Int, by: any RequestResponder)
    /// Send this, and never mind the body. The connection stays open if the body is short. The cheapest way to answer:
    /// no task is made, and the answer leaves in the same turn.
    case answer(Response)
}
