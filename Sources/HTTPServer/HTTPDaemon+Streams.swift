internal import CLinux
internal import CMicrohttpd
internal import SocketIO

extension HTTPDaemon {
    /// The stream of a request's response; nil if the request has ended.
    func stream(_ place: Int, _ number: UInt64) -> BodyStream? {
        guard let connection = connections[place], connection.request == number,
            case .streaming(let stream) = connection.phase
        else { return nil }
        return stream
    }

    func breakOffStream(of connection: Connection, because error: ResponseStreamError) {
        if case .streaming(let stream) = connection.phase { stream.breakOff(because: error) }
    }

    /// Makes the daemon call `noteClient` when the client's socket is writable, or at once if it already is. The watch
    /// remains: the kernel reports only sockets that were full.
    func watchWritability(of connection: Connection) {
        guard let watch = connection.watch else { return }
        let descriptor = connection.descriptor
        worker.reactor.assumeIsolated {
            try? $0.modify(watch, descriptor, for: .anything, edgeTriggered: true)
        }
    }

    /// Ends the connection of an aborted HTTP/1.0 response, so that the client does not take the body for complete. TLS
    /// ends without a close_notify, TCP with a reset. A UNIX-domain socket has no equivalent, and is closed.
    func resetClient(of connection: Connection) {
        guard !connection.peerHasLeft, connection.handle != nil else { return }
        connection.client.advance(to: .left)
        if let relay = relays[connection.relayKey] {
            relay.end()
            return forget(connection.relayKey)
        }
        var option = CLinux.linger(l_onoff: 1, l_linger: 0)
        setsockopt(connection.descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<CLinux.linger>.size))
        if let watch = connection.watch.take() { unwatch(watch, connection.descriptor) }
        // The library would first send a FIN, so it gets an ended socket in place of this one.
        _ = connectd_mhd_replace(connection.descriptor, endedSocket)
    }
}
