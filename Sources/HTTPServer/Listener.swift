public import NetworkTypes

/// One place to listen on.
public struct Listener: Sendable {
    /// What may be asked there; the handler keeps to it.
    public enum Purpose: Hashable, Sendable {
        case service
        /// Whether the service lives and is ready, and its numbers: nothing that needs a proof of who asks.
        case health
    }

    public let address: ListenAddress
    public let purpose: Purpose
    /// A descriptor that listens there already, for the service to take over; nil where it has to be made.
    public let inherited: Int32?

    public init(_ address: ListenAddress, purpose: Purpose = .service, inherited: Int32? = nil) {
        self.address = address
        self.purpose = purpose
        self.inherited = inherited
    }
}
