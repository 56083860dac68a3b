package import CheckEngine
internal import CheckModel
package import StrictJSON
package import TLSClient

/// Reads a check of the configuration: the members of a request, by the rules of requests.
package enum ConfiguredCheckDecoder {
    /// The longest `timeout_ms` of any check.
    private static let longestTimeoutMilliseconds = 60_000

    /// - Parameters:
    ///   - material: what `tls.ca` and `tls.client_certificate` may name.
    ///   - md5Keys: what `socket.tcp_md5` may name.
    /// - Returns: the check, or what is wrong with it.
    package static func decode(
        _ value: JSONValue, material: TLSMaterial, md5Keys: some Collection<String>
    ) -> (check: PreparedCheck?, problems: [JSONProblem]) {
        do throws(JSONProblems) {
            let check = try CheckDecoder.decode(value, maximumTimeoutMilliseconds: longestTimeoutMilliseconds)
            var problems = RequestPermissions.unknownNames(in: check.request, of: material)
            if let name = check.request.socket.tcpMD5, !md5Keys.contains(name) {
                problems.append(
                    JSONProblem(pointer: "/socket/tcp_md5", detail: "is no entry of md5_keys in the configuration"))
            }
            return (problems.isEmpty ? check : nil, problems)
        } catch {
            return (nil, error.problems)
        }
    }
}
