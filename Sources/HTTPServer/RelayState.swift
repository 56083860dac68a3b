/// How far each direction of a TLS relay has come. Values alone: `TLSRelay` does what follows from them.
struct RelayState: Equatable {
    /// From the client to the library.
    enum Inbound: Equatable {
        case open
        /// The library takes no more, or the client broke the protocol: what comes is read and thrown away.
        case discarding
        /// The client sends no more. What it sent before may still be on its way.
        case ended
        case endedDiscarding
    }

    /// From the library to the client.
    enum Outbound: Equatable {
        case open
        /// The library has closed its end; what it wrote before has not all been read.
        case draining
        /// Nothing more comes from the library; the last TLS records are being sent.
        case flushing
        /// The client has everything, and has been told that no more comes.
        case finished
    }

    enum Event: CaseIterable {
        /// The client has shut down its writing half, or sent a close_notify.
        case clientFinished
        /// The library accepts no more bytes.
        case libraryStoppedReading
        /// The library has closed its end.
        case libraryClosed
        /// The last byte of the library has been read.
        case libraryFinished
        /// The client broke the protocol, or OpenSSL failed.
        case protocolFailed
        /// The last TLS record has left.
        case flushed
    }

    var inbound = Inbound.open
    var outbound = Outbound.open

    /// Whether the client may still send.
    var mayReceive: Bool { inbound == .open || inbound == .discarding }

    /// Whether what the client sends is of no more use.
    var discards: Bool { inbound == .discarding || inbound == .endedDiscarding }

    /// Whether the library may still have something to send.
    var mayRelay: Bool { outbound == .open || outbound == .draining }

    /// The state after an event.
    mutating func apply(_ event: Event) {
        switch event {
        case .clientFinished:
            inbound = discards ? .endedDiscarding : .ended
        case .libraryStoppedReading:
            discard()
        case .libraryClosed:
            discard()
            if outbound == .open { outbound = .draining }
        case .libraryFinished:
            if mayRelay { outbound = .flushing }
        case .protocolFailed:
            discard()
            if mayRelay { outbound = .flushing }
        case .flushed:
            if outbound == .flushing { outbound = .finished }
        }
    }

    private mutating func discard() {
        inbound = mayReceive ? .discarding : .endedDiscarding
    }
}
