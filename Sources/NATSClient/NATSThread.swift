internal import CLinux
internal import NetworkTypes
internal import SocketIO

/// A POSIX thread: pthread_create(3). It inherits the signal mask.
///
/// SAFETY of `@unchecked`: the handle is a number, and only `join` uses it, once.
struct NATSThread: @unchecked Sendable {
    private let handle: pthread_t

    /// - Throws: if the system allows no more threads.
    init(_ body: @escaping @Sendable () -> Void) throws(NATSFailure) {
        var handle = pthread_t()
        let argument = Unmanaged.passRetained(Body(body))
        let result = pthread_create(&handle, nil, runBody, argument.toOpaque())
        guard result == 0 else {
            argument.release()
            throw NATSFailure("no thread for the connection to NATS: \(text(of: result))")
        }
        self.handle = handle
    }

    /// Waits until the thread has ended. Call it once.
    func join() {
        pthread_join(handle, nil)
    }

    fileprivate final class Body: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }
}

private func runBody(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    // SAFETY: the pointer comes from `passRetained` in the initializer, and is taken back once, here.
    Unmanaged<NATSThread.Body>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}

/// Wakes a thread that waits: eventfd(2).
final class WakeupDescriptor: Sendable {
    private let descriptor: Descriptor

    init() throws(NATSFailure) {
        let number = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard number >= 0 else {
            throw NATSFailure("no descriptor for the connection to NATS: \(text(of: Errno.current.rawValue))")
        }
        descriptor = Descriptor(adopting: number)
    }

    func signal() {
        var one: UInt64 = 1
        _ = write(descriptor.rawValue, &one, 8)
    }

    /// Waits until it is signaled, and resets it. It may return early.
    /// - Parameter milliseconds: nil waits forever.
    func wait(milliseconds: Int?) {
        var watched = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        _ = poll(&watched, 1, milliseconds.map(Int32.init(clamping:)) ?? -1)
        var count: UInt64 = 0
        _ = read(descriptor.rawValue, &count, 8)
    }
}

/// The text of an error number: strerror(3).
private func text(of number: Int32) -> String {
    strerror(number).map { String(cString: $0) } ?? "errno \(number)"
}
