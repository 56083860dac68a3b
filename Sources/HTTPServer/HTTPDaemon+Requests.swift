internal import CLinux
internal import CMicrohttpd
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// The way of one request.
extension HTTPDaemon {
    /// The request line is there.
    func begin(_ connection: Connection, target: UnsafeRawBufferPointer) {
        connection.target.removeAll(keepingCapacity: true)
        connection.target.append(contentsOf: target)
        connection.request &+= 1
        noteHead(of: connection)
    }

    /// The first of a head has come.
    func noteHead(of connection: Connection) {
        guard case .idle = connection.phase else { return }
        connection.phase = .head
        connection.isLate = isEnding
        // A connection's first head has been due since it was opened.
        if connection.hasServed { connection.deadline = deadline(limits.headTimeoutMilliseconds) }
    }

    /// The head is complete: the library's first call for this request.
    func judge(
        _ connection: Connection, method: UnsafePointer<UInt8>, url: UnsafePointer<UInt8>, version: UnsafePointer<UInt8>
    ) -> MHD_Result {
        guard let handle = connection.handle else { return .NO }
        guard !connection.isRetired else {
            return refuse(connection, status: 503, detail: HandshakeWorker.retired)
        }
        // The head of the answer has to fit in, too: a check whose answer is lost must not run.
        guard connection.isLarge || mayAnswer(handle) else {
            return refuse(connection, status: 431, detail: HeadRefusal.fields.detail)
        }
        let judge = HeadJudge(
            connection: handle, method: method, url: url, version: version, target: connection.target,
            source: connection.source)
        switch judge.verdict() {
        case .refused(let fault):
            return refuse(connection, status: 400, detail: fault.rawValue)
        case .accepted(let head, let framing):
            connection.head = head
            return admit(connection, head, framing)
        }
    }

    /// Whether the library's usual memory has room for an answer. Most heads came through the gate, and have.
    private func mayAnswer(_ handle: OpaquePointer) -> Bool {
        let length = connectd_mhd_head_length(handle)
        guard length > 512 else { return true }
        let parts =
            MHD_get_connection_values(handle, .HEADER_KIND, nil, nil)
            + MHD_get_connection_values(handle, .GET_ARGUMENT_KIND, nil, nil)
        return length + Int(parts) * HTTPLimits.partBytes <= HTTPLimits.usualHeadBytes
    }

    private func admit(_ connection: Connection, _ head: RequestHead, _ framing: BodyFraming) -> MHD_Result {
        // The library takes sloppy chunks: nothing behind them is read as a request.
        if case .chunked = framing { connection.mustClose = true }
        switch handler.admit(head) {
        case .accept(let limit, let responder):
            if let length = framing.contentLength {
                guard length <= UInt64(max(limit, 0)) else { return refuseLength(connection, limit) }
                guard limits.memory.hasRoom(for: MemoryBudget.bodyCharge(Int(length)), of: .bodies) else {
                    return refuseForMemory(connection)
                }
                // What is announced is not there yet: a client pays for memory by sending.
                connection.body.reserveCapacity(Int(min(length, UInt64(MemoryBudget.freeBodyBytes))))
            }
            connection.bodyLimit = limit
            connection.responder = responder
            connection.phase = .body
        case .answer(let response):
            guard let length = framing.contentLength, length <= Self.shortBody, head.header("expect") == nil else {
                return answerPlainly(connection, response)
            }
            connection.phase = .discarding(response)
        }
        if framing.hasBody { connection.deadline = deadline(limits.bodyTimeoutMilliseconds) }
        return .YES
    }

    /// What is read to keep a connection whose request needs no body.
    private static var shortBody: UInt64 { 65536 }

    /// Bytes of the body.
    func receive(_ connection: Connection, _ bytes: UnsafeRawBufferPointer) -> MHD_Result {
        switch connection.phase {
        case .body:
            guard connection.body.count + bytes.count <= connection.bodyLimit else {
                return refuseLength(connection, connection.bodyLimit)
            }
            guard chargeBody(of: connection, growingBy: bytes.count) else { return refuseForMemory(connection) }
            connection.body.append(contentsOf: bytes)
            return .YES
        case .discarding:
            return .YES
        case .idle, .head, .suspended, .answering:
            return .NO
        }
    }

    /// Charges a body that is not short, so that clients cannot fill the memory by bodies that never end.
    /// - Returns: false where there is no room.
    private func chargeBody(of connection: Connection, growingBy count: Int) -> Bool {
        let charge = MemoryBudget.bodyCharge(connection.body.count + count)
        guard charge > connection.bodyCharge else { return true }
        guard limits.memory.charge(charge - connection.bodyCharge, for: .bodies) else { return false }
        connection.bodyCharge = charge
        return true
    }

    private func refuseForMemory(_ connection: Connection) -> MHD_Result {
        refuse(connection, status: 503, detail: "Clients hold as much memory by request bodies as they may.")
    }

    /// The request is complete: the library's last call for it.
    func complete(_ connection: Connection) -> MHD_Result {
        switch connection.phase {
        case .body:
            guard let head = connection.head, let responder = connection.responder else { return .NO }
            return start(connection, Request(head: head, body: connection.body), responder)
        case .discarding(let response):
            return queue(response, on: connection)
        case .idle, .head, .suspended, .answering:
            // Called once more without an answer: it could not be queued.
            return .NO
        }
    }

    // MARK: Who answers

    /// Lets the responder work, and tells the library to leave the connection alone meanwhile.
    ///
    /// The task has to prefer the thread, or each of its waits would hop through the global pool; such a task never starts
    /// before this returns (Swift 6.3, `Task.immediate` too). What needs no wait is better answered by `admit`.
    private func start(
        _ connection: Connection, _ request: Request, _ responder: any RequestResponder
    ) -> MHD_Result {
        connection.phase = .suspended
        connection.deadline = .max
        connection.body = []
        connection.isInFlight = true
        worker.inFlight.add(1, ordering: .relaxed)
        let (worker, place, number) = (worker, connection.index, connection.request)
        let task = Task(executorPreference: worker.thread) {
            await worker.serve(request, by: responder, place: place, number: number)
        }
        connection.task = task
        if connection.peerHasLeft { task.cancel() }
        if let handle = connection.handle { MHD_suspend_connection(handle) }
        return .YES
    }

    /// The responder has answered.
    func finish(_ place: Int, _ number: UInt64, _ response: Response) {
        // At the end of the service, somebody else may have answered in its place.
        guard let connection = connections[place], connection.request == number, case .suspended = connection.phase
        else { return }
        resume(connection, with: response)
    }

    /// An answer may be queued for a suspended connection, which saves a call-back.
    private func resume(_ connection: Connection, with response: Response) {
        connection.task = nil
        _ = queue(response, on: connection)
        if connection.gate == .open, response.body.count <= Self.shortAnswer { lookFirst(at: connection, true) }
        if let handle = connection.handle { MHD_resume_connection(handle) }
        runSoon(for: connection)
    }

    /// Says whether the library looks at the connection at the start of each run, before it reads from its socket.
    ///
    /// It takes a resumed connection for one that has something to read, and its response is seen only after a recv(2) that finds
    /// nothing, for which the socket is put into the library's epoll set and taken out again: three system calls a check. Only a
    /// connection whose short response leaves soon may be looked at so: each run costs as much as there are of them.
    func lookFirst(at connection: Connection, _ isWanted: Bool) {
        guard connection.isSeenFirst != isWanted, let handle = connection.handle else { return }
        connection.isSeenFirst = isWanted
        connectd_mhd_look_first(handle, isWanted ? 1 : 0)
    }

    // MARK: Answers

    private func queue(_ response: Response, on connection: Connection) -> MHD_Result {
        connection.phase = .answering
        let length = response.body.count
        if length > Self.shortAnswer { lookFirst(at: connection, false) }
        connection.deadline = deadline(limits.sendTimeoutMilliseconds + length / 65536 * 1000)
        let mustClose = connection.mustClose || isDraining
        // Another request may be on its way already: unread, it would be a reset that destroys this answer.
        if mustClose { connection.mustLinger = true }
        guard let handle = connection.handle, let answer = LibraryResponse.make(response, mustClose: mustClose) else {
            return .NO
        }
        switch response.body {
        case .shared(let body): connection.sharedBody = body
        case .bytes(let bytes): chargeAnswer(bytes.count, of: connection)
        }
        defer { MHD_destroy_response(answer) }
        return MHD_queue_response(handle, UInt32(response.status), answer)
    }

    /// What sockets take at once is not held for long, and is not charged.
    private static let shortAnswer = 16 << 10
    /// For so long every client may read its response in peace.
    private static let undisturbedNanoseconds: UInt64 = 2_000_000_000

    /// A check that ran gets its response. Where there is no room for it, a client that has read for longest at one gives way.
    private func chargeAnswer(_ count: Int, of connection: Connection) {
        guard count > Self.shortAnswer else { return }
        connection.answerCharge = count
        connection.answerBegan = Clock.now().nanoseconds
        guard !limits.memory.chargeAnyway(count, for: .answers) else { return }
        let slowest = connections.lazy.compactMap(\.self).filter { $0.answerCharge > 0 && !$0.peerHasLeft }
            .min { $0.answerBegan < $1.answerBegan }
        guard let slowest, slowest.answerBegan + Self.undisturbedNanoseconds <= connection.answerBegan else { return }
        expire(slowest)
        runSoon(for: slowest)
    }

    private func refuseLength(_ connection: Connection, _ limit: Int) -> MHD_Result {
        refuse(connection, status: 413, detail: "The body is longer than \(limit) bytes.")
    }

    private func refuse(_ connection: Connection, status: Int, detail: String) -> MHD_Result {
        answerPlainly(connection, handler.problem(status: status, detail: detail))
    }

    /// Answers before the request is complete; the library closes the connection when it is told no.
    private func answerPlainly(_ connection: Connection, _ response: Response) -> MHD_Result {
        PlainAnswer.send(response, to: connection.descriptor, withoutBody: connection.head?.method == .head)
        connection.mustLinger = true
        return .NO
    }

    // MARK: Ends

    func cancelHandlers() {
        for case let connection? in connections { connection.task?.cancel() }
    }

    /// Answers every request that is with a handler still.
    func answerForHandlers() {
        for case let connection? in connections {
            guard case .suspended = connection.phase else { continue }
            resume(connection, with: handler.problem(status: 503, detail: "The service is shutting down."))
        }
    }

    /// Whether no request has begun, and no client has connected so lately that its first one may be on its way.
    var isSettled: Bool { !hasBegun { _ in true } && !awaitsFirstRequest }

    /// Whether every request that is not late is answered in full.
    var isDrained: Bool { worker.inFlight.load(ordering: .relaxed) == 0 && !hasBegun { !$0.isLate } }

    private func hasBegun(_ isMeant: (Connection) -> Bool) -> Bool {
        connections.contains { connection in
            guard let connection, !connection.peerHasLeft, isMeant(connection) else { return false }
            if case .idle = connection.phase { return false }
            return true
        }
    }

    /// Whether a client has connected so lately that its first request may be on its way.
    var awaitsFirstRequest: Bool {
        let moment = UInt64(HTTPLimits.firstRequestMilliseconds) * 1_000_000
        let earliest = Clock.now().nanoseconds - moment
        return connections.contains { connection in
            guard let connection, case .idle = connection.phase else { return false }
            return !connection.hasServed && !connection.peerHasLeft && connection.opened > earliest
        }
    }

    /// At the end: tells those whose requests have not come in completely.
    /// - Returns: whether there are any.
    func refuseUnfinished() -> Bool {
        var isFound = false
        for case let connection? in connections where !connection.peerHasLeft {
            let answer: Response
            switch connection.phase {
            case .idle, .suspended, .answering: continue
            case .head, .body: answer = handler.problem(status: 503, detail: "The service is shutting down.")
            case .discarding(let known): answer = known
            }
            isFound = true
            _ = answerPlainly(connection, answer)
            if connection.gate == .waiting {
                endWaiting(connection)
                continue
            }
            // The library is not to make a request of what comes still, and closes the connection when it reads its end.
            connection.phase = .answering
            shutdown(connection.descriptor, Int32(SHUT_RD))
        }
        return isFound
    }

    /// The library is done with a request.
    func requestEnded(_ connection: Connection, isComplete: Bool) {
        connection.task?.cancel()
        if connection.isInFlight { worker.inFlight.subtract(1, ordering: .relaxed) }
        connection.isInFlight = false
        if isComplete { connection.hasServed = true } else { connection.mustLinger = true }
        connection.request &+= 1
        limits.memory.release(connection.bodyCharge, of: .bodies)
        limits.memory.release(connection.answerCharge, of: .answers)
        connection.bodyCharge = 0
        connection.answerCharge = 0
        connection.reset(deadline: deadline(limits.idleTimeoutMilliseconds))
        if connection.gate == .free { lookFirst(at: connection, false) }
        if connection.peerHasLeft || connection.peerHasFinished { departed.append(connection.index) }
        ended.append(connection.index)
    }

    /// A deadline has come. The library notices the end of the connection, and closes it.
    func expire(_ connection: Connection) {
        if case (.waiting, .head) = (connection.gate, connection.phase) {
            return refuseWaiting(connection, 408, Self.tooSlow, withoutBody: false)
        }
        switch connection.phase {
        case .head, .body:
            let problem = handler.problem(status: 408, detail: Self.tooSlow)
            PlainAnswer.send(problem, to: connection.descriptor, withoutBody: connection.head?.method == .head)
        case .discarding(let response):
            PlainAnswer.send(response, to: connection.descriptor, withoutBody: connection.head?.method == .head)
        case .idle, .answering, .suspended:
            break
        }
        connection.peerHasLeft = true
        connection.deadline = .max
        connection.sharedBody = nil
        end(connection)
    }

    private static let tooSlow = "The request took too long to arrive."

    /// The library refuses some heads by itself, in words of its own, and before 1.0 it sends the head of that answer twice.
    /// It says so beforehand, without naming the connection; whoever has such a head that is not judged is refused here.
    func refuseUnjudgedHeads() {
        for case let connection? in connections {
            guard case .head = connection.phase, let handle = connection.handle,
                let fault = HeadJudge.faultOfCompleteHead(of: handle)
            else { continue }
            let problem = handler.problem(status: 400, detail: fault.rawValue)
            PlainAnswer.send(problem, to: connection.descriptor, withoutBody: false)
            connection.mustLinger = true
            shutdown(connection.descriptor, Int32(SHUT_WR))
        }
    }
}
