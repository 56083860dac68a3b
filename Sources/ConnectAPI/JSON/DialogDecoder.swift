internal import CheckModel
internal import StrictJSON

/// Reads one step of a dialog: an object with one member.
enum DialogDecoder {
    static func step(_ cursor: inout JSONCursor) -> DialogStep? {
        cursor.object { reader in
            let expect = reader.string("expect").map(DialogStep.expect(pattern:))
            let expectHex = reader.member("expect_hex") { bytes(&$0, mayBeEmpty: false) }.map(DialogStep.expectBytes)
            let send = reader.string("send").map(DialogStep.send(text:))
            let sendHex = reader.member("send_hex") { bytes(&$0, mayBeEmpty: true) }.map(DialogStep.sendBytes)
            let reject = reader.string("reject").map(DialogStep.reject(pattern:))
            let startTLS = reader.member("starttls", startTLS)
            let steps = [expect, expectHex, send, sendHex, reject, startTLS].compactMap { $0 }
            if reader.object.members.count != 1 {
                reader.report("must have exactly one of: expect, expect_hex, send, send_hex, reject, starttls")
            }
            return steps.count == 1 ? steps[0] : nil
        }
    }

    private static func startTLS(_ cursor: inout JSONCursor) -> DialogStep? {
        guard let begins = cursor.bool() else { return nil }
        guard begins else {
            cursor.report("must be true; leave the step out instead")
            return nil
        }
        return .startTLS
    }

    private static func bytes(_ cursor: inout JSONCursor, mayBeEmpty: Bool) -> [UInt8]? {
        guard let text = cursor.string() else { return nil }
        guard let bytes = Hexadecimal.bytes(text), mayBeEmpty || !bytes.isEmpty else {
            cursor.report("must be hexadecimal digits, two for each byte")
            return nil
        }
        return bytes
    }
}

/// Bytes written as pairs of hexadecimal digits.
enum Hexadecimal {
    /// The bytes; nil if a digit is missing or invalid.
    static func bytes(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(of: digits[index]), let low = value(of: digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// Writes the report of a dialog.
enum DialogEncoder {
    static func writeMember(_ dialog: DialogReport, to writer: inout JSONWriter) {
        writer.member("dialog")
        writer.beginObject()
        writer.member("steps")
        writer.beginArray()
        for (index, step) in dialog.steps.enumerated() { write(step, index, to: &writer) }
        writer.endArray()
        writer.member("groups")
        writer.beginObject()
        for group in dialog.groups {
            writer.member(escaping: group.name)
            writer.string(group.value)
        }
        writer.endObject()
        writer.member("failed_step")
        writer.integer(dialog.failedStep)
        writer.endObject()
    }

    private static func write(_ step: DialogStepReport, _ index: Int, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("step")
        writer.integer(index)
        writer.member("kind")
        writer.string(step.kind.rawValue)
        writer.member("ok")
        writer.bool(step.ok)
        writer.member("duration_ms")
        writer.milliseconds(nanoseconds: step.durationNanoseconds)
        writer.member("bytes")
        writer.integer(step.bytes)
        if let detail = step.detail {
            writer.member("detail")
            writer.string(detail)
        }
        if let received = step.received {
            writer.member("received")
            writer.printable(received)
        }
        writer.endObject()
    }
}
