internal import CheckModel
internal import StrictJSON

extension JSONWriter {
    /// An address as a string.
    mutating func address(_ address: IPAddress) {
        switch address {
        case .v4(let address):
            plainString(atMost: IPv4Address.longestText) {
                address.putText(at: UnsafeMutableBufferPointer(start: $0, count: IPv4Address.longestText))
            }
        case .v6:
            string(address.text)
        }
    }
}
