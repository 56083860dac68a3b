import CLinux
import Configuration
import NetworkTypes
import SocketIO

/// Tells systemd how the service is: sd_notify(3), one datagram for each state. Without NOTIFY_SOCKET nothing is sent.
struct ServiceManager: Sendable {
    private let address: UnixAddress?
    /// Half of what the manager waits for a sign of life; nil where it does not watch.
    let watchdogMilliseconds: Int?

    init(environment: [String: String], process: Int32) {
        address = environment["NOTIFY_SOCKET"].flatMap(Self.address)
        let isWatched = environment["WATCHDOG_PID"].map { Int32($0) == process } ?? true
        let interval = environment["WATCHDOG_USEC"].flatMap(Int.init) ?? 0
        watchdogMilliseconds = address != nil && isWatched && interval > 0 ? max(interval / 2000, 1) : nil
    }

    /// A path, or an abstract name behind `@`; others (vsock) are passed over.
    private static func address(_ text: String) -> UnixAddress? {
        switch text.utf8.first {
        case UInt8(ascii: "/"): .path(Array(text.utf8))
        case UInt8(ascii: "@"): .abstract(Array(text.utf8.dropFirst()))
        case _: nil
        }
    }

    /// What `systemctl status` shows of a service that runs.
    static func status(listening addresses: [ListenAddress], isReloadRefused: Bool = false) -> String {
        "listening on " + addresses.map(\.text).joined(separator: ", ")
            + (isReloadRefused ? "; the last reload was refused, the log says why" : "")
    }

    func ready(_ status: String) { send("READY=1\nSTATUS=\(status)") }

    /// The clock lets the manager tell this reload from an earlier one.
    func reloading() { send("RELOADING=1\nMONOTONIC_USEC=\(Clock.now().nanoseconds / 1000)\nSTATUS=reloading") }

    func stopping() { send("STOPPING=1\nSTATUS=draining") }

    func isAlive() { send("WATCHDOG=1") }

    /// A manager that is not there, or does not read, is no reason to stop.
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

/// Signs of life for the service manager, given only where every thread of the service has had a turn: one that hangs ends them.
struct Watchdog {
    private let task: Task<Void, Never>

    /// nil where nobody watches.
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

/// Sockets that systemd listens on and hands over: sd_listen_fds(3), by the environment alone.
struct SocketActivation {
    /// Those named `health` are health listeners; all others serve.
    private(set) var sockets: [(address: ListenAddress, isHealth: Bool, descriptor: Int32)] = []

    /// SD_LISTEN_FDS_START.
    private static let firstDescriptor: Int32 = 3

    /// - Throws: why one of the sockets cannot be listened on; nothing is taken over then.
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
                    descriptor: descriptor, name: name, reason: "listens on \(address.text), as another one does")
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

    /// The descriptor that listens there already.
    func descriptor(for address: ListenAddress, isHealth: Bool) -> Int32? {
        sockets.first { $0.isHealth == isHealth && $0.address.isSameSocket(as: address) }?.descriptor
    }
}

/// Why a socket that was handed over cannot be used.
struct SocketActivationError: Error, CustomStringConvertible {
    let descriptor: Int32
    let name: String
    let reason: String

    var description: String { "the socket \(descriptor) (\(name)) of LISTEN_FDS \(reason)" }
}

/// A descriptor that another process opened: what it is, and that it behaves as one of our own.
enum InheritedSocket {
    /// Makes it non-blocking and close-on-exec.
    /// - Returns: where it listens.
    static func prepare(_ descriptor: Int32, name: String) throws(SocketActivationError) -> ListenAddress {
        func fail(_ reason: String) -> SocketActivationError {
            SocketActivationError(descriptor: descriptor, name: name, reason: reason)
        }
        guard let type = option(SO_TYPE, of: descriptor) else { throw fail("is no socket") }
        guard type == connectd_sock_stream else { throw fail("is no stream socket") }
        guard option(SO_ACCEPTCONN, of: descriptor) == 1 else {
            throw fail("does not listen; a unit with Accept=yes hands over connections, which connectd does not take")
        }
        guard let address = SocketName.listenAddress(of: descriptor) else {
            throw fail("listens neither on an internet address nor on a path")
        }
        guard connectd_set_nonblocking(descriptor) == 0, connectd_set_close_on_exec(descriptor) == 0 else {
            throw fail("cannot be set up")
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
