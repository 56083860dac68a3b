internal import CAres
internal import CLinux
internal import Glibc
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// The system calls of c-ares.
///
/// They are ours because of answers that are a header alone: a server that cannot read a query may send one (RFC 1035,
/// section 4.1.1). c-ares drops it, because it does not repeat the question, and the query would end as a timeout. So the
/// question is added to it.
enum ChannelSockets {
    // SAFETY: c-ares keeps the address. The functions are written here, before the first channel, and never again.
    nonisolated(unsafe) static let functions: UnsafeMutablePointer<ares_socket_functions> = {
        let functions = UnsafeMutablePointer<ares_socket_functions>.allocate(capacity: 1)
        functions.initialize(
            to: ares_socket_functions(
                asocket: openSocket, aclose: closeSocket, aconnect: connectSocket, arecvfrom: receiveMessage,
                asendv: sendMessage))
        return functions
    }()

    /// The buffers of a socket, for a burst of queries or answers. The kernel may grant less.
    fileprivate static let bufferBytes: Int32 = 1 << 20
}

extension Resolver {
    /// The question that a header alone answers, as the query has it.
    /// - Returns: nil for another message, or without a query with its ID.
    fileprivate func question(answeredBy message: [UInt8], ofChannel identifier: Int) -> [UInt8]? {
        guard let header = MessageHeader(message), header.isResponse, header.isQuery, !header.isTruncated,
            header.responseCode != 0, header.questionCount == 0, header.answerCount == 0
        else { return nil }
        let waiting = groups.channel(identifier)?.waiting.values.first { $0.identifier == header.identifier }
        guard let key = waiting.flatMap({ questions[$0.question]?.key }) else { return nil }
        return QueryMessage(name: key.name, type: key.type)?.question
    }
}

// C callbacks are functions at file scope without isolation: inside an actor's method they would assert its executor.

/// Does what c-ares does for its own sockets: no blocking, buffers, and the interface of the server's zone.
private func openSocket(
    _ domain: Int32, _ type: Int32, _ protocolNumber: Int32, _ data: UnsafeMutableRawPointer?
) -> ares_socket_t {
    let number = socket(domain, type | connectd_sock_nonblock | connectd_sock_cloexec, protocolNumber)
    guard number >= 0 else { return number }
    for name in [SO_SNDBUF, SO_RCVBUF] {
        try? SystemCall.setOption(number, level: SOL_SOCKET, name: name, value: ChannelSockets.bufferBytes)
    }
    // It may be forbidden; then the kernel's routes decide.
    if let interface = channelContext(data)?.interface {
        _ = interface.withCString {
            setsockopt(number, SOL_SOCKET, SO_BINDTODEVICE, $0, socklen_t(interface.utf8.count))
        }
    }
    return number
}

private func closeSocket(_ number: ares_socket_t, _ data: UnsafeMutableRawPointer?) -> Int32 {
    close(number)
}

private func connectSocket(
    _ number: ares_socket_t, _ name: UnsafePointer<sockaddr>?, _ length: ares_socklen_t,
    _ data: UnsafeMutableRawPointer?
) -> Int32 {
    connect(number, name, length)
}

private func sendMessage(
    _ number: ares_socket_t, _ parts: UnsafePointer<iovec>?, _ count: Int32, _ data: UnsafeMutableRawPointer?
) -> ares_ssize_t {
    if let parts, count > 0, parts[0].iov_len >= MessageHeader.length, let bytes = parts[0].iov_base {
        // SAFETY: the part has at least the 12 bytes of a header, whose first two are the ID.
        let first = bytes.assumingMemoryBound(to: UInt8.self)
        channelContext(data)?.lastIdentifier.store(UInt16(first[0]) << 8 | UInt16(first[1]), ordering: .relaxed)
    }
    var sent: Int
    repeat { sent = writev(number, parts, count) } while sent < 0 && errno == EINTR
    return sent
}

private func receiveMessage(
    _ number: ares_socket_t, _ buffer: UnsafeMutableRawPointer?, _ size: Int, _ flags: Int32,
    _ name: UnsafeMutablePointer<sockaddr>?, _ length: UnsafeMutablePointer<ares_socklen_t>?,
    _ data: UnsafeMutableRawPointer?
) -> ares_ssize_t {
    var count: Int
    repeat { count = recvfrom(number, buffer, size, flags, name, length) } while count < 0 && errno == EINTR
    if count < 0, let context = channelContext(data) {
        let error = Errno.current
        if error.rawValue == ENOMEM || error.rawValue == ENOBUFS {
            context.resolver.assumeIsolated { $0.noteShortage(error, ofChannel: context.identifier) }
            // c-ares would take it for a failure of the server. The message stays in the socket, and the next turn reads it.
            errno = EAGAIN
        } else {
            errno = error.rawValue
        }
    }
    guard count == MessageHeader.length, let buffer, let context = channelContext(data) else { return count }
    // SAFETY: the kernel has written `count` bytes of the buffer.
    let message = Array(UnsafeRawBufferPointer(start: buffer, count: count))
    let question = context.resolver.assumeIsolated {
        $0.question(answeredBy: message, ofChannel: context.identifier)
    }
    guard let question, count + question.count <= size else { return count }
    // SAFETY: the buffer has `size` bytes.
    let bytes = UnsafeMutableRawBufferPointer(start: buffer, count: size)
    bytes[5] = 1  // QDCOUNT
    for (offset, byte) in question.enumerated() { bytes[count + offset] = byte }
    return count + question.count
}

private func channelContext(_ data: UnsafeMutableRawPointer?) -> ChannelContext? {
    // SAFETY: the pointer is that of the channel's own context, which lives longer than its sockets.
    data.map { Unmanaged<ChannelContext>.fromOpaque($0).takeUnretainedValue() }
}
