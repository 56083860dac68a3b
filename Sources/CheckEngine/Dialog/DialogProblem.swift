/// Why a dialog cannot be held: its form, before anything is connected.
package struct DialogProblem: Error, Hashable, Sendable {
    /// The step's index.
    package let step: Int
    /// The step's member: `expect`, `expect_hex`, `send` or `send_hex`.
    package let member: String
    /// What is wrong, as the end of a sentence about the member.
    package let detail: String

    package init(step: Int, member: String, detail: String) {
        self.step = step
        self.member = member
        self.detail = detail
    }
}
