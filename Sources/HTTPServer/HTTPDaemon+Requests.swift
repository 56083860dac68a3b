internal import CLinux
internal import CMicrohttpd
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// The lifecycle of one request.
extension HTTPDaemon {
    /// Called when the library has read the request line.
    func begin(_ connection: Connection, target: UnsafeRawBufferPointer) {
        connection.target.removeAll(keepingCapacity: true)
        connection.target.append(contentsOf: target)
        connection.request &+= 1
        noteHead(of: connection)
        noteBusy(connection)
    }

    /// Notes the first byte of a request head. Until the head is complete, the connection can give way to another one.
    func noteHead(of connection: Connection) {
        guard case .idle = connection.phase else { return }
        connection.phase = .head
        connection.isLate = state >= .ending
        // The deadline of a connection's first head runs from its start.
        if connection.hasServed { connection.deadline = deadline(limits.headTimeoutMilliseconds) }
    }

    /// Called when the head is complete: the library's first access callback for this request.
    func judge(
        _ connection: Connection, method: UnsafePointer<UInt8>, url: UnsafePointer<UInt8>, version: UnsafePointer<UInt8>
    ) -> MHD_Result {
        guard let handle = connection.handle else { return .NO }
        guard connection.persistence < .retired else {
            return refuse(connection, status: 503, detail: HandshakeWorker.retired)
        }
        // The response head must fit too: a check whose response is lost must not run.
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
            connection.isHTTP10 = version[7] == UInt8(ascii: "0")
            return admit(connection, head, framing)
        }
    }

    /// Whether the library's usual memory has room for a response head. It has room after most heads, because the gate
    /// has checked them.
    private func mayAnswer(_ handle: OpaquePointer) -> Bool {
        let length = connectd_mhd_head_length(handle)
        guard length > 512 else { return true }
        let parts =
            MHD_get_connection_values(handle, .HEADER_KIND, nil, nil)
            + MHD_get_connection_values(handle, .GET_ARGUMENT_KIND, nil, nil)
        return length + Int(parts) * HTTPLimits.partBytes <= HTTPLimits.usualHeadBytes
    }

    private func admit(_ connection: Connection, _ head: RequestHead, _ framing: BodyFraming) -> MHD_Result {
        // The library accepts malformed chunks, so nothing after them is read as a request.
        if case .chunked = framing { connection.persistence.advance(to: .closing) }
        switch handler.admit(head) {
        case .accept(let limit, let responder):
            if let length = framing.contentLength {
                guard length <= UInt64(max(limit, 0)) else { return refuseLength(connection, limit) }
                guard limits.memory.hasRoom(for: MemoryBudget.bodyCharge(Int(length)), of: .bodies) else {
                    return refuseForMemory(connection)
                }
                // Only the beginning is reserved: memory grows with the bytes that the client really sends.
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

    /// The longest body, in bytes, that is read and discarded to keep a connection.
    private static var shortBody: UInt64 { 65536 }

    /// Called with bytes of the body.
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
        case .idle, .head, .suspended, .answering, .streaming:
            return .NO
        }
    }

    /// Charges a body that is not short, so that clients cannot fill the memory with bodies that never end.
    /// - Returns: false if there is no room.
    private func chargeBody(of connection: Connection, growingBy count: Int) -> Bool {
        let charge = MemoryBudget.bodyCharge(connection.body.count + count)
        guard charge > connection.bodyCharge else { return true }
        guard limits.memory.charge(charge - connection.bodyCharge, for: .bodies) else { return false }
        connection.bodyCharge = charge
        return true
    }

    private func refuseForMemory(_ connection: Connection) -> MHD_Result {
        limits.memory.noteRefusal(of: .bodies)
        return refuse(connection, status: 503, detail: "Too much memory is in use by request bodies.")
    }

    /// Called when the request is complete: the library's last access callback for it.
    func complete(_ connection: Connection) -> MHD_Result {
        switch connection.phase {
        case .body:
            guard let head = connection.head, let responder = connection.responder else { return .NO }
            return start(connection, Request(head: head, body: connection.body), responder)
        case .discarding(let response):
            return queue(response, on: connection)
        case .idle, .head, .suspended, .answering, .streaming:
            // The library calls again if a response could not be queued.
            return .NO
        }
    }

    // MARK: Responders

    /// Starts the responder's task, and suspends the connection in the library.
    ///
    /// The task must prefer the worker's thread, or each of its waits would go through the global pool. Such a task never
    /// starts before this returns (in Swift 6.3, `Task.immediate` neither). `admit` is cheaper for responses without a wait.
    private func start(
        _ connection: Connection, _ request: Request, _ responder: any RequestResponder
    ) -> MHD_Result {
        connection.phase = .suspended
        connection.deadline = .max
        connection.body = []
        countInFlight(connection)
        let (worker, place, number) = (worker, connection.index, connection.request)
        let task = Task(executorPreference: worker.thread) {
            await worker.serve(request, by: responder, place: place, number: number)
        }
        connection.task = task
        if connection.peerHasLeft { task.cancel() }
        if let handle = connection.handle { MHD_suspend_connection(handle) }
        return .YES
    }

    private func countInFlight(_ connection: Connection) {
        guard !connection.isInFlight else { return }
        connection.isInFlight = true
        worker.inFlight.add(1, ordering: .relaxed)
    }

    /// Called when the responder has returned.
    func finish(_ place: Int, _ number: UInt64, _ response: Response) {
        // During shutdown, a 503 may have been sent in its place.
        guard let connection = connections[place], connection.request == number, case .suspended = connection.phase
        else { return }
        resume(connection, with: response)
    }

    /// Queues the response while the connection is still suspended, which saves a callback.
    private func resume(_ connection: Connection, with response: Response) {
        connection.task = nil
        _ = queue(response, on: connection)
        if connection.gate == .open, response.body.count ?? .max <= Self.shortAnswer { lookFirst(at: connection, true) }
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

    // MARK: Responses

    private func queue(_ response: Response, on connection: Connection) -> MHD_Result {
        var response = response
        var stream: BodyStream?
        if case .stream(let producer) = response.body {
            if state == .canceled {
                response = handler.problem(status: 503, detail: Self.stopping)
            } else {
                let body = BodyStream(producer, status: response.status, on: connection, of: self)
                if !body.hasBody { connection.persistence.advance(to: .closing) }
                stream = body
            }
        }
        if !chargeBuffer(for: response, of: connection) {
            response = handler.problem(status: 503, detail: "Too many large responses are still being sent.")
        }
        connection.phase = stream.map { .streaming($0) } ?? .answering
        let length = response.body.count ?? 0
        if stream != nil || length > Self.shortAnswer { lookFirst(at: connection, false) }
        connection.deadline = deadline(limits.sendTimeoutMilliseconds + length / 65536 * 1000)
        let mustClose = connection.persistence > .persistent || state >= .draining
        // Another request may already have been sent. If it is not read, the kernel sends a reset that destroys this response.
        if mustClose { connection.mustLinger = true }
        guard let handle = connection.handle,
            let answer = LibraryResponse.make(response, mustClose: mustClose, stream: stream)
        else { return .NO }
        switch response.body {
        case .shared(let body): connection.sharedBody = body
        case .bytes(let bytes): chargeAnswer(bytes.count, of: connection)
        case .stream: countInFlight(connection)
        }
        defer { MHD_destroy_response(answer) }
        return MHD_queue_response(handle, UInt32(response.status), answer)
    }

    /// Responses up to this length fit into the socket, and are not charged.
    private static let shortAnswer = 16 << 10
    /// For how long a client may read its response before it can be dismissed for another.
    private static let undisturbedNanoseconds: UInt64 = 2_000_000_000

    /// Charges a response that is not short.
    private func chargeAnswer(_ count: Int, of connection: Connection) {
        if count > Self.shortAnswer { chargeInAnyCase(count, of: connection) }
    }

    /// Charges a response even if there is no room for it, because a check that ran gets its response. Then the client
    /// that has been reading its response for longest is dismissed.
    /// - Returns: whether there was room, or a client was dismissed.
    @discardableResult
    func chargeInAnyCase(_ count: Int, of connection: Connection) -> Bool {
        connection.answerCharge = count
        connection.answerBegan = Clock.now().nanoseconds
        guard !limits.memory.chargeAnyway(count, for: .answers) else { return true }
        let slowest = connections.lazy.compactMap(\.self).filter { $0.answerCharge > 0 && !$0.peerHasLeft }
            .min { $0.answerBegan < $1.answerBegan }
        guard let slowest, slowest.answerBegan + Self.undisturbedNanoseconds <= connection.answerBegan else {
            return false
        }
        limits.memory.noteRefusal(of: .answers)
        expire(slowest)
        runSoon(for: slowest)
        return true
    }

    /// Charges the kernel's buffer for a large document that several clients share, if memory is scarce.
    /// - Returns: false if there is no room, even after a client that has been reading for long was dismissed.
    private func chargeBuffer(for response: Response, of connection: Connection) -> Bool {
        guard case .shared(let body) = response.body, body.bytes.count > Self.shortAnswer,
            let buffer = limits.socketBufferBytes
        else { return true }
        if chargeInAnyCase(2 * buffer, of: connection) { return true }
        limits.memory.release(connection.answerCharge, of: .answers)
        connection.answerCharge = 0
        limits.memory.noteRefusal(of: .answers)
        return false
    }

    private func refuseLength(_ connection: Connection, _ limit: Int) -> MHD_Result {
        refuse(connection, status: 413, detail: "The body is longer than \(limit) bytes.")
    }

    private func refuse(_ connection: Connection, status: Int, detail: String) -> MHD_Result {
        answerPlainly(connection, handler.problem(status: status, detail: detail))
    }

    /// Responds before the request is complete. `.NO` makes the library close the connection.
    private func answerPlainly(_ connection: Connection, _ response: Response) -> MHD_Result {
        let response = plainly(response, or: 413, "The request needs no body, and has a long one.")
        PlainAnswer.send(response, to: connection.descriptor, withoutBody: connection.head?.method == .head)
        connection.mustLinger = true
        return .NO
    }

    /// A response that can be sent without the library: a problem in place of a streamed one.
    private func plainly(_ response: Response, or status: Int, _ detail: String) -> Response {
        guard case .stream = response.body else { return response }
        return handler.problem(status: status, detail: detail)
    }

    // MARK: End of requests

    private static let stopping = "The service is shutting down."

    func cancelHandlers() {
        state.advance(to: .canceled)
        for case let connection? in connections {
            connection.task?.cancel()
            if case .streaming(let stream) = connection.phase { stream.stop() }
        }
    }

    /// Sends a 503 for every request whose handler still runs, and aborts all streams.
    func answerForHandlers() {
        for case let connection? in connections {
            switch connection.phase {
            case .suspended: resume(connection, with: handler.problem(status: 503, detail: Self.stopping))
            case .streaming: breakOffStream(of: connection, because: .serviceStopped)
            case .idle, .head, .body, .discarding, .answering: break
            }
        }
    }

    /// Whether no request is in progress, and no client has connected so recently that its first request may still come.
    var isIdle: Bool { !hasBegun { _ in true } && !awaitsFirstRequest }

    /// Whether every request that is not late has been answered in full.
    var isDrained: Bool { worker.inFlight.load(ordering: .relaxed) == 0 && !hasBegun { !$0.isLate } }

    private func hasBegun(_ isMeant: (Connection) -> Bool) -> Bool {
        connections.contains { connection in
            guard let connection, !connection.peerHasLeft, isMeant(connection) else { return false }
            if case .idle = connection.phase { return false }
            return true
        }
    }

    /// Whether a client has connected so recently that its first request may still come.
    var awaitsFirstRequest: Bool {
        let moment = UInt64(HTTPLimits.firstRequestMilliseconds) * 1_000_000
        let earliest = Clock.now().nanoseconds - moment
        return connections.contains { connection in
            guard let connection, case .idle = connection.phase else { return false }
            return !connection.hasServed && !connection.peerHasLeft && connection.opened > earliest
        }
    }

    /// Sends a 503 for requests that have not come completely.
    /// - Returns: whether there were any.
    func refuseUnfinished() -> Bool {
        var isFound = false
        for case let connection? in connections where !connection.peerHasLeft {
            let answer: Response
            switch connection.phase {
            case .idle, .suspended, .answering, .streaming: continue
            case .head, .body: answer = handler.problem(status: 503, detail: Self.stopping)
            case .discarding(let known): answer = plainly(known, or: 503, Self.stopping)
            }
            isFound = true
            _ = answerPlainly(connection, answer)
            if connection.gate == .waiting {
                endWaiting(connection)
                continue
            }
            // After SHUT_RD the library reads EOF, and closes the connection, instead of completing the request.
            connection.phase = .answering
            shutdown(connection.descriptor, Int32(SHUT_RD))
        }
        return isFound
    }

    /// Called when the library has ended a request.
    func requestEnded(_ connection: Connection, isComplete: Bool) {
        connection.task?.cancel()
        if case .streaming(let stream) = connection.phase { stream.requestEnded() }
        if connection.isInFlight { worker.inFlight.subtract(1, ordering: .relaxed) }
        connection.isInFlight = false
        if isComplete { connection.hasServed = true } else { connection.mustLinger = true }
        connection.request &+= 1
        limits.memory.release(connection.bodyCharge, of: .bodies)
        limits.memory.release(connection.answerCharge, of: .answers)
        connection.bodyCharge = 0
        connection.answerCharge = 0
        connection.reset(deadline: deadline(limits.idleTimeoutMilliseconds))
        if !connection.peerHasLeft { noteIdle(connection) }
        if connection.gate == .free { lookFirst(at: connection, false) }
        if connection.peerHasLeft || connection.peerHasFinished { departed.append(connection.index) }
        ended.append(connection.index)
    }

    /// Ends a connection whose deadline has passed. The library notices, and closes it.
    func expire(_ connection: Connection) {
        if case (.waiting, .head) = (connection.gate, connection.phase) {
            return refuseWaiting(connection, 408, Self.tooSlow, withoutBody: false)
        }
        switch connection.phase {
        case .head, .body:
            let problem = handler.problem(status: 408, detail: Self.tooSlow)
            PlainAnswer.send(problem, to: connection.descriptor, withoutBody: connection.head?.method == .head)
        case .discarding(let response):
            PlainAnswer.send(
                plainly(response, or: 408, Self.tooSlow), to: connection.descriptor,
                withoutBody: connection.head?.method == .head)
        case .streaming:
            breakOffStream(of: connection, because: .clientTooSlow)
        case .idle, .answering, .suspended:
            break
        }
        connection.client.advance(to: .left)
        connection.deadline = .max
        connection.sharedBody = nil
        end(connection)
    }

    static let tooSlow = "The request took too long to arrive."

    /// Refuses malformed heads that the library would refuse itself: before 1.0, it sends the head of its response
    /// twice. It logs this first, without naming the connection, so every connection with such a head is refused here.
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
