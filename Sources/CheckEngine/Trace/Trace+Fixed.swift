internal import CLinux
internal import CheckModel
internal import NetworkTypes
internal import SocketIO

// One TTL after another from one source port, so that all probes take the same path.
extension Trace {
    /// - Parameter requested: the source port; 0 lets the kernel choose.
    func followOnePath(from requested: UInt16) async {
        fixed = TraceObservations()
        guard await hasSecondSocket() else { return }
        do throws(Errno) {
            var holder = try hold(requested)
            if try await !follow(from: holder) {
                // The check itself has just used the requested port, so this connection is still in TIME_WAIT.
                holder = try hold(0)
                _ = try await follow(from: holder)
            }
        } catch {
            if !error.isExhaustion { refusal = error }
        }
    }

    /// Waits for a socket in addition to the one that the permit covers: one holds the port, and one probes.
    private func hasSecondSocket() async -> Bool {
        if share.takeAtOnce(upTo: 1) == 1 { return true }
        let isGranted = await share.requestOne().isGranted(on: plan.reactor, of: plan.admission, until: deadline)
        share.noteAnswer(isGranted)
        return isGranted
    }

    /// Returns a socket that has the port during the trace. A connect needs a socket of its own for each probe, and this
    /// one keeps the port in between. Datagrams are all sent from this one.
    private func hold(_ port: UInt16) throws(Errno) -> Socket {
        let family = endpoint.address.family
        for port in [port, 0] {
            let socket = try Socket(probe.isDatagram ? .udp(family) : .tcp(family))
            do throws(Errno) {
                if probe.isDatagram {
                    try probe.prepare(socket, ttl: 1, from: port)
                    _ = try socket.connect(to: .ip(endpoint))
                } else {
                    try socket.setReusesAddress()
                    let address = plan.request.bind.address ?? endpoint.address.wildcard
                    try socket.bind(to: IPEndpoint(address: address, port: port))
                }
                return socket
            } catch {
                guard port != 0, error.rawValue == EADDRINUSE else { throw error }
            }
        }
        throw Errno(EADDRINUSE)
    }

    /// - Returns: false if the port cannot be used for this target.
    private func follow(from holder: borrowing Socket) async throws(Errno) -> Bool {
        guard let port = holder.localName()?.port else { throw .current }
        sourcePort = port
        let token = try plan.reactor.addOnThread(holder.number, for: .anything)
        defer { plan.reactor.removeOnThread(token) }
        var sent: [Int: MonotonicTime] = [:]
        guard await step(1, from: holder, token, &sent) else { return false }
        await advance(from: holder, token, &sent)
        await repeatSilent(from: holder, token, &sent)
        await advance(from: holder, token, &sent)
        return true
    }

    /// Probes further TTLs, up to the end of the path or a gap.
    private func advance(
        from holder: borrowing Socket, _ token: SlotToken, _ sent: inout [Int: MonotonicTime]
    ) async {
        while let fixed, fixed.end == nil, !fixed.endsInGap, refusal == nil, !isOver {
            let ttl = sent.count + 1
            guard ttl <= options.maxTTL else { return }
            _ = await step(ttl, from: holder, token, &sent)
        }
    }

    /// Asks silent hops once more. After two in a row that stay silent at the end of the path, the others are left.
    private func repeatSilent(
        from holder: borrowing Socket, _ token: SlotToken, _ sent: inout [Int: MonotonicTime]
    ) async {
        var misses = 0
        for ttl in fixed?.silent ?? [] {
            guard let time = sent[ttl], misses < 2, refusal == nil else { return }
            let due = time.advanced(byNanoseconds: Self.pauseBeforeRepetition)
            guard due < deadline, await plan.reactor.sleep(until: due) == .deadline else { return }
            _ = await step(ttl, from: holder, token, &sent)
            misses = ttl > fixed?.lastAnswered ?? 0 ? misses + 1 : 0
        }
    }

    /// Sends one probe, and waits for its answer.
    /// - Returns: false if the port cannot be used.
    private func step(
        _ ttl: Int, from holder: borrowing Socket, _ token: SlotToken, _ sent: inout [Int: MonotonicTime]
    ) async -> Bool {
        let now = Clock.now()
        sent[ttl] = now
        fixed?.noteSent(ttl)
        let patience = min(patience, max(deadline.since(now), 0))
        let outcome =
            if probe.isDatagram {
                await probe.sendAgain(on: holder, token, ttl: ttl, patience: patience)
            } else {
                await probe.run(ttl: ttl, from: sourcePort ?? 0, patience: patience)
            }
        switch outcome {
        case .answered(let answer):
            fixed?.note(answer, at: ttl)
            if let fixed { progress.show(fixed, others: varied) }
        case .unsent(let error):
            fixed?.noteUnsent(ttl)
            if !error.isExhaustion { refusal = error }
            return error.rawValue != EADDRNOTAVAIL
        case .silent, .cancelled: break
        }
        return true
    }
}
