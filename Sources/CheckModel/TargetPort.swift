/// A port as a target has it: a number, or a name of the built-in table.
public enum TargetPort: Hashable, Sendable {
    case number(Int)
    case name(String)

    /// 1 … 65535.
    ///
    /// - Throws: If the number is out of range, or the name unknown; a number in quotes is no name.
    func number() throws(TargetError) -> UInt16 {
        switch self {
        case .number(let number):
            guard let port = UInt16(exactly: number), port > 0 else {
                throw TargetError("The port is not within 1…65535.", member: .port)
            }
            return port
        case .name(let name):
            guard let port = PortNames.port(named: name) else {
                if !name.isEmpty, name.utf8.allSatisfy({ $0.decimalDigit != nil }) {
                    throw TargetError("A port number is written without quotes.", member: .port)
                }
                throw TargetError(
                    "The port is neither a number of 1…65535 nor a known name such as https.", member: .port)
            }
            return port
        }
    }

    var text: String {
        switch self {
        case .number(let number): String(number)
        case .name(let name): name
        }
    }
}
