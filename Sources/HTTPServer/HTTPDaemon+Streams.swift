internal import CLinux
internal import CMicrohttpd
internal import SocketIO

extension HTTPDaemon {
    /// A request's stream; nil where the request is over.
    func stream(_ place: Int, _ number: UInt64) -> BodyStream? {
        guard let connection = connections[place], connection.request == number,
            case .streaming(let stream) = connection.phase
        else { return nil }
        return stream
    }

    func breakOffStream(of connection: Connection, because error: ResponseStreamError) {
        if case .streaming(let stream) = connection.phase { stream.breakOff(because: error) }
    }

    /// Reports when the client's socket is writable, at once where it is already. Later reports cost nothing as long as the
    /// socket takes what it is given.
    func watchWritability(of connection: Connection) {
        guard let watch = connection.watch else { return }
        let descriptor = connection.descriptor
        worker.reactor.assumeIsolated {
            try? $0.modify(watch, descriptor, for: .anything, edgeTriggered: true)
        }
    }

    /// Ends a connection so that its client does not take what it got for a complete body: HTTP/1.0 knows no other end
    /// than the connection's. TLS ends without a close_notify, TCP by a reset.
    func resetClient(of connection: Connection) {
        guard !connection.peerHasLeft, connection.handle != nil else { return }
        connection.peerHasLeft = true
        if let relay = relays[connection.relayKey] {
            relay.end()
            return forget(connection.relayKey)
        }
        var option = CLinux.linger(l_onoff: 1, l_linger: 0)
        setsockopt(connection.descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<CLinux.linger>.size))
        if let watch = connection.watch.take() { unwatch(watch, connection.descriptor) }
        // The library would end the writing half first: it gets a socket that has ended in place of this one.
        _ = connectd_mhd_replace(connection.descriptor, endedSocket)
    }
}
