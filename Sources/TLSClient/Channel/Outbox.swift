internal import CheckModel
internal import CLinux
internal import SocketIO

/// Ciphertext that the socket has not taken yet.
struct Outbox {
    private var bytes: [UInt8] = []
    private var sentCount = 0

    var isEmpty: Bool { sentCount == bytes.count }
    var unsent: ArraySlice<UInt8> { bytes[sentCount...] }

    mutating func fill(from session: borrowing TLSSession) {
        session.takeOutput(into: &bytes)
    }

    /// Bytes that have left in another way.
    mutating func drop(_ count: Int) {
        sentCount = min(bytes.count, sentCount + count)
        guard isEmpty else { return }
        bytes.removeAll(keepingCapacity: true)
        sentCount = 0
    }

    /// Sends what the socket takes; EAGAIN is no error here.
    mutating func flush(on socket: borrowing Socket) throws(Errno) {
        while !isEmpty {
            do throws(Errno) {
                drop(try socket.send(unsent))
            } catch {
                switch error.rawValue {
                case EINTR: continue
                case EAGAIN: return
                case _: throw error
                }
            }
        }
    }
}
