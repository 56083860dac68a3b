// `Fuzz/run` compiles this file and Sources/StrictJSON as one module. It is not part of the package.

private enum FuzzedFamily: String, CaseIterable { case any, ipv4, ipv6 }

/// Reads any bytes. A rejected document has an error position within it. An accepted one is UTF-8, and is read back
/// unchanged after it was written.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    do throws(JSONSyntaxError) {
        let value = try JSONValue.parse(bytes)
        precondition(String(validating: bytes, as: UTF8.self) != nil, "bad UTF-8 was accepted")
        precondition(rewrite(value) == value, "what was written reads back differently")
        decode(value)
    } catch {
        precondition((0...count).contains(error.offset), "an offset outside of the document")
        precondition(error.line >= 1 && error.column >= 1, "no such place")
        precondition(isPointer(error.pointer), "not a JSON pointer")
    }
    printBytes(bytes)
    return 0
}

private func rewrite(_ value: JSONValue) -> JSONValue {
    var writer = JSONWriter(reserving: 0)
    writer.value(value)
    let bytes = writer.finish()
    do throws(JSONSyntaxError) {
        return try JSONValue.parse(bytes)
    } catch {
        fatalError("what was written does not read back: \(error)")
    }
}

/// The escaped form is never longer than its limit, and always a JSON string.
private func printBytes(_ bytes: [UInt8]) {
    var writer = JSONWriter(reserving: 0)
    writer.printable(bytes, limit: 100)
    do throws(JSONSyntaxError) {
        guard case .string(let text) = try JSONValue.parse(writer.finish()) else { fatalError("not a string") }
        precondition(text.utf8.count <= 100, "the limit was passed")
    } catch {
        fatalError("network bytes do not read back: \(error)")
    }
}

private func decode(_ value: JSONValue) {
    do throws(JSONProblems) {
        _ = try JSONObjectReader.decode(value) { reader -> Int? in
            reader.require("target")
            _ = reader.string("target")
            _ = reader.stringMap("labels", maximumMembers: 8)
            _ = reader.bool("half_open")
            _ = reader.object("resolve") { $0.enumeration("family", FuzzedFamily.self) }
            _ = reader.array("dialog", count: 0...4) { step in step.object { $0.string("send") } }
            return reader.integer("timeout_ms", in: 1...60000) ?? 5000
        }
    } catch {
        precondition(!error.isEmpty && error.problems.count <= JSONProblems.limit, "problems without bounds")
        for problem in error.problems { precondition(isPointer(problem.pointer), "not a JSON pointer") }
    }
}

private func isPointer(_ pointer: String) -> Bool {
    let bytes = Array(pointer.utf8)
    guard bytes.isEmpty || bytes[0] == UInt8(ascii: "/") else { return false }
    for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "~") {
        guard index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "0") || bytes[index + 1] == UInt8(ascii: "1")
        else { return false }
    }
    return true
}
