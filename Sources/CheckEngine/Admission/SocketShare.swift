internal import NetworkTypes
internal import SocketIO

/// The further sockets of one check that tries several addresses at once. Request each before you open it.
///
/// Only the check's task uses it. Its deinit returns all of them.
final class SocketShare {
    private let admission: Admission
    /// Sockets in addition to the one that the permit covers.
    private var held = 0
    private var request: SocketRequest?

    init(of admission: Admission) {
        self.admission = admission
    }

    deinit {
        if held > 0 { admission.releaseSockets(held) }
    }

    /// Takes up to `count` sockets that are free now.
    /// - Returns: how many it took.
    func takeAtOnce(upTo count: Int) -> Int {
        let taken = admission.takeSocketsAtOnce(upTo: count, holding: held)
        held += taken
        return taken
    }

    /// Whether a request for one more is waiting.
    var isWaiting: Bool { request != nil }

    /// Requests one more socket. The answer is true when it is granted, and false if it is not granted before the
    /// deadline. Pass the answer to `noteAnswer`.
    func requestOne() -> SocketRequest {
        let request = SocketRequest(held: held)
        self.request = request
        admission.enqueue(request)
        return request
    }

    func noteAnswer(_ isGranted: Bool) {
        request = nil
        if isGranted { held += 1 }
    }

    /// Withdraws the request, if there is one. Its answer is then false, unless it has just been granted. Pass the
    /// answer to `noteAnswer` in any case.
    func withdrawRequest() {
        guard let request else { return }
        admission.withdraw(request)
        request.answer.deliver(false)
    }

    /// Returns `count` sockets, or all that it has if there are fewer. The permit's socket is not included.
    func giveBack(_ count: Int) {
        let returned = min(count, held)
        guard returned > 0 else { return }
        held -= returned
        admission.releaseSockets(returned)
    }
}

/// One check that waits for one further socket.
final class SocketRequest: Sendable {
    /// How many further sockets the check already has.
    let held: Int
    let answer = Handover<Bool>()

    init(held: Int) {
        self.held = held
    }

    /// Waits for the answer.
    /// - Returns: whether the socket may be opened. The caller then counts it.
    func isGranted(on reactor: Reactor, of admission: Admission, until deadline: MonotonicTime) async -> Bool {
        switch await answer.wait(on: reactor, until: deadline) {
        case .delivered(let isGranted): return isGranted
        case .deadline, .cancelled:
            // A socket that is granted after this is taken back.
            admission.withdraw(self)
            return false
        }
    }
}
