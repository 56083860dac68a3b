internal import CheckModel

/// One attempt's result, with the dialog that was held on it.
final class AttemptOutcome: Sendable {
    let result: AttemptResult
    let dialog: DialogReport?
    /// How much of the check's time the dialog took, nanoseconds.
    let dialogNanoseconds: Int64

    init(result: AttemptResult, dialog: DialogReport? = nil, dialogNanoseconds: Int64 = 0) {
        self.result = result
        self.dialog = dialog
        self.dialogNanoseconds = dialogNanoseconds
    }
}
