import CheckEngine
import CheckModel
@testable import ConnectAPI
import NetworkTypes
import StrictJSON

/// Decodes one check, or returns its problems.
func decode(
    _ json: String, maximumTimeoutMilliseconds: Int = 60_000
) throws -> Result<PreparedCheck, JSONProblems> {
    let document = try JSONValue.parse(Array(json.utf8))
    do throws(JSONProblems) {
        return .success(
            try CheckDecoder.decode(document, maximumTimeoutMilliseconds: maximumTimeoutMilliseconds))
    } catch {
        return .failure(error)
    }
}

/// The request of a valid check with these members after the target.
func decodedRequest(_ members: String = "") throws -> CheckRequest {
    try decode(#"{"target":"tcp://10.0.0.7:80"\#(members.isEmpty ? "" : ",")\#(members)}"#).get().request
}

/// The pointers of an invalid check's problems, in order.
func pointers(_ json: String, maximumTimeoutMilliseconds: Int = 60_000) throws -> [String] {
    switch try decode(json, maximumTimeoutMilliseconds: maximumTimeoutMilliseconds) {
    case .success: []
    case .failure(let problems): problems.problems.map(\.pointer)
    }
}

extension String {
    /// An IPv4 or IPv6 address.
    var address: IPAddress {
        guard let address = IPAddress(parsing: self) else { preconditionFailure("\(self) is no address") }
        return address
    }
}
