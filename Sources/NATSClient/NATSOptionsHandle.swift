internal import CLinux
internal import CNATS

/// The options of the library for one connect; destroyed with this object.
final class NATSOptionsHandle {
    let pointer: OpaquePointer
    private let functions: NATSFunctions

    /// - Parameters:
    ///   - closure: the argument of the callbacks, from `NATSCallbacks.register`; nil for a trial without a connect.
    /// - Throws: an option that the library rejects, such as a certificate file that it cannot read.
    init(
        _ options: NATSOptions, _ functions: NATSFunctions, closure: UnsafeMutableRawPointer?
    ) throws(NATSFailure) {
        var created: OpaquePointer?
        try functions.check(functions.table.pointee.natsOptions_Create(&created), "options of libnats")
        guard let created else { throw NATSFailure("options of libnats: none were made") }
        pointer = created
        self.functions = functions
        try setServers(options)
        try setCredentials(options)
        try setTLS(options)
        try setTimes()
        try setCallbacks(closure)
    }

    deinit { functions.table.pointee.natsOptions_Destroy(pointer) }

    private var table: connectd_nats { functions.table.pointee }

    private func setServers(_ options: NATSOptions) throws(NATSFailure) {
        let copies = options.servers.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        var servers = copies.map { UnsafePointer<CChar>($0) }
        try functions.check(
            table.natsOptions_SetServers(pointer, &servers, Int32(servers.count)),
            "servers \(options.servers.joined(separator: ", "))")
        try functions.check(table.natsOptions_SetName(pointer, options.name), "name")
    }

    private func setCredentials(_ options: NATSOptions) throws(NATSFailure) {
        switch options.credentials {
        case nil: break
        case .file(let path):
            try functions.check(
                table.natsOptions_SetUserCredentialsFromFiles(pointer, path, nil), "credentials \(path)")
        case .token(let token): try functions.check(table.natsOptions_SetToken(pointer, token), "token")
        case .user(let user, let password):
            try functions.check(table.natsOptions_SetUserInfo(pointer, user, password), "user")
        }
    }

    private func setTLS(_ options: NATSOptions) throws(NATSFailure) {
        guard options.isSecure else { return }
        try functions.check(table.natsOptions_SetSecure(pointer, true), "TLS")
        if let authorities = options.authorities {
            try functions.check(table.natsOptions_SetCATrustedCertificates(pointer, authorities), "authorities")
        }
        if let (path, keyPath) = options.certificate {
            try functions.check(
                table.natsOptions_LoadCertificatesChain(pointer, path, keyPath),
                "certificate \(path) with key \(keyPath)")
        }
    }

    private func setTimes() throws(NATSFailure) {
        try functions.check(table.natsOptions_SetTimeout(pointer, 2000), "timeout")
        try functions.check(table.natsOptions_SetMaxReconnect(pointer, -1), "reconnects")
        try functions.check(table.natsOptions_SetReconnectWait(pointer, 500), "wait for a reconnect")
        try functions.check(table.natsOptions_SetReconnectJitter(pointer, 500, 500), "jitter of reconnects")
        // Half-open connections are found within half a minute.
        try functions.check(table.natsOptions_SetPingInterval(pointer, 10_000), "ping interval")
        try functions.check(table.natsOptions_SetMaxPingsOut(pointer, 2), "pings")
        try functions.check(table.natsOptions_SetWriteDeadline(pointer, 2000), "write deadline")
        // Otherwise each message waits a millisecond for further ones.
        try functions.check(table.natsOptions_SetSendAsap(pointer, true), "sending at once")
        // One thread for all subscriptions, instead of one for each.
        try functions.check(table.natsOptions_UseGlobalMessageDelivery(pointer, true), "delivery")
    }

    private func setCallbacks(_ closure: UnsafeMutableRawPointer?) throws(NATSFailure) {
        try functions.check(
            table.natsOptions_SetDisconnectedCB(
                pointer, { NATSCallbacks.from($1)?.noteDisconnected($0) }, closure), "callback")
        try functions.check(
            table.natsOptions_SetReconnectedCB(
                pointer, { NATSCallbacks.from($1)?.noteReconnected($0) }, closure), "callback")
        try functions.check(
            table.natsOptions_SetClosedCB(pointer, { NATSCallbacks.from($1)?.noteClosed($0) }, closure), "callback")
        try functions.check(
            table.natsOptions_SetErrorHandler(
                pointer, { NATSCallbacks.from($3)?.noteError($2, of: $0, $1) }, closure), "callback")
    }
}
