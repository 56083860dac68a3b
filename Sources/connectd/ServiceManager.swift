import CLinux
import CheckModel
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
