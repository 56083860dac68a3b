public import CheckModel

/// An address to listen on, and what is served there.
public struct Listener: Sendable {
    /// What a listener serves. The handler enforces it.
    public enum Purpose: Hashable, Sendable {
        case service
        /// Only liveness, readiness and metrics, without authentication.
        case health
    }

    public let address: ListenAddress
    public let purpose: Purpose
    /// A listening descriptor, whose ownership passes to the service; nil to make one.
    public let inherited: Int32?

    public init(_ address: ListenAddress, purpose: Purpose = .service, inherited: Int32? = nil) {
        self.address = address
        self.purpose = purpose
        self.inherited = inherited
    }
}
