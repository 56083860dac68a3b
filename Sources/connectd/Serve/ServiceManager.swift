import CLinux
import Configuration
import NetworkTypes
import SocketIO

/// Notifies systemd: sd_notify(3), one datagram per state. Without NOTIFY_SOCKET it sends nothing.
struct ServiceManager: Sendable {
    private let address: UnixAddress?
    /// Half of the watchdog timeout; nil without a watchdog.
    let watchdogMilliseconds: Int?

    init(environment: [String: String], process: Int32) {
        address = environment["NOTIFY_SOCKET"].flatMap(Self.address)
        let isWatched = environment["WATCHDOG_PID"].map { Int32($0) == process } ?? true
        let interval = environment["WATCHDOG_USEC"].flatMap(Int.init) ?? 0
        watchdogMilliseconds = address != nil && isWatched && interval > 0 ? max(interval / 2000, 1) : nil
    }

    /// A path, or an abstract name after `@`; nil for others (vsock), which are ignored.
    private static func address(_ text: String) -> UnixAddress? {
        switch text.utf8.first {
        case UInt8(ascii: "/"): .path(Array(text.utf8))
        case UInt8(ascii: "@"): .abstract(Array(text.utf8.dropFirst()))
        case _: nil
        }
    }

    /// The status text of a running service for `systemctl status`.
    static func status(listening addresses: [ListenAddress], isReloadRefused: Bool = false) -> String {
        "listening on " + addresses.map(\.text).joined(separator: ", ")
            + (isReloadRefused ? "; the last reload was rejected, the log says why" : "")
    }

    func ready(_ status: String) { send("READY=1\nSTATUS=\(status)") }

    /// MONOTONIC_USEC lets systemd distinguish this reload from an earlier one.
    func reloading() { send("RELOADING=1\nMONOTONIC_USEC=\(Clock.now().nanoseconds / 1000)\nSTATUS=reloading") }

    func stopping() { send("STOPPING=1\nSTATUS=draining") }

    func isAlive() { send("WATCHDOG=1") }

    /// Ignores errors: a manager that is missing or does not read must not stop the service.
    private func send(_ text: String) {
        guard let address, let socket = try? SystemCall.socket(domain: AF_UNIX, type: connectd_sock_dgram) else {
            return
        }
        let number = socket.rawValue
        try? SocketName.withName(of: address) { (name, length) throws(Errno) in
            let bytes = Array(text.utf8)
            guard sendto(number, bytes, bytes.count, Int32(MSG_NOSIGNAL), name, length) == bytes.count else {
                throw .current
            }
        }
    }
}

/// Sends watchdog notifications, each only after every thread of the service has run: a hanging thread stops them.
struct Watchdog {
    private let task: Task<Void, Never>

    /// nil without a watchdog.
    /// - Parameter reactors: at least one, on whose thread the watchdog runs.
    init?(_ manager: ServiceManager, over reactors: [Reactor]) {
        guard let interval = manager.watchdogMilliseconds else { return nil }
        let first = reactors[0]
        task = Task(executorPreference: first.thread) {
            while !Task.isCancelled {
                for reactor in reactors { _ = await reactor.sleep(until: Clock.now()) }
                manager.isAlive()
                _ = await first.sleep(until: Clock.now().advanced(byMilliseconds: interval))
            }
        }
    }

    func stop() {
        task.cancel()
    }
}

/// Sockets of systemd socket activation: sd_listen_fds(3), read from the environment.
struct SocketActivation {
    /// Sockets with the name `health` are health listeners.
    private(set) var sockets: [(address: ListenAddress, isHealth: Bool, descriptor: Int32)] = []

    /// SD_LISTEN_FDS_START.
    private static let firstDescriptor: Int32 = 3

    /// - Throws: The problem with one of the sockets; then it uses none of them.
    init(environment: [String: String], process: Int32) throws(SocketActivationError) {
        guard environment["LISTEN_PID"].flatMap(Int32.init) == process,
            let count = environment["LISTEN_FDS"].flatMap(Int32.init), count > 0
        else { return }
        let names = environment["LISTEN_FDNAMES"]?.split(separator: ":", omittingEmptySubsequences: false) ?? []
        for index in 0..<count {
            let descriptor = Self.firstDescriptor + index
            let name = names.indices.contains(Int(index)) ? String(names[Int(index)]) : "unknown"
            let address = try InheritedSocket.prepare(descriptor, name: name)
            if sockets.contains(where: { $0.address.isSameSocket(as: address) }) {
                throw SocketActivationError(
                    descriptor: descriptor, name: name, reason: "listens on \(address.text), which is a duplicate")
            }
            sockets.append((address, name == "health", descriptor))
        }
    }

    var addresses: InheritedAddresses {
        var addresses = InheritedAddresses()
        addresses.listen = sockets.filter { !$0.isHealth }.map(\.address)
        addresses.healthListen = sockets.filter(\.isHealth).map(\.address)
        return addresses
    }

    /// The inherited descriptor that already listens on this address.
    func descriptor(for address: ListenAddress, isHealth: Bool) -> Int32? {
        sockets.first { $0.isHealth == isHealth && $0.address.isSameSocket(as: address) }?.descriptor
    }
}

/// The reason why an inherited socket cannot be used.
struct SocketActivationError: Error, CustomStringConvertible {
    let descriptor: Int32
    let name: String
    let reason: String

    var description: String { "socket \(descriptor) (\(name)) of LISTEN_FDS \(reason)" }
}

/// Validates and prepares a descriptor that another process opened.
enum InheritedSocket {
    /// Makes it non-blocking and close-on-exec.
    /// - Returns: The address that it listens on.
    static func prepare(_ descriptor: Int32, name: String) throws(SocketActivationError) -> ListenAddress {
        func fail(_ reason: String) -> SocketActivationError {
            SocketActivationError(descriptor: descriptor, name: name, reason: reason)
        }
        guard let type = option(SO_TYPE, of: descriptor) else { throw fail("is not a socket") }
        guard type == connectd_sock_stream else { throw fail("is not a stream socket") }
        guard option(SO_ACCEPTCONN, of: descriptor) == 1 else {
            throw fail("does not listen; use Accept=no in the socket unit, because connectd accepts connections itself")
        }
        guard let address = SocketName.listenAddress(of: descriptor) else {
            throw fail("does not listen on an IP address or a path")
        }
        guard connectd_set_nonblocking(descriptor) == 0, connectd_set_close_on_exec(descriptor) == 0 else {
            throw fail("cannot be made non-blocking")
        }
        return address
    }

    /// getsockopt(2) of an int at SOL_SOCKET.
    private static func option(_ name: Int32, of descriptor: Int32) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
    }
}

extension SocketName {
    /// getsockname(2) of a listening socket; nil for an abstract name, another family, or none.
    fileprivate static func listenAddress(of descriptor: Int32) -> ListenAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) {
            // SAFETY: the kernel writes a socket address of at most `length` bytes.
            getsockname(descriptor, UnsafeMutableRawPointer($0).assumingMemoryBound(to: sockaddr.self), &length)
        }
        guard result == 0 else { return nil }
        if let endpoint = endpoint(from: storage) { return .ip(endpoint) }
        guard Int32(storage.ss_family) == AF_UNIX else { return nil }
        let path = withUnsafeBytes(of: storage) { bytes in
            Array(bytes.prefix(Int(length)).dropFirst(MemoryLayout<sa_family_t>.size).prefix { $0 != 0 })
        }
        return path.isEmpty ? nil : .unix(path: path)
    }
}
