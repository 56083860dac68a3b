internal import CNATS

/// The C library libnats, which is loaded with dlopen(3) on the first use.
enum NATSLibrary {
    /// - Throws: a sentence that says why the library cannot be loaded, and what to install.
    static func load() throws(NATSFailure) -> UnsafePointer<connectd_nats> {
        var reason: UnsafePointer<CChar>?
        if let table = connectd_nats_load(&reason) { return table }
        let text = reason.map { String(cString: $0) } ?? "unknown reason"
        throw NATSFailure("libnats cannot be loaded: \(text). Install the package libnats3.4.")
    }
}

/// Why an operation of the NATS client failed.
public struct NATSFailure: Error, Sendable, CustomStringConvertible {
    /// A sentence for people.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
