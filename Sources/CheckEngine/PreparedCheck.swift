public import CheckModel

/// A check that is ready to run: in range, parsed, its patterns compiled.
///
/// One object for the whole way through the engine: a check that waits costs the memory of what it holds.
public final class PreparedCheck: Sendable {
    public let request: CheckRequest
    /// nil where the request has no dialog.
    public let dialog: Dialog?

    public init(request: CheckRequest, dialog: Dialog? = nil) {
        self.request = request
        self.dialog = dialog
    }

    /// The same check, asked for by that request.
    public func asked(by origin: RequestOrigin?) -> PreparedCheck {
        guard let origin else { return self }
        var request = request
        request.origin = origin
        return PreparedCheck(request: request, dialog: dialog)
    }
}
