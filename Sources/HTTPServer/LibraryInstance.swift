internal import CLinux
internal import CMicrohttpd
internal import NetworkTypes
internal import SocketIO

/// One instance of libmicrohttpd, with some of the worker's connections.
///
/// Connections are suspended while a check runs, and between requests. Whenever one is resumed, the library visits all
/// suspended connections of its instance. So the connections are divided among instances: with 9,000 waiting checks in one
/// instance, these visits cost as much as a check.
struct LibraryInstance {
    /// The library's struct MHD_Daemon.
    let handle: OpaquePointer
    let epollNumber: Int32
    /// Whether it has the memory for long request heads.
    let isLarge: Bool
    /// The watch of `epollNumber`.
    var watch: SlotToken?
    /// Whether it must run in the next turn. A run is a system call.
    var mustRun = false
    var connectionCount = 0

    /// Starts an instance.
    /// - Parameter context: what its callbacks get; it must outlive the instance.
    /// - Throws: EMFILE, ENFILE, ENOMEM.
    init(context: UnsafeMutableRawPointer, limits: HTTPLimits, isLarge: Bool) throws(Errno) {
        let limit = UInt32(limits.connections + HTTPLimits.healthConnections + 1)
        let memory = isLarge ? HTTPLimits.largeMemoryBytes : limits.connectionMemoryBytes
        guard
            let handle = connectd_mhd_start(
                context, onAccess, onCompleted, onConnection, onTarget, limit, memory)
        else { throw Errno.current.rawValue == 0 ? Errno(ENOMEM) : .current }
        self.handle = handle
        self.isLarge = isLarge
        epollNumber = connectd_mhd_epoll_descriptor(handle)
    }

    /// Runs the library until it waits for its sockets, but a few times at most, so that it keeps no others waiting.
    ///
    /// It takes three runs for the response of a suspended connection: to prepare, to send and to conclude. A turn of the
    /// reactor between them would cost a system call, and let the next request arrive while the gate is still open.
    /// - Parameter conclude: called after each run.
    /// - Returns: whether it waits for its sockets.
    static func run(_ handle: OpaquePointer, conclude: () -> Void) -> Bool {
        for _ in 0..<4 {
            MHD_run(handle)
            conclude()
            var wait: UInt64 = 0
            guard MHD_get_timeout(handle, &wait) == .YES, wait == 0 else { return true }
        }
        return false
    }
}
