/// Why a target is none, in one sentence for whoever wrote it.
package struct TargetError: Error, Hashable, Sendable {
    /// The members of a target's object form.
    package enum Member: String, CaseIterable, Sendable {
        case transport, host, port, path
        case socketType = "socket_type"
    }

    package let detail: String
    /// The part that is wrong; nil where it is the whole. In the object form it is the member's name.
    package let member: Member?

    package init(_ detail: String, member: Member? = nil) {
        self.detail = detail
        self.member = member
    }
}
