internal import CheckModel
package import Configuration
internal import StrictJSON

/// What a request may use beside its target: the configuration lends options that reach further than a connect.
package struct RequestPermissions: Sendable {
    package let dialogs: PolicySettings.Dialogs
    package let options: Set<PolicySettings.Option>

    package init(dialogs: PolicySettings.Dialogs, options: Set<PolicySettings.Option>) {
        self.dialogs = dialogs
        self.options = options
    }

    /// The members that the request may not use, each with its pointer; empty if it may go on.
    ///
    /// A key that is not there is refused as one that is not lent: the answer tells no names.
    /// - Parameter md5Keys: the names that `socket.tcp_md5` may have.
    func refusals(of request: CheckRequest, md5Keys: some Collection<String>) -> [JSONProblem] {
        var pointers: [String] = []
        if !request.dialog.isEmpty, dialogs != .any { pointers.append("/dialog") }
        if request.bind.address != nil, !options.contains(.bind) { pointers.append("/bind/address") }
        if request.bind.port != nil, !options.contains(.bind) { pointers.append("/bind/port") }
        if request.bind.interface != nil, !options.contains(.interface) { pointers.append("/bind/interface") }
        if request.socket.mark != nil, !options.contains(.mark) { pointers.append("/socket/mark") }
        if let key = request.socket.tcpMD5, !options.contains(.md5) || !md5Keys.contains(key) {
            pointers.append("/socket/tcp_md5")
        }
        return pointers.map { JSONProblem(pointer: $0, detail: "is not allowed to requests by the policy") }
    }
}
