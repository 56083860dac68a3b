internal import CNATS

/// The functions of libnats, for all threads.
///
/// SAFETY of `@unchecked`: the table is written once, before `connectd_nats_load` returns its address, and is constant.
struct NATSFunctions: @unchecked Sendable {
    let table: UnsafePointer<connectd_nats>

    /// - Throws: what the library says about a status other than NATS_OK.
    func check(_ status: natsStatus, _ what: String) throws(NATSFailure) {
        guard status != NATS_OK else { return }
        throw NATSFailure("\(what): \(text(of: status))")
    }

    func text(of status: natsStatus) -> String {
        table.pointee.natsStatus_GetText(status).map { String(cString: $0) } ?? "status \(status.rawValue)"
    }

    /// What the library noted about the last failure of a connection; empty if nothing.
    func lastError(of connection: OpaquePointer?) -> String {
        var text: UnsafePointer<CChar>?
        guard let connection, table.pointee.natsConnection_GetLastError(connection, &text) != NATS_OK else { return "" }
        return text.map { String(cString: $0) } ?? ""
    }

    /// The broker that a connection is connected to.
    func server(of connection: OpaquePointer?) -> String {
        var buffer = [CChar](repeating: 0, count: 512)
        guard let connection, table.pointee.natsConnection_GetConnectedUrl(connection, &buffer, buffer.count) == NATS_OK
        else { return "unknown" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// A connection of the library.
///
/// SAFETY of `@unchecked`: the library locks it, and it exists until its owner, the thread of the session, destroys it
/// and has removed it from where other threads find it.
struct NATSConnectionHandle: @unchecked Sendable {
    let pointer: OpaquePointer
}
