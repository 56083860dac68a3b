internal import CheckModel
internal import SocketIO
internal import Synchronization

/// The mounts of this process whose file systems may have to ask a server, looked at once a second at most.
final class RemoteMounts: Sendable {
    private struct State {
        var nextLook: MonotonicTime?
        var places: [[UInt8]] = []
    }

    private static let lookInterval: Int64 = 1_000_000_000
    private let state = Mutex(State())

    /// Mounts are the process's.
    static let ofProcess = RemoteMounts()

    /// The mount that the path lies on as it is written; nil for a file system of this machine.
    func place(of path: [UInt8]) -> [UInt8]? {
        let now = Clock.now()
        return state.withLock { state in
            if state.nextLook.map({ now >= $0 }) ?? true {
                state.nextLook = now.advanced(byNanoseconds: Self.lookInterval)
                state.places = MountTable.remotePlaces()
            }
            return Self.innermost(of: state.places, above: path)
        }
    }

    /// The longest of the places that is a folder of the path, or the path itself.
    static func innermost(of places: [[UInt8]], above path: [UInt8]) -> [UInt8]? {
        places.filter { place in
            path.starts(with: place) && (path.count == place.count || path[place.count] == .slash)
        }.max { $0.count < $1.count }
    }
}
