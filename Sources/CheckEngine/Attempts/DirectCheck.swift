internal import AccessPolicy
internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO

/// A check that waits once at most, for its connection: its target is an address, and no phase follows the connect.
///
/// It runs without a task: `start` begins it, and the reactor calls back when it ends. Everything else is done by the parts
/// that other checks use. It belongs to the thread of its worker.
final class DirectCheck {
    /// What learns how a check ended.
    protocol Owner: AnyObject {
        /// Is called once, on the worker's thread, for a check whose `start` returned nil.
        func ended(_ check: DirectCheck, with answer: CheckAnswer)
    }

    /// The number of the check in its batch.
    let number: Int
    let check: PreparedCheck
    /// Where `DirectCheckList` has it.
    fileprivate(set) var place = 0

    private let draft: ResultDraft
    private let internet: InternetCheck
    private let owner: any Owner
    private var attempt: ConnectAttempt?
    private var record: AttemptRecord?
    private var socket: Socket?
    private var token: SlotToken?
    private var begin = MonotonicTime(nanoseconds: 0)

    init(_ check: PreparedCheck, number: Int, draft: ResultDraft, internet: InternetCheck, owner: any Owner) {
        self.check = check
        self.number = number
        self.draft = draft
        self.internet = internet
        self.owner = owner
    }

    /// Begins the check.
    /// - Returns: the answer if the check has ended; nil if the owner gets it later.
    func start(isCancelled: Bool) -> CheckAnswer? {
        do throws(DenialReason) {
            guard let endpoint = try internet.endpointOfLiteral(isCancelled: isCancelled) else {
                return .result(draft.finished())
            }
            return connect(to: endpoint)
        } catch {
            return .denied(reason: error)
        }
    }

    /// Ends the check as cancelled, if it has not ended.
    func cancel() {
        end(with: .cancelled)
    }

    private func connect(to endpoint: Endpoint) -> CheckAnswer? {
        begin = Clock.now()
        let plan = draft.plan
        let attempt = ConnectAttempt(plan: plan, endpoint: endpoint, deadline: plan.deadline)
        let record = AttemptRecord(of: endpoint, checkStart: plan.start)
        self.attempt = attempt
        self.record = record
        do throws(Errno) {
            let socket = try Socket(plan.socketKind(for: endpoint))
            let isOpen = attempt.prepare(socket, into: record)
            let event = isOpen ? startConnect(of: socket, to: endpoint, record) : nil
            if isOpen, event == nil {
                self.socket = consume socket
                return nil
            }
            if let event { attempt.note(event, of: socket, into: record) }
        } catch {
            attempt.fail(record, with: error, in: .socket)
        }
        return finish(record)
    }

    /// connect(2).
    /// - Returns: its end; nil while it is in progress.
    private func startConnect(
        of socket: borrowing Socket, to endpoint: Endpoint, _ record: AttemptRecord
    ) -> ConnectAttempt.ConnectEvent? {
        do throws(Errno) {
            guard case .inProgress = try socket.connect(to: endpoint) else { return .connected }
            if endpoint.internetAddress?.isLoopback == true, hasPeer(socket, record) { return .connected }
            token = try draft.plan.reactor.watchOnThread(
                socket.number, for: .writable, until: draft.plan.deadline
            ) { [self] in socketChanged($0) }
            return nil
        } catch {
            return .failed(error)
        }
    }

    /// Whether the handshake is already over. On loopback it usually is: connect(2) then says EINPROGRESS all the same.
    private func hasPeer(_ socket: borrowing Socket, _ record: AttemptRecord) -> Bool {
        record.result.peer = socket.peerName()
        return record.result.peer != nil
    }

    private func socketChanged(_ readiness: Readiness) {
        guard !readiness.isEmpty else { return end(with: .deadline) }
        // Otherwise the state in TCP_INFO proves the success, which `note` reads anyway.
        guard !readiness.isDisjoint(with: [.error, .hangUp]) || !isPlainTCP else { return end(with: .connected) }
        do throws(Errno) {
            end(with: try socket?.takePendingError().map(ConnectAttempt.ConnectEvent.failed) ?? .connected)
        } catch {
            end(with: .failed(error))
        }
    }

    private var isPlainTCP: Bool { !check.request.socket.mptcp }

    private func end(with event: ConnectAttempt.ConnectEvent) {
        guard let socket = socket.take(), let attempt, let record else { return }
        attempt.note(event, of: socket, into: record)
        if let token { draft.plan.reactor.removeOnThread(token) }
        _ = consume socket
        owner.ended(self, with: finish(record))
    }

    private func finish(_ record: AttemptRecord) -> CheckAnswer {
        internet.conclude([record.finished()], begunAt: begin)
        return .result(draft.finished())
    }
}

/// Direct checks in flight, in no order.
struct DirectCheckList {
    private(set) var checks: [DirectCheck] = []

    mutating func add(_ check: DirectCheck) {
        check.place = checks.count
        checks.append(check)
    }

    /// Removes a check that is in the list.
    mutating func remove(_ check: DirectCheck) {
        let last = checks.removeLast()
        guard last !== check else { return }
        last.place = check.place
        checks[check.place] = last
    }
}
