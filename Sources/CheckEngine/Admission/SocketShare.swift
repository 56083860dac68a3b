internal import NetworkTypes
internal import SocketIO

/// The further sockets of one check that tries several addresses at once: each is asked for before it is opened.
///
/// It stays with the check's task. What it has is given back with it.
final class SocketShare {
    private let admission: Admission
    /// How many it has beside the one that the check's permit stands for.
    private var held = 0
    private var request: SocketRequest?

    init(of admission: Admission) {
        self.admission = admission
    }

    deinit {
        if held > 0 { admission.releaseSockets(held) }
    }

    /// Takes what is to be had without a wait.
    /// - Returns: how many of `count`.
    func takeAtOnce(upTo count: Int) -> Int {
        let taken = admission.takeSocketsAtOnce(upTo: count, holding: held)
        held += taken
        return taken
    }

    /// Whether a request for one more is under way.
    var isWaiting: Bool { request != nil }

    /// Asks for one more. The answer is true once it is there, and false where it did not come by the deadline; then call
    /// `noteAnswer`.
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

    /// Ends the request, if there is one: it is answered by false then, unless it has just been granted. The answer comes
    /// all the same, for `noteAnswer`.
    func withdrawRequest() {
        guard let request else { return }
        admission.withdraw(request)
        request.answer.deliver(false)
    }

    /// Gives back so many, or as many as it has: the permit's own is not among them.
    func giveBack(_ count: Int) {
        let returned = min(count, held)
        guard returned > 0 else { return }
        held -= returned
        admission.releaseSockets(returned)
    }
}

/// One check that waits for one further socket.
final class SocketRequest: Sendable {
    /// How many it has already.
    let held: Int
    let answer = Handover<Bool>()

    init(held: Int) {
        self.held = held
    }

    /// Waits for the answer.
    /// - Returns: whether the socket may be opened; then the asker has to count it.
    func isGranted(on reactor: Reactor, of admission: Admission, until deadline: MonotonicTime) async -> Bool {
        switch await answer.wait(on: reactor, until: deadline) {
        case .delivered(let isGranted): return isGranted
        case .deadline, .cancelled:
            // One that is granted from here on has no taker, and is taken back.
            admission.withdraw(self)
            return false
        }
    }
}
