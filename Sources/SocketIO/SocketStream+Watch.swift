internal import CLinux
public import NetworkTypes

// For a connection that is only watched: nothing is read, so that a later reader gets every byte.
extension SocketStream {
    /// What the peer did so far, as poll(2) shows it.
    public enum PeerState: Hashable, Sendable {
        /// Nothing.
        case open
        /// It sent data that was not read, and its side is open.
        case hasData
        /// It closed the connection, or its half of it.
        case closed
        /// The pending error of the connection; it is pending no longer.
        case failed(Errno)
    }

    public func peerState() -> PeerState {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN) | connectd_poll_rdhup, revents: 0)
        guard poll(&entry, 1, 0) > 0 else { return .open }
        let events = Int32(entry.revents)
        if events & POLLERR != 0, let error = (try? SystemCall.takePendingError(descriptor)) ?? nil {
            return .failed(error)
        }
        if events & (Int32(connectd_poll_rdhup) | POLLHUP) != 0 { return .closed }
        return events & POLLIN != 0 ? .hasData : .open
    }

    /// Waits until the peer closes the connection or an error ends it.
    /// - Parameters:
    ///   - limit: when the wait ends.
    ///   - noteData: called once, when data has arrived.
    /// - Returns: `open` or `hasData` at the limit; `closed` or `failed` as soon as that is known.
    /// - Throws: `cancelled`.
    public func watchPeer(
        until limit: MonotonicTime, noteData: () -> Void
    ) async throws(Failure) -> PeerState {
        var hasData = false
        while true {
            let state = peerState()
            switch state {
            case .closed, .failed: return state
            case .hasData:
                if !hasData { noteData() }
                hasData = true
            case .open: break
            }
            if Clock.now() >= limit { return state }
            do throws(Failure) {
                // Further data does not matter: a peer that sends without end must not keep this thread busy.
                try await wait(for: hasData ? .peerClosed : [.readable, .peerClosed], until: limit)
            } catch {
                guard error == .deadline else { throw error }
            }
        }
    }
}
