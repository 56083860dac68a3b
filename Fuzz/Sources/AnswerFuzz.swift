@testable internal import DNS
internal import NetworkTypes

/// Responses of name servers.
enum AnswerFuzz {
    /// An accepted answer has addresses of the right family, and no more than fit into the message.
    static func run(_ bytes: [UInt8]) {
        for type in [RecordType.a, .aaaa] {
            for isTCP in [false, true] {
                let verdict = AnswerReader.judge(bytes, name: "www.test", type: type, isTCP: isTCP)
                expect(!isTCP || verdict != .truncated, "a stream was taken for truncated")
                guard case .result(.success(let answer)) = verdict else { continue }
                expect(!answer.addresses.isEmpty, "an answer without addresses")
                expect(answer.addresses.count * 14 < bytes.count, "more addresses than the message holds")
                expect(answer.addresses.allSatisfy { $0.family == type.family }, "an address of the other family")
                expect(!answer.names.contains("www.test"), "the name is its own alias")
                expect(answer.names.allSatisfy { $0.utf8.count <= 1024 }, "an alias without bounds")
            }
        }
    }
}
