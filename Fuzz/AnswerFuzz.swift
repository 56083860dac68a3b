// `Fuzz/run` compiles this file and Sources/DNS as one module. It is not part of the package.
import NetworkTypes

/// Reads any response of a name server. An accepted answer has addresses, and no more than fit into the message.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    for type in [RecordType.a, .aaaa] {
        for isTCP in [false, true] {
            let verdict = AnswerReader.judge(bytes, name: "www.test", type: type, isTCP: isTCP)
            precondition(!isTCP || verdict != .truncated, "a stream was taken for truncated")
            guard case .result(.success(let answer)) = verdict else { continue }
            precondition(!answer.addresses.isEmpty, "an answer without addresses")
            precondition(answer.addresses.count * 14 < count, "more addresses than the message holds")
            precondition(answer.addresses.allSatisfy { $0.family == type.family }, "an address of the other family")
            precondition(!answer.names.contains("www.test"), "the name is its own alias")
        }
    }
    return 0
}
