package import CheckModel

/// A check that is ready to run: in range, parsed, its patterns compiled.
///
/// One object for the whole way through the engine: a check that waits costs the memory of what it holds.
package final class PreparedCheck: Sendable {
    package let request: CheckRequest
    /// nil where the request has no dialog.
    package let dialog: Dialog?

    package init(request: CheckRequest, dialog: Dialog? = nil) {
        self.request = request
        self.dialog = dialog
    }
}
