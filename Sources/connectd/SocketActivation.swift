import CLinux
import CheckModel
import Configuration
import SocketIO

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
