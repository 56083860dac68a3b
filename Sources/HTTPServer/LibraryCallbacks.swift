internal import CLinux
internal import CMicrohttpd
internal import Glibc
internal import SocketIO

// The library's call-backs: file-scope functions, because a C function pointer carries no isolation. Each enters the
// worker that `context` names.
//
// SAFETY, for all of them: `context` is the worker that started the library, alive until it has stopped it; the library
// calls on that worker's thread only, which `assumeIsolated` checks. Pointers cross into the actor as integers since the
// closures are Sendable; they are used before the call-back returns, as long as the library keeps what they point to.

private func worker(_ context: UnsafeMutableRawPointer?) -> HTTPWorker? {
    context.map { Unmanaged<HTTPWorker>.fromOpaque($0).takeUnretainedValue() }
}

/// A place in the worker's table as the library carries it about: 0 is its null.
private func place(_ pointer: UnsafeMutableRawPointer?) -> Int { Int(bitPattern: pointer) - 1 }

func onTarget(
    _ context: UnsafeMutableRawPointer?, _ target: UnsafePointer<CChar>?, _ connection: OpaquePointer?
) -> UnsafeMutableRawPointer? {
    guard let worker = worker(context), let target, let connection else { return nil }
    let reference = connectd_mhd_socket_context(connection)
    let place = place(reference)
    let address = UInt(bitPattern: target)
    worker.assumeIsolated { worker in
        guard place >= 0, let connection = worker.connections[place],
            let start = UnsafePointer<UInt8>(bitPattern: address)
        else { return }
        let length = strlen(UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self))
        worker.begin(connection, target: UnsafeBufferPointer(start: start, count: length))
    }
    return reference
}

func onAccess(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _ url: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _ data: UnsafePointer<CChar>?,
    _ size: UnsafeMutablePointer<Int>?, _ request: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let worker = worker(context), let size, let request else { return .NO }
    let place = place(request.pointee)
    let count = size.pointee
    let (url, method, version) = (UInt(bitPattern: url), UInt(bitPattern: method), UInt(bitPattern: version))
    let data = UInt(bitPattern: data)
    let result = worker.assumeIsolated { worker in
        guard place >= 0, let connection = worker.connections[place] else { return MHD_Result.NO }
        if case .head = connection.phase {
            return worker.judge(connection, method: method, url: url, version: version)
        }
        if count == 0 { return worker.complete(connection) }
        let bytes = UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: data), count: count)
        return worker.receive(connection, bytes)
    }
    // All of it has been used.
    size.pointee = 0
    return result
}

func onCompleted(
    _ context: UnsafeMutableRawPointer?, _: OpaquePointer?, _ request: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    _ reason: MHD_RequestTerminationCode
) {
    guard let worker = worker(context), let request else { return }
    let place = place(request.pointee)
    let isComplete = reason == .REQUEST_TERMINATED_COMPLETED_OK
    worker.assumeIsolated { worker in
        guard place >= 0, let connection = worker.connections[place] else { return }
        worker.requestEnded(connection, isComplete: isComplete)
    }
}

func onConnection(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ reference: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ event: MHD_ConnectionNotificationCode
) {
    guard let worker = worker(context), let reference else { return }
    if event == .CONNECTION_NOTIFY_STARTED {
        let handle = UInt(bitPattern: connection)
        let place = worker.assumeIsolated { worker in OpaquePointer(bitPattern: handle).flatMap { worker.open($0) } }
        reference.pointee = place.flatMap { UnsafeMutableRawPointer(bitPattern: $0 + 1) }
    } else {
        let place = place(reference.pointee)
        worker.assumeIsolated { worker in
            guard place >= 0, let connection = worker.connections[place] else { return }
            worker.close(connection)
        }
    }
}

func onLog(_ context: UnsafeMutableRawPointer?, _ format: UnsafePointer<CChar>?, _ arguments: CVaListPointer?) {
    guard let worker = worker(context), let format, let arguments else { return }
    var buffer = [CChar](repeating: 0, count: 256)
    vsnprintf(&buffer, buffer.count, format, arguments)
    let text = String(decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    if text.hasPrefix("Error processing request"), worker.thread.isCurrent {
        worker.assumeIsolated { $0.refuseMalformedLengths() }
    }
    worker.log("libmicrohttpd: \(text)")
}
