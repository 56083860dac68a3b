internal import CLinux
internal import CMicrohttpd
internal import Glibc
internal import SocketIO

// The library's callbacks. They are file-scope functions, because a C function pointer has no isolation.
//
// SAFETY, for all of them: `context` is the HTTPDaemon that started the library. Its worker keeps it until the library has
// been stopped. The library has no thread: it calls back only from MHD_run, MHD_add_connection, MHD_queue_response and
// MHD_stop_daemon, which the HTTPDaemon calls on its worker's thread.

private func daemon(_ context: UnsafeMutableRawPointer?) -> HTTPDaemon? {
    context.map { Unmanaged<HTTPDaemon>.fromOpaque($0).takeUnretainedValue() }
}

/// A connection by its index in the table. The library stores the index plus one, since 0 is its null.
private func connection(_ reference: UnsafeMutableRawPointer?, of daemon: HTTPDaemon) -> Connection? {
    let place = Int(bitPattern: reference) - 1
    return place >= 0 ? daemon.connections[place] : nil
}

func onTarget(
    _ context: UnsafeMutableRawPointer?, _ target: UnsafePointer<CChar>?, _ handle: OpaquePointer?
) -> UnsafeMutableRawPointer? {
    guard let daemon = daemon(context), let target, let handle else { return nil }
    let reference = connectd_mhd_socket_context(handle)
    guard let connection = connection(reference, of: daemon) else { return nil }
    daemon.begin(connection, target: UnsafeRawBufferPointer(start: target, count: strlen(target)))
    return reference
}

func onAccess(
    _ context: UnsafeMutableRawPointer?, _: OpaquePointer?, _ url: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _ data: UnsafePointer<CChar>?,
    _ size: UnsafeMutablePointer<Int>?, _ request: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let daemon = daemon(context), let size, let url, let method, let version,
        let connection = connection(request?.pointee, of: daemon)
    else { return .NO }
    if case .head = connection.phase {
        return daemon.judge(connection, method: bytes(method), url: bytes(url), version: bytes(version))
    }
    if size.pointee == 0 { return daemon.complete(connection) }
    let result = daemon.receive(connection, UnsafeRawBufferPointer(start: data, count: size.pointee))
    // All bytes have been consumed.
    size.pointee = 0
    return result
}

private func bytes(_ text: UnsafePointer<CChar>) -> UnsafePointer<UInt8> {
    // SAFETY: CChar and UInt8 have the same layout.
    UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self)
}

/// The library could send more of a streamed body.
/// - Returns: 0 if it has to wait, or one of the library's two end codes.
func onStream(_ context: UnsafeMutableRawPointer?, _: UInt64, _: UnsafeMutablePointer<CChar>?, _: Int) -> Int {
    guard let context else { return connectd_mhd_end_with_error }
    // SAFETY: the library's response holds a reference, and the library calls this only while that response exists.
    return Unmanaged<BodyStream>.fromOpaque(context).takeUnretainedValue().libraryAsks()
}

func onCompleted(
    _ context: UnsafeMutableRawPointer?, _: OpaquePointer?, _ request: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    _ reason: MHD_RequestTerminationCode
) {
    guard let daemon = daemon(context), let connection = connection(request?.pointee, of: daemon) else { return }
    daemon.requestEnded(connection, isComplete: reason == .REQUEST_TERMINATED_COMPLETED_OK)
}

func onConnection(
    _ context: UnsafeMutableRawPointer?, _ handle: OpaquePointer?,
    _ reference: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ event: MHD_ConnectionNotificationCode
) {
    guard let daemon = daemon(context), let handle, let reference else { return }
    if event == .CONNECTION_NOTIFY_STARTED {
        reference.pointee = daemon.open(handle).flatMap { UnsafeMutableRawPointer(bitPattern: $0 + 1) }
    } else if let connection = connection(reference.pointee, of: daemon), connection.handle == handle {
        daemon.close(connection)
    }
}

@c(connectd_mhd_line)
func onLog(_ context: UnsafeMutableRawPointer?, _ line: UnsafePointer<CChar>?) {
    guard let daemon = daemon(context), let line else { return }
    let text = String(cString: line).prefix { !$0.isNewline }
    if text.hasPrefix("Error processing request") { daemon.refuseUnjudgedHeads() }
    guard !complaints.contains(where: text.contains) else { return }
    daemon.log("libmicrohttpd: \(text)")
}

/// Messages that are not logged. With each response on a UNIX-domain socket, the library sets options that such sockets do
/// not have. Aborted streams are logged by `BodyStream`, with their reason.
private let complaints = [
    "TCP_NODELAY", "TCP_CORK", "Failed to push the data from buffers to the network", "Closing connection (application",
]
