internal import CLinux
internal import CMicrohttpd
internal import NetworkTypes
internal import SocketIO

/// Checks a request before the library reads it. The head waits in the kernel until it is complete, and is read there
/// with MSG_PEEK.
///
/// This has three advantages. A connection between requests needs little of the library's memory. Malformed heads get
/// our own problems. A long head goes to the library with the large memory.
extension HTTPDaemon {
    /// How many bytes are peeked at: the longest head and a short body.
    private static var lookedAtBytes: Int { HeadScan.mostBytes + 4096 }

    /// Checks what has arrived on a connection that waits for a request.
    func look(at connection: Connection) {
        var scan = HeadScan()
        var available = 0
        let verdict = scratch.withUnsafeMutableBytes { buffer -> HeadScan.Verdict? in
            repeat {
                available = recv(
                    connection.descriptor, buffer.baseAddress, Self.lookedAtBytes, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)
                )
            } while available < 0 && Errno.current == Errno(EINTR)
            guard available > 0 else { return nil }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<available]).assumingMemoryBound(to: UInt8.self)
            let verdict = scan.scan(bytes)
            // If the client pipelines, the library may already have read the beginning.
            if connection.handle != nil, verdict != .complete, !HeadScan.looksLikeRequest(bytes) { return nil }
            return verdict
        }
        switch verdict {
        case .complete: open(connection, for: scan, available)
        case .refused(let refusal): refuseWaiting(connection, refusal.status, refusal.detail, withoutBody: scan.isHead)
        case .incomplete:
            noteHead(of: connection)
            guard mayWait(for: connection, available) else { return refuseHead(of: connection) }
            if connection.peerHasFinished { endWaiting(connection) }
        case nil: noteNothing(on: connection, available)
        }
    }

    /// Charges what a long unfinished head takes in the kernel, if memory is scarce.
    /// - Returns: false if there is no room.
    private func mayWait(for connection: Connection, _ available: Int) -> Bool {
        guard let buffer = limits.socketBufferBytes, available > Self.shortUnfinishedHead, connection.headCharge == nil
        else { return true }
        connection.headCharge = MemoryCharge(buffer, for: .heads, in: limits.memory)
        return connection.headCharge != nil
    }

    private static var shortUnfinishedHead: Int { 4096 }

    private func refuseHead(of connection: Connection) {
        limits.memory.noteRefusal(of: .heads)
        refuseWaiting(connection, 503, "Too much memory is in use by request heads.", withoutBody: false)
    }

    private func noteNothing(on connection: Connection, _ available: Int) {
        let error = Errno.current
        if available == 0 || available < 0 && error != Errno(EAGAIN) {
            return endWaiting(connection)
        }
        // The library has read these bytes, or the beginning of the request.
        guard let handle = connection.handle else { return }
        connection.gate = .free
        lookFirst(at: connection, false)
        MHD_resume_connection(handle)
        runSoon(for: connection)
    }

    /// Passes a complete head to an instance of the library.
    private func open(_ connection: Connection, for scan: HeadScan, _ available: Int) {
        noteHead(of: connection)
        noteBusy(connection)
        let body = scan.isChunked ? nil : scan.contentLength ?? 0
        let total = body.map { UInt64(scan.length) + $0 }
        // A client that has ended its side cannot send the rest. The library would wait for it until the deadline.
        if let total, total > UInt64(available), available < Self.lookedAtBytes, connection.peerHasFinished {
            return refuseWaiting(
                connection, 400, "The body is shorter than its Content-Length.", withoutBody: scan.isHead)
        }
        let need = scan.length + (scan.fieldCount + scan.argumentCount) * HTTPLimits.partBytes
        let isUsual = need <= HTTPLimits.usualHeadBytes
        if let total, total > UInt64(available), total <= UInt64(HTTPLimits.usualHeadBytes), !scan.expectsContinue,
            mayAwaitBody(of: connection)
        {
            return
        }
        connection.bodyWait = 0
        let isWhole = total.map { $0 == UInt64(available) } ?? false
        if isUsual, isWhole || connection.handle != nil && !connection.isLarge {
            return hand(connection, isLarge: false, isWhole: isWhole)
        }
        handLarge(connection, need: need, isUsual: isUsual, isWhole: isWhole)
    }

    /// Whether to wait for a short body. It usually follows its head at once, and the library then reads no byte of the
    /// next request.
    private func mayAwaitBody(of connection: Connection) -> Bool {
        let now = Clock.now()
        if connection.bodyWait == 0 {
            connection.bodyWait = now.advanced(byMilliseconds: Self.bodyWaitMilliseconds).nanoseconds
            armBodyTimer(at: connection.bodyWait)
        }
        return connection.bodyWait > now.nanoseconds && !connection.peerHasFinished
    }

    private static var bodyWaitMilliseconds: Int { 30 }

    func endBodyWaits() {
        bodyTimerDue = .max
        let now = Clock.now().nanoseconds
        var next = UInt64.max
        for case let connection? in connections where connection.bodyWait > 0 && connection.gate == .waiting {
            if connection.bodyWait <= now { look(at: connection) } else { next = min(next, connection.bodyWait) }
        }
        if next < .max { armBodyTimer(at: next) }
    }

    private func hand(_ connection: Connection, isLarge: Bool, isWhole: Bool) {
        connection.gate = isWhole ? .open : .free
        if let handle = connection.handle {
            if !isWhole { lookFirst(at: connection, false) }
            MHD_resume_connection(handle)
            runSoon(for: connection)
        } else if isRunning {
            give(connection, isLarge: isLarge)
        } else {
            connection.gate = .waiting
            endWaiting(connection)
        }
    }

    /// Passes the request to the instance with the large memory, which is charged. If there is no room, a head that would fit
    /// goes to a usual instance.
    private func handLarge(_ connection: Connection, need: Int, isUsual: Bool, isWhole: Bool) {
        if connection.handle != nil, !connection.isLarge {
            // The new descriptor's first event calls `look` again.
            if !takeBack(connection) {
                refuseWaiting(
                    connection, 503, "No file descriptor is free for a long request head.", withoutBody: false)
            }
            return
        }
        let charge = isWhole ? 2 * need + 32_768 : HTTPLimits.largeMemoryBytes
        connection.headCharge = MemoryCharge(charge, for: .heads, in: limits.memory)
        if connection.headCharge != nil { return hand(connection, isLarge: true, isWhole: isWhole) }
        // A connection that is still in the large library already uses its memory, and needs the charge.
        if isUsual, !connection.isLarge { return hand(connection, isLarge: false, isWhole: false) }
        refuseHead(of: connection)
    }

    /// Takes a connection between requests back from the library, and gives the library an ended socket in its place.
    /// - Returns: false if there is no descriptor.
    private func takeBack(_ connection: Connection) -> Bool {
        guard let handle = connection.handle else { return true }
        let copy = connectd_duplicate(connection.descriptor)
        guard copy >= 0 else { return false }
        if let watch = connection.watch { unwatch(watch, connection.descriptor) }
        guard connectd_mhd_replace(connection.descriptor, endedSocket) >= 0 else {
            CLinux.close(copy)
            return false
        }
        MHD_resume_connection(handle)
        runSoon(for: connection)
        leaveLibrary(connection)
        connection.handle = nil
        connection.isSeenFirst = false
        connection.headCharge = nil
        connection.descriptor = copy
        if !watchClient(of: connection) { closeWaiting(connection) }
        return true
    }

    /// Suspends connections whose request has ended until the next one. Called after each run of the library.
    func closeGates() {
        guard !ended.isEmpty else { return }
        for place in ended {
            guard let connection = connections[place], let handle = connection.handle, connection.gate == .open,
                case .idle = connection.phase
            else { continue }
            MHD_suspend_connection(handle)
            connection.gate = .waiting
            if connection.peerHasLeft {
                endWaiting(connection)
            } else if connection.peerHasFinished {
                look(at: connection)
            } else if connection.isLarge {
                _ = takeBack(connection)
            }
        }
        ended.removeAll(keepingCapacity: true)
    }

    /// Sends a problem on a connection that waits for a request, and ends it.
    func refuseWaiting(_ connection: Connection, _ status: Int, _ detail: String, withoutBody: Bool) {
        PlainAnswer.send(
            handler.problem(status: status, detail: detail), to: connection.descriptor, withoutBody: withoutBody)
        connection.mustLinger = true
        // The library must not read the refused request.
        if !takeBack(connection) { connection.client.advance(to: .left) }
        if connections[connection.index] === connection { endWaiting(connection) }
    }

    /// Ends a connection that waits for a request.
    func endWaiting(_ connection: Connection) {
        // The library must not read the unfinished request.
        if case .head = connection.phase, connection.handle != nil, takeBack(connection),
            connections[connection.index] !== connection
        {
            return
        }
        guard let handle = connection.handle else { return closeWaiting(connection) }
        connection.gate = .free
        shutdown(connection.descriptor, Int32(SHUT_RD))
        if connection.peerHasLeft { shutdown(connection.descriptor, Int32(SHUT_RDWR)) }
        MHD_resume_connection(handle)
        runSoon(for: connection)
    }

    /// Ends a connection, whether or not the library has it.
    func end(_ connection: Connection) {
        if connection.gate == .waiting {
            connection.client.advance(to: .left)
            return endWaiting(connection)
        }
        shutdown(connection.descriptor, Int32(SHUT_RDWR))
    }
}
