package import CheckEngine
package import CheckModel

/// A check that a client asked for, ready to run: decoded, parsed, its patterns compiled.
package struct DecodedCheck: Sendable {
    package let request: CheckRequest
    /// nil where the request has no dialog.
    package let dialog: Dialog?
}
