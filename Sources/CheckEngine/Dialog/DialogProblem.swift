/// Why a dialog cannot be held: its form, before anything is connected.
public struct DialogProblem: Error, Hashable, Sendable {
    /// The step's index.
    public let step: Int
    /// The step's member: `expect`, `expect_hex`, `send` or `send_hex`.
    public let member: String
    /// What is wrong, as the end of a sentence about the member.
    public let detail: String

    public init(step: Int, member: String, detail: String) {
        self.step = step
        self.member = member
        self.detail = detail
    }
}
