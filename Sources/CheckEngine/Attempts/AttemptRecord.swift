import CLinux
import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO
internal import TLS

/// What is known of an attempt while it is under way. An object of its own: the frames of the functions that wait would
/// have to hold it otherwise, each a copy.
final class AttemptRecord {
    var result: AttemptResult
    /// There once TLS was begun.
    var security: AttemptTLS?
    var dialog: DialogReport?
    var dialogNanoseconds: Int64 = 0
    private let begin: MonotonicTime

    @inline(never)
    init(of endpoint: Endpoint, checkStart: MonotonicTime) {
        begin = Clock.now()
        result = AttemptResult(
            endpoint: endpoint, outcome: .connected, phase: .done, startNanoseconds: begin.since(checkStart))
    }

    /// The attempt's outcome, with its duration up to now.
    @inline(never)
    func finished() -> AttemptOutcome {
        let tlsNanoseconds = security?.nanoseconds ?? 0
        result.durationNanoseconds = Clock.now().since(begin) - tlsNanoseconds - dialogNanoseconds
        return AttemptOutcome(
            result: result, tls: security?.channel?.report, dialog: dialog, tlsNanoseconds: tlsNanoseconds,
            dialogNanoseconds: dialogNanoseconds)
    }
}

/// One attempt's result, with the handshake and the dialog that were held on it.
final class AttemptOutcome: Sendable {
    let result: AttemptResult
    let tls: TLSReport?
    let dialog: DialogReport?
    /// How much of the check's time TLS took, nanoseconds.
    let tlsNanoseconds: Int64
    /// How much of the check's time the dialog took, nanoseconds.
    let dialogNanoseconds: Int64

    init(
        result: AttemptResult, tls: TLSReport? = nil, dialog: DialogReport? = nil, tlsNanoseconds: Int64 = 0,
        dialogNanoseconds: Int64 = 0
    ) {
        self.result = result
        self.tls = tls
        self.dialog = dialog
        self.tlsNanoseconds = tlsNanoseconds
        self.dialogNanoseconds = dialogNanoseconds
    }
}

/// What the kernel can say about a failure beside its number.
struct Evidence {
    /// The ICMP message behind this very error; a later or an earlier one of another kind is none.
    let icmp: ICMPMessage?
    private let endpoint: Endpoint

    init(of error: Errno, on socket: borrowing Socket, endpoint: Endpoint) {
        self.endpoint = endpoint
        guard case .ip = endpoint else {
            icmp = nil
            return
        }
        var found: ICMPMessage?
        while let (behind, message) = socket.takeICMP() {
            if behind == error { found = message }
        }
        icmp = found
    }

    /// Puts into the circumstances what the classification asks for with this error. Only a failure pays for it.
    func describe(_ error: Errno, in circumstances: inout Circumstances) {
        guard case .ip(let endpoint) = endpoint else { return }
        if let icmp {
            circumstances.icmp = icmp
            circumstances.icmpSender = icmp.sender(destination: endpoint.address, isOurs: LocalAddresses.contains)
        }
        if error.rawValue == EADDRNOTAVAIL {
            circumstances.hasAddressOfFamily = LocalAddresses.hasAny(of: endpoint.address.family)
        }
    }
}
