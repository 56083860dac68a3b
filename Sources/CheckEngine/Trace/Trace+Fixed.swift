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

    /// Returns a socket that keeps the port for the trace while none of its probes has it.
    private func hold(_ port: UInt16) throws(Errno) -> Socket {
        let address = plan.request.bind.address ?? endpoint.address.wildcard
        for port in [port, 0] {
            let socket = try Socket(probe.isDatagram ? .udp(address.family) : .tcp(address.family))
            try socket.setReusesAddress()
            do throws(Errno) {
                try socket.bind(to: IPEndpoint(address: address, port: port))
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
        var sent: [Int: MonotonicTime] = [:]
        guard await step(1, from: port, &sent) else { return false }
        await advance(from: port, &sent)
        await repeatSilent(from: port, &sent)
        await advance(from: port, &sent)
        return true
    }

    /// Probes further TTLs, up to the end of the path or a gap.
    private func advance(from port: UInt16, _ sent: inout [Int: MonotonicTime]) async {
        while let fixed, fixed.end == nil, !fixed.endsInGap, refusal == nil, !isOver {
            let ttl = sent.count + 1
            guard ttl <= options.maxTTL else { return }
            _ = await step(ttl, from: port, &sent)
        }
    }

    /// Asks silent hops once more. After two in a row that stay silent at the end of the path, the others are left.
    private func repeatSilent(from port: UInt16, _ sent: inout [Int: MonotonicTime]) async {
        var misses = 0
        for ttl in fixed?.silent ?? [] {
            guard let time = sent[ttl], misses < 2, refusal == nil else { return }
            let due = time.advanced(byNanoseconds: Self.pauseBeforeRepetition)
            guard due < deadline, await plan.reactor.sleep(until: due) == .deadline else { return }
            _ = await step(ttl, from: port, &sent)
            misses = ttl > fixed?.lastAnswered ?? 0 ? misses + 1 : 0
        }
    }

    /// Sends one probe, and waits for its answer.
    /// - Returns: false if the port cannot be used.
    private func step(_ ttl: Int, from port: UInt16, _ sent: inout [Int: MonotonicTime]) async -> Bool {
        let now = Clock.now()
        sent[ttl] = now
        fixed?.noteSent(ttl)
        switch await probe.run(ttl: ttl, from: port, patience: min(patience, max(deadline.since(now), 0))) {
        case .answered(let answer):
            fixed?.note(answer, at: ttl)
            if let fixed { progress.show(fixed) }
        case .unsent(let error):
            fixed?.noteUnsent(ttl)
            if !error.isExhaustion { refusal = error }
            return error.rawValue != EADDRNOTAVAIL
        case .silent, .cancelled: break
        }
        return true
    }
}
