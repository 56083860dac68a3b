internal import CheckModel
internal import CLinux
internal import SocketIO
internal import TLSClient

// Steps that send.
extension Line {
    /// Sends all bytes behind the first `start`, in as many calls as a stream needs, or as one message.
    mutating func send(_ bytes: [UInt8], from start: Int, on socket: borrowing Socket) async -> StepResult {
        var result = StepResult(sentCount: start)
        var isDone = !hasMessages && start == bytes.count
        while !isDone {
            if Task.isCancelled {
                result.ending = .cancelled
                return result
            }
            do throws(TLSTransferError) {
                result.sentCount += try transmit(bytes[result.sentCount...], on: socket)
                isDone = result.sentCount == bytes.count
            } catch {
                result.ending = await recover(from: error, on: socket)
                if result.ending != nil { return result }
            }
        }
        return result
    }

    /// Waits for room.
    /// - Returns: nil where sending can go on.
    private mutating func recover(from error: TLSTransferError, on socket: borrowing Socket) async -> DialogEnding? {
        switch error {
        case .kernel(let error) where error.rawValue == EINTR: return nil
        case .kernel(let error) where error.rawValue == EAGAIN: break
        case .kernel, .tls: return DialogEnding(error)
        }
        do throws(TLSTransferError) { try overhear(on: socket) } catch { return DialogEnding(error) }
        switch await reactor.waitOnThread(token, for: [.readable, .writable], until: deadline) {
        case .ready: return nil
        case .deadline: return .mismatch(heard: hasHeardInStep)
        case .cancelled: return .cancelled
        }
    }
}
