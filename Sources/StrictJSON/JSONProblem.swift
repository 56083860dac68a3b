/// One thing that is wrong with a document whose grammar is right.
public struct JSONProblem: Sendable, Equatable {
    /// An RFC 6901 pointer to the member or element; for a missing member, to where it had to be.
    public let pointer: String
    /// What is wrong, a sentence without its full stop.
    public let detail: String

    public init(pointer: String, detail: String) {
        self.pointer = pointer
        self.detail = detail
    }
}
