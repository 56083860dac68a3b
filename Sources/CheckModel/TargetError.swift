/// Why a target is none, in one sentence for whoever wrote it.
public struct TargetError: Error, Hashable, Sendable {
    /// The members of a target's object form.
    public enum Member: String, CaseIterable, Sendable {
        case transport, host, port, path
        case socketType = "socket_type"
    }

    public let detail: String
    /// The part that is wrong; nil where it is the whole. In the object form it is the member's name.
    public let member: Member?

    public init(_ detail: String, member: Member? = nil) {
        self.detail = detail
        self.member = member
    }
}
