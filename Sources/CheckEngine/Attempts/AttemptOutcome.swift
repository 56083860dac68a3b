internal import CheckModel

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
