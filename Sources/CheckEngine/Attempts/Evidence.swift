internal import CLinux
internal import CheckModel
internal import SocketIO

/// What the kernel can say about a failure beside its number.
struct Evidence {
    /// The ICMP message behind this very error; a later or an earlier one of another kind is none.
    let icmp: ICMPMessage?
    private let endpoint: Endpoint

    init(of error: Errno, on socket: borrowing Socket, endpoint: Endpoint) {
        self.endpoint = endpoint
        guard case .ip = endpoint else {
            icmp = nil
            return
        }
        var found: ICMPMessage?
        while let (behind, message) = socket.takeICMP() {
            if behind == error { found = message }
        }
        icmp = found
    }

    /// Puts into the circumstances what the classification asks for with this error. Only a failure pays for it.
    func describe(_ error: Errno, in circumstances: inout Circumstances) {
        guard case .ip(let endpoint) = endpoint else { return }
        if let icmp {
            circumstances.icmp = icmp
            circumstances.icmpSender = icmp.sender(destination: endpoint.address, isOurs: LocalAddresses.contains)
        }
        if error.rawValue == EADDRNOTAVAIL {
            circumstances.hasAddressOfFamily = LocalAddresses.hasAny(of: endpoint.address.family)
        }
    }
}
